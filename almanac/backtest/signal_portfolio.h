// Signal strategies in several symbols out of one account: shared cash and margin, limits on how
// much is held at once. Each position is the state machine of one signal account; what the others
// hold enters its size, its margin and its room (docs/backtest.md, "Several symbols in one
// account"). One symbol gives the same bits as SimulateSignals.
#ifndef ALMANAC_BACKTEST_SIGNAL_PORTFOLIO_H_
#define ALMANAC_BACKTEST_SIGNAL_PORTFOLIO_H_

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "almanac/backtest/signal_simulator.h"
#include "almanac/backtest/signal_strategy.h"
#include "almanac/backtest/simulator.h"
#include "almanac/market/candle.h"

namespace almanac {

struct PortfolioLimits {
  size_t max_positions = 0;  // held or waited for at once; 0: any number
  // Of the sum of |value| to the equity, that an entry may bring it to, > 0; prices may carry it
  // further.
  double max_gross = 1;
};
void CheckLimits(const PortfolioLimits& limits);

// Borrowed, not owned.
struct PortfolioLeg {
  const CandleSeries& bars;
  const SignalTable& table;
  std::vector<FundingRate> funding = {};  // instead of the execution's
};

// `execution` holds for all legs but for its funding. `limits` CheckLimits passes. Throws as
// SimulateSignals does, Error(kUsage) for no legs, a symbol twice, or bars of several timeframes.
Simulation SimulateSignalPortfolio(std::span<const PortfolioLeg> legs, const SignalConfig& config,
                                   const SignalExecution& execution, const PortfolioLimits& limits);

// Every configuration by itself, on several threads.
SignalSweep SweepSignalPortfolio(std::span<const PortfolioLeg> legs,
                                 std::span<const SignalConfig> configs,
                                 const SignalExecution& execution, const PortfolioLimits& limits);

std::vector<std::string> Describe(const PortfolioLimits& limits);

}  // namespace almanac

#endif  // ALMANAC_BACKTEST_SIGNAL_PORTFOLIO_H_
