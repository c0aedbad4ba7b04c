// Calendar features against pandas and zoneinfo (testdata/make_temporal_golden.py), the US sessions
// at instants whose sessions are known.
#include <gtest/gtest.h>

#include "almanac/base/error.h"
#include "almanac/feature/golden_file_for_test.h"

namespace almanac {
namespace {

TEST(Temporal, AgreesWithPandasAndTheTzDatabase) {
  ExpectGoldenFile("temporal_golden.csv", MadeGoldenBars());
}

TEST(Temporal, AgreesOnRealData) {
  ALMANAC_NEEDS_REAL_DATA("crypto/spot_30m");
  ExpectGoldenFile("temporal_golden_real.csv", RealGoldenBars());
}

// The value of a family in the row of that time.
double ValueAt(const std::string& family, const std::string& time) {
  CandleSeries bars;
  bars.key = {"test", "X", Timeframe::Parse("1m")};
  Candle bar;
  bar.open_time = ParseTime(time).value() - kMsPerMinute;
  bar.open = bar.high = bar.low = bar.close = bar.volume = 1;
  bars.Append(bar);
  return ComputeColumn(ParseColumnName(family), bars)[0];
}

TEST(Temporal, SessionsFollowEachPlacesClocks) {
  // 2024-03-20: New York has changed its clocks, London has not.
  EXPECT_EQ(ValueAt("new_york_session", "2024-03-20T11:59Z"), 0);
  EXPECT_EQ(ValueAt("new_york_session", "2024-03-20T12:00Z"), 1);
  EXPECT_EQ(ValueAt("new_york_session", "2024-03-20T21:00Z"), 0);
  EXPECT_EQ(ValueAt("london_session", "2024-03-20T08:00Z"), 1);
  EXPECT_EQ(ValueAt("london_session", "2024-03-20T16:59Z"), 1);
  EXPECT_EQ(ValueAt("london_session", "2024-03-20T17:00Z"), 0);
  // From 2024-03-31 London is an hour ahead.
  EXPECT_EQ(ValueAt("london_session", "2024-04-02T07:00Z"), 1);
  EXPECT_EQ(ValueAt("london_session", "2024-04-02T16:00Z"), 0);
  EXPECT_EQ(ValueAt("asia_session", "2024-03-20T00:00Z"), 1);
  EXPECT_EQ(ValueAt("asia_session", "2024-03-20T09:00Z"), 0);
  // Monday in Tokyo while it is Sunday in UTC; Saturday in Tokyo while it is Friday in UTC.
  EXPECT_EQ(ValueAt("asia_session", "2024-03-24T23:59Z"), 0);
  EXPECT_EQ(ValueAt("asia_session", "2024-03-25T00:00Z"), 1);
  EXPECT_EQ(ValueAt("asia_session", "2024-03-23T01:00Z"), 0);
}

TEST(Temporal, UsSessionsKnowHolidaysAndHalfDays) {
  // Friday after Thanksgiving 2023: 09:30 to 13:00 in New York.
  EXPECT_EQ(ValueAt("us_half_day", "2023-11-24T20:00Z"), 1);
  EXPECT_EQ(ValueAt("us_session", "2023-11-24T14:29Z"), 0);
  EXPECT_EQ(ValueAt("us_session", "2023-11-24T14:30Z"), 1);
  EXPECT_EQ(ValueAt("us_session", "2023-11-24T17:59Z"), 1);
  EXPECT_EQ(ValueAt("us_session", "2023-11-24T18:00Z"), 0);
  // Thanksgiving itself; the Wednesday before; a Saturday is no holiday.
  EXPECT_EQ(ValueAt("us_holiday", "2023-11-23T15:00Z"), 1);
  EXPECT_EQ(ValueAt("us_holiday", "2023-11-22T15:00Z"), 0);
  EXPECT_EQ(ValueAt("us_holiday", "2023-11-25T15:00Z"), 0);
  EXPECT_EQ(ValueAt("us_half_day", "2023-11-27T15:00Z"), 0);
  // Still Thursday in New York.
  EXPECT_EQ(ValueAt("us_holiday", "2023-11-24T04:59Z"), 1);
  EXPECT_EQ(ValueAt("us_holiday", "2023-11-24T05:00Z"), 0);
}

TEST(Temporal, TimeSinceAndUntilUsSessions) {
  // On Thanksgiving 2023 at 14:30 UTC: a day after Wednesday's open, a day before Friday's.
  EXPECT_EQ(ValueAt("hours_since_us_open", "2023-11-23T14:30Z"), 24);
  EXPECT_EQ(ValueAt("hours_until_us_open", "2023-11-23T14:30Z"), 24);
  EXPECT_EQ(ValueAt("hours_since_us_close", "2023-11-23T14:30Z"), 17.5);
  // At the open the session has begun and the next one is Monday's.
  EXPECT_EQ(ValueAt("hours_since_us_open", "2023-11-24T14:30Z"), 0);
  EXPECT_EQ(ValueAt("hours_until_us_open", "2023-11-24T14:30Z"), 72);
  EXPECT_EQ(ValueAt("hours_since_us_close", "2023-11-24T18:30Z"), 0.5);
  EXPECT_EQ(ValueAt("hours_until_us_open", "2023-11-24T14:00Z"), 0.5);
}

TEST(Temporal, UsSessionsAreRefusedWhereTheyAreNotKnown) {
  EXPECT_THROW(ValueAt("us_session", "1969-07-01T15:00Z"), Error);
  EXPECT_EQ(ValueAt("london_session", "1979-07-02T15:00Z"), 1);
}

}  // namespace
}  // namespace almanac
