#include "almanac/market/candle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace almanac {
namespace {

CandleSeries Minutes(int count) {
  CandleSeries series;
  series.key = {"test", "X", Timeframe::Parse("1m")};
  for (int i = 0; i < count; ++i) {
    series.Append({.open_time = i * kMsPerMinute,
                   .open = 1.0 + i,
                   .high = 2.0 + i,
                   .low = 0.5 + i,
                   .close = 1.5 + i,
                   .volume = 10.0 * i});
  }
  return series;
}

TEST(CandleTest, AppendAndAtRoundTrip) {
  const CandleSeries series = Minutes(3);
  ASSERT_EQ(series.size(), 3u);
  const Candle bar = series.At(2);
  EXPECT_EQ(bar.open_time, 2 * kMsPerMinute);
  EXPECT_EQ(bar.open, 3.0);
  EXPECT_EQ(bar.high, 4.0);
  EXPECT_EQ(bar.low, 2.5);
  EXPECT_EQ(bar.close, 3.5);
  EXPECT_EQ(bar.volume, 20.0);
  EXPECT_TRUE(std::isnan(bar.trade_count));
  EXPECT_TRUE(std::isnan(bar.vwap));
  EXPECT_EQ(series.KnownAt(2), 3 * kMsPerMinute);
  EXPECT_EQ(ToString(series.key), "test X 1m");
}

TEST(CandleTest, OptionalFieldsAreKeptOnceABarHasThem) {
  CandleSeries series = Minutes(2);
  EXPECT_TRUE(series.trade_count.empty());
  series.Append({.open_time = 2 * kMsPerMinute, .trade_count = 7});
  series.Append({.open_time = 3 * kMsPerMinute});
  ASSERT_EQ(series.trade_count.size(), 4u);
  EXPECT_TRUE(std::isnan(series.trade_count[0]));
  EXPECT_TRUE(std::isnan(series.trade_count[1]));
  EXPECT_EQ(series.trade_count[2], 7);
  EXPECT_TRUE(std::isnan(series.trade_count[3]));
  EXPECT_TRUE(series.vwap.empty());
  EXPECT_EQ(series.Slice(2, 3).trade_count, std::vector<double>{7});
}

TEST(CandleTest, RangesAreHalfOpenAndClipped) {
  const CandleSeries series = Minutes(5);
  EXPECT_THAT(series.Between(kMsPerMinute, 3 * kMsPerMinute).open_time,
              testing::ElementsAre(kMsPerMinute, 2 * kMsPerMinute));
  EXPECT_EQ(series.Between(kMsPerMinute, 3 * kMsPerMinute).key, series.key);
  EXPECT_EQ(series.Between(kMinTime, kMaxTime).size(), 5u);
  EXPECT_TRUE(series.Between(3, 3).empty());
  EXPECT_TRUE(series.Between(4 * kMsPerMinute, kMsPerMinute).empty());
  EXPECT_EQ(series.Slice(3, 99).close, (std::vector<double>{4.5, 5.5}));
  EXPECT_TRUE(series.Slice(7, 9).empty());
}

TEST(CandleTest, KeysOrderByMarketSymbolTimeframe) {
  const SeriesKey a{"m", "A", Timeframe::Parse("1d")};
  const SeriesKey b{"m", "B", Timeframe::Parse("1m")};
  EXPECT_LT(a, b);
  EXPECT_LT((SeriesKey{"m", "A", Timeframe::Parse("1m")}), a);
}

}  // namespace
}  // namespace almanac
