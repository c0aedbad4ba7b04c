#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "almanac/gbdt/screen.h"

namespace almanac::gbdt {

Json Selection::ToJson(const BinFile& file) const {
  Json chosen = Json::array();
  for (const ChosenColumn& column : columns) {
    const auto variants = static_cast<double>(column.variants);
    chosen.push_back({{"name", file.column(column.column).name},
                      {"score", column.score},
                      {"variants", column.variants},
                      {"stability", trained > 0 ? variants / static_cast<double>(trained) : 0}});
  }
  const auto number = [](double value) { return std::isnan(value) ? Json() : Json(value); };
  return {{"columns", chosen},
          {"variants_trained", trained},
          {"variants_left_out", left_out},
          {"columns_among_the_best", seen_columns},
          {"held_share", held_share},
          {"stability", number(stability)},
          {"group_stability", number(group_stability)}};
}

double Stability(const std::vector<std::vector<uint32_t>>& sets, size_t all) {
  const auto count = static_cast<double>(sets.size()), columns = static_cast<double>(all);
  std::vector<double> share(all, 0.0);
  for (const std::vector<uint32_t>& set : sets) {
    for (const uint32_t column : set) share[column] += 1.0 / count;
  }
  double variance = 0, size = 0;
  for (const double p : share) {
    variance += count / (count - 1.0) * p * (1.0 - p);
    size += p;
  }
  const double chance = size / columns * (1.0 - size / columns);
  if (sets.size() < 2 || !(chance > 0)) return std::numeric_limits<double>::quiet_NaN();
  return 1.0 - variance / columns / chance;
}

Selection SelectColumns(const ScreenSpec& spec, const std::vector<ScreenVariant>& variants,
                        const std::vector<VariantResult>& results, size_t columns) {
  Selection selection;
  std::vector<ChosenColumn> all(columns);
  std::vector<std::vector<uint32_t>> sets;
  std::map<std::string, std::vector<std::vector<uint32_t>>> sets_of_group;
  for (size_t v = 0; v < results.size(); ++v) {
    if (!results[v].left_out.empty()) {
      ++selection.left_out;
      continue;
    }
    ++selection.trained;
    std::vector<uint32_t>& set = sets.emplace_back();
    for (const ScreenedColumn& best : results[v].best) {
      all[best.column].score += best.share;
      ++all[best.column].variants;
      set.push_back(best.column);
    }
    sets_of_group[variants[v].group].push_back(set);
  }
  double sum = 0;
  for (uint32_t column = 0; column < columns; ++column) {
    all[column].column = column;
    all[column].score /= static_cast<double>(std::max<size_t>(1, selection.trained));
    sum += all[column].score;
  }
  std::erase_if(all, [](const ChosenColumn& column) { return column.variants == 0; });
  selection.seen_columns = all.size();
  std::stable_sort(all.begin(), all.end(),
                   [](const ChosenColumn& a, const ChosenColumn& b) { return a.score > b.score; });
  double held = 0;
  for (const ChosenColumn& column : all) {
    const size_t count = selection.columns.size();
    const bool is_enough = count >= spec.least_chosen && held >= spec.chosen_share * sum;
    if (is_enough || count == spec.most_chosen) break;
    held += column.score;
    selection.columns.push_back(column);
  }
  selection.held_share = sum > 0 ? held / sum : 0;
  selection.stability = Stability(sets, columns);
  double stabilities = 0, groups = 0;
  for (const auto& [group, of_group] : sets_of_group) {
    const double stability = Stability(of_group, columns);
    if (std::isnan(stability)) continue;
    stabilities += stability;
    ++groups;
  }
  selection.group_stability =
      groups > 0 ? stabilities / groups : std::numeric_limits<double>::quiet_NaN();
  return selection;
}

}  // namespace almanac::gbdt
