// From a backtest section and forecasts to results: which accounts there are, what each is fed, and
// the grid that chooses a configuration. Shared by the stage of a run and the command.
#ifndef ALMANAC_PIPELINE_BACKTEST_RUN_H_
#define ALMANAC_PIPELINE_BACKTEST_RUN_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "almanac/backtest/backtest.h"
#include "almanac/backtest/selection.h"
#include "almanac/backtest/sweep.h"
#include "almanac/forecast/table.h"
#include "almanac/market/candle.h"
#include "almanac/pipeline/backtest_section.h"
#include "almanac/target/any_target.h"

namespace almanac {

// A model that is traded, or several that are joined.
struct BacktestAccount {
  std::string name;
  std::vector<std::string> models;
};
std::vector<BacktestAccount> AccountsOf(const BacktestSection& section);

// What is forecast, without the data's extent: one series, or a panel named by its symbols.
std::string ProblemText(const std::vector<SeriesKey>& series, bool panel, const AnyTarget& target);

// Borrowed, not owned.
struct BacktestInput {
  const ForecastTable& forecasts;         // of the time to be judged, of all models
  std::vector<const CandleSeries*> bars;  // on which they were made: one symbol, or the panel's
  // kSignal: one a series of `bars`, in their order; empty: the same.
  std::vector<const CandleSeries*> execution_bars = {};
  // By symbol, where the section names a series of funding rates.
  std::map<std::string, std::vector<FundingRate>> funding = {};
  int64_t horizon = 1;
  TimeMs from = kMinTime;
  TradingYear year = TradingYear::kAlwaysOpen;
  Judging judging = {};
  BootstrapOptions bootstrap = {};  // of the tests for the best of a grid
};

// What a grid chose on the validation part.
struct GridChoice {
  SignalConfig config;
  std::vector<std::string> ranked;  // the account's models, the smallest squared error first
};

// `choice` is what a grid chose (kSignal); none: as the section says. Throws Error(kUsage) for a
// kind that does not fit the number of symbols.
BacktestResult RunAccount(const BacktestSection& section, const BacktestAccount& account,
                          const BacktestInput& input,
                          const std::optional<GridChoice>& choice = std::nullopt);

// The models by the mean squared error of their forecast returns, smallest first; equals in their
// order. Rows whose outcome lies beyond the bars are left out.
std::vector<std::string> RankByError(const std::vector<std::string>& models,
                                     const BacktestInput& input);

// Resampling more takes minutes and gigabytes.
inline constexpr size_t kMostSelected = 5000;

// The grid of the section over the forecasts of `input`.
struct GridResult {
  std::vector<std::string> signals;  // names, by SignalRule::signal
  std::vector<SignalConfig> configs;
  SignalSweep sweep;
  JudgedSweep judged;
  // Every test for the best of many. None where there is nothing to resample (no replicates, fewer
  // than 32 periods), none ever trades, or there are more than kMostSelected.
  std::optional<Selection> selection;
  std::vector<std::string> ranked;
  GridChoice best() const { return {configs[judged.best], ranked}; }
};
GridResult RunGrid(const BacktestSection& section, const BacktestAccount& account,
                   const BacktestInput& input);
// "configuration 17" is the 17th line of the grid's table.
std::vector<std::string> ConfigNames(size_t count);
// What tells one configuration of a grid from the others, as canonical text.
std::string ConfigText(const std::vector<std::string>& signals, const SignalConfig& config);

}  // namespace almanac

#endif  // ALMANAC_PIPELINE_BACKTEST_RUN_H_
