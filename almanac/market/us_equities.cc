// The New York Stock Exchange's rules, their history, and New York's clocks.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "almanac/base/error.h"
#include "almanac/market/calendar.h"

namespace almanac {
namespace {

enum { kMonday, kTuesday, kWednesday, kThursday, kFriday, kSaturday, kSunday };

// Before 1971 the holidays lay on other days; no rule is claimed for them here.
constexpr int kFirstYear = 1971;
constexpr int kLastYear = 2199;

constexpr DurationMs Clock(int hour, int minute) {
  return hour * kMsPerHour + minute * kMsPerMinute;
}

int WeekdayOf(CivilDate date) { return Weekday(StartOfDate(date)); }

bool Before(CivilDate a, CivilDate b) { return DaysFromCivil(a) < DaysFromCivil(b); }

// The n-th (from 1) given weekday of a month; n = -1 is the last.
CivilDate NthWeekday(int year, int month, int weekday, int n) {
  if (n < 0) {
    const CivilDate next = month == 12 ? CivilDate{year + 1, 1, 1} : CivilDate{year, month + 1, 1};
    const int64_t last = DaysFromCivil(next) - 1;
    const int back = (WeekdayOf(CivilFromDays(last)) - weekday + 7) % 7;
    return CivilFromDays(last - back);
  }
  const CivilDate first{year, month, 1};
  const int ahead = (weekday - WeekdayOf(first) + 7) % 7;
  return CivilFromDays(DaysFromCivil(first) + ahead + int64_t{7} * (n - 1));
}

// Where a holiday with a fixed date is kept: Saturday's on Friday, Sunday's on Monday.
CivilDate Observed(CivilDate date) {
  const int weekday = WeekdayOf(date);
  const int shift = weekday == kSaturday ? -1 : weekday == kSunday ? 1 : 0;
  return CivilFromDays(DaysFromCivil(date) + shift);
}

// New Year's Day on a Saturday is not kept: the Friday before ends the accounting year.
bool IsNewYear(CivilDate date) {
  if (date.month != 1) return false;
  return date.day == 1 || (date.day == 2 && WeekdayOf(date) == kMonday);
}

bool IsGoodFriday(CivilDate date) {
  if (date.month != 3 && date.month != 4) return false;
  return DaysFromCivil(date) == DaysFromCivil(EasterSunday(date.year)) - 2;
}

// Presidential elections closed the exchange until 1980.
bool IsElectionDay(CivilDate date) {
  if (date.year > 1980 || date.year % 4 != 0 || date.month != 11) return false;
  const CivilDate monday = NthWeekday(date.year, 11, kMonday, 1);
  return DaysFromCivil(date) == DaysFromCivil(monday) + 1;
}

bool IsRuleHoliday(CivilDate date) {
  const int year = date.year;
  switch (date.month) {
    case 1:
      return IsNewYear(date) || (year >= 1998 && date == NthWeekday(year, 1, kMonday, 3));
    case 2:
      return date == NthWeekday(year, 2, kMonday, 3);
    case 3:
    case 4:
      return IsGoodFriday(date);
    case 5:
      return date == NthWeekday(year, 5, kMonday, -1);
    case 6:
      return year >= 2022 && date == Observed({year, 6, 19});
    case 7:
      return date == Observed({year, 7, 4});
    case 9:
      return date == NthWeekday(year, 9, kMonday, 1);
    case 11:
      return date == NthWeekday(year, 11, kThursday, 4) || IsElectionDay(date);
    case 12:
      return date == Observed({year, 12, 25});
    default:
      return false;
  }
}

constexpr std::array<CivilDate, 15> kSpecialClosures = {{
    {1972, 12, 28},  // mourning for President Truman
    {1973, 1, 25},   // President Johnson
    {1977, 7, 14},   // blackout of New York
    {1985, 9, 27},   // hurricane Gloria
    {1994, 4, 27},   // President Nixon
    {2001, 9, 11},
    {2001, 9, 12},
    {2001, 9, 13},
    {2001, 9, 14},
    {2004, 6, 11},   // President Reagan
    {2007, 1, 2},    // President Ford
    {2012, 10, 29},  // hurricane Sandy
    {2012, 10, 30},
    {2018, 12, 5},  // President G. H. W. Bush
    {2025, 1, 9},   // President Carter
}};

bool IsSpecialClosure(CivilDate date) {
  return std::ranges::find(kSpecialClosures, date) != kSpecialClosures.end();
}

// Local times of opening and closing.
struct Hours {
  DurationMs open, close;
};

struct SpecialHours {
  CivilDate date;
  Hours hours;
};
// Days since 1990 that were shortened by at least half an hour and that no rule gives.
constexpr std::array<SpecialHours, 8> kSpecialHours = {{
    {{1994, 2, 11}, {Clock(9, 30), Clock(14, 30)}},   // snow
    {{1995, 12, 18}, {Clock(10, 30), Clock(16, 0)}},  // computers
    {{1996, 1, 8}, {Clock(11, 0), Clock(14, 0)}},     // snow
    {{1997, 10, 27}, {Clock(9, 30), Clock(15, 30)}},  // circuit breaker
    {{1997, 12, 26}, {Clock(9, 30), Clock(13, 0)}},
    {{1999, 12, 31}, {Clock(9, 30), Clock(13, 0)}},
    {{2002, 9, 11}, {Clock(12, 0), Clock(16, 0)}},  // remembrance
    {{2003, 12, 26}, {Clock(9, 30), Clock(13, 0)}},
}};

bool IsDayAfterThanksgiving(CivilDate date) {
  if (date.month != 11) return false;
  return DaysFromCivil(date) == DaysFromCivil(NthWeekday(date.year, 11, kThursday, 4)) + 1;
}

// The half day at Independence Day: 3 July when the 4th follows it, since 1995. Until 2012 a 4th on
// a Thursday shortened Friday the 5th instead.
bool IsIndependenceHalfDay(CivilDate date) {
  if (date.month != 7 || date.year < 1995) return false;
  const int weekday = WeekdayOf(date);
  if (date.year <= 2012 && date.day == 5) return weekday == kFriday;
  if (date.day != 3 || weekday > kThursday) return false;
  return date.year >= 2013 || weekday != kWednesday;
}

// The hour of an early close that a rule gives, or 0.
DurationMs EarlyClose(CivilDate date) {
  if (date.year < 1990) return 0;
  const DurationMs early = date.year < 1993 ? Clock(14, 0) : Clock(13, 0);
  if (date.month == 12 && date.day == 24) return early;  // on a Friday it is Christmas, observed
  if (IsDayAfterThanksgiving(date) && date.year >= 1992) return early;
  return IsIndependenceHalfDay(date) ? Clock(13, 0) : 0;
}

Hours RegularHours(CivilDate date) {
  const DurationMs open = Before(date, {1985, 9, 30}) ? Clock(10, 0) : Clock(9, 30);
  const DurationMs close = Before(date, {1974, 10, 1}) ? Clock(15, 30) : Clock(16, 0);
  return {open, close};
}

Hours HoursOn(CivilDate date) {
  const auto special = std::ranges::find(kSpecialHours, date, &SpecialHours::date);
  if (special != kSpecialHours.end()) return special->hours;
  Hours hours = RegularHours(date);
  if (const DurationMs early = EarlyClose(date)) hours.close = early;
  return hours;
}

class UsEquities : public Calendar {
 public:
  std::string name() const override { return "us-equities"; }

