#include "almanac/market/london.h"

namespace almanac {
namespace {

constexpr int kSunday = 6;

// The first Sunday of the month on or after that day.
TimeMs SundayFrom(int year, int month, int day) {
  const TimeMs from = StartOfDate({year, month, day});
  return from + ((kSunday - Weekday(from) + 7) % 7) * kMsPerDay;
}

// The tz database's rules "GB-Eire" and "EU".
TimeMs SummerStart(int year) {
  return year <= 1980 ? SundayFrom(year, 3, 16) + 2 * kMsPerHour
                      : SundayFrom(year, 3, 25) + kMsPerHour;
}
TimeMs SummerEnd(int year) {
  if (year <= 1980) return SundayFrom(year, 10, 23) + 2 * kMsPerHour;
  return SundayFrom(year, 10, year <= 1989 ? 23 : year <= 1995 ? 22 : 25) + kMsPerHour;
}

// British Standard Time.
bool IsAlwaysSummer(TimeMs utc) {
  return utc >= StartOfDate({1968, 2, 18}) + 2 * kMsPerHour &&
         utc < StartOfDate({1971, 10, 31}) + 2 * kMsPerHour;
}

DurationMs SummerTime(TimeMs utc) {
  const int year = DateOf(utc).year;
  return utc >= SummerStart(year) && utc < SummerEnd(year) ? kMsPerHour : 0;
}

}  // namespace

DurationMs LondonOffset(TimeMs utc) { return IsAlwaysSummer(utc) ? kMsPerHour : SummerTime(utc); }

}  // namespace almanac
