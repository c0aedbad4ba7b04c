#include "almanac/market/fill.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "almanac/base/error.h"
#include "almanac/market/audit.h"
#include "almanac/market/real_data_for_test.h"
#include "almanac/market/series_for_test.h"

namespace almanac {
namespace {

TEST(FillTest, ForwardAddsFlatBarsAtTheLastClose) {
  CandleSeries series = EmptySeries("1h");
  series.Append(Bar(0, 10, 12, 9, 11, 3));
  series.Append(Bar(3 * kMsPerHour, 20, 22, 19, 21, 4));
  series.Append(Bar(4 * kMsPerHour, 21, 22, 19, 20, 4));
  const FillResult result = Fill(series, FillPolicy::kForward, AlwaysOpenCalendar());
  EXPECT_EQ(result.filled, (std::vector<TimeMs>{kMsPerHour, 2 * kMsPerHour}));
  ASSERT_EQ(result.series.size(), 5u);
  EXPECT_EQ(result.series.key, series.key);
  for (const size_t i : {size_t{1}, size_t{2}}) {
    const Candle bar = result.series.At(i);
    EXPECT_EQ(bar.open_time, static_cast<TimeMs>(i) * kMsPerHour);
    EXPECT_EQ(bar.open, 11);
    EXPECT_EQ(bar.high, 11);
    EXPECT_EQ(bar.low, 11);
    EXPECT_EQ(bar.close, 11);
    EXPECT_EQ(bar.volume, 0);
  }
  EXPECT_EQ(result.series.At(3).close, 21);
  EXPECT_TRUE(result.series.trade_count.empty());
}

TEST(FillTest, OptionalFieldsOfFilledBars) {
  CandleSeries series = EmptySeries("1h");
  for (const int hour : {0, 2}) {
    Candle bar = FlatBar(hour * kMsPerHour, 5);
    bar.trade_count = 7;
    bar.vwap = 5;
    series.Append(bar);
  }
  const FillResult result = Fill(series, FillPolicy::kForward, AlwaysOpenCalendar());
  EXPECT_EQ(result.series.trade_count, (std::vector<double>{7, 0, 7}));
  EXPECT_TRUE(std::isnan(result.series.vwap[1]));
}

TEST(FillTest, NoneLeavesTheSeriesAsItIs) {
  const CandleSeries series = FlatSeries("1h", {0, 5});
  const FillResult result = Fill(series, FillPolicy::kNone, AlwaysOpenCalendar());
  EXPECT_EQ(result.series.open_time, series.open_time);
  EXPECT_THAT(result.filled, testing::IsEmpty());
}

TEST(FillTest, WeekendsOfEquitiesAreNotFilledAndStampsAreKept) {
  CandleSeries series = EmptySeries("1d");
  for (const char* day : {"2024-11-26", "2024-12-03"}) {
    series.Append(FlatBar(TestTime(day) + 5 * kMsPerHour, 50));
  }
  const FillResult result = Fill(series, FillPolicy::kForward, UsEquitiesCalendar());
  EXPECT_THAT(
      TimeTexts(result.filled),
      testing::ElementsAre("2024-11-27T05:00:00Z", "2024-11-29T05:00:00Z", "2024-12-02T05:00:00Z"));
}

TEST(FillTest, WrongUseIsRefused) {
  EXPECT_THROW(Fill(FlatSeries("1h", {3, 1}), FillPolicy::kForward, AlwaysOpenCalendar()), Error);
  EXPECT_THROW(Fill(FlatSeries("1h", {1, 1}), FillPolicy::kForward, AlwaysOpenCalendar()), Error);
  CandleSeries series = FlatSeries("1h", {0, 2});
  series.close[0] = NAN;
  EXPECT_THROW(Fill(series, FillPolicy::kForward, AlwaysOpenCalendar()), Error);
  EXPECT_TRUE(Fill(EmptySeries("1h"), FillPolicy::kForward, AlwaysOpenCalendar()).series.empty());
}

TEST(FillTest, PoliciesHaveNames) {
  for (const FillPolicy policy : {FillPolicy::kNone, FillPolicy::kForward}) {
    EXPECT_EQ(ParseFillPolicy(ToString(policy)), policy);
  }
  EXPECT_THROW(ParseFillPolicy("linear"), Error);
}

TEST(FillTest, RealGapsCloseAndNothingElseChanges) {
  ALMANAC_NEEDS_REAL_DATA("crypto/spot_30m");
  const CandleSeries series = ReadRealCandles("spot_30m", "BTCUSDT", "30m");
  const FillResult result = Fill(series, FillPolicy::kForward, AlwaysOpenCalendar());
  EXPECT_EQ(result.filled.size(), 45u);
  const SeriesAudit audit = Audit(result.series);
  EXPECT_EQ(audit.missing_bars, 0);
  EXPECT_EQ(audit.zero_volume.count, 6 + 45);
  EXPECT_TRUE(audit.IsSound());
}

}  // namespace
}  // namespace almanac
