// Executes signal strategies on bars: one with its whole account, or thousands in one pass.
//
// A sweep reads the bars once for all configurations of a thread: they walk through one block of
// bars after the other together, so the block stays in the cache. What each of them does is the
// same code as alone, so its result is the same to the last bit, whatever the number of threads.
#ifndef ALMANAC_BACKTEST_SIGNAL_SIMULATOR_H_
#define ALMANAC_BACKTEST_SIGNAL_SIMULATOR_H_

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "almanac/backtest/signal_strategy.h"
#include "almanac/backtest/signal_totals.h"
#include "almanac/backtest/simulator.h"
#include "almanac/market/candle.h"

namespace almanac {

// Throws Error(kUsage) for options out of range, Error(kBadData) for bars or rows that cannot be.
Simulation SimulateSignals(const CandleSeries& bars, const SignalTable& table,
                           const SignalConfig& config, const SignalExecution& execution);

struct SignalSweep {
  double capital = 0;
  std::vector<TimeMs> mark_time;     // as Simulation::time
  std::vector<SignalTotals> totals;  // one a configuration
  std::vector<double> equity;        // configuration-major: marks() values each
  std::vector<std::optional<TimeMs>> ruined_at;

  size_t marks() const { return mark_time.size(); }
  std::span<const double> Equity(size_t config) const {
    return std::span(equity).subspan(config * marks(), marks());
  }
  // equity_i / equity_{i-1} - 1, as Simulation::Returns().
  std::vector<double> Returns(size_t config) const;
};

// Memory: 8 bytes a mark and configuration; choose execution.mark_every accordingly.
SignalSweep SweepSignals(const CandleSeries& bars, const SignalTable& table,
                         std::span<const SignalConfig> configs, const SignalExecution& execution);

}  // namespace almanac

#endif  // ALMANAC_BACKTEST_SIGNAL_SIMULATOR_H_
