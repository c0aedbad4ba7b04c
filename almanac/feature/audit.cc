#include "almanac/feature/audit.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/base/random.h"

namespace almanac {
namespace {

constexpr size_t kLargestTestBlock = 1500;
constexpr size_t kNamedColumns = 5;

bool SameBits(float a, float b) {
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b) ||
         (std::isnan(a) && std::isnan(b));
}

std::vector<size_t> DrawCuts(size_t rows, const LeakAuditOptions& options) {
  if (rows < 2) {
    throw Error(ErrorCode::kUsage, "leak audit", fmt::format("the series has {} bars", rows),
                "two or more are needed to cut it");
  }
  Random random(options.seed, "leak audit cuts");
  const size_t wanted = std::min(options.cuts, rows - 1);
  std::set<size_t> cuts;
  while (cuts.size() < wanted) cuts.insert(1 + random.Below(rows - 1));
  return {cuts.begin(), cuts.end()};
}

// The numbers of bars that are known before some of the observations are.
std::vector<size_t> CutsBeforeKnown(const CandleSeries& series,
                                    const std::vector<Observation>& observations,
                                    const LeakAuditOptions& options) {
  std::set<size_t> places;
  for (const Observation& each : observations) {
    size_t bars = 0, after = series.size();
    while (bars < after) {
      const size_t middle = bars + (after - bars) / 2;
      const bool earlier = series.KnownAt(middle) < each.updated_timestamp;
      (earlier ? bars : after) = earlier ? middle + 1 : middle;
    }
    if (bars > 0 && bars < series.size()) places.insert(bars);
  }
  std::vector<size_t> cuts(places.begin(), places.end());
  Random random(options.seed, "leak audit observations");
  for (size_t i = 0; i < std::min(options.cuts, cuts.size()); ++i) {
    std::swap(cuts[i], cuts[i + random.Below(cuts.size() - i)]);
  }
  cuts.resize(std::min(options.cuts, cuts.size()));
  return cuts;
}

// Collects what differs at one cut, one finding a column.
class Comparison {
 public:
  Comparison(const FeatureTable& whole, LeakCheck check, size_t cut)
      : whole_(whole), check_(check), cut_(cut), findings_(whole.columns.size()) {}

  // `values` are recomputed for the rows from `first_row` on.
  void Compare(size_t column, size_t first_row, std::span<const float> values) {
    const float* expected = whole_.columns[column].data() + first_row;
    for (size_t i = 0; i < values.size(); ++i) {
      if (!SameBits(expected[i], values[i])) Note(column, first_row + i, values[i]);
    }
  }

  // Into `all`, which has a place for each column, unless an earlier cut has found it.
  void MoveInto(std::vector<LeakFinding>& all) const {
    for (size_t c = 0; c < findings_.size(); ++c) {
      if (all[c].rows == 0) all[c] = findings_[c];
    }
  }

 private:
  void Note(size_t column, size_t row, float recomputed) {
    LeakFinding& finding = findings_[column];
    if (finding.rows++ > 0) return;
    finding = {check_, whole_.names[column].name,   cut_,      row, whole_.index[row],
               1,      whole_.columns[column][row], recomputed};
  }

