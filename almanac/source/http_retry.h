// Requests to a vendor's service: within its rate limit, asked again after failures that pass, and
// with answers that are no success turned into errors that say what the vendor said.
//
// Asked again are 408, 418, 429, every 5xx, timeouts, refused and broken connections, after
// min(longest_delay, first_delay * 2^n) times a random number of [0, 1) ("full jitter", M. Brooker
// 2015), or after what the answer's Retry-After (seconds or an HTTP date) says.
#ifndef ALMANAC_SOURCE_HTTP_RETRY_H_
#define ALMANAC_SOURCE_HTTP_RETRY_H_

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "almanac/base/random.h"
#include "almanac/source/http.h"
#include "almanac/source/rate_limit.h"

namespace almanac {

struct RetryPolicy {
  int attempts = 6;  // of one request, the first included
  DurationMs first_delay = 500;
  DurationMs longest_delay = 60 * kMsPerSecond;
  // The first delay after 429 and 418 without Retry-After: limits count in minutes.
  DurationMs first_limited_delay = 10 * kMsPerSecond;
  // A Retry-After longer than this ends the request with Error(kUnavailable) that says until when.
  DurationMs patience = 10 * kMsPerMinute;
  uint64_t seed = 1;
};

// What the vendor's service refused, or could not do. Codes: kUsage for what the user can mend (a
// symbol, a key, a plan), kUnavailable when it kept failing.
class VendorError : public Error {
 public:
  VendorError(ErrorCode code, std::string where, std::string what, std::string remedy, int status,
              bool concerns_all)
      : Error(code, std::move(where), std::move(what), std::move(remedy)),
        status_(status),
        concerns_all_(concerns_all) {}
  int status() const { return status_; }  // of the answer
  // Every further request of this source will fail alike: a wrong key, a ban, a refused location.
  bool concerns_all() const { return concerns_all_; }

 private:
  int status_;
  bool concerns_all_;
};

// How one vendor differs from another.
struct VendorTraits {
  std::string name;      // "Binance"
  std::string key_help;  // the remedy for a refused key: "set POLYGON_API_KEY"
  RateLimit limit;
  // Looks at an answer's headers and returns until when no request shall begin, if the vendor's own
  // count is near its limit.
  std::function<std::optional<TimeMs>(const HttpResponse&, TimeMs now)> pause;
};

class VendorHttp {
 public:
  // `clock` is not owned.
  VendorHttp(VendorTraits traits, HttpOptions http, RetryPolicy retry, WaitClock& clock);

  // The body of a successful (200) answer. `weight`: what the request costs in the vendor's count.
  // Throws VendorError, TransportError, Error(kInterrupted).
  std::string Get(const HttpRequest& request, int weight = 1);

  WaitClock& clock() { return clock_; }
  const VendorTraits& traits() const { return traits_; }

 private:
  // One request; nothing if it shall be made again, after the wait that is then over.
  std::optional<HttpResponse> Try(const HttpRequest& request, int attempt);
  void WaitAfter(const HttpRequest& request, const HttpResponse& response, int attempt);
  DurationMs Jitter(DurationMs first, int attempt);

  VendorTraits traits_;
  RetryPolicy retry_;
  WaitClock& clock_;
  HttpClient client_;
  RateLimiter limiter_;
  std::mutex mutex_;  // guards random_
  Random random_;
};

// Retry-After: a number of seconds, or an HTTP date (RFC 9110 10.2.3, the preferred form). Nothing
// if it is neither; a time in the past is 0.
std::optional<DurationMs> ParseRetryAfter(std::string_view value, TimeMs now);
// "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<TimeMs> ParseHttpDate(std::string_view text);

// What an answer that is no success says: the message of its JSON (msg, message, error), else the
// beginning of its text.
std::string VendorMessage(const HttpResponse& response);

}  // namespace almanac

#endif  // ALMANAC_SOURCE_HTTP_RETRY_H_
