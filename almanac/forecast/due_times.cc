#include "almanac/forecast/due_times.h"

#include <algorithm>

#include "almanac/market/calendar.h"

namespace almanac {

DueTimes::DueTimes(const CandleSeries& series, int64_t most_bars)
    : timeframe_(series.key.timeframe.duration()) {
  if (series.size() == 0) return;
  const Calendar& calendar = CalendarOfMarket(series.key.market);
  const Timeframe timeframe = series.key.timeframe;
  const TimeMs after_last = series.open_time.back() + 1;
  TimeMs end = after_last + most_bars * timeframe_;
  // A closed market leaves most of the clock's time out.
  while (calendar.CountExpected(timeframe, after_last, end) < most_bars) {
    end += end - after_last;
  }
  opens_ = calendar.ExpectedOpens(timeframe, series.open_time.front(), end);
}

TimeMs DueTimes::After(TimeMs open_time, int64_t bars) const {
  const auto next = std::upper_bound(opens_.begin(), opens_.end(), open_time);
  return *(next + (bars - 1)) + timeframe_;
}

}  // namespace almanac
