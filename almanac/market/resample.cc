#include "almanac/market/resample.h"

#include <fmt/format.h>

#include "almanac/base/error.h"
#include "almanac/market/candle_merger.h"

namespace almanac {
namespace {

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
    CandleMerger bucket;
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
