// Random walks as candles, for the tests of this room and those above.
#ifndef ALMANAC_FEATURE_RANDOM_SERIES_FOR_TEST_H_
#define ALMANAC_FEATURE_RANDOM_SERIES_FOR_TEST_H_

#include <algorithm>
#include <cmath>
#include <string_view>

#include "almanac/base/random.h"
#include "almanac/market/candle.h"

namespace almanac {

inline constexpr TimeMs kTestStart = 1600000200000;  // on the grid of 30 minutes

// `gap_every` > 0: after about that many bars some are missing.
inline CandleSeries RandomSeries(size_t bars, uint64_t seed, double level = 100.0,
                                 uint64_t gap_every = 0) {
  Random random(seed, "series for test");
  CandleSeries series;
  series.key = {"test", "X", Timeframe::Parse("30m")};
  TimeMs time = kTestStart;
  double price = level;
  for (size_t i = 0; i < bars; ++i) {
    Candle bar;
    bar.open_time = time;
    bar.open = price;
    bar.close = price * std::exp(0.01 * random.Normal());
    bar.high = std::max(bar.open, bar.close) * (1 + 0.004 * random.Uniform());
    bar.low = std::min(bar.open, bar.close) * (1 - 0.004 * random.Uniform());
    bar.volume = 1000 * random.Exponential();
    series.Append(bar);
    price = bar.close;
    const bool gap = gap_every > 0 && random.Below(gap_every) == 0;
    time += series.key.timeframe.duration() * (gap ? 2 + static_cast<TimeMs>(random.Below(5)) : 1);
  }
  return series;
}

}  // namespace almanac

#endif  // ALMANAC_FEATURE_RANDOM_SERIES_FOR_TEST_H_
