// Candles. A series is one array per field, sorted by open time, without duplicates (what a file or
// a vendor gave before it was checked is a RawCandles, see audit.h).
//
// close_time = open_time + timeframe - 1 ms. A bar is *known* from close_time + 1 on: whatever is
// computed from it may be used at that instant, not before.
#ifndef ALMANAC_MARKET_CANDLE_H_
#define ALMANAC_MARKET_CANDLE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "almanac/base/time.h"
#include "almanac/market/timeframe.h"

namespace almanac {

// One bar by value: for streams and tests. Prices in quote currency, volume in base units.
struct Candle {
  TimeMs open_time = 0;
  double open = 0, high = 0, low = 0, close = 0, volume = 0;
  double trade_count = kNotGiven;  // NaN: not given
  double vwap = kNotGiven;
  static const double kNotGiven;  // quiet NaN
};

// The name of a series: where it was traded, what, and the length of its bars. Prices of different
// markets (spot, perpetual) are different series and never mix.
struct SeriesKey {
  std::string market;  // such as "binance-spot"; lower case, digits, '-', '_'
  std::string symbol;  // as the vendor writes it: "BTCUSDT", "BRK.B"
  Timeframe timeframe;
  friend bool operator==(const SeriesKey&, const SeriesKey&) = default;
  friend auto operator<=>(const SeriesKey&, const SeriesKey&) = default;
};
std::string ToString(const SeriesKey& key);  // "binance-spot BTCUSDT 30m"

struct CandleSeries {
  SeriesKey key;
  std::vector<TimeMs> open_time;
  std::vector<double> open, high, low, close, volume;
  // Either empty (the source does not give it) or of the same length, NaN where it is missing.
  std::vector<double> trade_count, vwap;

  size_t size() const { return open_time.size(); }
  bool empty() const { return open_time.empty(); }
  TimeMs KnownAt(size_t i) const { return open_time[i] + key.timeframe.duration(); }
  Candle At(size_t i) const;
  void Append(const Candle& candle);  // optional fields are kept only if any bar has them
  void Reserve(size_t count);
  // The bars [first, last) as a series of their own.
  CandleSeries Slice(size_t first, size_t last) const;
  // The bars with from <= open_time < to.
  CandleSeries Between(TimeMs from, TimeMs to) const;
};

}  // namespace almanac

#endif  // ALMANAC_MARKET_CANDLE_H_