  const FeatureTable& whole_;
  LeakCheck check_;
  size_t cut_;
  std::vector<LeakFinding> findings_;
};

void RequireShape(const FeatureTable& table, size_t rows, const FeatureTable* like) {
  bool fits = table.rows() == rows && table.names.size() == table.columns.size();
  for (const std::vector<float>& column : table.columns) fits = fits && column.size() == rows;
  if (like != nullptr) {
    fits = fits && table.names.size() == like->names.size() &&
           std::equal(table.names.begin(), table.names.end(), like->names.begin(),
                      [](const auto& a, const auto& b) { return a.name == b.name; });
  }
  if (fits) return;
  throw Error(ErrorCode::kBadData, "leak audit",
              fmt::format("the columns of a series of {} bars have {} rows", rows, table.rows()),
              "a column function gives the same columns for every series, a row for each bar");
}

std::vector<LeakFinding> Truncate(const ColumnFunction& function, const CandleSeries& series,
                                  const FeatureTable& whole, const std::vector<size_t>& cuts) {
  std::vector<LeakFinding> found(whole.columns.size());
  for (const size_t cut : cuts) {
    const FeatureTable part = function(series.Slice(0, cut));
    RequireShape(part, cut, &whole);
    Comparison comparison(whole, LeakCheck::kTruncation, cut);
    for (size_t c = 0; c < part.columns.size(); ++c) comparison.Compare(c, 0, part.columns[c]);
    comparison.MoveInto(found);
  }
  return found;
}

// Goes on with `live` over the rows [first, last) in blocks of random sizes, comparing each.
void RunCompared(LiveFeatures& live, const CandleSeries& series, size_t first, size_t last,
                 Random& random, Comparison& comparison) {
  std::vector<std::vector<float>> block(live.columns(), std::vector<float>(kLargestTestBlock));
  std::vector<float*> places;
  places.reserve(block.size());
  for (std::vector<float>& column : block) places.push_back(column.data());
  while (first < last) {
    const size_t size = std::min<size_t>(last - first, 1 + random.Below(kLargestTestBlock));
    live.Run(series, first, first + size, places);
    for (size_t c = 0; c < block.size(); ++c) {
      comparison.Compare(c, first, std::span(block[c]).first(size));
    }
    first += size;
  }
}

// All rows in random blocks; fills `snapshots` with the state at each cut on the way.
std::vector<LeakFinding> RunInBlocks(const FeatureSet& set, const CandleSeries& series,
                                     const FeatureTable& whole, const std::vector<size_t>& cuts,
                                     uint64_t seed, std::vector<std::string>& snapshots) {
  Random random(seed, "leak audit blocks");
  Comparison comparison(whole, LeakCheck::kBlockSize, series.size());
  LiveFeatures live(set, series.key);
  size_t row = 0;
  for (const size_t cut : cuts) {
    RunCompared(live, series, row, cut, random, comparison);
    snapshots.push_back(live.Snapshot());
    row = cut;
  }
  RunCompared(live, series, row, series.size(), random, comparison);
  std::vector<LeakFinding> found(whole.columns.size());
  comparison.MoveInto(found);
  return found;
}

std::vector<LeakFinding> RunFromSnapshots(const FeatureSet& set, const CandleSeries& series,
                                          const FeatureTable& whole,
                                          const std::vector<size_t>& cuts, uint64_t seed,
                                          const std::vector<std::string>& snapshots) {
  std::vector<Comparison> comparisons;
  comparisons.reserve(cuts.size());
  for (const size_t cut : cuts) comparisons.emplace_back(whole, LeakCheck::kSnapshot, cut);
  ParallelFor(cuts.size(), [&](size_t k) {
    Random random(seed, cuts[k]);
    LiveFeatures live = LiveFeatures::Restore(set, series.key, snapshots[k]);
    RunCompared(live, series, cuts[k], series.size(), random, comparisons[k]);
  });
  std::vector<LeakFinding> found(whole.columns.size());
  for (const Comparison& comparison : comparisons) comparison.MoveInto(found);
  return found;
}

LeakAudit Summarise(const FeatureTable& whole, std::vector<size_t> cuts,
                    const std::vector<std::vector<LeakFinding>>& checks) {
  LeakAudit audit;
  audit.rows = whole.rows();
  audit.columns = whole.columns.size();
  audit.cuts = std::move(cuts);
  for (size_t c = 0; c < audit.columns; ++c) {
    for (const std::vector<LeakFinding>& check : checks) {
      if (check[c].rows > 0) audit.findings.push_back(check[c]);
    }
  }
  return audit;
}

}  // namespace

std::string_view Name(LeakCheck check) {
  switch (check) {
    case LeakCheck::kTruncation:
      return "truncation";
    case LeakCheck::kSnapshot:
      return "snapshot";
    case LeakCheck::kBlockSize:
      return "block size";
  }
  return "";
}

