#include "almanac/market/calendar.h"

#include <fmt/format.h>

#include <algorithm>

#include "almanac/base/error.h"

namespace almanac {
namespace {

// Instants beyond these are mistakes of a unit (microseconds read as milliseconds), and would
// overflow the arithmetic below.
constexpr TimeMs kEarliest = -62135596800000;  // 0001-01-01
constexpr TimeMs kLatest = 253402300800000;    // 10000-01-01

void CheckRange(TimeMs from, TimeMs to) {
  if (from >= kEarliest && to <= kLatest) return;
  throw Error(ErrorCode::kUsage, "calendar", "the range of time is not bounded by real dates",
              "give both its ends, within years 1 to 9999, in milliseconds since 1970");
}

TimeMs CeilToGrid(Timeframe timeframe, TimeMs time) {
  const TimeMs open = timeframe.Floor(time);
  return open == time ? open : open + timeframe.duration();
}

int64_t DayOf(TimeMs time) { return Timeframe::FromDuration(kMsPerDay)->Floor(time) / kMsPerDay; }

bool HasSession(const Calendar& calendar, int64_t first_day, int64_t days) {
  for (int64_t day = first_day; day < first_day + days; ++day) {
    if (calendar.SessionOn(CivilFromDays(day))) return true;
  }
  return false;
}

// Calls visit(open_time) for the expected bars of at least a day.
template <typename Visit>
void VisitDays(const Calendar& calendar, Timeframe timeframe, TimeMs from, TimeMs to,
               const Visit& visit) {
  const int64_t days = timeframe.duration() / kMsPerDay;
  for (TimeMs open = CeilToGrid(timeframe, from); open < to; open += timeframe.duration()) {
    if (HasSession(calendar, open / kMsPerDay, days)) visit(open);
  }
}

// Calls visit(open_time) for the expected bars below a day.
template <typename Visit>
void VisitIntraday(const Calendar& calendar, Timeframe timeframe, TimeMs from, TimeMs to,
                   const Visit& visit) {
  TimeMs next = CeilToGrid(timeframe, from);  // two sessions may share a bar: it is visited once
  // A session may run past midnight, so the day before the range can reach into it.
  for (int64_t day = DayOf(from) - 1; day * kMsPerDay < to; ++day) {
    const auto session = calendar.SessionOn(CivilFromDays(day));
    if (!session) continue;
    next = std::max(next, timeframe.Floor(session->open));
    for (; next < std::min(session->close, to); next += timeframe.duration()) visit(next);
  }
}

template <typename Visit>
void VisitExpected(const Calendar& calendar, Timeframe timeframe, TimeMs from, TimeMs to,
                   const Visit& visit) {
  if (from >= to) return;
  CheckRange(from, to);
  if (timeframe.duration() >= kMsPerDay) {
    VisitDays(calendar, timeframe, from, to, visit);
  } else {
    VisitIntraday(calendar, timeframe, from, to, visit);
  }
}

class AlwaysOpen : public Calendar {
 public:
  std::string name() const override { return "24/7"; }

  std::optional<Session> SessionOn(CivilDate date) const override {
    const TimeMs midnight = StartOfDate(date);
    return Session{date, midnight, midnight + kMsPerDay};
  }

  std::vector<TimeMs> ExpectedOpens(Timeframe timeframe, TimeMs from, TimeMs to) const override {
    std::vector<TimeMs> opens;
    opens.reserve(static_cast<size_t>(CountExpected(timeframe, from, to)));
    if (from >= to) return opens;
    for (TimeMs open = CeilToGrid(timeframe, from); open < to; open += timeframe.duration()) {
      opens.push_back(open);
    }
    return opens;
  }

  int64_t CountExpected(Timeframe timeframe, TimeMs from, TimeMs to) const override {
    if (from >= to) return 0;
    CheckRange(from, to);
    return (CeilToGrid(timeframe, to) - CeilToGrid(timeframe, from)) / timeframe.duration();
  }

  bool IsExpected(Timeframe timeframe, TimeMs open_time) const override {
    return timeframe.Floor(open_time) == open_time;
  }
};

}  // namespace

std::vector<TimeMs> Calendar::ExpectedOpens(Timeframe timeframe, TimeMs from, TimeMs to) const {
  std::vector<TimeMs> opens;
  VisitExpected(*this, timeframe, from, to, [&](TimeMs open) { opens.push_back(open); });
  return opens;
}

int64_t Calendar::CountExpected(Timeframe timeframe, TimeMs from, TimeMs to) const {
  int64_t count = 0;
  VisitExpected(*this, timeframe, from, to, [&](TimeMs) { ++count; });
  return count;
}

bool Calendar::IsExpected(Timeframe timeframe, TimeMs open_time) const {
  return CountExpected(timeframe, open_time, open_time + 1) > 0;
}

std::vector<Session> Calendar::Sessions(CivilDate first, CivilDate last) const {
  std::vector<Session> sessions;
  for (int64_t day = DaysFromCivil(first); day <= DaysFromCivil(last); ++day) {
    if (const auto session = SessionOn(CivilFromDays(day))) sessions.push_back(*session);
  }
  return sessions;
}

bool Calendar::IsOpen(TimeMs time) const {
  for (const int64_t day : {DayOf(time) - 1, DayOf(time)}) {
    const auto session = SessionOn(CivilFromDays(day));
    if (session && session->open <= time && time < session->close) return true;
  }
  return false;
}

const Calendar& AlwaysOpenCalendar() {
  static const AlwaysOpen calendar;
  return calendar;
}

const Calendar& CalendarByName(std::string_view name) {
  for (const Calendar* calendar : {&AlwaysOpenCalendar(), &UsEquitiesCalendar()}) {
    if (calendar->name() == name) return *calendar;
  }
  throw Error(ErrorCode::kUsage, "calendar", fmt::format("'{}' is not a calendar", name),
              "use '24/7' or 'us-equities'");
}

const Calendar& CalendarOfMarket(std::string_view market) {
  const auto begins = [&](std::string_view prefix) { return market.starts_with(prefix); };
  const bool crypto = market.find("crypto") != std::string_view::npos;
  const bool equities = begins("us-") || begins("alpaca") || begins("polygon") || begins("massive");
  return equities && !crypto ? UsEquitiesCalendar() : AlwaysOpenCalendar();
}

}  // namespace almanac
