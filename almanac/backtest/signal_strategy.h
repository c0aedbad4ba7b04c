// From forecasts to what a signal strategy wants: one signal a decision, joined from several models
// where it is asked for, and the size of the position that it would be worth.
//
// Everything here uses forecasts and closes known at the instant of the decision. Signals are
// numbers above 0 for up: forward returns (fractions), or p_up - p_down in [-1, 1].
#ifndef ALMANAC_BACKTEST_SIGNAL_STRATEGY_H_
#define ALMANAC_BACKTEST_SIGNAL_STRATEGY_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/backtest/execution.h"
#include "almanac/backtest/sharpe.h"
#include "almanac/base/time.h"
#include "almanac/market/candle.h"

namespace almanac {

// When a rule wants what. Indices are columns of the SignalTable.
struct SignalRule {
  size_t signal = 0;
  size_t size = 0;
  double long_above = 0;   // long when the signal is above it, >= 0
  double short_below = 0;  // short when the signal is below its negative, >= 0
  bool allow_long = true;
  bool allow_short = true;
  size_t decide_every = 1;  // only every n-th row decides, >= 1
  friend bool operator==(const SignalRule&, const SignalRule&) = default;
};

struct SignalConfig {
  SignalRule rule;
  TradeRules trade;
  friend bool operator==(const SignalConfig&, const SignalConfig&) = default;
};

// What many configurations share: a row a decision.
struct SignalTable {
  std::vector<TimeMs> made_at;  // strictly increasing
  TimeMs last_target = 0;       // when the last forecast is fulfilled
  struct Column {
    std::string name;
    std::vector<double> values;
  };
  std::vector<Column> signals;  // finite
  std::vector<Column> sizes;    // value / equity, >= 0; 0 or NaN: stay flat

  size_t rows() const { return made_at.size(); }
  // The signed weight that `rule` wants at `row`.
  double Weight(const SignalRule& rule, size_t row) const {
    const double signal = signals[rule.signal].values[row];
    const double size = sizes[rule.size].values[row];
    if (!(size > 0)) return 0;
    if (rule.allow_long && signal > rule.long_above) return size;
    return rule.allow_short && signal < -rule.short_below ? -size : 0;
  }
  // Throws Error(kBadData) naming row and column, Error(kUsage) for columns of other lengths.
  void Validate() const;
};
// Throws Error(kUsage) for thresholds out of range and columns that do not exist.
void CheckConfig(const SignalTable& table, const SignalConfig& config);

// How several models' signals of one instant become one.
enum class Ensemble { kMean, kMedian, kMin, kMax, kVote, kAgree };
std::string_view Name(Ensemble ensemble);  // "mean", ...
std::vector<std::string> EnsembleNames();
Ensemble ParseEnsemble(std::string_view name);
// Row by row over the models' columns, all of one length. Throws Error(kUsage) for none.
std::vector<double> JoinSignals(Ensemble ensemble, std::span<const std::span<const double>> models);

enum class Sizing { kFixed, kVolatilityTarget, kKelly };
std::string_view Name(Sizing sizing);  // "fixed", "volatility_target", "kelly"
std::vector<std::string> SizingNames();
Sizing ParseSizing(std::string_view name);

struct SizingOptions {
  Sizing sizing = Sizing::kFixed;
  double size = 1;                 // fixed
  double target_volatility = 0.2;  // annualised
  size_t volatility_window = 96;   // bars of the forecast's timeframe, >= 2
  double kelly_fraction = 0.25;    // (0, 1]
  double max_weight = 1;           // the cap of all three, > 0; above 1 with borrowed money
};
void CheckSizing(const SizingOptions& options);

// The size of each decision. `bars` are those that the forecasts were made on; `horizon` in bars of
// them. `stop_loss` and `take_profit` matter for Kelly on probabilities alone, where both must be
// above 0 (Error(kUsage)).
struct SizingInput {
  const CandleSeries& bars;
  std::span<const TimeMs> made_at;
  std::span<const double> signal;
  bool probability = false;  // signals are p_up - p_down
  double horizon = 1;
  double stop_loss = 0, take_profit = 0;
  TradingYear year = TradingYear::kAlwaysOpen;
};
std::vector<double> Sizes(const SizingOptions& options, const SizingInput& input);

std::vector<std::string> Describe(const SignalRule& rule, std::string_view signal);
std::string Describe(const SizingOptions& options);

}  // namespace almanac

#endif  // ALMANAC_BACKTEST_SIGNAL_STRATEGY_H_
