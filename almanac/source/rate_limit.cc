#include "almanac/source/rate_limit.h"

#include <algorithm>
#include <numeric>

#include "almanac/base/cancel.h"

namespace almanac {
namespace {

class SystemClock : public WaitClock {
 public:
  TimeMs Now() override { return almanac::Now(); }
  void Sleep(DurationMs duration) override { SleepOrCancel(duration); }
};

}  // namespace

WaitClock& SystemWaitClock() {
  static SystemClock clock;
  return clock;
}

TimeMs RateLimiter::Reserve(int weight) {
  const std::scoped_lock lock(mutex_);
  const TimeMs now = clock_.Now();
  TimeMs turn = std::max(now, blocked_until_);
  if (limit_.weight <= 0) return turn;
  weight = std::min(weight, limit_.weight);
  while (!grants_.empty() && grants_.front().time + limit_.window <= now) grants_.pop_front();
  if (!grants_.empty()) turn = std::max(turn, grants_.back().time);

  // The oldest grants leave the window one after the other until this one fits.
  int used = std::accumulate(grants_.begin(), grants_.end(), 0,
                             [](int sum, const Grant& grant) { return sum + grant.weight; });
  for (const Grant& grant : grants_) {
    if (grant.time + limit_.window > turn && used + weight <= limit_.weight) break;
    turn = std::max(turn, grant.time + limit_.window);
    used -= grant.weight;
  }
  grants_.push_back({turn, weight});
  return turn;
}

void RateLimiter::Acquire(int weight) {
  TimeMs turn = Reserve(weight);
  while (true) {
    const TimeMs now = clock_.Now();
    if (now < turn) clock_.Sleep(turn - now);
    // The vendor may have asked for a pause while this one slept.
    const std::scoped_lock lock(mutex_);
    if (blocked_until_ <= clock_.Now()) return;
    turn = blocked_until_;
  }
}

void RateLimiter::BlockUntil(TimeMs time) {
  const std::scoped_lock lock(mutex_);
  blocked_until_ = std::max(blocked_until_, time);
}

}  // namespace almanac
