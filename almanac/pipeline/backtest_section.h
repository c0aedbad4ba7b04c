// The `backtest` section of a recipe: which models are traded, how, and under what conditions.
// docs/recipes.md lists its keys, docs/backtest.md says what they mean.
#ifndef ALMANAC_PIPELINE_BACKTEST_SECTION_H_
#define ALMANAC_PIPELINE_BACKTEST_SECTION_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/backtest/execution.h"
#include "almanac/backtest/panel_simulator.h"
#include "almanac/backtest/panel_strategy.h"
#include "almanac/backtest/signal_portfolio.h"
#include "almanac/backtest/signal_strategy.h"
#include "almanac/backtest/simulator.h"
#include "almanac/backtest/strategy.h"
#include "almanac/base/config.h"
#include "almanac/market/timeframe.h"
#include "almanac/pipeline/funding_series.h"

namespace almanac {

enum class BacktestKind { kThreshold, kSignal, kPanel };
std::string_view Name(BacktestKind kind);  // "threshold", ...

// What a grid varies: every combination is a configuration, a trial each.
struct SignalGrid {
  std::vector<Ensemble> ensembles;
  // Of how many models an ensemble is: the best by squared error on the validation part; none: all.
  std::vector<size_t> best;
  std::vector<double> thresholds, stop_losses, take_profits, trailing_stops;
  std::vector<DurationMs> max_holds;
  size_t size() const;
};

struct SignalSection {
  bool probability = false;  // signals are p_up - p_down
  std::string up = "up", down = "down";
  std::optional<Ensemble> ensemble;  // none: each model is an account of its own
  SignalRule rule;
  TradeRules trade;
  SizingOptions sizing;
  SignalExecution execution;  // funding is filled in when the time is known
  double funding_rate = 0;    // constant; or the published ones of `funding`
  DurationMs funding_every = 8 * kMsPerHour;
  FundingSource funding;
  PortfolioLimits limits;              // of several symbols in one account
  bool has_limits = false;             // the recipe names them
  std::optional<Timeframe> timeframe;  // of the bars it is executed on; none: the forecasts' own
  std::string market;                  // of those bars; empty: the forecasts' own
  // Tried on the validation part; the best by Sharpe ratio is executed on the test part.
  std::optional<SignalGrid> grid;
};

struct PanelSection {
  PanelStrategy strategy;
  PanelExecution execution;
};

struct BacktestSection {
  BacktestKind kind = BacktestKind::kThreshold;
  std::vector<std::string> models;  // that are traded
  // kThreshold
  ThresholdStrategy strategy;
  ExecutionOptions execution;
  SignalSection signal;
  PanelSection panel;
  double capital = 10000;
  std::string configuration;  // TrialConfiguration's
  std::string grid_text;      // the grid as canonical text; empty without one
};

// `models` are those of the recipe, `traded` the default; `horizon` that of the target. Throws
// Error(kUsage) naming key and line.
BacktestSection ReadBacktestSection(const ConfigNode& node, const std::vector<std::string>& models,
                                    const std::vector<std::string>& traded, int64_t horizon);
// The keys that make a trial another one, as canonical text: not the capital, nor the models unless
// they are joined. Marks all keys of `node` as known: call it after unknown ones were refused.
std::string TrialConfiguration(const BacktestSection& section, const ConfigNode& node);

}  // namespace almanac

#endif  // ALMANAC_PIPELINE_BACKTEST_SECTION_H_
