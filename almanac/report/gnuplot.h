// Runs gnuplot, a separate program, on a script.
#ifndef ALMANAC_REPORT_GNUPLOT_H_
#define ALMANAC_REPORT_GNUPLOT_H_

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "almanac/base/time.h"

namespace almanac {

// The file that `program` names: itself if it has a slash, else the first executable file of that
// name in PATH. Nothing if there is none.
std::optional<std::filesystem::path> FindProgram(const std::filesystem::path& program);

// `text` as a gnuplot string: in single quotes, in which gnuplot replaces nothing (in double quotes
// it would run what stands between backquotes). Control characters become spaces.
std::string GnuplotString(std::string_view text);

// Runs `program` on the script with `folder` as the current folder, without the user's start-up
// file, in the C locale, and waits for it. Leaves script.gp and gnuplot.log in `folder`. Throws
// Error(kFailed) with the last lines the program wrote if it cannot be started, fails, or runs
// longer than `time_limit` (it is then ended); Error(kInterrupted) if a stop was asked for.
void RunGnuplot(const std::filesystem::path& program, const std::filesystem::path& folder,
                std::string_view script, DurationMs time_limit);

}  // namespace almanac

#endif  // ALMANAC_REPORT_GNUPLOT_H_