LeakAudit AuditColumns(const ColumnFunction& function, const CandleSeries& series,
                       const LeakAuditOptions& options) {
  std::vector<size_t> cuts = DrawCuts(series.size(), options);
  const FeatureTable whole = function(series);
  RequireShape(whole, series.size(), nullptr);
  const std::vector<LeakFinding> found = Truncate(function, series, whole, cuts);
  return Summarise(whole, std::move(cuts), {found});
}

LeakAudit AuditColumns(const ObservedColumnFunction& function, const CandleSeries& series,
                       const std::vector<Observation>& observations,
                       const LeakAuditOptions& options) {
  std::vector<size_t> cuts = DrawCuts(series.size(), options);
  const std::vector<size_t> before = CutsBeforeKnown(series, observations, options);
  cuts.insert(cuts.end(), before.begin(), before.end());
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  const ColumnFunction of_known = [&](const CandleSeries& part) {
    const TimeMs now = part.KnownAt(part.size() - 1);
    std::vector<Observation> known;
    std::copy_if(observations.begin(), observations.end(), std::back_inserter(known),
                 [now](const Observation& each) { return each.updated_timestamp <= now; });
    return function(part, known);
  };
  const FeatureTable whole = function(series, observations);
  RequireShape(whole, series.size(), nullptr);
  const std::vector<LeakFinding> found = Truncate(of_known, series, whole, cuts);
  return Summarise(whole, std::move(cuts), {found});
}

LeakAudit AuditFeatures(const FeatureSet& set, const CandleSeries& series,
                        const LeakAuditOptions& options) {
  return AuditFeatures(set, series, BuildFeatures(set, series), options);
}

LeakAudit AuditFeatures(const FeatureSet& set, const CandleSeries& series,
                        const FeatureTable& whole, const LeakAuditOptions& options) {
  std::vector<size_t> cuts = DrawCuts(series.size(), options);
  RequireShape(whole, series.size(), nullptr);
  const ColumnFunction build = [&](const CandleSeries& part) { return BuildFeatures(set, part); };
  std::vector<LeakFinding> truncated = Truncate(build, series, whole, cuts);
  std::vector<std::string> snapshots;
  std::vector<LeakFinding> blocks = RunInBlocks(set, series, whole, cuts, options.seed, snapshots);
  std::vector<LeakFinding> restored =
      RunFromSnapshots(set, series, whole, cuts, options.seed, snapshots);
  return Summarise(whole, std::move(cuts), {truncated, restored, blocks});
}

void RequireNoLeak(const LeakAudit& audit, const SeriesKey& key) {
  if (audit.passed()) return;
  std::vector<std::string> lines;
  for (const LeakFinding& f : audit.findings) {
    if (lines.size() == kNamedColumns) break;
    lines.push_back(fmt::format("{} ({}, cut at {} bars: row {}, {}, is {} and was {})", f.column,
                                Name(f.check), f.cut, f.first_row, FormatTime(f.first_time),
                                f.recomputed, f.whole));
  }
  throw Error(ErrorCode::kBadData, ToString(key) + " leak audit",
              fmt::format("{} findings: {}{}", audit.findings.size(), fmt::join(lines, "; "),
                          audit.findings.size() > lines.size() ? "; ..." : ""),
              "these columns use what was not yet known");
}

Json ToJson(const LeakAudit& audit) {
  Json findings = Json::array();
  for (const LeakFinding& f : audit.findings) {
    findings.push_back({{"column", f.column},
                        {"check", Name(f.check)},
                        {"cut", f.cut},
                        {"first_row", f.first_row},
                        {"first_time", FormatTime(f.first_time)},
                        {"rows", f.rows},
                        {"whole", f.whole},
                        {"recomputed", f.recomputed}});
  }
  return {{"passed", audit.passed()},
          {"rows", audit.rows},
          {"columns", audit.columns},
          {"cuts", audit.cuts},
          {"findings", findings}};
}

}  // namespace almanac
