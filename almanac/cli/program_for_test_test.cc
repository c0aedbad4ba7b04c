#include "almanac/cli/program_for_test.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <string_view>
#include <thread>

#include "almanac/base/file.h"
#include "almanac/base/hash.h"
#include "almanac/base/places_for_test.h"

extern char**
    environ;  // NOLINT(readability-redundant-declaration): POSIX has the caller declare it

namespace almanac {
namespace fs = std::filesystem;
namespace {

constexpr double kPollSeconds = 0.0005;

bool IsHidden(std::string_view variable) {
  for (const std::string_view prefix :
       {"ALMANAC_", "POLYGON_", "ALPACA_", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY",
        "all_proxy", "ALL_PROXY"}) {
    if (variable.substr(0, prefix.size()) == prefix) return true;
  }
  return false;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// The file that takes a stream of the process `pid` runs as.
fs::path OutputFile(const fs::path& folder, const char* stream) {
  return folder / (std::string("std") + stream + ".txt");
}

void Check(int result, const char* what) {
  if (result != 0) {
    throw Error(ErrorCode::kFailed, what, "failed with " + std::to_string(result));
  }
}

}  // namespace

Json ProgramEnd::json() const { return Json::parse(out, nullptr, /*allow_exceptions=*/false); }

fs::path ProgramFolder::Write(const std::string& name, const std::string& content) const {
  WriteFileAtomic(path() / name, content);
  return path() / name;
}

void ProgramFolder::SetEnvironment(const std::string& name, const std::string& value) {
  environment_[name] = value;
}

pid_t ProgramFolder::Start(const std::vector<std::string>& arguments) const {
  std::vector<std::string> words = {ProgramFile().string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  if (std::find(words.begin(), words.end(), "--home") == words.end()) {
    words.insert(words.end(), {"--home", home().string()});
  }
  std::vector<std::string> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!IsHidden(*variable)) variables.emplace_back(*variable);
  }
  for (const auto& [name, value] : environment_) variables.push_back(name + "=" + value);

  posix_spawn_file_actions_t actions;
  Check(posix_spawn_file_actions_init(&actions), "file actions");
  const std::string out = OutputFile(path(), "out");
  const std::string err = OutputFile(path(), "err");
  constexpr int kFlags = O_WRONLY | O_CREAT | O_TRUNC;
  constexpr mode_t kMode = 0600;
  Check(posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0), "stdin");
  Check(posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), kFlags, kMode), "stdout");
  Check(posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), kFlags, kMode), "stderr");
  Check(posix_spawn_file_actions_addchdir_np(&actions, path().c_str()), "folder");
  // Tests that run as a script's background job have interrupts ignored, and the program keeps what
  // it is given: it begins as from a terminal.
  posix_spawnattr_t attributes;
  Check(posix_spawnattr_init(&attributes), "attributes");
  sigset_t by_default;
  sigemptyset(&by_default);
  sigaddset(&by_default, SIGINT);
  Check(posix_spawnattr_setsigdefault(&attributes, &by_default), "signals");
  Check(posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF), "flags");
  pid_t pid = 0;
  const int result = posix_spawn(&pid, ProgramFile().c_str(), &actions, &attributes,
                                 Pointers(words).data(), Pointers(variables).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  Check(result, ProgramFile().c_str());
  return pid;
}

ProgramEnd ProgramFolder::Wait(pid_t pid) const {
  const auto start = std::chrono::steady_clock::now();
  int state = 0;
  while (waitpid(pid, &state, 0) < 0) {
    if (errno != EINTR) throw Error(ErrorCode::kFailed, "waitpid", "failed");
  }
  ProgramEnd end;
  if (WIFEXITED(state)) end.status = WEXITSTATUS(state);
  if (WIFSIGNALED(state)) end.signal = WTERMSIG(state);
  end.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  end.out = ReadFile(OutputFile(path(), "out"));
  end.err = ReadFile(OutputFile(path(), "err"));
  return end;
}

ProgramEnd ProgramFolder::Run(const std::vector<std::string>& arguments) const {
  return Wait(Start(arguments));
}

