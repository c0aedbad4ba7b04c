// When a market trades: its sessions, and the bars that a complete series of it must have.
//
// A session belongs to one calendar date of the market (for US equities the date in New York, which
// is also the UTC date of its opening). Session times are UTC, half open: [open, close).
#ifndef ALMANAC_MARKET_CALENDAR_H_
#define ALMANAC_MARKET_CALENDAR_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/time.h"
#include "almanac/market/timeframe.h"

namespace almanac {

struct Session {
  CivilDate date;
  TimeMs open = 0;
  TimeMs close = 0;
  bool half_day = false;
};

class Calendar {
 public:
  virtual ~Calendar() = default;

  virtual std::string name() const = 0;
  // Nothing if the market is closed on that date. Throws Error(kBadData) for a date that the
  // calendar does not know (US equities: before 1971 or after 2199).
  virtual std::optional<Session> SessionOn(CivilDate date) const = 0;
  // The open times of the bars that a complete series has in from <= open time < to, ascending: the
  // bars of the timeframe's grid that overlap a session (a session that opens at 14:30 UTC has an
  // hourly bar at 14:00). Daily bars stand at 00:00 UTC of the session's date, weekly bars at
  // 00:00 UTC of the Monday of a week that has a session.
  virtual std::vector<TimeMs> ExpectedOpens(Timeframe timeframe, TimeMs from, TimeMs to) const;
  // As many as ExpectedOpens would give.
  virtual int64_t CountExpected(Timeframe timeframe, TimeMs from, TimeMs to) const;
  // Whether the bar of the grid that opens at `open_time` is expected.
  virtual bool IsExpected(Timeframe timeframe, TimeMs open_time) const;

  // The sessions whose date lies in [first, last], both included.
  std::vector<Session> Sessions(CivilDate first, CivilDate last) const;
  bool IsOpen(TimeMs time) const;
};

// Every instant of every day is open; a session is a UTC day. Crypto markets.
const Calendar& AlwaysOpenCalendar();

// The regular sessions of the New York Stock Exchange and Nasdaq, 09:30 to 16:00 New York time,
// half days to 13:00 (docs/market.md lists the rules, their history and the special closures).
// Session dates are exact from 1971, half days from 1990.
const Calendar& UsEquitiesCalendar();

// By name: "24/7" or "us-equities". Throws Error(kUsage) that lists the names.
const Calendar& CalendarByName(std::string_view name);
// The calendar that a series of this market follows: "us-equities" for names that begin with "us-",
// "alpaca", "polygon" or "massive" and do not contain "crypto"; "24/7" otherwise.
const Calendar& CalendarOfMarket(std::string_view market);

// What New York clocks show minus UTC: -5 h, or -4 h in daylight saving time. The rules of the
// Uniform Time Act: 1967 to 1986 last Sunday of April (1974 and 1975 began on 6 January and
// 23 February), 1987 to 2006 first Sunday of April, both to the last Sunday of October; from 2007
// second Sunday of March to first Sunday of November. Changes at 02:00 local time.
DurationMs NewYorkOffset(TimeMs utc);
// Western Easter Sunday (Meeus, Jones and Butcher), Gregorian calendar.
CivilDate EasterSunday(int year);

}  // namespace almanac

#endif  // ALMANAC_MARKET_CALENDAR_H_
