// Keeping to a vendor's request limits: one limiter is shared by everything that asks that vendor.
#ifndef ALMANAC_SOURCE_RATE_LIMIT_H_
#define ALMANAC_SOURCE_RATE_LIMIT_H_

#include <deque>
#include <mutex>

#include "almanac/base/time.h"

namespace almanac {

// The wall clock and sleeping, so that tests need not wait.
class WaitClock {
 public:
  virtual ~WaitClock() = default;
  virtual TimeMs Now() = 0;
  // Throws Error(kInterrupted) soon after a stop was asked for.
  virtual void Sleep(DurationMs duration) = 0;
};
WaitClock& SystemWaitClock();

struct RateLimit {
  int weight = 0;  // at most this much in any window; 0: no limit
  DurationMs window = kMsPerMinute;
};

// A sliding window: the weights of the requests begun in any `window` sum to at most the limit.
// Each caller reserves its turn when it asks, so turns are given in the order of asking. Safe from
// several threads.
class RateLimiter {
 public:
  // `clock` is not owned.
  RateLimiter(RateLimit limit, WaitClock& clock) : limit_(limit), clock_(clock) {}

  // Returns when a request of this weight may begin. A weight above the limit counts as the limit.
  void Acquire(int weight = 1);
  // Nobody begins before `time`: the vendor asked for a pause, or its own count is near its limit.
  void BlockUntil(TimeMs time);

 private:
  struct Grant {
    TimeMs time;
    int weight;
  };
  TimeMs Reserve(int weight);

  RateLimit limit_;
  WaitClock& clock_;
  std::mutex mutex_;
  std::deque<Grant> grants_;  // ascending; older than a window are dropped
  TimeMs blocked_until_ = 0;
};

}  // namespace almanac

#endif  // ALMANAC_SOURCE_RATE_LIMIT_H_
