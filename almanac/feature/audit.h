// The leak audit: a value that changes when the future is taken away has used the future.
//
// At cuts drawn from a seeded stream the history is truncated and every column computed again: up
// to the cut each value must be the same, bit for bit (NaN equals NaN). A centred window, a scaler
// fitted on everything, a value filled backward from later fail this. Feature sets are also
// recomputed in blocks of random sizes and from snapshots taken at the cuts. A frame is cut at a
// time: what remains is every symbol's bars known by then.
#ifndef ALMANAC_FEATURE_AUDIT_H_
#define ALMANAC_FEATURE_AUDIT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/base/time.h"
#include "almanac/feature/build.h"
#include "almanac/feature/feature_set.h"
#include "almanac/lake/observation.h"
#include "almanac/market/candle.h"

namespace almanac {

// Anything that makes columns from a series: row i belongs to bar i.
using ColumnFunction = std::function<FeatureTable(const CandleSeries&)>;
// Anything that makes columns from a frame: a row for each time that has one (Frame::HasRow).
using FrameFunction = std::function<FeatureTable(const Frame&)>;

// The same from a series and observations of its symbol.
using ObservedColumnFunction =
    std::function<FeatureTable(const CandleSeries&, const std::vector<Observation>&)>;

struct LeakAuditOptions {
  uint64_t seed = 1;
  // Each costs one recomputation of what lies before it.
  size_t cuts = 5;
};

enum class LeakCheck { kTruncation, kSnapshot, kBlockSize };
std::string_view Name(LeakCheck check);  // "truncation", "snapshot", "block size"

// One column that failed one check, at the cut where it differs first.
struct LeakFinding {
  LeakCheck check = LeakCheck::kTruncation;
  std::string column;
  size_t cut = 0;        // bars that were left, or times of a frame of several symbols
  size_t first_row = 0;  // the first row that differs, and its time
  TimeMs first_time = 0;
  size_t rows = 0;  // how many rows differ at this cut
  float whole = 0;  // the value from the whole history, and the one recomputed
  float recomputed = 0;
};

struct LeakAudit {
  size_t rows = 0;
  size_t columns = 0;
  std::vector<size_t> cuts;
  std::vector<LeakFinding> findings;  // in order of column, at most one a column and check

  bool passed() const { return findings.empty(); }
};

// Truncation only. Throws Error(kUsage) for a series of fewer than two bars, Error(kBadData) if the
// function's table has not one row a bar.
LeakAudit AuditColumns(const ColumnFunction& function, const CandleSeries& series,
                       const LeakAuditOptions& options = {});
// The same where columns depend on observations: at each cut those are taken away that were not
// known (updated_timestamp) when the last bar left was. Beside the random cuts there are as many
// just before an observation becomes known, where a join by anything else gives itself away.
LeakAudit AuditColumns(const ObservedColumnFunction& function, const CandleSeries& series,
                       const std::vector<Observation>& observations,
                       const LeakAuditOptions& options = {});
LeakAudit AuditColumns(const FrameFunction& function, const Frame& frame,
                       const LeakAuditOptions& options = {});
// All three checks. Columns are audited some hundred at a time, so that a set of any size fits.
LeakAudit AuditFeatures(const FeatureSet& set, const CandleSeries& series,
                        const LeakAuditOptions& options = {});
LeakAudit AuditFeatures(const FeatureSet& set, const Frame& frame,
                        const LeakAuditOptions& options = {});
// The same against a table made earlier (such as the one in an artifact), not made again.
LeakAudit AuditFeatures(const FeatureSet& set, const CandleSeries& series,
                        const FeatureTable& whole, const LeakAuditOptions& options = {});
LeakAudit AuditFeatures(const FeatureSet& set, const Frame& frame, const FeatureTable& whole,
                        const LeakAuditOptions& options = {});

// Throws Error(kBadData) that names the columns, the cut and the first differing row.
void RequireNoLeak(const LeakAudit& audit, const SeriesKey& key);
void RequireNoLeak(const LeakAudit& audit, const FrameKey& key);

Json ToJson(const LeakAudit& audit);

}  // namespace almanac

#endif  // ALMANAC_FEATURE_AUDIT_H_
