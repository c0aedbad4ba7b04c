// What the best of many configurations is worth, knowing how many there were: every test that
// needs all of them, and a verdict in plain words.
//
// The configurations' returns are compared with those of an account that never trades (0). What is
// counted as a trial is at least every configuration here; the registry's count, where it is
// larger, takes its place.
#ifndef ALMANAC_BACKTEST_SELECTION_H_
#define ALMANAC_BACKTEST_SELECTION_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "almanac/backtest/overfitting.h"
#include "almanac/backtest/sharpe.h"
#include "almanac/base/json.h"
#include "almanac/evaluate/series_panel.h"
#include "almanac/evaluate/superior_ability.h"

namespace almanac {

struct SelectionOptions {
  BootstrapOptions bootstrap = {};
  OverfittingOptions overfitting = {};
  double periods_per_year = 365;
  // From the registry (TrialSummary), these configurations included.
  size_t trials = 0;
  std::vector<double> trial_annual_sharpes = {};
  double significance = 0.05;
};

struct Selection {
  size_t configurations = 0;
  size_t best = 0;  // position of the highest Sharpe ratio; of equal ones the first
  std::string best_name;
  SharpeStatistics sharpe;                         // of the best
  DeflatedSharpe deflated;                         // by the number and spread of all trials
  SuperiorAbility superior;                        // of all against not trading
  std::optional<BacktestOverfitting> overfitting;  // none for fewer than 2 configurations
  // Positions whose stepwise p-value is below `significance`: better than not trading although all
  // were tried.
  std::vector<size_t> found;
  // Without correction: how many have a one-sided p below `significance`, and how many luck alone
  // would give.
  size_t found_alone = 0;
  double expected_by_luck = 0;
  double significance = 0.05;
  std::string verdict;
};

// `returns`: one series a configuration, the returns of its account per period. Configurations that
// never trade (returns that do not vary) count as trials and are never found. Throws as
// TestSuperiorAbility and ComputeOverfitting do; Error(kUsage) if none of them ever trades.
Selection JudgeSelection(const SeriesPanel& returns, const SelectionOptions& options);

// With the stepwise p-value of every configuration.
Json ToJson(const Selection& selection, const std::vector<std::string>& names);

}  // namespace almanac

#endif  // ALMANAC_BACKTEST_SELECTION_H_
