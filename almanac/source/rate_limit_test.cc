#include "almanac/source/rate_limit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "almanac/base/random.h"
#include "almanac/source/vendor_test_server.h"

namespace almanac {
namespace {

TEST(RateLimiter, LetsABurstThroughAndThenWaitsForTheWindow) {
  FakeClock clock(1'000'000);
  RateLimiter limiter({5, kMsPerMinute}, clock);
  for (int i = 0; i < 5; ++i) limiter.Acquire();
  EXPECT_EQ(clock.Now(), 1'000'000);
  limiter.Acquire();
  EXPECT_EQ(clock.Now(), 1'000'000 + kMsPerMinute);
}

TEST(RateLimiter, NeverExceedsTheLimitInAnyWindow) {
  FakeClock clock(0);
  constexpr int kLimit = 20;
  constexpr DurationMs kWindow = 1000;
  RateLimiter limiter({kLimit, kWindow}, clock);
  Random random(3);
  std::vector<std::pair<TimeMs, int>> begun;
  for (int i = 0; i < 500; ++i) {
    clock.Sleep(static_cast<DurationMs>(random.Below(60)));
    const int weight = 1 + static_cast<int>(random.Below(7));
    limiter.Acquire(weight);
    begun.emplace_back(clock.Now(), weight);
  }
  int fullest = 0;
  for (const auto& [start, unused] : begun) {
    int sum = 0;
    for (const auto& [time, weight] : begun) {
      if (time >= start && time < start + kWindow) sum += weight;
    }
    fullest = std::max(fullest, sum);
  }
  EXPECT_LE(fullest, kLimit);
  EXPECT_GE(fullest, kLimit - 7) << "it must not be needlessly slow";
}

TEST(RateLimiter, WaitsWhileBlockedAndWithoutALimitOnlyThen) {
  FakeClock clock(0);
  RateLimiter limiter({}, clock);
  for (int i = 0; i < 1000; ++i) limiter.Acquire();
  EXPECT_EQ(clock.Now(), 0);
  limiter.BlockUntil(700);
  limiter.BlockUntil(500);  // does not shorten
  limiter.Acquire();
  EXPECT_EQ(clock.Now(), 700);
}

TEST(RateLimiter, AWeightAboveTheLimitTakesAWholeWindow) {
  FakeClock clock(0);
  RateLimiter limiter({5, 1000}, clock);
  limiter.Acquire(50);
  EXPECT_EQ(clock.Now(), 0);
  limiter.Acquire(1);
  EXPECT_EQ(clock.Now(), 1000);
}

TEST(RateLimiter, IsSharedBetweenThreads) {
  FakeClock clock(0);
  RateLimiter limiter({10, 1000}, clock);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) limiter.Acquire();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GE(clock.Now(), 9000) << "100 requests need nine windows after the first";
}

}  // namespace
}  // namespace almanac
