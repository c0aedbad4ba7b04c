// When the forecasts of a series are due.
#ifndef ALMANAC_FORECAST_DUE_TIMES_H_
#define ALMANAC_FORECAST_DUE_TIMES_H_

#include <cstdint>
#include <vector>

#include "almanac/market/candle.h"

namespace almanac {

// By the calendar of the series' market, which is known in advance: Friday's forecast of the next
// day of US stocks is due at Monday's close. A bar that is missing from the series does not matter.
class DueTimes {
 public:
  // For forecasts made at the close of a bar of `series`, up to `most_bars` bars ahead.
  DueTimes(const CandleSeries& series, int64_t most_bars);

  // When the bar closes that is the `bars`-th (1 to most_bars) after the one opened at `open_time`.
  TimeMs After(TimeMs open_time, int64_t bars) const;

 private:
  DurationMs timeframe_;
  std::vector<TimeMs> opens_;  // expected, ascending
};

}  // namespace almanac

#endif  // ALMANAC_FORECAST_DUE_TIMES_H_