ProgramEnd ProgramFolder::RunAndSignal(const std::vector<std::string>& arguments, int signal,
                                       const std::function<bool()>& due) const {
  const pid_t pid = Start(arguments);
  // WNOWAIT leaves the process to Wait, so that its number cannot be another's when it is
  // signalled.
  siginfo_t ended{};
  while (!due()) {
    waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOHANG | WNOWAIT);
    if (ended.si_pid == pid) return Wait(pid);
    std::this_thread::sleep_for(std::chrono::duration<double>(kPollSeconds));
  }
  kill(pid, signal);
  return Wait(pid);
}

ProgramEnd ProgramFolder::RunAndSignal(const std::vector<std::string>& arguments, int signal,
                                       double after_seconds) const {
  const auto instant =
      std::chrono::steady_clock::now() + std::chrono::duration<double>(after_seconds);
  return RunAndSignal(arguments, signal,
                      [&] { return std::chrono::steady_clock::now() >= instant; });
}

std::map<std::string, std::string> ProgramFolder::Digests(
    const std::vector<std::string>& parts) const {
  std::map<std::string, std::string> digests;
  for (const std::string& part : parts) {
    if (!fs::exists(home() / part)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(home() / part)) {
      if (!entry.is_regular_file()) continue;
      digests[entry.path().lexically_relative(home()).string()] = Sha256OfFile(entry.path());
    }
  }
  return digests;
}

std::vector<std::string> ProgramFolder::Leftovers() const {
  std::vector<std::string> found;
  if (!fs::exists(home())) return found;
  for (const auto& entry : fs::recursive_directory_iterator(home())) {
    const fs::path relative = entry.path().lexically_relative(home());
    const std::string extension = relative.extension();
    const bool below_tmp = *relative.begin() == "tmp" && relative != "tmp";
    if (extension == ".tmp" || extension == ".staged" || below_tmp) found.push_back(relative);
  }
  return found;
}

fs::path SharedDataFolder() {
  const fs::path folder = SourceFolder() / ".." / "shared" / "data";
  return fs::is_directory(folder) ? fs::canonical(folder) : fs::path();
}

std::string SmallRecipe() {
  return R"(name: small
data:
  source: simulator
  symbols: [AAA]
  timeframe: 1h
  from: 2023-01-01
  to: 2023-04-01
features:
  - {family: log_return, windows: [1, 4]}
  - {family: realised_volatility, windows: [12]}
target: {kind: forward_return, horizon: 4}
split: {validation: 0.15, test: 0.20}
models:
  - {kind: naive}
  - {kind: ridge, lambda: [1, 100], folds: 3}
evaluate: {replicates: 50, seed: 1}
leak_audit: {cuts: 2}
backtest: {models: [ridge], threshold: 0.001}
report: {pictures: false}
)";
}

std::string GoodCsv(int bars) {
  constexpr int64_t kFirst = 1704067200000;
  constexpr int64_t kHalfHour = 1800000;
  std::string text = "timestamp_ms,open,high,low,close,volume\n";
  for (int i = 0; i < bars; ++i) {
    text += std::to_string(kFirst + i * kHalfHour) + "," + std::to_string(100 + i % 7) + "," +
            std::to_string(103 + i % 7) + "," + std::to_string(99 + i % 7) + "," +
            std::to_string(101 + i % 7) + "," + std::to_string(5 + i % 3) + "\n";
  }
  return text;
}

namespace {

TEST(ProgramForTestTest, KeepsWhatWasPrintedAndTheStatus) {
  const ProgramFolder folder;
  const ProgramEnd version = folder.Run({"--version"});
  EXPECT_EQ(version.status, 0);
  EXPECT_EQ(version.out.substr(0, 8), "almanac ");
  EXPECT_EQ(version.err, "");
  const ProgramEnd nothing = folder.Run({"no-such-command"});
  EXPECT_EQ(nothing.status, 2);
  EXPECT_EQ(nothing.out, "");
  EXPECT_NE(nothing.err, "");
}

TEST(ProgramForTestTest, TellsASignalFromAStatus) {
  const ProgramFolder folder;
  folder.Write("recipe.yaml", SmallRecipe());
  const ProgramEnd killed = folder.RunAndSignal({"run", "recipe.yaml"}, SIGKILL, 0.0);
  EXPECT_EQ(killed.signal, SIGKILL);
  EXPECT_EQ(killed.status, -1);
  const ProgramEnd in_time = folder.RunAndSignal({"--version"}, SIGKILL, 30.0);
  EXPECT_EQ(in_time.signal, 0);
  EXPECT_EQ(in_time.status, 0);
}

}  // namespace
}  // namespace almanac
