// A market that needs no account and no network: seeded, stylised, correlated price paths as
// candles. docs/simulator.md gives the model's formulas.
//
// The market never closes; a bar opens at the close of the bar before. What holds:
// - The same options give the same bars, whatever the block size.
// - Bars depend on `origin`, `seed`, `timeframe` and the parameters, not on `from` and `to`: asking
//   later for more gives the same bars again and the ones after them.
// - A symbol's bars depend on its own entry, not on which other symbols are simulated beside it.
// - Different timeframes are different paths: for consistent bars of two lengths, simulate the
// finer
//   and resample it.
#ifndef ALMANAC_SOURCE_SIMULATOR_H_
#define ALMANAC_SOURCE_SIMULATOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "almanac/base/time.h"
#include "almanac/market/candle.h"
#include "almanac/market/timeframe.h"

namespace almanac {

inline constexpr char kSimulatorMarket[] = "simulator";
inline constexpr TimeMs kSimulatorOrigin = 1577836800000;  // 2020-01-01T00:00:00Z

struct SimulatedSymbol {
  static constexpr int kAutomatic = -1;
  static constexpr int kUnrounded = -2;

  std::string name;                // distinct in one simulation
  double start_price = 100.0;      // > 0, the open of the first bar at `origin`
  double annual_volatility = 0.0;  // 0: SimulatorOptions::annual_volatility
  double daily_turnover = 1e8;     // mean value traded a day, in quote currency, at start_price
  // Decimals that prices are rounded to. kAutomatic: the fewest that make one tick at most 1e-5 of
  // the start price.
  int price_decimals = kAutomatic;
};

struct SimulatorOptions {
  uint64_t seed = 1;
  std::vector<SimulatedSymbol> symbols;
  Timeframe timeframe = Timeframe::Parse("1h");
  TimeMs origin = kSimulatorOrigin;  // where all paths begin
  TimeMs from = kSimulatorOrigin;    // bars with from <= open time < to are given
  TimeMs to = kSimulatorOrigin;

  double annual_volatility = 0.6;  // standard deviation of a year's log return, jumps included
  double annual_drift = 0.0;       // mean of a year's log return
  double correlation = 0.6;        // of the log returns of any two symbols, in [0, 1)
  // The correlation of a bar's return with its expectation given the past (an ideal model's
  // information coefficient): momentum if positive, reversal if negative, 0 an efficient market.
  double predictability = 0.05;  // in [-0.5, 0.5]
  // Standard deviation of the logarithm of volatility: fat tails and clustering grow with it.
  double volatility_of_volatility = 0.5;  // in [0, 1]
  double leverage = 0.2;                  // falling prices raise volatility; in [0, 1]
  double jumps_per_year = 40.0;           // of each symbol
  double jump_variance_share = 0.08;      // of the variance of returns, in [0, 0.5]
  double seasonality = 1.0;               // strength of the daily and weekly cycle; 0: none
  bool regimes = true;                    // calm, trend and stress alternate
};

// Gives the bars of all symbols in blocks, in memory bounded by the block.
class MarketSimulator {
 public:
  // Throws Error(kUsage) naming the option that is out of range.
  explicit MarketSimulator(const SimulatorOptions& options);
  ~MarketSimulator();
  MarketSimulator(MarketSimulator&&) noexcept;
  MarketSimulator& operator=(MarketSimulator&&) noexcept;

  // Of each symbol, in the order of the options, the next at most `bars` bars (the same number and
  // the same times for all); empty when there are no more.
  std::vector<CandleSeries> Next(size_t bars);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// All bars at once, one series a symbol in the order of the options.
std::vector<CandleSeries> Simulate(const SimulatorOptions& options);

}  // namespace almanac

#endif  // ALMANAC_SOURCE_SIMULATOR_H_
