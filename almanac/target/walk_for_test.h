// Random walks as candles with gaps, for the tests of this room.
#ifndef ALMANAC_TARGET_WALK_FOR_TEST_H_
#define ALMANAC_TARGET_WALK_FOR_TEST_H_

#include <algorithm>
#include <cmath>

#include "almanac/base/random.h"
#include "almanac/market/candle.h"

namespace almanac {

// Prices are rounded to 0.1, so that equal highs and exact touches happen.
inline CandleSeries WalkForTest(size_t bars, uint64_t seed, bool gaps = false) {
  Random random(seed, "walk for test");
  const auto tick = [](double price) { return std::max(0.1, std::round(price * 10) / 10); };
  CandleSeries series;
  series.key = {"test", "X", Timeframe::Parse("5m")};
  TimeMs time = 0;
  double price = 100;
  for (size_t i = 0; i < bars; ++i) {
    Candle bar;
    bar.open_time = time;
    bar.open = tick(price * (1 + 0.002 * random.Normal()));
    bar.close = tick(bar.open * std::exp(0.01 * random.Normal()));
    bar.high = tick(std::max(bar.open, bar.close) * (1 + 0.01 * random.Uniform()));
    bar.low = tick(std::min(bar.open, bar.close) * (1 - 0.01 * random.Uniform()));
    bar.high = std::max({bar.high, bar.open, bar.close});
    bar.low = std::min({bar.low, bar.open, bar.close});
    bar.volume = 1;
    series.Append(bar);
    price = bar.close;
    const auto slots = gaps && random.Below(40) == 0 ? 3 : 1;
    time += slots * series.key.timeframe.duration();
  }
  return series;
}

}  // namespace almanac

#endif  // ALMANAC_TARGET_WALK_FOR_TEST_H_
