// Bars for tests.
#ifndef ALMANAC_BACKTEST_BARS_TEST_UTIL_H_
#define ALMANAC_BACKTEST_BARS_TEST_UTIL_H_

#include <algorithm>
#include <cmath>
#include <vector>

#include "almanac/base/random.h"
#include "almanac/market/candle.h"

namespace almanac {

inline constexpr DurationMs kHour = kMsPerHour;

// Hourly bars from time 0 with the given opens and closes.
inline CandleSeries HourlyBars(const std::vector<double>& open, const std::vector<double>& close) {
  CandleSeries bars;
  bars.key = {"test", "BTCUSDT", Timeframe::Parse("1h")};
  for (size_t i = 0; i < open.size(); ++i) {
    bars.Append({.open_time = static_cast<TimeMs>(i) * kHour,
                 .open = open[i],
                 .high = std::max(open[i], close[i]),
                 .low = std::min(open[i], close[i]),
                 .close = close[i],
                 .volume = 1});
  }
  return bars;
}

// A random walk with overnight jumps and, with probability `gap`, missing bars.
inline CandleSeries RandomBars(size_t count, double gap, uint64_t seed, double drift = 0) {
  Random random(seed);
  CandleSeries bars;
  bars.key = {"test", "BTCUSDT", Timeframe::Parse("1h")};
  double price = 100;
  for (size_t i = 0; i < count; ++i) {
    const double open = price * std::exp(0.002 * random.Normal());
    const double close = open * std::exp(0.01 * random.Normal() + drift);
    price = close;
    if (random.Uniform() < gap) continue;
    bars.Append({.open_time = static_cast<TimeMs>(i) * kHour,
                 .open = open,
                 .high = std::max(open, close),
                 .low = std::min(open, close),
                 .close = close,
                 .volume = 1});
  }
  return bars;
}

}  // namespace almanac

#endif  // ALMANAC_BACKTEST_BARS_TEST_UTIL_H_
