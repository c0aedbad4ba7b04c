// A whole backtest of a signal strategy, executed bar by bar: the account, beside it buy-and-hold
// and a pessimistic twin, the statistics of each, the assumptions and a verdict.
#ifndef ALMANAC_BACKTEST_SIGNAL_BACKTEST_H_
#define ALMANAC_BACKTEST_SIGNAL_BACKTEST_H_

#include <span>
#include <string>
#include <vector>

#include "almanac/backtest/backtest.h"
#include "almanac/backtest/signal_portfolio.h"
#include "almanac/backtest/signal_strategy.h"
#include "almanac/market/candle.h"
#include "almanac/market/timeframe.h"

namespace almanac {

struct SignalBacktestOptions {
  std::string name = "strategy";
  SignalConfig config = {};
  // `from` and `to` are narrowed to the time the forecasts span; mark_every is set to `mark`.
  SignalExecution execution = {};
  // The periods whose returns are judged: that of the forecasts; not finer than the bars.
  Timeframe mark;
  TradingYear year = TradingYear::kAlwaysOpen;
  Judging judging = {};
  // On sizing and ensemble, put before the assumptions of the rule and the execution.
  std::vector<std::string> description = {};
};

// Throws as SimulateSignals does.
BacktestResult RunSignalBacktest(const CandleSeries& bars, const SignalTable& table,
                                 const SignalBacktestOptions& options);

// The same of several symbols in one account; the benchmark holds all of them in equal parts.
// Throws as SimulateSignalPortfolio does.
BacktestResult RunSignalPortfolioBacktest(std::span<const PortfolioLeg> legs,
                                          const SignalBacktestOptions& options,
                                          const PortfolioLimits& limits);

// The execution as a backtest of `tables` narrows it: from the first decision to the last target.
SignalExecution NarrowTo(std::span<const SignalTable* const> tables, Timeframe mark,
                         SignalExecution execution);

}  // namespace almanac

#endif  // ALMANAC_BACKTEST_SIGNAL_BACKTEST_H_
