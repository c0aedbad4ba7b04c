#include "almanac/base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/json.h"
#include "almanac/base/secret.h"
#include "almanac/base/test_folder.h"
#include "almanac/base/text.h"
#include "almanac/base/time.h"

namespace almanac {
namespace {

using testing::HasSubstr;

class LogTest : public testing::Test {
 protected:
  void TearDown() override { ConfigureLog(LogLevel::kWarning, ""); }

  std::vector<Json> Lines() const {
    std::vector<Json> lines;
    const std::string content = ReadFile(file_);
    for (const std::string_view line : Split(content, '\n')) {
      if (!line.empty()) lines.push_back(Json::parse(line));
    }
    return lines;
  }

  TestFolder folder_;
  const std::filesystem::path file_ = folder_ / "logs/almanac.jsonl";
};

TEST_F(LogTest, BeforeConfigurationWarningsGoToStderr) {
  testing::internal::CaptureStderr();
  Log(LogLevel::kInfo, "unseen");
  Log(LogLevel::kWarning, "slow answer", {{"url", "https://x"}, {"took", "2 s"}, {"empty", ""}});
  Log(LogLevel::kError, "lost");
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "warning: slow answer url=https://x took=\"2 s\" empty=\"\"\nerror: lost\n");
}

TEST_F(LogTest, TheFileHasEveryEventAsJson) {
  ConfigureLog(LogLevel::kError, file_);
  testing::internal::CaptureStderr();
  Log(LogLevel::kDebug, "request", {{"symbol", "BTC\"USDT\n"}, {"page", "2"}});
  Log(LogLevel::kWarning, "slow");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  const std::vector<Json> lines = Lines();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0]["level"], "debug");
  EXPECT_EQ(lines[0]["event"], "request");
  EXPECT_EQ(lines[0]["symbol"], "BTC\"USDT\n");
  EXPECT_EQ(lines[0]["pid"], getpid());
  const auto time = ParseTime(lines[0]["time"].get<std::string>());
  ASSERT_TRUE(time);
  EXPECT_LT(Now() - *time, kMsPerMinute);
  EXPECT_EQ(lines[1]["level"], "warning");
}

TEST_F(LogTest, TheFileIsTheOwnersAndIsAppendedTo) {
  ConfigureLog(LogLevel::kError, file_);
  Log(LogLevel::kInfo, "first");
  ConfigureLog(LogLevel::kError, file_);
  Log(LogLevel::kInfo, "second");
  EXPECT_EQ(Lines().size(), 2u);
  struct stat info {};
  ASSERT_EQ(stat(file_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(LogTest, SecretsAreRedactedEverywhere) {
  RegisterSecret(Secret("log-sec\"ret"));
  ConfigureLog(LogLevel::kInfo, file_);
  testing::internal::CaptureStderr();
  Log(LogLevel::kInfo, "got log-sec\"ret", {{"url", "https://x?key=log-sec%22ret"}});
  const std::string shown = testing::internal::GetCapturedStderr();
  EXPECT_EQ(shown, "info: got *** url=https://x?key=***\n");
  const std::vector<Json> lines = Lines();
  EXPECT_EQ(lines[0]["event"], "got ***");
  EXPECT_EQ(lines[0]["url"], "https://x?key=***");
}

TEST_F(LogTest, OddTextsStayOneLineAndReadable) {
  ConfigureLog(LogLevel::kInfo, file_);
  testing::internal::CaptureStderr();
  Log(LogLevel::kInfo, "line\nbreak", {{"bytes", "\xff\x1b[2J"}, {"event", "mine"}});
  const std::string shown = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(shown.begin(), shown.end(), '\n'), 1);
  EXPECT_EQ(shown.find('\x1b'), std::string::npos);
  const std::vector<Json> lines = Lines();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0]["event"], "line\nbreak");
  EXPECT_EQ(lines[0]["event_"], "mine");
}

TEST_F(LogTest, AFileThatCannotBeOpenedIsNamed) {
  WriteFileAtomic(folder_ / "file", "x");
  try {
    ConfigureLog(LogLevel::kInfo, folder_ / "file/log");
    FAIL() << "a log below a file";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr((folder_ / "file/log").string()));
  }
}

TEST_F(LogTest, AFullDiskDoesNotEndTheWork) {
  ConfigureLog(LogLevel::kError, "/dev/full");
  EXPECT_NO_THROW(Log(LogLevel::kInfo, "nowhere to go"));
}

TEST_F(LogTest, LinesOfThreadsAndProcessesDoNotMix) {
  ConfigureLog(LogLevel::kError, file_);
  constexpr int kWriters = 3, kLines = 200;
  // Longer than the buffers of stdio.
  const std::string filler(9'000, 'x');
  const auto write = [&](const std::string& writer) {
    for (int i = 0; i < kLines; ++i) {
      Log(LogLevel::kInfo, writer, {{"line", std::to_string(i)}, {"filler", filler}});
    }
  };
  std::vector<pid_t> children;
  for (int i = 0; i < kWriters; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      write("process " + std::to_string(i));
      _exit(0);
    }
    children.push_back(child);
  }
  std::vector<std::thread> threads;
  for (int i = 0; i < kWriters; ++i) {
    threads.emplace_back([&write, i] { write("thread " + std::to_string(i)); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const pid_t child : children) waitpid(child, nullptr, 0);
  std::set<std::pair<std::string, std::string>> seen;
  for (const Json& line : Lines()) {
    seen.insert({line["event"].get<std::string>(), line["line"].get<std::string>()});
  }
  EXPECT_EQ(seen.size(), size_t{2 * kWriters * kLines});
}

}  // namespace
}  // namespace almanac
