// What a grid of configurations found, each judged after deflation for the size of the grid.
#ifndef ALMANAC_BACKTEST_SWEEP_H_
#define ALMANAC_BACKTEST_SWEEP_H_

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "almanac/backtest/backtest.h"
#include "almanac/backtest/sharpe.h"
#include "almanac/backtest/signal_simulator.h"

namespace almanac {

struct JudgedConfig {
  double total_return = 0;
  SharpeStatistics sharpe;
  // The probability that its true Sharpe ratio exceeds what luck alone is expected to show as the
  // best of all trials; NaN if it has none.
  double deflated_probability = 0;
  // It earned something and that probability is above 1 - significance: the only configurations
  // that may be called profitable.
  bool profitable = false;
};

struct JudgedSweep {
  std::vector<JudgedConfig> configs;
  size_t trials = 0;         // the grid and the trials before it
  double hurdle_annual = 0;  // the Sharpe ratio that the best of them shows by luck
  size_t best = 0;           // highest Sharpe ratio, the first of equals
  size_t profitable = 0;     // how many
  std::string verdict;       // one sentence
};

// `before` counts the trials of the problem that were made earlier (judging.trials of them), which
// this grid adds to. Throws Error(kUsage) for a sweep of no configurations.
JudgedSweep JudgeSweep(const SignalSweep& sweep, double periods_per_year, const Judging& before);

// One line a configuration: what it is, what it earned, how it was judged. `signals`: names, by
// SignalRule::signal.
std::string SweepCsv(std::span<const std::string> signals, std::span<const SignalConfig> configs,
                     const SignalSweep& sweep, const JudgedSweep& judged);

}  // namespace almanac

#endif  // ALMANAC_BACKTEST_SWEEP_H_
