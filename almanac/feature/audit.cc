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
constexpr size_t kColumnsAtATime = 512;

bool SameBits(float a, float b) {
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b) ||
         (std::isnan(a) && std::isnan(b));
}

std::vector<size_t> DrawCuts(const Frame& frame, const LeakAuditOptions& options) {
  const size_t rows = frame.times().size();
  if (rows < 2) {
    throw Error(
        ErrorCode::kUsage, "leak audit",
        fmt::format("{} has {} bars", frame.symbols() == 1 ? "the series" : "the frame", rows),
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

size_t RowsBefore(const Frame& frame, size_t cut) {
  const std::vector<char> rows = frame.RowsWithin(0, cut);
  return static_cast<size_t>(std::count(rows.begin(), rows.end(), 1));
}

std::vector<LeakFinding> Truncate(const FrameFunction& function, const Frame& frame,
                                  const FeatureTable& whole, const std::vector<size_t>& cuts) {
  std::vector<LeakFinding> found(whole.columns.size());
  for (const size_t cut : cuts) {
    const FeatureTable part = function(frame.FirstTimes(cut));
    RequireShape(part, RowsBefore(frame, cut), &whole);
    Comparison comparison(whole, LeakCheck::kTruncation, cut);
    for (size_t c = 0; c < part.columns.size(); ++c) comparison.Compare(c, 0, part.columns[c]);
    comparison.MoveInto(found);
  }
  return found;
}

// Goes on with `live` over the times [first, last) in blocks of random sizes, comparing each.
void RunCompared(LiveFrame& live, const Frame& frame, size_t first, size_t last, Random& random,
                 Comparison& comparison) {
  std::vector<std::vector<float>> block(live.columns(), std::vector<float>(kLargestTestBlock));
  std::vector<float*> places;
  places.reserve(block.size());
  for (std::vector<float>& column : block) places.push_back(column.data());
  size_t row = RowsBefore(frame, first);
  while (first < last) {
    const size_t size = std::min<size_t>(last - first, 1 + random.Below(kLargestTestBlock));
    const size_t rows = live.Run(frame, first, first + size, places);
    for (size_t c = 0; c < block.size(); ++c) {
      comparison.Compare(c, row, std::span(block[c]).first(rows));
    }
    first += size;
    row += rows;
  }
}

// All times in random blocks; fills `snapshots` with the state at each cut on the way.
std::vector<LeakFinding> RunInBlocks(const FeatureSet& set, const Frame& frame,
                                     const FeatureTable& whole, const std::vector<size_t>& cuts,
                                     uint64_t seed, std::vector<std::string>& snapshots) {
  Random random(seed, "leak audit blocks");
  Comparison comparison(whole, LeakCheck::kBlockSize, frame.times().size());
  LiveFrame live(set, frame.key());
  size_t time = 0;
  for (const size_t cut : cuts) {
    RunCompared(live, frame, time, cut, random, comparison);
    snapshots.push_back(live.Snapshot());
    time = cut;
  }
  RunCompared(live, frame, time, frame.times().size(), random, comparison);
  std::vector<LeakFinding> found(whole.columns.size());
  comparison.MoveInto(found);
  return found;
}

std::vector<LeakFinding> RunFromSnapshots(const FeatureSet& set, const Frame& frame,
                                          const FeatureTable& whole,
                                          const std::vector<size_t>& cuts, uint64_t seed,
                                          const std::vector<std::string>& snapshots) {
  std::vector<Comparison> comparisons;
  comparisons.reserve(cuts.size());
  for (const size_t cut : cuts) comparisons.emplace_back(whole, LeakCheck::kSnapshot, cut);
  ParallelFor(cuts.size(), [&](size_t k) {
    Random random(seed, cuts[k]);
    LiveFrame live = LiveFrame::Restore(set, frame.key(), snapshots[k]);
    RunCompared(live, frame, cuts[k], frame.times().size(), random, comparisons[k]);
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

// All three checks of a table that was made from the whole frame.
LeakAudit AuditTable(const FeatureSet& set, const Frame& frame, const FeatureTable& whole,
                     const LeakAuditOptions& options) {
  std::vector<size_t> cuts = DrawCuts(frame, options);
  RequireShape(whole, RowsBefore(frame, frame.times().size()), nullptr);
  const FrameFunction build = [&](const Frame& part) { return BuildFeatures(set, part); };
  std::vector<LeakFinding> truncated = Truncate(build, frame, whole, cuts);
  std::vector<std::string> snapshots;
  std::vector<LeakFinding> blocks = RunInBlocks(set, frame, whole, cuts, options.seed, snapshots);
  std::vector<LeakFinding> restored =
      RunFromSnapshots(set, frame, whole, cuts, options.seed, snapshots);
  return Summarise(whole, std::move(cuts), {truncated, restored, blocks});
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

LeakAudit AuditColumns(const FrameFunction& function, const Frame& frame,
                       const LeakAuditOptions& options) {
  std::vector<size_t> cuts = DrawCuts(frame, options);
  const FeatureTable whole = function(frame);
  RequireShape(whole, RowsBefore(frame, frame.times().size()), nullptr);
  const std::vector<LeakFinding> found = Truncate(function, frame, whole, cuts);
  return Summarise(whole, std::move(cuts), {found});
}

LeakAudit AuditColumns(const ColumnFunction& function, const CandleSeries& series,
                       const LeakAuditOptions& options) {
  return AuditColumns([&](const Frame& frame) { return function(frame.series(0)); },
                      Frame::Of(series), options);
}

LeakAudit AuditColumns(const ObservedColumnFunction& function, const CandleSeries& series,
                       const std::vector<Observation>& observations,
                       const LeakAuditOptions& options) {
  const Frame frame = Frame::Of(series);
  std::vector<size_t> cuts = DrawCuts(frame, options);
  const std::vector<size_t> before = CutsBeforeKnown(series, observations, options);
  cuts.insert(cuts.end(), before.begin(), before.end());
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  const FrameFunction of_known = [&](const Frame& part) {
    const TimeMs now = part.times().back();
    std::vector<Observation> known;
    std::copy_if(observations.begin(), observations.end(), std::back_inserter(known),
                 [now](const Observation& each) { return each.updated_timestamp <= now; });
    return function(part.series(0), known);
  };
  const FeatureTable whole = function(series, observations);
  RequireShape(whole, series.size(), nullptr);
  const std::vector<LeakFinding> found = Truncate(of_known, frame, whole, cuts);
  return Summarise(whole, std::move(cuts), {found});
}

LeakAudit AuditFeatures(const FeatureSet& set, const CandleSeries& series,
                        const LeakAuditOptions& options) {
  return AuditFeatures(set, Frame::Of(series), options);
}

LeakAudit AuditFeatures(const FeatureSet& set, const Frame& frame,
                        const LeakAuditOptions& options) {
  const FeatureSet bound = set.BoundTo(frame.key().symbols());
  LeakAudit audit;
  for (size_t first = 0; first < bound.size(); first += kColumnsAtATime) {
    const auto begin = bound.specs().begin() + static_cast<ptrdiff_t>(first);
    const size_t count = std::min(kColumnsAtATime, bound.size() - first);
    const FeatureSet part({begin, begin + static_cast<ptrdiff_t>(count)});
    LeakAudit one = AuditTable(part, frame, BuildFeatures(part, frame), options);
    audit.rows = one.rows;
    audit.columns += one.columns;
    audit.cuts = std::move(one.cuts);
    std::move(one.findings.begin(), one.findings.end(), std::back_inserter(audit.findings));
  }
  return audit;
}

LeakAudit AuditFeatures(const FeatureSet& set, const CandleSeries& series,
                        const FeatureTable& whole, const LeakAuditOptions& options) {
  return AuditTable(set, Frame::Of(series), whole, options);
}

LeakAudit AuditFeatures(const FeatureSet& set, const Frame& frame, const FeatureTable& whole,
                        const LeakAuditOptions& options) {
  return AuditTable(set.BoundTo(frame.key().symbols()), frame, whole, options);
}

void RequireNoLeak(const LeakAudit& audit, const SeriesKey& key) {
  RequireNoLeak(audit, FrameKey{{key}, FrameRows::kUnion, nullptr});
}

void RequireNoLeak(const LeakAudit& audit, const FrameKey& key) {
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
