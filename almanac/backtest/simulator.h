// Executes target positions in one symbol on a series of bars and keeps exact accounts.
//
// Fill rule: a target decided at instant t is filled at the open of the first bar that opens at or
// after t, plus `delay_bars` further bars; never at a price of the bar it was decided on. After a
// gap that is the next bar that exists. Where several targets fall on one bar the last one counts;
// one with no bar left is not executed.
//
// Costs: (fee_bps + slippage_bps) / 10000 of every traded notional (units * open), charged in cash.
// A target of weight w buys or sells so that, after costs, units * open = w * equity: a flip from
// long to short pays for both. Cash earns nothing, holding costs nothing (no funding, no borrow
// fee).
//
// Equity is cash + units * close at each bar. What is still held at the last bar is closed at its
// close, with costs. If the equity is not positive at a mark or before a fill, the position is
// closed there, with costs, and nothing is traded any more (`ruined_at`): the loss may exceed the
// capital.
#ifndef ALMANAC_BACKTEST_SIMULATOR_H_
#define ALMANAC_BACKTEST_SIMULATOR_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/backtest/strategy.h"
#include "almanac/base/time.h"
#include "almanac/market/candle.h"

namespace almanac {

struct CostModel {
  double fee_bps = 10.0;      // of traded notional, >= 0
  double slippage_bps = 5.0;  // likewise; together below 10000
  double Rate() const { return (fee_bps + slippage_bps) / 1e4; }
};

struct ExecutionOptions {
  CostModel costs = {};
  size_t delay_bars = 0;   // bars between the earliest possible fill and the fill
  double capital = 10000;  // at the start, quote currency, > 0
  // The simulated bars: those that open in [from, to).
  TimeMs from = kMinTime;
  TimeMs to = kMaxTime;
};

enum class Side { kLong, kShort };

// What ended a trade.
enum class ExitReason {
  kDecision,
  kStop,
  kTrailingStop,
  kTakeProfit,
  kMaxHold,
  kLiquidation,
  kDelisting,  // the symbol has no further bars
  kEnd         // the end of the simulation, or ruin
};
std::string_view Name(ExitReason reason);  // "decision", "stop", "trailing stop", ...

// From flat (or a flip) to flat (or a flip). Prices are those of the bars; where a position was
// resized they are averages weighted by units.
struct Trade {
  Side side = Side::kLong;
  TimeMs entry_time = 0;  // the instant of the first fill
  TimeMs exit_time = 0;   // of the last fill
  size_t entry_bar = 0;   // indices into Simulation::time
  size_t exit_bar = 0;
  double entry_price = 0;
  double exit_price = 0;
  double units = 0;            // entered in all, > 0
  double costs = 0;            // fees and slippage of all its fills, quote currency
  double pnl = 0;              // after costs and funding
  double return_on_entry = 0;  // pnl / (entry_price * units)
  bool closed_at_end = false;  // by the end of the simulation or by ruin, not by a decision
  double funding = 0;          // funding and interest that it paid (negative: received)
  ExitReason exit = ExitReason::kDecision;
  size_t symbol = 0;  // index into Simulation::symbols; 0 where there is one
};

// One entry per simulated bar, at its close.
struct Simulation {
  double capital = 0;
  std::vector<TimeMs> time;     // open times of the bars
  std::vector<double> equity;   // account value
  std::vector<double> weight;   // units * close / equity while the bar was held, before a close at
                                // the end; 0 when flat
  std::vector<double> traded;   // notional traded during the bar
  std::vector<Trade> trades;    // in order of exit; sum of pnl = last equity - capital
  double costs = 0;             // all fees and slippage
  double funding = 0;           // all funding and interest that was paid
  size_t targets_executed = 0;  // targets that reached a bar and were the last on it
  size_t targets_missed = 0;    // with no bar left in the simulated range
  std::optional<TimeMs> ruined_at;
  std::vector<std::string> symbols;  // of a panel, in order; empty: one symbol

  // equity_i / equity_{i-1} - 1, with `capital` before the first bar; 0 from ruin on.
  std::vector<double> Returns() const;
  double TotalReturn() const;
};

// `targets` in order of decided_at. Throws Error(kUsage) for options out of range, Error(kBadData)
// for targets out of order, for a bar whose open or close is not positive and finite, and where no
// bar lies in [from, to).
Simulation Simulate(const CandleSeries& bars, std::span<const PositionTarget> targets,
                    const ExecutionOptions& options);

}  // namespace almanac

#endif  // ALMANAC_BACKTEST_SIMULATOR_H_
