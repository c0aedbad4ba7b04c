// Random markets, executions and strategies for tests of signal accounts.
#ifndef ALMANAC_BACKTEST_SIGNAL_RANDOM_TEST_UTIL_H_
#define ALMANAC_BACKTEST_SIGNAL_RANDOM_TEST_UTIL_H_

#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "almanac/backtest/execution.h"
#include "almanac/backtest/signal_strategy.h"
#include "almanac/base/random.h"
#include "almanac/market/candle.h"

namespace almanac {

// Minute bars with wicks, gaps in price, missing bars and bars without volume.
inline CandleSeries MinuteBars(Random& random, size_t count, double volatility) {
  CandleSeries bars;
  bars.key = {"test", "BTCUSDT", Timeframe::Parse("1m")};
  double price = 100;
  const double grid = 0.01;
  const auto snap = [&](double x) { return std::round(x / grid) * grid; };
  for (size_t i = 0; i < count; ++i) {
    const double jump = random.Uniform() < 0.02 ? 8 * volatility * random.Normal() : 0;
    const double open = snap(price * std::exp(jump));
    const double close = snap(open * std::exp(volatility * random.Normal()));
    price = close;
    const double up = volatility * random.Exponential() / 2,
                 down = volatility * random.Exponential() / 2;
    const double high = std::max({snap(std::max(open, close) * (1 + up)), open, close});
    const double low = std::min({snap(std::min(open, close) * (1 - down)), open, close});
    const double volume = random.Uniform() < 0.05 ? 0 : 100 * random.Exponential();
    if (random.Uniform() < 0.03) continue;
    bars.Append({.open_time = static_cast<TimeMs>(i) * kMsPerMinute * 20,
                 .open = open,
                 .high = high,
                 .low = low,
                 .close = close,
                 .volume = volume});
  }
  return bars;
}

template <typename T>
T OneOf(Random& random, std::initializer_list<T> values) {
  return *(values.begin() + random.Below(values.size()));
}

inline SignalExecution RandomExecution(Random& random, TimeMs end) {
  SignalExecution how;
  how.fees = {{0, 2, 5}};
  if (random.Uniform() < 0.3) how.fees = {{0, 2, 5}, {30000, 1, 4}, {100000, -0.5, 3}};
  how.spread_bps = OneOf(random, {0.0, 2.0});
  how.slippage_bps = OneOf(random, {0.0, 1.0, 5.0});
  how.volatility_slippage = OneOf(random, {0.0, 0.0, 0.1});
  how.slippage_window = OneOf<size_t>(random, {2, 10});
  how.impact_bps = OneOf(random, {0.0, 20.0});
  how.impact_exponent = OneOf(random, {0.5, 1.0});
  if (random.Uniform() < 0.5) {
    for (TimeMs t = 0; t < end; t += 8 * kMsPerHour)
      how.funding.push_back({t, 1e-3 * random.Normal()});
  }
  how.borrow_bps_per_year = OneOf(random, {0.0, 2000.0});
  how.maintenance = OneOf(random, {0.0, 0.01, 0.05});
  how.liquidation_fee_bps = OneOf(random, {0.0, 50.0});
  how.max_share = OneOf(random, {0.0, 0.0, 0.2, 1.0});
  how.min_notional = OneOf(random, {0.0, 50.0});
  how.unit_step = OneOf(random, {0.0, 0.5});
  how.price_step = OneOf(random, {0.0, 0.01, 0.25});
  how.intrabar = static_cast<IntrabarPolicy>(random.Below(5));
  how.touch_fills = random.Uniform() < 0.4;
  how.delay_bars = OneOf<size_t>(random, {0, 0, 1, 3});
  if (random.Uniform() < 0.3) how.from = end / 4;
  if (random.Uniform() < 0.3) how.to = end / 4 * 3;
  return how;
}

inline SignalConfig RandomConfig(Random& random) {
  SignalConfig config;
  config.rule.long_above = OneOf(random, {0.0, 0.5});
  config.rule.short_below = OneOf(random, {0.0, 0.8});
  config.rule.allow_short = random.Uniform() < 0.7;
  config.rule.decide_every = OneOf<size_t>(random, {1, 1, 4});
  TradeRules& trade = config.trade;
  trade.stop_loss = OneOf(random, {0.0, 0.01, 0.03});
  trade.take_profit = OneOf(random, {0.0, 0.01, 0.05});
  trade.trailing_stop = OneOf(random, {0.0, 0.0, 0.015});
  trade.max_hold = OneOf<DurationMs>(random, {0, 5 * kMsPerHour});
  trade.cool_down = OneOf<DurationMs>(random, {0, kMsPerHour});
  trade.exit_on_flat = random.Uniform() < 0.5;
  trade.exit_on_opposite = random.Uniform() < 0.8;
  trade.reenter = random.Uniform() < 0.7;
  trade.resize = random.Uniform() < 0.3;
  trade.limit_entry = random.Uniform() < 0.4;
  trade.limit_offset_bps = OneOf(random, {0.0, 10.0, 60.0});
  trade.limit_bars = OneOf<size_t>(random, {1, 2, 5});
  return config;
}

inline SignalTable RandomTable(Random& random, const CandleSeries& bars) {
  SignalTable table;
  table.signals = {{"x", {}}};
  table.sizes = {{"size", {}}};
  const double most = OneOf(random, {1.0, 1.0, 5.0, 20.0});
  for (size_t i = 3; i + 3 < bars.size(); i += 1 + random.Below(12)) {
    table.made_at.push_back(bars.KnownAt(i) + (random.Uniform() < 0.2 ? 17 : 0));
    table.signals[0].values.push_back(random.Normal());
    table.sizes[0].values.push_back(random.Uniform() < 0.1 ? 0 : most * random.Uniform());
  }
  return table;
}

}  // namespace almanac

#endif  // ALMANAC_BACKTEST_SIGNAL_RANDOM_TEST_UTIL_H_
