#include "almanac/base/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <chrono>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "almanac/base/cancel.h"
#include "almanac/base/error.h"

namespace almanac {
namespace {

class ParallelTest : public testing::Test {
 protected:
  void SetUp() override { ResetCancel(); }
  void TearDown() override {
    ResetCancel();
    SetThreadCount(threads_);
  }
  const int threads_ = ThreadCount();
};

TEST_F(ParallelTest, DoesEveryItemOnce) {
  for (const size_t count : {size_t{0}, size_t{1}, size_t{2}, size_t{10'007}}) {
    std::vector<std::atomic<int>> calls(count);
    ParallelFor(count, [&](size_t i) { ++calls[i]; });
    for (const auto& c : calls) EXPECT_EQ(c, 1);
  }
}

TEST_F(ParallelTest, TheThreadCountIsALimit) {
  EXPECT_GE(ThreadCount(), 1);
  for (const int threads : {1, 3, 2}) {
    SetThreadCount(threads);
    EXPECT_EQ(ThreadCount(), threads);
    std::mutex mutex;
    std::set<std::thread::id> seen;
    ParallelFor(200, [&](size_t) {
      std::this_thread::sleep_for(std::chrono::microseconds(50));
      const std::lock_guard<std::mutex> hold(mutex);
      seen.insert(std::this_thread::get_id());
    });
    EXPECT_LE(seen.size(), static_cast<size_t>(threads));
  }
}

TEST_F(ParallelTest, RefusesLessThanOneThread) {
  for (const int threads : {0, -1}) {
    try {
      SetThreadCount(threads);
      FAIL() << threads;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
    }
  }
  EXPECT_EQ(ThreadCount(), threads_);
}

TEST_F(ParallelTest, PassesAnExceptionOn) {
  try {
    ParallelFor(1000, [](size_t i) {
      if (i == 371) throw Error(ErrorCode::kBadData, "BTCUSDT", "is broken");
    });
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadData);
    EXPECT_STREQ(error.what(), "BTCUSDT: is broken");
  }
  EXPECT_THROW(ParallelFor(1, [](size_t) { throw std::out_of_range("x"); }), std::out_of_range);
}

TEST_F(ParallelTest, AFailureLeavesTheLoopsInsideOtherBodiesWhole) {
  SetThreadCount(2);
  constexpr size_t kItems = 64;
  for (int round = 0; round < 20; ++round) {
    std::atomic<bool> under_way{false}, failed{false};
    std::atomic<int> short_of_items{0};
    const auto wait_for = [](const std::atomic<bool>& flag) {
      const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(1);
      while (!flag && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    };
    EXPECT_THROW(ParallelFor(2,
                             [&](size_t i) {
                               if (i == 0) {
                                 wait_for(under_way);
                                 failed = true;
                                 throw std::out_of_range("x");
                               }
                               under_way = true;
                               wait_for(failed);
                               for (int loop = 0; loop < 200; ++loop) {
                                 std::atomic<size_t> done{0};
                                 ParallelFor(kItems, [&](size_t) { ++done; });
                                 if (done != kItems) ++short_of_items;
                               }
                             }),
                 std::out_of_range);
    EXPECT_EQ(short_of_items, 0);
  }
}

TEST_F(ParallelTest, WaitingBodiesWaitTogether) {
  SetThreadCount(1);
  constexpr int kThreads = 5;
  std::barrier meeting(kThreads);  // passed only if that many bodies wait at once
  std::vector<int> visits(3 * kThreads);
  WaitingFor(visits.size(), kThreads, [&](size_t i) {
    meeting.arrive_and_wait();
    ++visits[i];
  });
  EXPECT_EQ(visits, std::vector<int>(visits.size(), 1));
  WaitingFor(0, kThreads, [](size_t) { FAIL(); });
}

TEST_F(ParallelTest, AFailureEndsWaitingBodies) {
  std::atomic<size_t> done{0};
  EXPECT_THROW(WaitingFor(100'000, 4,
                          [&](size_t i) {
                            if (i == 10) throw std::out_of_range("x");
                            ++done;
                          }),
               std::out_of_range);
  EXPECT_LT(done, 99'999U);
}

TEST_F(ParallelTest, AStopEndsTheLoopBetweenItems) {
  constexpr size_t kCount = 100'000;
  std::atomic<size_t> done{0};
  try {
    ParallelFor(kCount, [&](size_t) {
      if (++done == 10) RequestCancel();
    });
    FAIL() << "the loop was not stopped";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInterrupted);
  }
  EXPECT_LT(done, kCount);
}

TEST_F(ParallelTest, NestsUnderALockWithoutDeadlock) {
  SetThreadCount(2);
  std::mutex mutex;
  std::vector<std::vector<size_t>> output(16, std::vector<size_t>(64));
  ParallelFor(output.size(), [&](size_t i) {
    const std::lock_guard<std::mutex> hold(mutex);
    ParallelFor(output[i].size(), [&](size_t j) { output[i][j] = i * 64 + j + 1; });
  });
  for (size_t i = 0; i < output.size(); ++i) {
    for (size_t j = 0; j < output[i].size(); ++j) EXPECT_EQ(output[i][j], i * 64 + j + 1);
  }
}

}  // namespace
}  // namespace almanac
