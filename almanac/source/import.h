// Imports files as users have them into the lake: CSV with a header, Binance's dumps, JSON klines,
// plain, gzip or zstd, single files or folders of them; and files of earnings. docs/import.md lists
// every accepted form. Nothing is guessed silently: what was ignored, skipped or counted twice is
// in the report.
#ifndef ALMANAC_SOURCE_IMPORT_H_
#define ALMANAC_SOURCE_IMPORT_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/base/progress.h"
#include "almanac/base/time.h"
#include "almanac/lake/candle_store.h"
#include "almanac/lake/observation.h"
#include "almanac/market/timeframe.h"

namespace almanac {

enum class ImportKind { kCandles, kEarnings };
enum class OnBadLine {
  kRefuse,  // one bad line, and nothing of the whole import is written
  kSkip     // bad lines are left out and counted
};
enum class TimeUnit { kSeconds, kMilliseconds, kMicroseconds, kNanoseconds };

// "s", "ms", "us" or "ns"; Error(kUsage) otherwise.
TimeUnit ParseTimeUnit(const std::string& name);

struct ImportOptions {
  ImportKind kind = ImportKind::kCandles;
  std::string market = "import";
  // For files without a symbol column; default: from the file's name, else its folder's.
  std::optional<std::string> symbol;
  // Default: from the file's name, else its folder's, else the most common spacing of its times.
  std::optional<Timeframe> timeframe;
  OnBadLine on_bad = OnBadLine::kRefuse;
  // Field -> column, where the synonyms of docs/import.md do not find it. Fields: time open high
  // low close volume trade_count vwap symbol (earnings: date symbol eps_estimate eps_actual). A
  // column is a header's name or "#3" for the third; volume may be "none" (every bar gets 0).
  std::map<std::string, std::string> columns;
  // Default: from the column's name (timestamp_ms), else from the magnitude of the file's times.
  std::optional<TimeUnit> time_unit;
};

struct BadLine {
  std::string file;
  int64_t line = 0;  // from 1; 0: the file as a whole
  std::string reason;
};

struct ImportedFile {
  std::string path;
  std::string form;            // "CSV", "Binance dump", "JSON", "earnings CSV"
  int64_t bars = 0;            // good ones, duplicates not counted (earnings: lines)
  int64_t bad_lines = 0;       // skipped or refused
  int64_t duplicates = 0;      // lines that repeat an earlier one exactly; left out
  int64_t contradictions = 0;  // bars whose high or low contradicts the rest: kept, see the audit
  bool skipped = false;        // nothing of it was used; the reason is in `bad_lines` of the report
  std::vector<std::string> ignored_columns;
};

struct ImportedSeries {
  SeriesKey key;
  int64_t files = 0;
  int64_t bars = 0;  // read; more than the sum of `stats` if files overlap (the last file wins)
  TimeMs from = 0, to = 0;  // open times of the first and the last bar
  UpsertStats stats;
};

struct IgnoredPath {
  std::string path, reason;
};

struct ImportReport {
  std::vector<ImportedFile> files;     // in the order in which they were read
  std::vector<ImportedSeries> series;  // sorted by key
  std::vector<IgnoredPath> ignored;    // found in folders, not data
  std::vector<BadLine> bad_lines;      // the first kMaxBadLines, in the order of files and lines
  int64_t bad_line_count = 0;
  int64_t bars = 0, bytes = 0;  // bars read; size of the files as they lie
  // Of earnings.
  int64_t announcements = 0, observations = 0;
  UpsertStats observation_stats;

  static constexpr size_t kMaxBadLines = 100;
};

// Thrown where bad lines are refused: what() names the first one and how many there are.
class ImportRefused : public Error {
 public:
  explicit ImportRefused(ImportReport report);
  const ImportReport& report() const { return report_; }

 private:
  ImportReport report_;
};

// Reads every file, then makes all of it visible; a failure before leaves the lake as it was.
// Memory does not grow with the files. Throws ImportRefused, Error(kBadData) for what no choice of
// on_bad can mend, Error(kUsage) for options and paths that make no sense.
ImportReport ImportFiles(CandleStore& candles, ObservationStore& observations,
                         const std::vector<std::filesystem::path>& paths,
                         const ImportOptions& options, Progress& progress);

}  // namespace almanac

#endif  // ALMANAC_SOURCE_IMPORT_H_
