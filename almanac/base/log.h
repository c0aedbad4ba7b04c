// Structured logs: one line an event, key=value fields, to a file under the home (JSON lines) and,
// from the chosen level on, to stderr. Secrets are redacted. The library logs, it never prints.
#ifndef ALMANAC_BASE_LOG_H_
#define ALMANAC_BASE_LOG_H_

#include <filesystem>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace almanac {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

struct LogField {
  std::string_view key;
  std::string value;
};

// Until called, warnings and errors go to stderr and nothing to a file. An empty path: no file.
void ConfigureLog(LogLevel stderr_level, const std::filesystem::path& file);

void Log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

}  // namespace almanac

#endif  // ALMANAC_BASE_LOG_H_
