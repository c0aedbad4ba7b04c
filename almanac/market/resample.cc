#include "almanac/market/resample.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "almanac/base/error.h"

namespace almanac {
namespace {

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

// A coarse bar in the making.
class Bucket {
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
  int64_t count_ = 0;
  Candle bar_;
  Sum volume_, trades_, value_;
};

void CheckBar(const CandleSeries& series, size_t i) {
  const TimeMs time = series.open_time[i];
  const std::string where = fmt::format("{} at {}", ToString(series.key), FormatTime(time));
  if (i > 0 && time <= series.open_time[i - 1]) {
    throw Error(ErrorCode::kBadData, where, "open times do not ascend",
                "sort the bars and drop duplicates before resampling");
  }
  // Exchanges stamp daily and weekly bars at any time of day.
  const Timeframe timeframe = series.key.timeframe;
  if (timeframe.duration() < kMsPerDay && timeframe.Floor(time) != time) {
    throw Error(ErrorCode::kBadData, where,
                fmt::format("the open time is not on the grid of {} bars", timeframe.name()),
                "`almanac data audit` lists the bars off the grid");
  }
}

}  // namespace

ResampleResult Resample(const CandleSeries& series, Timeframe coarser,
                        const ResampleOptions& options) {
  const Timeframe finer = series.key.timeframe;
  if (!coarser.IsMultipleOf(finer)) {
    throw Error(
        ErrorCode::kUsage, ToString(series.key),
        fmt::format("{} bars do not consist of whole {} bars", coarser.name(), finer.name()),
        "resample to a multiple of the series' timeframe");
  }
  const Calendar& calendar = options.calendar ? *options.calendar : AlwaysOpenCalendar();
  ResampleResult result;
  result.series.key = series.key;
  result.series.key.timeframe = coarser;

  size_t i = 0;
  while (i < series.size()) {
    const TimeMs open = coarser.Floor(series.open_time[i]);
    const TimeMs end = open + coarser.duration();
    Bucket bucket;
    for (; i < series.size() && series.open_time[i] < end; ++i) {
      CheckBar(series, i);
      if (!calendar.IsExpected(finer, finer.Floor(series.open_time[i]))) {
        ++result.outside_sessions;
        continue;
      }
      bucket.Add(series.At(i));
    }
    if (bucket.count() == 0) continue;
    const bool complete = bucket.count() == calendar.CountExpected(finer, open, end);
    if (!complete) result.incomplete.push_back(open);
    if (complete || options.incomplete == IncompletePolicy::kPartial) {
      result.series.Append(bucket.Finish(open));
    }
  }
  return result;
}

}  // namespace almanac
