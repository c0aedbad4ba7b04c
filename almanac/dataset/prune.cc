#include "almanac/dataset/prune.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <utility>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"

namespace almanac {
namespace {

constexpr int64_t kLeastCorrelationRows = 3;
constexpr const char* kMissing = "missing";
constexpr const char* kMissingWithTarget = "missing_rows_with_target";
constexpr const char* kOneValue = "one_value";
constexpr const char* kVariance = "variance";
constexpr const char* kCorrelation = "correlation";
constexpr const char* kLineage = "lineage";

constexpr size_t kLanes = 8;  // of sums, so that they do not depend on the machine's vectors

// 1 where the value is there. value - value is 0 if and only if it is finite.
size_t CountFinite(std::span<const float> values) {
  uint32_t count = 0;
  for (const float value : values) count += value - value == 0 ? 1 : 0;
  return count;
}

double ShareOf(size_t part, size_t all) {
  return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
}

double MissingShare(std::span<const float> values, const std::vector<uint32_t>& places) {
  size_t missing = 0;
  for (const uint32_t place : places) missing += std::isfinite(values[place]) ? 0 : 1;
  return ShareOf(missing, places.size());
}

size_t CountChanges(std::span<const float> values) {
  uint32_t changes = 0;
  for (size_t i = 1; i < values.size(); ++i) changes += values[i] != values[i - 1] ? 1 : 0;
  return changes;
}

size_t LongestRun(std::vector<float> values) {
  std::sort(values.begin(), values.end());
  size_t longest = 0;
  for (size_t first = 0; first < values.size();) {
    size_t last = first;
    while (last < values.size() && values[last] == values[first]) ++last;
    longest = std::max(longest, last - first);
    first = last;
  }
  return longest;
}

// How many values equal the one that more than half of them equal, if there is one (Boyer and Moore
// 1991, MJRTY).
size_t CountMajority(std::span<const float> values) {
  float candidate = 0;
  size_t votes = 0;
  for (const float value : values) {
    if (votes == 0) candidate = value;
    votes = value == candidate ? votes + 1 : votes - 1;
  }
  return static_cast<size_t>(std::count(values.begin(), values.end(), candidate));
}

// The largest share of one value if that is above `limit`; else anything not above it. 1 for no
// values at all.
double LargestShareAbove(double limit, std::span<const float> values) {
  if (values.empty()) return 1;
  // Values other than the most frequent one take part in at most two changes each.
  const double most = 1 - ShareOf(CountChanges(values), 2 * values.size());
  if (most <= limit) return 0;
  const size_t count =
      limit >= 0.5 ? CountMajority(values) : LongestRun({values.begin(), values.end()});
  return ShareOf(count, values.size());
}

template <typename Term>
double Sum(std::span<const float> values, const Term& term) {
  std::array<double, kLanes> lanes{};
  const size_t whole = values.size() / kLanes * kLanes;
  for (size_t i = 0; i < whole; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += term(values[i + lane]);
  }
  for (size_t i = whole; i < values.size(); ++i) lanes[i - whole] += term(values[i]);
  return std::accumulate(lanes.begin(), lanes.end(), 0.0);
}

double RelativeVariance(std::span<const float> values) {
  const auto count = static_cast<double>(values.size());
  const double mean = Sum(values, [](double value) { return value; }) / count;
  const double squares = Sum(values, [](double value) { return value * value; });
  const double distances =
      Sum(values, [mean](double value) { return (value - mean) * (value - mean); });
  return squares > 0 ? distances / squares : 0;
}

// Names from which the target can be reached, itself included.
bool LeadsTo(const std::string& name, const std::string& target, const Lineage& lineage,
             std::set<std::string>* seen) {
  if (name == target) return true;
  if (!seen->insert(name).second) return false;
  const auto inputs = lineage.find(name);
  if (inputs == lineage.end()) return false;
  return std::any_of(inputs->second.begin(), inputs->second.end(), [&](const std::string& input) {
    return LeadsTo(input, target, lineage, seen);
  });
}

// In the order of the steps, then of the columns as they are.
void SortBySteps(std::vector<PrunedColumn>* pruned) {
  const auto step = [](const PrunedColumn& column) {
    const std::vector<std::string>& reasons = PruneReasons();
    return std::find(reasons.begin(), reasons.end(), column.reason) - reasons.begin();
  };
  std::stable_sort(pruned->begin(), pruned->end(),
                   [&](const auto& a, const auto& b) { return step(a) < step(b); });
}

}  // namespace

const std::vector<std::string>& PruneReasons() {
  static const std::vector<std::string> kReasons = {kMissing,  kMissingWithTarget, kOneValue,
                                                    kVariance, kCorrelation,       kLineage};
  return kReasons;
}

void PruneSpec::Check() const {
  const std::pair<const char*, double> shares[] = {
      {"max_missing", max_missing},
      {"max_missing_with_target", max_missing_with_target},
      {"max_one_value", max_one_value},
      {"min_variance", min_variance},
      {"max_correlation", max_correlation}};
  for (const auto& [key, share] : shares) {
    if (share >= 0 && share <= 1) continue;
    throw Error(ErrorCode::kUsage, "pruning", fmt::format("{} is {}", key, share),
                "it must be in 0 to 1");
  }
  if (correlation_rows >= kLeastCorrelationRows) return;
  throw Error(ErrorCode::kUsage, "pruning", fmt::format("correlation_rows is {}", correlation_rows),
              fmt::format("at least {} are needed", kLeastCorrelationRows));
}

Json PruneSpec::ToJson() const {
  return {
      {"max_missing", max_missing},         {"max_missing_with_target", max_missing_with_target},
      {"max_one_value", max_one_value},     {"min_variance", min_variance},
      {"max_correlation", max_correlation}, {"correlation_rows", correlation_rows}};
}

ColumnJudge::ColumnJudge(const PruneSpec& spec, size_t rows, std::vector<uint32_t> with_target)
    : spec_(spec), rows_(rows), with_target_(std::move(with_target)) {}

std::optional<PrunedColumn> ColumnJudge::Judge(std::span<const float> values) const {
  const size_t finite = CountFinite(values);
  const double missing = ShareOf(rows_ - finite, rows_);
  if (missing > spec_.max_missing) return PrunedColumn{"", kMissing, missing, ""};
  if (finite < rows_) {
    const double at_targets = MissingShare(values, with_target_);
    if (at_targets > spec_.max_missing_with_target) {
      return PrunedColumn{"", kMissingWithTarget, at_targets, ""};
    }
  }
  // Most are missing during a warm-up alone.
  std::vector<float> there;
  if (finite < rows_) {
    const auto first = std::find_if(values.begin(), values.end(),
                                    [](float value) { return std::isfinite(value); });
    values = values.subspan(static_cast<size_t>(first - values.begin()));
  }
  if (finite < values.size()) {
    there.reserve(finite);
    std::copy_if(values.begin(), values.end(), std::back_inserter(there),
                 [](float value) { return std::isfinite(value); });
    values = there;
  }
  const double share = LargestShareAbove(spec_.max_one_value, values);
  if (share > spec_.max_one_value) return PrunedColumn{"", kOneValue, share, ""};
  const double variance = RelativeVariance(values);
  if (!(variance > spec_.min_variance)) return PrunedColumn{"", kVariance, variance, ""};
  return std::nullopt;
}

LineageJudge::LineageJudge(std::string target, Lineage lineage)
    : target_(std::move(target)), lineage_(std::move(lineage)) {}

std::optional<PrunedColumn> LineageJudge::Judge(const std::string& column) const {
  if (column == target_) return PrunedColumn{"", kLineage, 0, column};
  const auto inputs = lineage_.find(column);
  if (inputs == lineage_.end()) return std::nullopt;
  for (const std::string& input : inputs->second) {
    std::set<std::string> seen;
    if (LeadsTo(input, target_, lineage_, &seen)) return PrunedColumn{"", kLineage, 0, input};
  }
  return std::nullopt;
}

std::vector<uint32_t> CorrelationRows(size_t training_rows, int64_t most) {
  const size_t count = std::min(training_rows, static_cast<size_t>(most));
  std::vector<uint32_t> places(count);
  for (size_t i = 0; i < count; ++i) {
    places[i] = static_cast<uint32_t>(i * training_rows / count);
  }
  return places;
}

PruneSpec PruneSpec::FromConfig(const ConfigNode& node) {
  PruneSpec spec;
  const auto share = [&](const char* key, double otherwise) {
    return node.Double(key, otherwise, Range<double>::Between(0, 1));
  };
  spec.max_missing = share("max_missing", spec.max_missing);
  spec.max_missing_with_target = share("max_missing_with_target", spec.max_missing_with_target);
  spec.max_one_value = share("max_one_value", spec.max_one_value);
  spec.min_variance = share("min_variance", spec.min_variance);
  spec.max_correlation = share("max_correlation", spec.max_correlation);
  spec.correlation_rows = node.Int("correlation_rows", spec.correlation_rows,
                                   Range<int64_t>::AtLeast(kLeastCorrelationRows));
  return spec;
}

size_t PruneReport::Count(const std::string& reason) const {
  return static_cast<size_t>(std::count_if(
      pruned.begin(), pruned.end(), [&](const auto& column) { return column.reason == reason; }));
}

Json PruneReport::ToJson(const std::vector<std::string>& names) const {
  Json left = Json::array(), gone = Json::array();
  for (const size_t c : kept) left.push_back(names[c]);
  for (const PrunedColumn& column : pruned) {
    gone.push_back({{"name", column.name},
                    {"reason", column.reason},
                    {"value", column.value},
                    {"because", column.because}});
  }
  return {{"rows", rows}, {"kept", left}, {"pruned", gone}};
}

void PruneReport::Finish() {
  SortBySteps(&pruned);
  if (!kept.empty()) return;
  throw Error(ErrorCode::kBadData, "pruning",
              fmt::format("leaves none of {} columns", pruned.size()),
              "give more columns or wider limits");
}

PruneReport PruneColumns(const Dataset& data, const TrainingRows& training, const PruneSpec& spec,
                         const Lineage& lineage) {
  spec.Check();
  const std::span<const uint32_t> rows = training.rows();
  std::vector<uint32_t> with_target, correlated;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (std::isfinite(data.target()[rows[i]])) with_target.push_back(static_cast<uint32_t>(i));
  }
  for (const uint32_t place : CorrelationRows(rows.size(), spec.correlation_rows)) {
    correlated.push_back(rows[place]);
  }
  const ColumnJudge judge(spec, rows.size(), with_target);
  std::vector<std::optional<PrunedColumn>> verdicts(data.features());
  ParallelFor(data.features(), [&](size_t c) {
    std::vector<float> values;
    for (const uint32_t row : rows) values.push_back(data.feature(c)[row]);
    verdicts[c] = judge.Judge(values);
  });
  std::vector<size_t> left;
  std::vector<std::span<const float>> columns;
  for (size_t c = 0; c < data.features(); ++c) {
    if (verdicts[c]) continue;
    left.push_back(c);
    columns.push_back(data.feature(c));
  }
  const auto found = FindCorrelated(columns, correlated, spec.max_correlation);
  const LineageJudge lineage_judge(data.target_name(), lineage);
  for (size_t i = 0; i < left.size(); ++i) {
    const std::string& name = data.feature_names()[left[i]];
    verdicts[left[i]] = found[i]
                            ? RepeatOf(*found[i], data.feature_names()[left[found[i]->earlier]])
                            : lineage_judge.Judge(name);
  }
  PruneReport report;
  report.rows = rows.size();
  for (size_t c = 0; c < data.features(); ++c) report.Add(c, data.feature_names()[c], verdicts[c]);
  report.Finish();
  return report;
}

PrunedColumn RepeatOf(const CorrelatedColumn& found, const std::string& earlier) {
  return {"", kCorrelation, found.correlation, earlier};
}

void PruneReport::Add(size_t column, const std::string& name,
                      const std::optional<PrunedColumn>& verdict) {
  if (!verdict) {
    kept.push_back(column);
    return;
  }
  pruned.push_back(*verdict);
  pruned.back().name = name;
}

}  // namespace almanac
