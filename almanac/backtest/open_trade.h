// The fills of one position from flat to flat, and the trade they make. Inside this room.
#ifndef ALMANAC_BACKTEST_OPEN_TRADE_H_
#define ALMANAC_BACKTEST_OPEN_TRADE_H_

#include <cmath>
#include <cstddef>

#include "almanac/backtest/simulator.h"
#include "almanac/base/time.h"

namespace almanac {

struct OpenTrade {
  Side side = Side::kLong;
  TimeMs entry_time = 0;
  size_t entry_bar = 0;
  double entered_units = 0, entered_notional = 0;
  double exited_units = 0, exited_notional = 0;
  double costs = 0, funding = 0;

  // `change` in units, > 0 for bought.
  void Add(double change, double price, double cost) {
    const double units = std::abs(change);
    const bool enters = (change > 0) == (side == Side::kLong);
    (enters ? entered_units : exited_units) += units;
    (enters ? entered_notional : exited_notional) += units * price;
    costs += cost;
  }
  double EntryPrice() const { return entered_notional / entered_units; }
  double Pnl() const {
    const double gross = side == Side::kLong ? exited_notional - entered_notional
                                             : entered_notional - exited_notional;
    return gross - costs - funding;
  }
  Trade Finish(TimeMs time, size_t bar, ExitReason reason) const {
    Trade trade;
    trade.side = side;
    trade.entry_time = entry_time;
    trade.exit_time = time;
    trade.entry_bar = entry_bar;
    trade.exit_bar = bar;
    trade.entry_price = EntryPrice();
    trade.exit_price = exited_notional / exited_units;
    trade.units = entered_units;
    trade.costs = costs;
    trade.funding = funding;
    trade.pnl = Pnl();
    trade.return_on_entry = trade.pnl / entered_notional;
    trade.exit = reason;
    trade.closed_at_end = reason == ExitReason::kEnd;
    return trade;
  }
};

}  // namespace almanac

#endif  // ALMANAC_BACKTEST_OPEN_TRADE_H_
