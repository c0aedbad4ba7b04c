#include "almanac/backtest/selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/evaluate/p_value.h"

namespace almanac {
namespace {

// Ratio and one-sided p-value of each configuration; NaN and 1 for one that never trades.
struct Alone {
  double ratio = 0;
  double p_value = 1;
};

std::vector<Alone> JudgeAlone(const SeriesPanel& returns, double periods_per_year) {
  std::vector<Alone> alone(returns.series());
  ParallelFor(alone.size(), [&](size_t k) {
    const SharpeStatistics sharpe = ComputeSharpe(returns.values(k), periods_per_year);
    alone[k] = {sharpe.ratio, sharpe.p_value};
  });
  return alone;
}

size_t BestOf(const std::vector<Alone>& alone) {
  size_t best = alone.size();
  for (size_t k = 0; k < alone.size(); ++k) {
    if (std::isnan(alone[k].ratio)) continue;
    if (best == alone.size() || alone[k].ratio > alone[best].ratio) best = k;
  }
  if (best == alone.size()) {
    throw Error(ErrorCode::kUsage, "selection of configurations",
                fmt::format("none of {} ever trades", alone.size()),
                "widen the grid: lower thresholds make trades");
  }
  return best;
}

std::string OverfittingWords(const Selection& selection) {
  if (!selection.overfitting) return "";
  return fmt::format(
      "; chosen on one half of the time it is below the median on the other in "
      "{:.0f} % of {} ways to halve it",
      100 * selection.overfitting->probability, selection.overfitting->logits.size());
}

std::string VerdictOf(const Selection& selection) {
  const std::string deflated = FormatPValue(1 - selection.deflated.probability);
  const std::string head =
      fmt::format("{} (Sharpe {:.2f}) is the best of {} trials", selection.best_name,
                  selection.sharpe.annual, selection.deflated.trials);
  if (selection.sharpe.ratio <= 0) return head + " and loses: none of them earns anything";
  const bool survives_hurdle = 1 - selection.deflated.probability < selection.significance;
  const bool survives_test = selection.superior.spa < selection.significance;
  const std::string spa = FormatPValue(selection.superior.spa);
  if (survives_hurdle && survives_test) {
    return fmt::format("{} and better than luck makes the best of so many (deflated {}, SPA {}){}",
                       head, deflated, spa, OverfittingWords(selection));
  }
  return fmt::format(
      "{}, not distinguishable from the best of {} coin flips (deflated {}, SPA "
      "{}; {} taken alone){}",
      head, selection.deflated.trials, deflated, spa, FormatPValue(selection.sharpe.p_value),
      OverfittingWords(selection));
}

}  // namespace

Selection JudgeSelection(const SeriesPanel& returns, const SelectionOptions& options) {
  Selection selection;
  selection.configurations = returns.series();
  selection.significance = options.significance;
  selection.superior = TestSuperiorAbility(returns, options.bootstrap);
  const std::vector<Alone> alone = JudgeAlone(returns, options.periods_per_year);
  selection.best = BestOf(alone);
  selection.best_name = returns.names()[selection.best];
  selection.sharpe = ComputeSharpe(returns.values(selection.best), options.periods_per_year);
  std::vector<double> ratios = options.trial_annual_sharpes;
  if (ratios.size() < returns.series()) {  // the registry does not know these yet
    ratios.clear();
    for (const Alone& one : alone) {
      if (!std::isnan(one.ratio)) ratios.push_back(one.ratio * std::sqrt(options.periods_per_year));
    }
  }
  selection.deflated =
      Deflate(selection.sharpe, std::max(options.trials, returns.series()), ratios);
  if (returns.series() >= 2) {
    selection.overfitting = ComputeOverfitting(returns, options.overfitting);
  }
  for (size_t k = 0; k < alone.size(); ++k) {
    selection.found_alone += alone[k].p_value < options.significance ? 1 : 0;
    if (selection.superior.stepwise[k] < options.significance) selection.found.push_back(k);
  }
  selection.expected_by_luck =
      options.significance * static_cast<double>(selection.superior.series);
  selection.verdict = VerdictOf(selection);
  return selection;
}

Json ToJson(const Selection& selection, const std::vector<std::string>& names) {
  Json found = Json::array();
  for (const size_t k : selection.found) found.push_back(names[k]);
  return Json{
      {"verdict", selection.verdict},
      {"configurations", selection.configurations},
      {"best", selection.best_name},
      {"sharpe", ToJson(selection.sharpe)},
      {"deflated_sharpe", ToJson(selection.deflated)},
      {"superior_ability", ToJson(selection.superior, names)},
      {"overfitting", selection.overfitting ? ToJson(*selection.overfitting) : Json(nullptr)},
      {"significance", selection.significance},
      {"found", std::move(found)},
      {"found_alone", selection.found_alone},
      {"expected_by_luck", selection.expected_by_luck}};
}

}  // namespace almanac
