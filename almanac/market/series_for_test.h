// Small series for the tests of this room.
#ifndef ALMANAC_MARKET_SERIES_FOR_TEST_H_
#define ALMANAC_MARKET_SERIES_FOR_TEST_H_

#include <string>
#include <string_view>
#include <vector>

#include "almanac/market/candle.h"

namespace almanac {

inline TimeMs TestTime(std::string_view text) { return ParseTime(text).value(); }

inline CandleSeries EmptySeries(std::string_view timeframe) {
  CandleSeries series;
  series.key = {"test", "X", Timeframe::Parse(timeframe)};
  return series;
}

inline Candle Bar(TimeMs time, double open, double high, double low, double close, double volume) {
  Candle bar;
  bar.open_time = time;
  bar.open = open;
  bar.high = high;
  bar.low = low;
  bar.close = close;
  bar.volume = volume;
  return bar;
}

// A sound bar whose open and close are `price`.
inline Candle FlatBar(TimeMs time, double price) {
  return Bar(time, price, price, price, price, 1.0);
}

// Flat bars at `slots` (in bars of the timeframe after the epoch).
inline CandleSeries FlatSeries(std::string_view timeframe, const std::vector<int>& slots) {
  CandleSeries series = EmptySeries(timeframe);
  for (const int slot : slots) {
    series.Append(FlatBar(slot * series.key.timeframe.duration(), 100.0));
  }
  return series;
}

inline std::vector<std::string> TimeTexts(const std::vector<TimeMs>& times) {
  std::vector<std::string> texts;
  for (const TimeMs time : times) texts.push_back(FormatTime(time));
  return texts;
}

}  // namespace almanac

#endif  // ALMANAC_MARKET_SERIES_FOR_TEST_H_
