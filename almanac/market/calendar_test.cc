#include "almanac/market/calendar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "almanac/base/error.h"
#include "almanac/base/places_for_test.h"
#include "almanac/market/real_data_for_test.h"

namespace almanac {
namespace {

TimeMs At(std::string_view text) { return ParseTime(text).value(); }
CivilDate Date(std::string_view text) { return DateOf(At(text)); }
Timeframe Tf(std::string_view name) { return Timeframe::Parse(name); }

std::vector<std::string> Texts(const std::vector<TimeMs>& times) {
  std::vector<std::string> texts;
  for (const TimeMs time : times) texts.push_back(FormatTime(time));
  return texts;
}

std::string ClockOf(TimeMs time) { return FormatTime(time).substr(11, 5); }

TEST(CalendarTest, EasterAsPublished) {
  for (const char* sunday :
       {"1818-03-22", "1943-04-25", "1961-04-02", "1999-04-04", "2000-04-23", "2008-03-23",
        "2011-04-24", "2016-03-27", "2024-03-31", "2025-04-20", "2038-04-25", "2285-03-22"}) {
    EXPECT_EQ(EasterSunday(Date(sunday).year), Date(sunday)) << sunday;
  }
}

TEST(CalendarTest, NewYorkClocksChangeAtTheSecond) {
  // The last instant of standard time and of daylight time, by the tz database.
  const struct {
    const char* start;
    const char* end;
  } years[] = {{"1971-04-25T07:00:00Z", "1971-10-31T06:00:00Z"},
               {"1974-01-06T07:00:00Z", "1974-10-27T06:00:00Z"},
               {"1975-02-23T07:00:00Z", "1975-10-26T06:00:00Z"},
               {"1986-04-27T07:00:00Z", "1986-10-26T06:00:00Z"},
               {"1987-04-05T07:00:00Z", "1987-10-25T06:00:00Z"},
               {"2006-04-02T07:00:00Z", "2006-10-29T06:00:00Z"},
               {"2007-03-11T07:00:00Z", "2007-11-04T06:00:00Z"},
               {"2024-03-10T07:00:00Z", "2024-11-03T06:00:00Z"}};
  for (const auto& year : years) {
    EXPECT_EQ(NewYorkOffset(At(year.start) - 1), -5 * kMsPerHour) << year.start;
    EXPECT_EQ(NewYorkOffset(At(year.start)), -4 * kMsPerHour) << year.start;
    EXPECT_EQ(NewYorkOffset(At(year.end) - 1), -4 * kMsPerHour) << year.end;
    EXPECT_EQ(NewYorkOffset(At(year.end)), -5 * kMsPerHour) << year.end;
  }
  EXPECT_EQ(NewYorkOffset(At("2024-01-01T03:00:00Z")), -5 * kMsPerHour);
}

// What pandas_market_calendars says (testdata/make_nyse.py), for every weekday since 1971.
TEST(CalendarTest, SessionsEqualAnIndependentCalendar) {
  std::set<std::string> closed;
  std::map<std::string, std::string> hours;
  std::map<std::string, bool> is_short;
  VisitCsv(ReadFile(SourceFolder() / "almanac/market/testdata/nyse.csv"),
           [&](const std::vector<std::string_view>& f) {
             const std::string date(f[0]);
             if (f[1] == "closed") {
               closed.insert(date);
             } else {
               hours[date] = std::string(f[2]) + "-" + std::string(f[3]);
               is_short[date] = f[1] == "short";
             }
           });
  ASSERT_EQ(closed.size() + hours.size(), 650u);
  // Its source leaves this day out as disputed; the exchange's announcement of 4 June 1999 says
  // that it closed at 13:00.
  hours["1999-12-31"] = "14:30-18:00";
  is_short["1999-12-31"] = true;

  std::string regular;  // changes with New York's clocks
  for (int64_t day = DaysFromCivil({1971, 1, 1}); day <= DaysFromCivil({2026, 12, 31}); ++day) {
    const std::string date = FormatDate(day * kMsPerDay);
    const auto session = UsEquitiesCalendar().SessionOn(CivilFromDays(day));
    const bool weekend = Weekday(day * kMsPerDay) >= 5;
    ASSERT_EQ(session.has_value(), !weekend && !closed.contains(date)) << date;
    if (!session || day < DaysFromCivil({1990, 1, 1})) continue;
    const std::string found = ClockOf(session->open) + "-" + ClockOf(session->close);
    const auto listed = hours.find(date);
    if (listed != hours.end() && !is_short[date]) regular = listed->second;
    ASSERT_EQ(found, listed != hours.end() ? listed->second : regular) << date;
    ASSERT_EQ(session->half_day, is_short[date]) << date;
    ASSERT_EQ(DateOf(session->open), session->date);
  }
}

TEST(CalendarTest, HistoryOfTradingHours) {
  const auto hours = [](const char* date) {
    const Session session = UsEquitiesCalendar().SessionOn(Date(date)).value();
    return ClockOf(session.open) + "-" + ClockOf(session.close);
  };
  EXPECT_EQ(hours("1974-09-30"), "14:00-19:30");
  EXPECT_EQ(hours("1974-10-01"), "14:00-20:00");
  EXPECT_EQ(hours("1985-09-26"), "14:00-20:00");
  EXPECT_EQ(hours("1985-09-30"), "13:30-20:00");
}

TEST(CalendarTest, YearsBeyondTheRulesAreRefused) {
  for (const CivilDate date : {CivilDate{1970, 12, 31}, CivilDate{2200, 1, 2}}) {
    try {
      UsEquitiesCalendar().SessionOn(date);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadData);
      EXPECT_THAT(error.what(), testing::HasSubstr("1971 to 2199"));
    }
  }
  EXPECT_THROW(AlwaysOpenCalendar().CountExpected(Tf("1m"), kMinTime, kMaxTime), Error);
  EXPECT_THROW(UsEquitiesCalendar().ExpectedOpens(Tf("1d"), 0, kMaxTime), Error);
}

TEST(CalendarTest, SessionDatesEqualTheTradedDaysOfThePanel) {
  ALMANAC_NEEDS_REAL_DATA("equities/daily_2018_2021.csv.zst");
  std::set<std::string> traded;
  VisitCsv(ReadZstd(RealData("equities/daily_2018_2021.csv.zst")),
           [&](const std::vector<std::string_view>& f) { traded.emplace(f[1]); });
  std::set<std::string> expected;
  for (const Session& session : UsEquitiesCalendar().Sessions({2018, 1, 1}, {2021, 12, 31})) {
    expected.insert(FormatDate(StartOfDate(session.date)));
  }
  EXPECT_EQ(traded.size(), 1008u);
  EXPECT_EQ(traded, expected);
}

TEST(CalendarTest, ExpectedBarsOfAnEquitySession) {
  const Calendar& calendar = UsEquitiesCalendar();
  const TimeMs from = At("2024-11-28"), to = At("2024-12-03");
  // Thursday is Thanksgiving, Friday a half day until 13:00, Monday regular.
  EXPECT_THAT(
      Texts(calendar.ExpectedOpens(Tf("1h"), from, to)),
      testing::ElementsAre("2024-11-29T14:00:00Z", "2024-11-29T15:00:00Z", "2024-11-29T16:00:00Z",
                           "2024-11-29T17:00:00Z", "2024-12-02T14:00:00Z", "2024-12-02T15:00:00Z",
                           "2024-12-02T16:00:00Z", "2024-12-02T17:00:00Z", "2024-12-02T18:00:00Z",
                           "2024-12-02T19:00:00Z", "2024-12-02T20:00:00Z"));
  EXPECT_EQ(calendar.CountExpected(Tf("1m"), from, to), 210 + 390);
  EXPECT_EQ(calendar.CountExpected(Tf("30m"), from, to), 7 + 13);
  EXPECT_THAT(Texts(calendar.ExpectedOpens(Tf("4h"), from, At("2024-11-30"))),
              testing::ElementsAre("2024-11-29T12:00:00Z", "2024-11-29T16:00:00Z"));
  EXPECT_THAT(Texts(calendar.ExpectedOpens(Tf("1d"), from, to)),
              testing::ElementsAre("2024-11-29T00:00:00Z", "2024-12-02T00:00:00Z"));
  EXPECT_THAT(Texts(calendar.ExpectedOpens(Tf("1w"), from, to)),
              testing::ElementsAre("2024-12-02T00:00:00Z"));
}

TEST(CalendarTest, RangesAreHalfOpenAndMayCutASession) {
  const Calendar& calendar = UsEquitiesCalendar();
  EXPECT_THAT(
      Texts(calendar.ExpectedOpens(Tf("30m"), At("2024-12-02T20:00:00Z"),
                                   At("2024-12-03T15:00:00Z"))),
      testing::ElementsAre("2024-12-02T20:00:00Z", "2024-12-02T20:30:00Z", "2024-12-03T14:30:00Z"));
  EXPECT_THAT(
      calendar.ExpectedOpens(Tf("1h"), At("2024-12-02T14:00:01Z"), At("2024-12-02T15:00:00Z")),
      testing::IsEmpty());
  EXPECT_THAT(calendar.ExpectedOpens(Tf("1h"), 10, 10), testing::IsEmpty());
  EXPECT_EQ(calendar.CountExpected(Tf("1h"), 10, 5), 0);
  EXPECT_TRUE(calendar.IsExpected(Tf("1h"), At("2024-12-02T14:00:00Z")));
  EXPECT_FALSE(calendar.IsExpected(Tf("1h"), At("2024-12-02T14:30:00Z")));
  EXPECT_FALSE(calendar.IsExpected(Tf("1h"), At("2024-12-02T21:00:00Z")));
  EXPECT_FALSE(calendar.IsExpected(Tf("1d"), At("2024-11-28")));
  EXPECT_TRUE(calendar.IsOpen(At("2024-12-02T14:30:00Z")));
  EXPECT_TRUE(calendar.IsOpen(At("2024-12-02T20:59:59Z")));
  EXPECT_FALSE(calendar.IsOpen(At("2024-12-02T21:00:00Z")));
  EXPECT_FALSE(calendar.IsOpen(At("2024-12-01T15:00:00Z")));
}

TEST(CalendarTest, AlwaysOpenHasEveryBarOfTheGrid) {
  const Calendar& calendar = AlwaysOpenCalendar();
  for (const Timeframe timeframe : Timeframe::All()) {
    const TimeMs from = At("1969-12-20T07:11:13Z"), to = At("1970-01-20T00:00:00Z");
    std::vector<TimeMs> expected;
    for (TimeMs time = from; time < to; time += kMsPerSecond) {
      if (timeframe.Floor(time) == time) expected.push_back(time);
    }
    EXPECT_EQ(calendar.ExpectedOpens(timeframe, from, to), expected) << timeframe.name();
    EXPECT_EQ(calendar.CountExpected(timeframe, from, to), static_cast<int64_t>(expected.size()));
    // The general way of the base class agrees.
    EXPECT_EQ(calendar.Calendar::ExpectedOpens(timeframe, from, to), expected) << timeframe.name();
  }
  EXPECT_TRUE(calendar.IsOpen(At("2024-12-25")));
  EXPECT_TRUE(calendar.IsExpected(Tf("1w"), At("2024-12-23")));
  EXPECT_FALSE(calendar.IsExpected(Tf("1w"), At("2024-12-24")));
}

TEST(CalendarTest, ByNameAndByMarket) {
  EXPECT_EQ(&CalendarByName("24/7"), &AlwaysOpenCalendar());
  EXPECT_EQ(&CalendarByName("us-equities"), &UsEquitiesCalendar());
  EXPECT_THROW(CalendarByName("nyse"), Error);
  EXPECT_EQ(&CalendarOfMarket("binance-spot"), &AlwaysOpenCalendar());
  EXPECT_EQ(&CalendarOfMarket("us-stocks"), &UsEquitiesCalendar());
  EXPECT_EQ(&CalendarOfMarket("alpaca"), &UsEquitiesCalendar());
  EXPECT_EQ(&CalendarOfMarket("polygon-crypto"), &AlwaysOpenCalendar());
}

}  // namespace
}  // namespace almanac
