#include "almanac/report/gnuplot.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <system_error>
#include <thread>
#include <vector>

#include "almanac/base/cancel.h"
#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/text.h"

extern char** environ;

namespace almanac {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kInstall = "install it (on Debian: apt-get install gnuplot-nox)";

[[noreturn]] void Fail(const std::string& what, std::string remedy = "") {
  throw Error(ErrorCode::kFailed, "gnuplot", what, std::move(remedy));
}

// Variables that would change how gnuplot writes numbers or where it draws are left out.
std::vector<std::string> Environment() {
  constexpr std::array<std::string_view, 4> kLeftOut = {"LC_", "LANG", "GNUTERM=", "GNUPLOT_"};
  std::vector<std::string> variables = {"LC_ALL=C"};
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view variable = *entry;
    const bool left_out = std::any_of(kLeftOut.begin(), kLeftOut.end(), [&](std::string_view name) {
      return variable.starts_with(name);
    });
    if (!left_out) variables.emplace_back(variable);
  }
  return variables;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// What the child finds when it starts: the folder, no input, both outputs in the log.
class FileActions {
 public:
  explicit FileActions(const fs::path& folder) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addchdir_np(&actions_, folder.c_str());
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, "gnuplot.log",
                                     O_WRONLY | O_CREAT | O_TRUNC, 0644);
    posix_spawn_file_actions_adddup2(&actions_, STDOUT_FILENO, STDERR_FILENO);
  }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

pid_t Start(const fs::path& program, const fs::path& folder) {
  const FileActions actions(folder);
  std::vector<std::string> arguments = {program.string(), "-d", "script.gp"};
  std::vector<std::string> variables = Environment();
  pid_t child = 0;
  const int error = posix_spawn(&child, program.c_str(), actions.get(), nullptr,
                                Pointers(arguments).data(), Pointers(variables).data());
  if (error != 0) {
    Fail(fmt::format("{} could not be started: {}", program.string(),
                     std::generic_category().message(error)));
  }
  return child;
}

void End(pid_t child) {
  kill(child, SIGKILL);
  while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
}

// The exit status as waitpid gives it.
int Await(pid_t child, DurationMs time_limit) {
  constexpr std::chrono::milliseconds kPause(5);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(time_limit);
  int status = 0;
  while (true) {
    const pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child) return status;
    if (ended < 0 && errno != EINTR) Fail("its end could not be awaited");
    if (CancelRequested()) {
      End(child);
      CheckCancel();
    }
    if (std::chrono::steady_clock::now() > deadline) {
      End(child);
      Fail(fmt::format("it ran longer than {} and was ended", FormatDuration(time_limit)));
    }
    std::this_thread::sleep_for(kPause);
  }
}

// The last lines of what the program wrote, on one line.
std::string LastWords(const fs::path& log) {
  constexpr size_t kMost = 400;
  std::string text;
  try {
    text = ReadFile(log);
  } catch (const Error&) {
    return "it wrote nothing";
  }
  std::string words;
  for (const std::string_view line : Split(text, '\n')) {
    const std::string_view trimmed = Trim(line);
    if (trimmed.empty() || trimmed == "^") continue;
    words += (words.empty() ? "" : " | ") + std::string(trimmed);
  }
  if (words.size() > kMost) words = "... " + words.substr(words.size() - kMost);
  return words.empty() ? "it wrote nothing" : words;
}

}  // namespace

std::optional<fs::path> FindProgram(const fs::path& program) {
  const auto runs = [](const fs::path& file) {
    std::error_code error;
    return fs::is_regular_file(file, error) && access(file.c_str(), X_OK) == 0;
  };
  if (program.has_parent_path()) {
    return runs(program) ? std::optional(fs::absolute(program)) : std::nullopt;
  }
  const char* path = std::getenv("PATH");
  if (!path || program.empty()) return std::nullopt;
  for (const std::string_view folder : Split(path, ':')) {
    const fs::path file = fs::path(folder.empty() ? "." : folder) / program;
    if (runs(file)) return fs::absolute(file);
  }
  return std::nullopt;
}

std::string GnuplotString(std::string_view text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'') result += c;
    result += c >= 0 && c < ' ' ? ' ' : c;
  }
  return result + "'";
}

void RunGnuplot(const fs::path& program, const fs::path& folder, std::string_view script,
                DurationMs time_limit) {
  const std::optional<fs::path> found = FindProgram(program);
  if (!found) {
    Fail(fmt::format("the program '{}' was not found; the pictures are drawn by it",
                     program.string()),
         std::string(kInstall) + ", or go without pictures");
  }
  WriteFileAtomic(folder / "script.gp", script);
  const int status = Await(Start(*found, folder), time_limit);
  const std::string words = LastWords(folder / "gnuplot.log");
  if (WIFSIGNALED(status)) Fail(fmt::format("it died of signal {}: {}", WTERMSIG(status), words));
  if (WEXITSTATUS(status) != 0) {
    Fail(fmt::format("it ended with status {}: {}", WEXITSTATUS(status), words));
  }
}

}  // namespace almanac
