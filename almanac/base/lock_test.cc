#include "almanac/base/lock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <functional>
#include <thread>

#include "almanac/base/cancel.h"
#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/test_folder.h"

namespace almanac {
namespace {

using Mode = FileLock::Mode;
using testing::HasSubstr;

class LockTest : public testing::Test {
 protected:
  void SetUp() override { ResetCancel(); }
  void TearDown() override { ResetCancel(); }
  TestFolder folder_;
  const std::filesystem::path path_ = folder_ / "locks/home";
};

// A child process that holds the lock until it is killed.
class Holder {
 public:
  Holder(const std::filesystem::path& path, Mode mode, const std::string& purpose) {
    std::array<int, 2> ready{};
    if (pipe(ready.data()) != 0) ADD_FAILURE() << "no pipe";
    pid_ = fork();
    if (pid_ == 0) {
      const FileLock held(path, mode, 0, purpose);
      (void)!write(ready[1], "x", 1);
      while (true) pause();
    }
    close(ready[1]);
    char byte = 0;
    EXPECT_EQ(read(ready[0], &byte, 1), 1);
    close(ready[0]);
  }
  ~Holder() { Kill(); }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = 0;
};

TEST_F(LockTest, OneWriterOrManyReaders) {
  {
    const FileLock first(path_, Mode::kShared, 0);
    EXPECT_TRUE(FileLock::Try(path_, Mode::kShared));
    EXPECT_FALSE(FileLock::Try(path_, Mode::kExclusive));
  }
  {
    const FileLock only(path_, Mode::kExclusive, 0);
    EXPECT_FALSE(FileLock::Try(path_, Mode::kShared));
    EXPECT_FALSE(FileLock::Try(path_, Mode::kExclusive));
  }
  EXPECT_TRUE(FileLock::Try(path_, Mode::kExclusive));
}

TEST_F(LockTest, TheErrorNamesFileHolderAndPatience) {
  const Holder holder(path_, Mode::kExclusive, "almanac run first-run.yaml");
  const auto start = std::chrono::steady_clock::now();
  try {
    const FileLock second(path_, Mode::kExclusive, 120);
    FAIL() << "two hold it";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kFailed);
    EXPECT_EQ(error.where(), path_.string());
    EXPECT_THAT(error.what(), HasSubstr("held by pid " + std::to_string(holder.pid()) +
                                        ": almanac run first-run.yaml since 20"));
    EXPECT_THAT(error.what(), HasSubstr("waited 1"));
  }
  const auto waited = std::chrono::steady_clock::now() - start;
  EXPECT_GE(waited, std::chrono::milliseconds(120));
  EXPECT_LT(waited, std::chrono::seconds(10));
  // The holder's text was left alone.
  EXPECT_THAT(ReadFile(path_), HasSubstr("pid " + std::to_string(holder.pid())));
}

TEST_F(LockTest, ReadersAreNotNamedAfterADeadWriter) {
  {
    Holder dead(path_, Mode::kExclusive, "killed");
    dead.Kill();
  }
  EXPECT_THAT(ReadFile(path_), HasSubstr("killed"));
  const Holder reader(path_, Mode::kShared, "");
  try {
    const FileLock second(path_, Mode::kExclusive, 0);
    FAIL() << "a reader holds it";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("held by another process, for reading"));
  }
}

TEST_F(LockTest, AKilledHolderLetsGo) {
  Holder holder(path_, Mode::kExclusive, "");
  EXPECT_FALSE(FileLock::Try(path_, Mode::kExclusive));
  std::thread killer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    holder.Kill();
  });
  EXPECT_NO_THROW(FileLock(path_, Mode::kExclusive, 30'000));
  killer.join();
}

TEST_F(LockTest, WaitingHonoursAStop) {
  const Holder holder(path_, Mode::kExclusive, "");
  std::thread stopper([] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    RequestCancel();
  });
  try {
    const FileLock second(path_, Mode::kShared, 60'000);
    ADD_FAILURE() << "two hold it";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInterrupted);
  }
  stopper.join();
}

TEST_F(LockTest, MovingKeepsTheLock) {
  FileLock first(path_, Mode::kExclusive, 0, "test");
  FileLock second(std::move(first));
  EXPECT_FALSE(FileLock::Try(path_, Mode::kExclusive));
  FileLock other(folder_ / "other", Mode::kExclusive, 0);
  other = std::move(second);
  EXPECT_FALSE(FileLock::Try(path_, Mode::kExclusive));
  EXPECT_TRUE(FileLock::Try(folder_ / "other", Mode::kExclusive));
}

TEST_F(LockTest, AReleasedLockNamesNobody) {
  { const FileLock held(path_, Mode::kExclusive, 0, "test"); }
  EXPECT_EQ(ReadFile(path_), "");
}

TEST_F(LockTest, AnImpossiblePlaceIsNamed) {
  WriteFileAtomic(folder_ / "file", "x");
  try {
    const FileLock lock(folder_ / "file/lock", Mode::kExclusive, 0);
    FAIL() << "a lock below a file";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr((folder_ / "file/lock").string()));
  }
}

TEST_F(LockTest, SharedCountersStayExact) {
  // Without the lock, increments that overlap are lost.
  WriteFileAtomic(folder_ / "counter", "0");
  constexpr int kProcesses = 4, kIncrements = 25;
  std::vector<pid_t> children;
  for (int i = 0; i < kProcesses; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      for (int k = 0; k < kIncrements; ++k) {
        const FileLock hold(path_, Mode::kExclusive, 60'000);
        const int value = std::stoi(ReadFile(folder_ / "counter"));
        WriteFileAtomic(folder_ / "counter", std::to_string(value + 1));
      }
      _exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(ReadFile(folder_ / "counter"), std::to_string(kProcesses * kIncrements));
}

}  // namespace
}  // namespace almanac
