// Files of earnings per share against the estimate, turned into observations that are known only
// from the announcement on (docs/import.md).
#ifndef ALMANAC_SOURCE_EARNINGS_H_
#define ALMANAC_SOURCE_EARNINGS_H_

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "almanac/base/progress.h"
#include "almanac/base/time.h"
#include "almanac/lake/observation.h"
#include "almanac/source/import.h"

namespace almanac {

struct Announcement {
  std::string symbol;
  TimeMs announced = 0;  // the instant, or 00:00 UTC of the date if the hour is not known
  bool date_only = false;
  std::optional<double> eps_estimate, eps_actual;  // US dollars a share, say
  friend bool operator==(const Announcement&, const Announcement&) = default;
};

// The instant from which everybody could know it: of a date without an hour, the end of that day in
// New York (04:00 or 05:00 UTC of the next day), as companies announce after the close as well.
TimeMs AnnouncementKnownAt(const Announcement& announcement);

// is_earnings_day (1, type bool), and where estimate and actual are both given eps_estimate,
// eps_actual and surprise = eps_actual - eps_estimate; time frame "event".
void AppendObservations(const Announcement& announcement, std::vector<Observation>& to);

// Reads the files and stores nothing: observations and what to report about them. Throws as
// ImportFiles does.
struct EarningsImport {
  std::vector<Observation> observations;
  ImportReport report;
};
EarningsImport ReadEarnings(const std::vector<std::filesystem::path>& files,
                            const ImportOptions& options, Progress& progress);

}  // namespace almanac

#endif  // ALMANAC_SOURCE_EARNINGS_H_
