#include "almanac/source/http_retry.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "almanac/base/json.h"
#include "almanac/base/text.h"

namespace almanac {
namespace {

constexpr int kOk = 200, kUnauthorized = 401, kForbidden = 403, kRequestTimeout = 408;
constexpr int kBanned = 418, kTooManyRequests = 429, kUnavailableForLegalReasons = 451;
constexpr int kFirstRedirect = 300, kFirstClientError = 400, kFirstServerError = 500;
constexpr size_t kShownBytes = 200;

bool IsLimit(int status) { return status == kTooManyRequests || status == kBanned; }

bool IsTransient(int status) {
  return IsLimit(status) || status == kRequestTimeout || status >= kFirstServerError;
}

// One line of printable text, not too long.
std::string Excerpt(std::string_view text) {
  std::string line;
  for (const char c : Trim(text).substr(0, kShownBytes)) {
    line += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return Trim(text).size() > kShownBytes ? line + "..." : line;
}

std::string Said(const HttpResponse& response) {
  const std::string message = VendorMessage(response);
  return message.empty() ? fmt::format("status {}", response.status)
                         : fmt::format("status {}: \"{}\"", response.status, message);
}

VendorError Refusal(const VendorTraits& traits, const std::string& where,
                    const HttpResponse& response) {
  const int status = response.status;
  std::string remedy = "check the symbols, the timeframe and the range";
  bool concerns_all = false;
  if (status == kUnauthorized || status == kForbidden) {
    remedy = traits.key_help;
    concerns_all = true;
  } else if (status == kUnavailableForLegalReasons) {
    remedy =
        "the service does not answer from this location: give the base URL of a host that does";
    concerns_all = true;
  } else if (status >= kFirstRedirect && status < kFirstClientError) {
    remedy = "redirects are not followed: check the base URL";
    concerns_all = true;
  } else if (status < kFirstRedirect) {
    remedy = "check that the base URL is the service's own";
  }
  return {ErrorCode::kUsage, where,  traits.name + " refused, " + Said(response),
          std::move(remedy), status, concerns_all};
}

}  // namespace

std::string VendorMessage(const HttpResponse& response) {
  const Json body = Json::parse(response.body, nullptr, false);
  if (body.is_object()) {
    for (const char* key : {"msg", "message", "error"}) {
      const auto found = body.find(key);
      if (found != body.end() && found->is_string()) {
        return Redact(Excerpt(found->get<std::string>()));
      }
    }
  }
  return Redact(Excerpt(response.body));
}

std::optional<TimeMs> ParseHttpDate(std::string_view text) {
  constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::vector<std::string_view> parts = Split(text, ' ');
  if (parts.size() != 6 || parts[5] != "GMT") return std::nullopt;
  const auto month = std::find(kMonths.begin(), kMonths.end(), parts[2]);
  if (month == kMonths.end()) return std::nullopt;
  return ParseTime(
      fmt::format("{}-{:02}-{}T{}Z", parts[3], month - kMonths.begin() + 1, parts[1], parts[4]));
}

std::optional<DurationMs> ParseRetryAfter(std::string_view value, TimeMs now) {
  value = Trim(value);
  constexpr int64_t kMostSeconds = 10'000'000'000;
  if (const std::optional<int64_t> seconds = ParseInt64(value)) {
    return std::clamp<int64_t>(*seconds, 0, kMostSeconds) * kMsPerSecond;
  }
  const std::optional<TimeMs> date = ParseHttpDate(value);
  if (!date) return std::nullopt;
  return std::max<DurationMs>(0, *date - now);
}

VendorHttp::VendorHttp(VendorTraits traits, HttpOptions http, RetryPolicy retry, WaitClock& clock)
    : traits_(std::move(traits)),
      retry_(retry),
      clock_(clock),
      client_(std::move(http)),
      limiter_(traits_.limit, clock),
      random_(retry.seed) {}

DurationMs VendorHttp::Jitter(DurationMs first, int attempt) {
  double longest = static_cast<double>(first);
  for (int i = 0; i < attempt; ++i) longest *= 2;
  longest = std::min(longest, static_cast<double>(retry_.longest_delay));
  const std::scoped_lock lock(mutex_);
  return static_cast<DurationMs>(longest * random_.Uniform());
}

void VendorHttp::WaitAfter(const HttpRequest& request, const HttpResponse& response, int attempt) {
  const TimeMs now = clock_.Now();
  const bool limited = IsLimit(response.status);
  std::optional<DurationMs> wait = ParseRetryAfter(response.Header("retry-after"), now);
  if (wait && *wait > retry_.patience) {
    throw VendorError(ErrorCode::kUnavailable, ShownRequest(request),
                      fmt::format("{} answered with {} and asks to come back in {}", traits_.name,
                                  Said(response), FormatDuration(*wait)),
                      fmt::format("run the same command again after {}", FormatTime(now + *wait)),
                      response.status, true);
  }
  if (!wait) wait = Jitter(limited ? retry_.first_limited_delay : retry_.first_delay, attempt);
  if (limited) {
    limiter_.BlockUntil(now + *wait);  // for every request to this vendor
  } else {
    clock_.Sleep(*wait);
  }
}

std::optional<HttpResponse> VendorHttp::Try(const HttpRequest& request, int attempt) {
  const bool last = attempt + 1 >= retry_.attempts;
  HttpResponse response;
  try {
    response = client_.Get(request);
  } catch (const TransportError& error) {
    if (!error.IsTransient()) throw;
    if (last) {
      throw TransportError(error.failure(), error.where(),
                           fmt::format("{} ({} attempts)", error.problem(), attempt + 1),
                           error.remedy());
    }
    clock_.Sleep(Jitter(retry_.first_delay, attempt));
    return std::nullopt;
  }
  if (traits_.pause) {
    if (const auto until = traits_.pause(response, clock_.Now())) limiter_.BlockUntil(*until);
  }
  if (!IsTransient(response.status)) return response;
  if (last) {
    throw VendorError(
        ErrorCode::kUnavailable, ShownRequest(request),
        fmt::format("{} kept failing, {} ({} attempts)", traits_.name, Said(response), attempt + 1),
        "run the same command again later: it continues where it stopped", response.status,
        IsLimit(response.status));
  }
  WaitAfter(request, response, attempt);
  return std::nullopt;
}

std::string VendorHttp::Get(const HttpRequest& request, int weight) {
  for (int attempt = 0;; ++attempt) {
    limiter_.Acquire(weight);
    std::optional<HttpResponse> response = Try(request, attempt);
    if (!response) continue;
    if (response->status == kOk) return std::move(response->body);
    throw Refusal(traits_, ShownRequest(request), *response);
  }
}

}  // namespace almanac
