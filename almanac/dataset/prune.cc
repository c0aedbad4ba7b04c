#include "almanac/dataset/prune.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "almanac/base/error.h"
#include "almanac/dataset/correlation.h"

namespace almanac {
namespace {

void CheckSpec(const PruneSpec& spec) {
  const std::pair<const char*, double> shares[] = {
      {"max_missing", spec.max_missing},
      {"max_missing_with_target", spec.max_missing_with_target},
      {"max_one_value", spec.max_one_value},
      {"min_variance", spec.min_variance},
      {"max_correlation", spec.max_correlation}};
  for (const auto& [key, share] : shares) {
    if (share >= 0 && share <= 1) continue;
    throw Error(ErrorCode::kUsage, "pruning", fmt::format("{} is {}", key, share),
                "it must be in 0 to 1");
  }
}

double MissingShare(std::span<const float> column, std::span<const uint32_t> rows) {
  size_t missing = 0;
  for (const uint32_t row : rows) missing += std::isfinite(column[row]) ? 0 : 1;
  return rows.empty() ? 0 : static_cast<double>(missing) / static_cast<double>(rows.size());
}

std::vector<float> FiniteValues(std::span<const float> column, std::span<const uint32_t> rows) {
  std::vector<float> values;
  for (const uint32_t row : rows) {
    if (std::isfinite(column[row])) values.push_back(column[row]);
  }
  return values;
}

// 1 for no values at all.
double LargestShareOfOneValue(std::vector<float> values) {
  if (values.empty()) return 1;
  std::sort(values.begin(), values.end());
  size_t longest = 0;
  for (size_t first = 0; first < values.size();) {
    size_t last = first;
    while (last < values.size() && values[last] == values[first]) ++last;
    longest = std::max(longest, last - first);
    first = last;
  }
  return static_cast<double>(longest) / static_cast<double>(values.size());
}

double RelativeVariance(const std::vector<float>& values) {
  const auto count = static_cast<double>(values.size());
  double sum = 0, mean_square = 0, squares = 0;
  for (const float value : values) {
    sum += value;
    mean_square += static_cast<double>(value) * value / count;
  }
  for (const float value : values) squares += (value - sum / count) * (value - sum / count);
  return mean_square > 0 ? squares / count / mean_square : 0;
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

class Pruner {
 public:
  Pruner(const Dataset& data, const TrainingRows& training) : data_(data) {
    report_.rows = training.size();
    for (size_t c = 0; c < data.features(); ++c) report_.kept.push_back(c);
  }

  // Removes the columns for which `judge` gives why.
  template <typename Judge>
  void Step(const char* reason, const Judge& judge) {
    std::vector<size_t> kept;
    for (size_t place = 0; place < report_.kept.size(); ++place) {
      const size_t c = report_.kept[place];
      std::optional<PrunedColumn> pruned = judge(c, place);
      if (!pruned) {
        kept.push_back(c);
        continue;
      }
      pruned->name = data_.feature_names()[c];
      pruned->reason = reason;
      report_.pruned.push_back(std::move(*pruned));
    }
    report_.kept = std::move(kept);
  }

  template <typename Measure>
  void StepAbove(const char* reason, double limit, const Measure& measure) {
    Step(reason, [&](size_t c, size_t /*place*/) -> std::optional<PrunedColumn> {
      const double value = measure(data_.feature(c));
      if (!(value > limit)) return std::nullopt;
      return PrunedColumn{"", "", value, ""};
    });
  }

  PruneReport& report() { return report_; }

 private:
  const Dataset& data_;
  PruneReport report_;
};

void PruneCorrelated(const Dataset& data, std::span<const uint32_t> rows, double threshold,
                     Pruner* pruner) {
  const std::vector<size_t> judged = pruner->report().kept;
  std::vector<std::span<const float>> columns;
  columns.reserve(judged.size());
  for (const size_t c : judged) columns.push_back(data.feature(c));
  const auto correlated = FindCorrelated(columns, rows, threshold);
  pruner->Step("correlation", [&](size_t /*c*/, size_t place) -> std::optional<PrunedColumn> {
    if (!correlated[place]) return std::nullopt;
    return PrunedColumn{"", "", correlated[place]->correlation,
                        data.feature_names()[judged[correlated[place]->earlier]]};
  });
}

void PruneByLineage(const Dataset& data, const Lineage& lineage, Pruner* pruner) {
  pruner->Step("lineage", [&](size_t c, size_t /*place*/) -> std::optional<PrunedColumn> {
    const std::string& name = data.feature_names()[c];
    const std::string& target = data.target_name();
    if (target.empty()) return std::nullopt;
    if (name == target) return PrunedColumn{"", "", 0, target};
    const auto inputs = lineage.find(name);
    if (inputs == lineage.end()) return std::nullopt;
    for (const std::string& input : inputs->second) {
      std::set<std::string> seen;
      if (LeadsTo(input, target, lineage, &seen)) return PrunedColumn{"", "", 0, input};
    }
    return std::nullopt;
  });
}

}  // namespace

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
  return spec;
}

Json PruneReport::ToJson(const Dataset& data) const {
  Json names = Json::array(), gone = Json::array();
  for (const size_t c : kept) names.push_back(data.feature_names()[c]);
  for (const PrunedColumn& column : pruned) {
    gone.push_back({{"name", column.name},
                    {"reason", column.reason},
                    {"value", column.value},
                    {"because", column.because}});
  }
  return {{"rows", rows}, {"kept", names}, {"pruned", gone}};
}

PruneReport PruneColumns(const Dataset& data, const TrainingRows& training, const PruneSpec& spec,
                         const Lineage& lineage) {
  CheckSpec(spec);
  const std::span<const uint32_t> rows = training.rows();
  std::vector<uint32_t> with_target;
  for (const uint32_t row : rows) {
    if (std::isfinite(data.target()[row])) with_target.push_back(row);
  }
  Pruner pruner(data, training);
  pruner.StepAbove("missing", spec.max_missing,
                   [&](std::span<const float> column) { return MissingShare(column, rows); });
  pruner.StepAbove(
      "missing_rows_with_target", spec.max_missing_with_target,
      [&](std::span<const float> column) { return MissingShare(column, with_target); });
  pruner.StepAbove("one_value", spec.max_one_value, [&](std::span<const float> column) {
    return LargestShareOfOneValue(FiniteValues(column, rows));
  });
  pruner.Step("variance", [&](size_t c, size_t /*place*/) -> std::optional<PrunedColumn> {
    const double value = RelativeVariance(FiniteValues(data.feature(c), rows));
    if (value > spec.min_variance) return std::nullopt;
    return PrunedColumn{"", "", value, ""};
  });
  PruneCorrelated(data, rows, spec.max_correlation, &pruner);
  PruneByLineage(data, lineage, &pruner);
  if (!pruner.report().kept.empty()) return std::move(pruner.report());
  throw Error(ErrorCode::kBadData, data.symbol(),
              fmt::format("pruning leaves none of {} columns", data.features()),
              "give more columns or wider limits");
}

}  // namespace almanac
