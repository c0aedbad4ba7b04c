// Instants and durations: 64-bit milliseconds, UTC, proleptic Gregorian calendar, no leap seconds.
#ifndef ALMANAC_BASE_TIME_H_
#define ALMANAC_BASE_TIME_H_

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace almanac {

using TimeMs = int64_t;      // since 1970-01-01T00:00:00Z
using DurationMs = int64_t;  // a difference of two instants

inline constexpr DurationMs kMsPerSecond = 1000;
inline constexpr DurationMs kMsPerMinute = 60 * kMsPerSecond;
inline constexpr DurationMs kMsPerHour = 60 * kMsPerMinute;
inline constexpr DurationMs kMsPerDay = 24 * kMsPerHour;

// Stand for "from the beginning" and "to the end" in half-open ranges [from, to).
inline constexpr TimeMs kMinTime = std::numeric_limits<TimeMs>::min();
inline constexpr TimeMs kMaxTime = std::numeric_limits<TimeMs>::max();

struct CivilDate {
  int year = 1970;
  int month = 1;  // 1..12
  int day = 1;    // 1..31
  friend bool operator==(const CivilDate&, const CivilDate&) = default;
};

// Days since 1970-01-01, and back. Source: H. Hinnant, "chrono-Compatible Low-Level Date
// Algorithms", days_from_civil and civil_from_days.
int64_t DaysFromCivil(CivilDate date);
CivilDate CivilFromDays(int64_t days);

// 0 = Monday .. 6 = Sunday.
int Weekday(TimeMs time);
// The UTC calendar date on which `time` falls, and the first instant of a date.
CivilDate DateOf(TimeMs time);
TimeMs StartOfDate(CivilDate date);
bool IsValidDate(CivilDate date);

// "2024-01-31T13:05:00Z"; milliseconds are written only when they are not zero.
std::string FormatTime(TimeMs time);
// "2024-01-31".
std::string FormatDate(TimeMs time);
// "1d 4h", "35m", "12s", "250ms": at most the two largest units.
std::string FormatDuration(DurationMs duration);

// ISO 8601: a date, or a date and time separated by 'T' or a space, seconds and their fraction
// optional, zone 'Z' or +hh:mm (none means UTC). Digits beyond the millisecond are dropped.
std::optional<TimeMs> ParseTime(std::string_view text);
// A whole number and one of ms s m h d w, such as "90s" or "5m".
std::optional<DurationMs> ParseDuration(std::string_view text);

// The wall clock.
TimeMs Now();

}  // namespace almanac

#endif  // ALMANAC_BASE_TIME_H_
