// A whole backtest by threshold on the forecasts' own bars: the strategy, beside it buy-and-hold
// and a pessimistic twin over the same bars, the statistics of each, the assumptions and a verdict
// in plain words.
#ifndef ALMANAC_BACKTEST_BACKTEST_H_
#define ALMANAC_BACKTEST_BACKTEST_H_

#include <limits>
#include <span>
#include <string>
#include <vector>

#include "almanac/backtest/benchmark.h"
#include "almanac/backtest/performance.h"
#include "almanac/backtest/sharpe.h"
#include "almanac/backtest/simulator.h"
#include "almanac/backtest/strategy.h"
#include "almanac/base/json.h"
#include "almanac/market/candle.h"

namespace almanac {

// What a result is judged by. From the registry (TrialSummary), this trial included.
struct Judging {
  size_t trials = 1;
  std::vector<double> trial_annual_sharpes = {};
  double significance = 0.05;  // of the verdict
};

struct BacktestOptions {
  std::string name = "strategy";  // how the verdict calls it, such as "ridge"
  ThresholdStrategy strategy = {};
  // `from` and `to` are narrowed to the time the forecasts span: from the first bar that could be
  // filled to the last forecast's target.
  ExecutionOptions execution = {};
  TradingYear year = TradingYear::kAlwaysOpen;
  // From the registry (TrialSummary), this trial included.
  size_t trials = 1;
  std::vector<double> trial_annual_sharpes = {};
  double significance = 0.05;  // of the verdict
};

// The forecasts of one model, one symbol, one horizon. Borrowed, not owned.
struct SignalInput {
  std::span<const TimeMs> made_at;      // strictly increasing
  std::span<const TimeMs> target_time;  // when the forecast is fulfilled, > made_at
  std::span<const double> forecast;     // forward returns, fractions
};

struct BacktestRun {
  std::string name;  // "ridge", "buy and hold", "ridge, pessimistic"
  Simulation simulation;
  Performance performance;
};

struct BacktestResult {
  BacktestRun strategy;
  BacktestRun buy_and_hold;     // the benchmark: bought at the first open, sold at the last close,
                                // same costs; of a panel, all of its symbols in equal parts
  BacktestRun pessimistic;      // worst order of prices in a bar, costs doubled, a bar later
  DeflatedSharpe deflated;      // of the strategy
  BenchmarkRegression on_hold;  // of the strategy's returns on those of buy and hold
  // Of a panel: the capital that its volumes bear (PanelSimulation); else NaN.
  double capacity = std::numeric_limits<double>::quiet_NaN();
  std::vector<std::string> assumptions;
  std::string verdict;
};

// Throws as DecideTargets and Simulate do.
BacktestResult RunBacktest(const CandleSeries& bars, const SignalInput& input,
                           const BacktestOptions& options);

// Statistics, trades, assumptions and verdict; the curves are left out (they are in the
// simulation).
Json ToJson(const BacktestRun& run);
Json ToJson(const BacktestResult& result);

}  // namespace almanac

#endif  // ALMANAC_BACKTEST_BACKTEST_H_