  std::optional<Session> SessionOn(CivilDate date) const override {
    if (date.year < kFirstYear || date.year > kLastYear) {
      throw Error(
          ErrorCode::kBadData, "calendar us-equities",
          fmt::format("{} lies outside the years that it knows", FormatDate(StartOfDate(date))),
          fmt::format("use dates from {} to {}", kFirstYear, kLastYear));
    }
    if (WeekdayOf(date) >= kSaturday || IsRuleHoliday(date) || IsSpecialClosure(date)) {
      return std::nullopt;
    }
    // Clocks change on Sundays, so one offset serves the whole session.
    const TimeMs midnight = StartOfDate(date);
    const TimeMs shift = midnight - NewYorkOffset(midnight + 12 * kMsPerHour);
    const Hours hours = HoursOn(date);
    const Hours regular = RegularHours(date);
    return Session{date, shift + hours.open, shift + hours.close,
                   hours.close - hours.open < regular.close - regular.open};
  }
};

CivilDate DaylightStart(int year) {
  if (year == 1974) return {1974, 1, 6};
  if (year == 1975) return {1975, 2, 23};
  if (year < 1987) return NthWeekday(year, 4, kSunday, -1);
  if (year < 2007) return NthWeekday(year, 4, kSunday, 1);
  return NthWeekday(year, 3, kSunday, 2);
}

CivilDate DaylightEnd(int year) {
  return year < 2007 ? NthWeekday(year, 10, kSunday, -1) : NthWeekday(year, 11, kSunday, 1);
}

}  // namespace

const Calendar& UsEquitiesCalendar() {
  static const UsEquities calendar;
  return calendar;
}

DurationMs NewYorkOffset(TimeMs utc) {
  constexpr DurationMs kStandard = -5 * kMsPerHour, kDaylight = -4 * kMsPerHour;
  constexpr DurationMs kChange = 2 * kMsPerHour;  // local time before the change
  const int year = DateOf(utc + kStandard).year;
  const TimeMs start = StartOfDate(DaylightStart(year)) + kChange - kStandard;
  const TimeMs end = StartOfDate(DaylightEnd(year)) + kChange - kDaylight;
  return utc >= start && utc < end ? kDaylight : kStandard;
}

CivilDate EasterSunday(int year) {
  const int a = year % 19, b = year / 100, c = year % 100;
  const int d = b / 4, e = b % 4, f = (b + 8) / 25, g = (b - f + 1) / 3;
  const int h = (19 * a + b - d - g + 15) % 30;
  const int i = c / 4, k = c % 4;
  const int l = (32 + 2 * e + 2 * i - h - k) % 7;
  const int m = (a + 11 * h + 22 * l) / 451;
  return {year, (h + l - 7 * m + 114) / 31, (h + l - 7 * m + 114) % 31 + 1};
}

}  // namespace almanac
