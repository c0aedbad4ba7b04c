#include "almanac/source/candle_source_time.h"

#include "almanac/market/calendar.h"

namespace almanac {
namespace {

// New York's midnight is at 04:00 or 05:00 UTC.
constexpr DurationMs kLatestMidnight = 5 * kMsPerHour;

}  // namespace

TimeMs SessionOpenTime(TimeMs vendor_time, Timeframe timeframe) {
  if (timeframe.duration() < kMsPerDay) return vendor_time;
  const TimeMs local = vendor_time + NewYorkOffset(vendor_time);
  const TimeMs date = StartOfDate(DateOf(local));
  if (timeframe.duration() == kMsPerDay) return date;
  // Some vendors' weeks begin on Sunday, whose trading week is that of the next day.
  return timeframe.Floor(date + kMsPerDay);
}

VendorRange SessionVendorRange(TimeMs from, TimeMs to, Timeframe timeframe) {
  if (timeframe.duration() < kMsPerDay) return {from, to};
  const DurationMs earlier = timeframe.duration() == kMsPerDay ? 0 : kMsPerDay;
  return {from - earlier, to - timeframe.duration() + kLatestMidnight + 1};
}

}  // namespace almanac
