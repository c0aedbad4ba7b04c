// From forecasts of many symbols to the positions that are wanted: the highest long, the lowest
// short, replaced by rank as far as the limits on turnover and holding time allow.
// docs/backtest.md states every rule.
#ifndef ALMANAC_BACKTEST_PANEL_STRATEGY_H_
#define ALMANAC_BACKTEST_PANEL_STRATEGY_H_

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/backtest/panel.h"
#include "almanac/base/time.h"

namespace almanac {

enum class Weighting { kEqual, kForecast, kInverseVolatility };
std::string_view Name(Weighting weighting);  // "equal", "forecast", "inverse_volatility"
std::vector<std::string> WeightingNames();
Weighting ParseWeighting(std::string_view name);

enum class Rebalance { kBars, kWeek, kMonth };

struct PanelStrategy {
  size_t top_k = 10;    // long
  size_t bottom_k = 0;  // short
  Weighting weighting = Weighting::kEqual;
  size_t volatility_window = 20;  // bars, >= 2
  double long_weight = 1;         // value of a side / equity when all its places are taken
  double short_weight = 0;
  Rebalance rebalance = Rebalance::kBars;
  size_t every = 1;     // forecast instants between rebalancings, with kBars
  size_t k_drop = 0;    // replaced a side and rebalancing at most; 0: any number
  size_t min_hold = 0;  // bars
  size_t max_hold = 0;  // bars; 0: none
  // Longs need a forecast above it, shorts below its negative; -infinity: any.
  double min_forecast = -std::numeric_limits<double>::infinity();
};
// Throws Error(kUsage) naming the option and its allowed range.
void CheckStrategy(const PanelStrategy& strategy);

struct PanelWeight {
  size_t symbol = 0;
  double weight = 0;  // of equity, negative for short
  bool keep = false;  // held already and not resized
};
// What is wanted from now on; symbols that are not named are not wanted.
struct PanelTarget {
  TimeMs decided_at = 0;
  std::vector<PanelWeight> weights;  // in order of symbol
};
std::vector<PanelTarget> DecidePanel(const PanelStrategy& strategy, const PanelBars& bars,
                                     const PanelForecasts& forecasts);

std::vector<std::string> Describe(const PanelStrategy& strategy);

}  // namespace almanac

#endif  // ALMANAC_BACKTEST_PANEL_STRATEGY_H_
