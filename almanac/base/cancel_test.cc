#include "almanac/base/cancel.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <thread>

#include "almanac/base/error.h"

namespace almanac {
namespace {

class CancelTest : public testing::Test {
 protected:
  void SetUp() override { ResetCancel(); }
  void TearDown() override { ResetCancel(); }
};

// The wait status of a child that runs `body` and then exits with its result. Whoever runs the
// tests may ignore signals (a script's background job does); the child begins without that.
int StatusOfChild(const std::function<int()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    _exit(body());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

int64_t MillisecondsOf(const std::function<void()>& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                               start)
      .count();
}

TEST_F(CancelTest, ChecksPassUntilAStopIsAskedFor) {
  EXPECT_FALSE(CancelRequested());
  EXPECT_NO_THROW(CheckCancel());
  RequestCancel();
  EXPECT_TRUE(CancelRequested());
  try {
    CheckCancel();
    FAIL() << "CheckCancel did not throw";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInterrupted);
    EXPECT_EQ(error.exit_status(), 130);
  }
  ResetCancel();
  EXPECT_NO_THROW(CheckCancel());
}

TEST_F(CancelTest, SleepLastsAsLongAsAsked) {
  EXPECT_GE(MillisecondsOf([] { SleepOrCancel(50); }), 50);
  EXPECT_NO_THROW(SleepOrCancel(0));
  EXPECT_NO_THROW(SleepOrCancel(-5));
}

TEST_F(CancelTest, SleepEndsSoonAfterAStop) {
  std::thread stopper([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    RequestCancel();
  });
  const int64_t took = MillisecondsOf([] { EXPECT_THROW(SleepOrCancel(kMaxTime), Error); });
  stopper.join();
  EXPECT_GE(took, 30);
  EXPECT_LT(took, 5000);
}

TEST_F(CancelTest, FirstSignalAsksSecondEnds) {
  for (const int signal_number : {SIGINT, SIGTERM}) {
    const int once = StatusOfChild([=] {
      InstallCancelHandlers();
      raise(signal_number);
      return CancelRequested() ? 7 : 8;
    });
    EXPECT_TRUE(WIFEXITED(once));
    EXPECT_EQ(WEXITSTATUS(once), 7);

    const int twice = StatusOfChild([=] {
      InstallCancelHandlers();
      raise(signal_number);
      raise(signal_number);
      return 7;
    });
    EXPECT_TRUE(WIFEXITED(twice));
    EXPECT_EQ(WEXITSTATUS(twice), 130);
  }
}

TEST_F(CancelTest, AStopFromTheProgramDoesNotCountAsASignal) {
  const int status = StatusOfChild([] {
    InstallCancelHandlers();
    RequestCancel();
    raise(SIGINT);
    return 7;
  });
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

TEST_F(CancelTest, AnIgnoredSignalStaysIgnored) {
  const int status = StatusOfChild([] {
    signal(SIGINT, SIG_IGN);
    InstallCancelHandlers();
    raise(SIGINT);
    return CancelRequested() ? 7 : 8;
  });
  EXPECT_EQ(WEXITSTATUS(status), 8);
}

}  // namespace
}  // namespace almanac
