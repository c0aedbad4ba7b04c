#include "almanac/base/log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

#include "almanac/base/console.h"
#include "almanac/base/error.h"
#include "almanac/base/json.h"
#include "almanac/base/secret.h"
#include "almanac/base/time.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view NameOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "";
}

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::off;
}

// Hands each message on as it is: the lines are complete when they come here.
class LineSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit LineSink(std::function<void(std::string_view)> write) : write_(std::move(write)) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    write_({message.payload.data(), message.payload.size()});
  }
  void flush_() override {}

 private:
  std::function<void(std::string_view)> write_;
};

// Appends each line with one system call, so that processes that share the file do not mix lines.
// spdlog's own file sinks write long lines in pieces.
class LogFile {
 public:
  explicit LogFile(const fs::path& path) {
    std::error_code error;
    if (path.has_parent_path()) fs::create_directories(path.parent_path(), error);
    constexpr mode_t kOwnerOnly = 0600;
    fd_ = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, kOwnerOnly);
    if (fd_ < 0) {
      throw Error(ErrorCode::kFailed, path.string(),
                  fmt::format("the log file cannot be opened: {}", std::strerror(errno)));
    }
  }
  ~LogFile() { close(fd_); }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  // A log that cannot be written (a full disk) does not end the work that it tells of.
  void Append(std::string_view line) {
    const std::string text = std::string(line) + "\n";
    while (write(fd_, text.data(), text.size()) < 0 && errno == EINTR) {
    }
  }

 private:
  int fd_ = -1;
};

std::shared_ptr<spdlog::logger> MakeLogger(std::function<void(std::string_view)> write,
                                           LogLevel level) {
  auto logger = std::make_shared<spdlog::logger>("", std::make_shared<LineSink>(std::move(write)));
  logger->set_level(SpdlogLevel(level));
  return logger;
}

struct Loggers {
  std::shared_ptr<spdlog::logger> console = MakeLogger(&PrintErrorLine, LogLevel::kWarning);
  std::shared_ptr<spdlog::logger> file;  // null: no file
};

struct Configuration {
  std::mutex mutex;
  Loggers loggers;

  static Configuration& Get() {
    // Never destroyed: a thread may still log while the program ends.
    static Configuration* configuration = new Configuration;
    return *configuration;
  }
};

// An event is one line, whatever its texts contain.
std::string OneLine(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return text;
}

std::string ConsoleLine(LogLevel level, std::string_view event,
                        std::initializer_list<LogField> fields) {
  std::string line = fmt::format("{}: {}", NameOf(level), event);
  for (const LogField& field : fields) {
    const bool plain = !field.value.empty() && field.value.find(' ') == std::string::npos;
    const std::string_view quote = plain ? "" : "\"";
    line += fmt::format(" {}={}{}{}", field.key, quote, field.value, quote);
  }
  return OneLine(Redact(std::move(line)));
}

std::string JsonLine(LogLevel level, std::string_view event,
                     std::initializer_list<LogField> fields) {
  Json line;
  line["time"] = FormatTime(Now());
  line["level"] = NameOf(level);
  line["pid"] = getpid();
  line["event"] = Redact(std::string(event));
  for (const LogField& field : fields) {
    std::string key(field.key);
    while (line.contains(key)) key += '_';
    line[key] = Redact(field.value);
  }
  return line.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

void ConfigureLog(LogLevel stderr_level, const fs::path& file) {
  Loggers loggers;
  loggers.console = MakeLogger(&PrintErrorLine, stderr_level);
  if (!file.empty()) {
    auto opened = std::make_shared<LogFile>(file);
    loggers.file =
        MakeLogger([opened](std::string_view line) { opened->Append(line); }, LogLevel::kDebug);
  }
  Configuration& configuration = Configuration::Get();
  const std::lock_guard<std::mutex> hold(configuration.mutex);
  configuration.loggers = std::move(loggers);
}

void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  Loggers loggers;
  {
    Configuration& configuration = Configuration::Get();
    const std::lock_guard<std::mutex> hold(configuration.mutex);
    loggers = configuration.loggers;
  }
  const auto spdlog_level = SpdlogLevel(level);
  if (loggers.console->should_log(spdlog_level)) {
    loggers.console->log(spdlog_level, ConsoleLine(level, event, fields));
  }
  if (loggers.file != nullptr) loggers.file->log(spdlog_level, JsonLine(level, event, fields));
}

}  // namespace almanac
