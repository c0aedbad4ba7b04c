#include "almanac/base/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "almanac/base/console.h"

namespace almanac {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ProgressTest : public testing::Test {
 protected:
  std::unique_ptr<Progress> Make(bool bar, int width = 200) {
    ProgressOutput output;
    output.bar = bar;
    output.print_line = [this](std::string_view line) { lines_.emplace_back(line); };
    output.show_status = [this](std::string_view text) { statuses_.emplace_back(text); };
    output.now_ms = [this] { return now_.load(); };
    output.width = [width] { return width; };
    return MakeProgress(std::move(output));
  }
  std::atomic<int64_t> now_{1'000'000};
  std::vector<std::string> lines_, statuses_;
};

TEST_F(ProgressTest, ElsewhereOneLineAStep) {
  const auto progress = Make(false);
  progress->Begin("collect", 87'602);
  now_ += 1'234;
  progress->Note("BTCUSDT");
  progress->Advance(87'602);
  progress->End("87,602 bars");
  progress->Begin("train", 0);
  now_ += 65'900;
  progress->Begin("judge", 3);  // ends train
  now_ += 12;
  progress->End("");
  progress->End("a second end says nothing");
  EXPECT_THAT(lines_, ElementsAre("collect  87,602 bars  1.2s", "train  1m 5s", "judge  12ms"));
  EXPECT_THAT(statuses_, IsEmpty());
}

TEST_F(ProgressTest, ElsewhereALongStepSaysItsNotesInAWhile) {
  const auto progress = Make(false);
  progress->Note("before any step");
  progress->Begin("train", 0);
  for (int epoch = 1; epoch <= 6; ++epoch) {
    now_ += 4'000;
    progress->Note("epoch " + std::to_string(epoch));
  }
  progress->End("6 epochs");
  now_ += 60'000;
  progress->Note("after it");
  progress->Begin("judge", 0);
  now_ += 9'999;
  progress->Note("not yet");
  EXPECT_THAT(lines_, ElementsAre("train  epoch 3  12.0s", "train  epoch 6  24.0s",
                                  "train  6 epochs  24.0s"));
}

TEST_F(ProgressTest, AStepThatDidNotEndSaysNothing) {
  Make(false)->Begin("collect", 10);
  EXPECT_THAT(lines_, IsEmpty());
}

TEST_F(ProgressTest, TheBarShowsPartRateAndTimeLeft) {
  const auto progress = Make(true);
  progress->Begin("collect", 10'000);
  EXPECT_EQ(statuses_.back(), "collect  [........................]    0%  0/10,000");
  now_ += 500;
  progress->Advance(2'500);
  EXPECT_EQ(statuses_.back(),
            "collect  [######..................]   25%  2,500/10,000  5,000/s  2s left");
  now_ += 1'500;
  progress->Note("ETHUSDT");
  EXPECT_EQ(statuses_.back(),
            "collect  [######..................]   25%  2,500/10,000  1,250/s  6s left  ETHUSDT");
  now_ += 500;
  progress->Advance(7'500);
  EXPECT_THAT(statuses_.back(), HasSubstr("[########################]  100%"));
  EXPECT_THAT(statuses_.back(), Not(HasSubstr("left")));
  progress->End("done");
  EXPECT_EQ(statuses_.back(), "");
  EXPECT_THAT(lines_, ElementsAre("collect  done  2.5s"));
}

TEST_F(ProgressTest, AnUnknownTotalShowsACount) {
  const auto progress = Make(true);
  progress->Begin("read", 0);
  now_ += 2'000;
  progress->Advance(3);
  EXPECT_EQ(statuses_.back(), "read  3  1.5/s  2.0s");
}

TEST_F(ProgressTest, MoreThanTheTotalIsNotMoreThanAll) {
  const auto progress = Make(true);
  progress->Begin("read", 2);
  now_ += 1'000;
  progress->Advance(5);
  EXPECT_THAT(statuses_.back(), HasSubstr("100%  5/2"));
}

TEST_F(ProgressTest, RedrawsAtMostTenTimesASecond) {
  const auto progress = Make(true);
  progress->Begin("read", 100'000);
  for (int i = 0; i < 100'000; ++i) {
    if (i % 50 == 0) ++now_;  // two seconds in all
    progress->Advance(1);
  }
  EXPECT_LE(statuses_.size(), 21u);
  EXPECT_GE(statuses_.size(), 19u);
}

TEST_F(ProgressTest, ALineFitsTheTerminal) {
  for (const int width : {0, 1, 20, 40}) {
    const auto progress = Make(true, width);
    progress->Begin("a step with a long name", 100);
    EXPECT_LE(statuses_.back().size(), static_cast<size_t>(std::max(width - 1, 0)));
  }
}

TEST_F(ProgressTest, AnUnfinishedBarIsTakenAway) {
  {
    const auto progress = Make(true);
    progress->Begin("read", 100);
  }
  EXPECT_EQ(statuses_.back(), "");
  EXPECT_THAT(lines_, IsEmpty());
}

TEST_F(ProgressTest, UnitsOfManyThreadsAddUp) {
  const auto progress = Make(true);
  constexpr int kThreads = 4, kUnits = 20'000;
  progress->Begin("read", kThreads * kUnits);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < kUnits; ++k) {
        if (k % 100 == 0) now_ += 10;
        progress->Advance(1);
        if (k % 1000 == 0) progress->Note("x");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  now_ += 1'000;
  progress->Advance(0);
  EXPECT_THAT(statuses_.back(), HasSubstr("80,000/80,000"));
}

TEST_F(ProgressTest, QuietAndNoProgressSayNothing) {
  testing::internal::CaptureStderr();
  const auto quiet = MakeConsoleProgress(true);
  for (Progress* progress : {&NoProgress(), quiet.get()}) {
    progress->Begin("a", 1);
    progress->Advance(1);
    progress->Note("x");
    progress->End("done");
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

// Captured, stderr is a file.
TEST_F(ProgressTest, TheConsoleWritesLinesToStderr) {
  testing::internal::CaptureStderr();
  EXPECT_FALSE(StderrIsTerminal());
  const auto progress = MakeConsoleProgress(false);
  progress->Begin("collect", 1);
  progress->Advance(1);
  progress->End("1 bar");
  const std::string written = testing::internal::GetCapturedStderr();
  EXPECT_THAT(written, testing::StartsWith("collect  1 bar  "));
  EXPECT_EQ(written.back(), '\n');
}

TEST(ConsoleTest, LinesGoAboveTheStatus) {
  testing::internal::CaptureStderr();
  PrintErrorLine("one");
  ShowStatusLine("");  // there is none: nothing to clear
  ShowStatusLine("50%");
  PrintErrorLine("two");
  ShowStatusLine("");
  PrintErrorLine("three");
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "one\n\r\x1b[K50%\r\x1b[Ktwo\n50%\r\x1b[Kthree\n");
}

}  // namespace
}  // namespace almanac
