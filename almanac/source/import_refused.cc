#include <fmt/format.h>

#include <utility>

#include "almanac/base/text.h"
#include "almanac/source/import.h"

namespace almanac {
namespace {

std::string PlaceOf(const BadLine& bad) {
  return bad.line > 0 ? fmt::format("{}:{}", bad.file, bad.line) : bad.file;
}

const BadLine& FirstOf(const ImportReport& report) {
  static const BadLine none;
  return report.bad_lines.empty() ? none : report.bad_lines.front();
}

std::string RemedyOf(const ImportReport& report) {
  constexpr const char* kRemedy = "mend the files, or leave such lines out by --on-bad skip";
  if (report.bad_line_count == 1) return fmt::format("nothing was imported; {}", kRemedy);
  return fmt::format("nothing was imported, there are {} bad lines; {}",
                     FormatCount(report.bad_line_count), kRemedy);
}

}  // namespace

ImportRefused::ImportRefused(ImportReport report)
    : Error(ErrorCode::kBadData, PlaceOf(FirstOf(report)), FirstOf(report).reason,
            RemedyOf(report)),
      report_(std::move(report)) {}

}  // namespace almanac
