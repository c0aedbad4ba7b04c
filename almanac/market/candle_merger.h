// One coarse bar in the making: takes the finer bars that it consists of, in order of time.
//
// open is the first bar's, high the highest, low the lowest, close the last bar's, volume and trade
// count are sums, vwap is weighted by volume (resample.h). A value type whose state is its bytes.
#ifndef ALMANAC_MARKET_CANDLE_MERGER_H_
#define ALMANAC_MARKET_CANDLE_MERGER_H_

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "almanac/market/candle.h"

namespace almanac {

class CandleMerger {
 public:
  void Add(const Candle& bar) {
    if (count_++ == 0) {
      bar_ = bar;
    } else {
      bar_.high = std::max(bar_.high, bar.high);
      bar_.low = std::min(bar_.low, bar.low);
      bar_.close = bar.close;
    }
    volume_.Add(bar.volume);
    trades_.Add(bar.trade_count);
    // A bar without volume has no price of trades to weigh.
    if (bar.volume != 0) value_.Add(bar.volume * bar.vwap);
  }

  int64_t count() const { return count_; }

  Candle Finish(TimeMs open_time) const {
    Candle bar = bar_;
    bar.open_time = open_time;
    bar.volume = volume_.value();
    bar.trade_count = trades_.value();
    bar.vwap = bar.volume != 0 ? value_.value() / bar.volume : Candle::kNotGiven;
    return bar;
  }

 private:
  // Neumaier's compensated sum.
  class Sum {
   public:
    void Add(double value) {
      const double total = sum_ + value;
      const bool larger = std::abs(sum_) >= std::abs(value);
      lost_ += larger ? (sum_ - total) + value : (value - total) + sum_;
      sum_ = total;
    }
    double value() const { return sum_ + lost_; }

   private:
    double sum_ = 0, lost_ = 0;
  };

  int64_t count_ = 0;
  Candle bar_;
  Sum volume_, trades_, value_;
};

}  // namespace almanac

#endif  // ALMANAC_MARKET_CANDLE_MERGER_H_
