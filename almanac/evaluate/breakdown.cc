#include "almanac/evaluate/breakdown.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

namespace almanac {
namespace {

const std::vector<std::string>& RegimeNames() {
  static const std::vector<std::string> kNames = {"calm", "ordinary", "turbulent"};
  return kNames;
}

// The rows of `keep` as a sample of their own, with their groups.
std::vector<GroupResult> EvaluateKept(const JudgedRows& rows, const std::vector<size_t>& keep,
                                      const std::vector<uint32_t>& group,
                                      const std::vector<std::string>& labels) {
  if (keep.empty()) return {};
  JudgedRows kept;
  kept.horizon = rows.horizon;
  kept.space = rows.space;
  kept.return_scale = rows.return_scale;
  kept.price_scale = rows.price_scale;
  for (const size_t row : keep) {
    kept.made_at.push_back(rows.made_at[row]);
    kept.forecast.push_back(rows.forecast[row]);
    kept.actual.push_back(rows.actual[row]);
    kept.naive.push_back(rows.naive[row]);
    kept.price.push_back(rows.price[row]);
  }
  std::vector<GroupResult> results = EvaluateGroups(kept.Sample(), group, labels);
  std::sort(results.begin(), results.end(), [&](const GroupResult& a, const GroupResult& b) {
    return std::find(labels.begin(), labels.end(), a.label) <
           std::find(labels.begin(), labels.end(), b.label);
  });
  return results;
}

}  // namespace

std::vector<GroupResult> EvaluateSymbols(const JudgedRows& rows) {
  std::map<std::string, uint32_t> number;
  for (const std::string& symbol : rows.symbol) number.emplace(symbol, 0);
  std::vector<std::string> labels;
  for (auto& [symbol, place] : number) {
    place = static_cast<uint32_t>(labels.size());
    labels.push_back(symbol);
  }
  std::vector<uint32_t> group;
  std::vector<size_t> all;
  for (size_t row = 0; row < rows.rows(); ++row) {
    group.push_back(number.at(rows.symbol[row]));
    all.push_back(row);
  }
  return EvaluateKept(rows, all, group, labels);
}

std::vector<GroupResult> EvaluateRegimes(const JudgedRows& rows) {
  std::map<std::string, std::vector<size_t>> of_symbol;
  for (size_t row = 0; row < rows.volatility.size(); ++row) {
    if (!std::isnan(rows.volatility[row])) of_symbol[rows.symbol[row]].push_back(row);
  }
  std::vector<std::pair<size_t, uint32_t>> placed;
  for (auto& [symbol, places] : of_symbol) {
    std::stable_sort(places.begin(), places.end(),
                     [&](size_t a, size_t b) { return rows.volatility[a] < rows.volatility[b]; });
    for (size_t k = 0; k < places.size(); ++k) {
      placed.emplace_back(places[k],
                          static_cast<uint32_t>(k * RegimeNames().size() / places.size()));
    }
  }
  std::sort(placed.begin(), placed.end());
  std::vector<size_t> keep;
  std::vector<uint32_t> group;
  for (const auto& [row, regime] : placed) {
    keep.push_back(row);
    group.push_back(regime);
  }
  return EvaluateKept(rows, keep, group, RegimeNames());
}

void AddBreakdowns(const JudgedRows& rows, Evaluation& evaluation) {
  evaluation.symbols = EvaluateSymbols(rows);
  if (evaluation.symbols.size() < 2) evaluation.symbols.clear();
  evaluation.regimes = EvaluateRegimes(rows);
}

}  // namespace almanac
