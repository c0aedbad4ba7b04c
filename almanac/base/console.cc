#include "almanac/base/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <mutex>
#include <string>

namespace almanac {
namespace {

constexpr std::string_view kClearLine = "\r\x1b[K";

struct Console {
  std::mutex mutex;
  std::string status;

  static Console& Get() {
    // Never destroyed: a thread may still log while the program ends.
    static Console* console = new Console;
    return *console;
  }
};

// One system call where possible, so that lines of several processes do not mix. A closed stderr is
// nothing to fail about.
void WriteToStderr(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

}  // namespace

bool StderrIsTerminal() {
  const char* terminal = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

int TerminalWidth() {
  constexpr int kUsual = 80;
  struct winsize size {};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUsual;
  return size.ws_col;
}

void PrintErrorLine(std::string_view line) {
  Console& console = Console::Get();
  const std::lock_guard<std::mutex> hold(console.mutex);
  std::string text;
  if (!console.status.empty()) text += kClearLine;
  text.append(line).append("\n").append(console.status);
  WriteToStderr(text);
}

void ShowStatusLine(std::string_view text) {
  Console& console = Console::Get();
  const std::lock_guard<std::mutex> hold(console.mutex);
  if (text.empty() && console.status.empty()) return;
  console.status = text;
  WriteToStderr(std::string(kClearLine) + console.status);
}

}  // namespace almanac
