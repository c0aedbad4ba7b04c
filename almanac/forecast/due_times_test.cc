#include "almanac/forecast/due_times.h"

#include <gtest/gtest.h>

#include "almanac/market/series_for_test.h"

namespace almanac {
namespace {

CandleSeries SeriesOf(const char* market, const char* timeframe, std::vector<TimeMs> opens) {
  CandleSeries series;
  series.key = {market, "X", Timeframe::Parse(timeframe)};
  for (const TimeMs open : opens) series.Append({open, 1, 1, 1, 1, 1});
  return series;
}

TEST(DueTimesTest, AMarketThatNeverClosesCountsTheClock) {
  const CandleSeries series =
      SeriesOf("binance-spot", "1h", {TestTime("2024-03-01"), TestTime("2024-03-02")});
  const DueTimes due(series, 30);
  EXPECT_EQ(due.After(TestTime("2024-03-01"), 1), TestTime("2024-03-01T02:00:00Z"));
  // The series has a gap of a day there.
  EXPECT_EQ(due.After(TestTime("2024-03-01"), 30), TestTime("2024-03-02T07:00:00Z"));
  EXPECT_EQ(due.After(TestTime("2024-03-02"), 30), TestTime("2024-03-03T07:00:00Z"));
}

TEST(DueTimesTest, ClosedDaysOfStocksDoNotCount) {
  // The 4th of July 2024 was a Thursday.
  const CandleSeries series =
      SeriesOf("us-stocks", "1d", {TestTime("2024-07-03"), TestTime("2024-07-05")});
  const DueTimes due(series, 20);
  EXPECT_EQ(due.After(TestTime("2024-07-03"), 1), TestTime("2024-07-06"));
  EXPECT_EQ(due.After(TestTime("2024-07-05"), 1), TestTime("2024-07-09"));
  EXPECT_EQ(due.After(TestTime("2024-07-05"), 20), TestTime("2024-08-03"));
}

TEST(DueTimesTest, NightsOfStocksDoNotCount) {
  // A Friday's last hour, which begins at 15:00 in New York.
  const CandleSeries series = SeriesOf("us-stocks", "1h", {TestTime("2024-07-12T19:00:00Z")});
  const DueTimes due(series, 100);
  EXPECT_EQ(due.After(TestTime("2024-07-12T19:00:00Z"), 1), TestTime("2024-07-15T14:00:00Z"));
  EXPECT_EQ(due.After(TestTime("2024-07-12T19:00:00Z"), 8), TestTime("2024-07-16T14:00:00Z"));
}

TEST(DueTimesTest, ABarThatTheCalendarDoesNotKnowCountsFromTheNextOneThatItDoes) {
  const CandleSeries series = SeriesOf("us-stocks", "1d", {TestTime("2024-07-06")});  // a Saturday
  EXPECT_EQ(DueTimes(series, 3).After(TestTime("2024-07-06"), 1), TestTime("2024-07-09"));
}

}  // namespace
}  // namespace almanac
