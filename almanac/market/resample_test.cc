#include "almanac/market/resample.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "almanac/base/error.h"
#include "almanac/base/random.h"
#include "almanac/market/real_data_for_test.h"
#include "almanac/market/series_for_test.h"

namespace almanac {
namespace {

const Timeframe kHour = Timeframe::Parse("1h");

Candle Traded(TimeMs time, double price, double volume, double trades, double vwap) {
  Candle bar = FlatBar(time, price);
  bar.volume = volume;
  bar.trade_count = trades;
  bar.vwap = vwap;
  return bar;
}

TEST(ResampleTest, FieldsOfACoarseBar) {
  CandleSeries series = EmptySeries("30m");
  Candle first = Bar(0, 10, 12, 9, 11, 3);
  first.trade_count = 5;
  first.vwap = 10.5;
  Candle second = Bar(30 * kMsPerMinute, 11, 15, 10.5, 14, 1);
  second.trade_count = 2;
  second.vwap = 12.5;
  series.Append(first);
  series.Append(second);
  const ResampleResult result = Resample(series, kHour);
  ASSERT_EQ(result.series.size(), 1u);
  EXPECT_EQ(result.series.key.timeframe, kHour);
  EXPECT_EQ(result.series.key.symbol, "X");
  const Candle bar = result.series.At(0);
  EXPECT_EQ(bar.open_time, 0);
  EXPECT_EQ(bar.open, 10);
  EXPECT_EQ(bar.high, 15);
  EXPECT_EQ(bar.low, 9);
  EXPECT_EQ(bar.close, 14);
  EXPECT_EQ(bar.volume, 4);
  EXPECT_EQ(bar.trade_count, 7);
  EXPECT_EQ(bar.vwap, (3 * 10.5 + 1 * 12.5) / 4);
  EXPECT_THAT(result.incomplete, testing::IsEmpty());
}

TEST(ResampleTest, OptionalFieldsThatSomePartLacks) {
  const double nan = Candle::kNotGiven;
  const DurationMs half = 30 * kMsPerMinute;
  CandleSeries series = EmptySeries("30m");
  series.Append(Traded(0, 10, 0, 0, nan));  // no trade: no vwap, and none is needed
  series.Append(Traded(half, 10, 2, 4, 10));
  series.Append(Traded(2 * half, 10, 1, nan, nan));  // not given
  series.Append(Traded(3 * half, 10, 2, 4, 10));
  series.Append(Traded(4 * half, 10, 0, 0, nan));  // no trade at all
  series.Append(Traded(5 * half, 10, 0, 0, nan));
  const CandleSeries hours = Resample(series, kHour).series;
  ASSERT_EQ(hours.size(), 3u);
  EXPECT_EQ(hours.vwap[0], 10);
  EXPECT_EQ(hours.trade_count[0], 4);
  EXPECT_TRUE(std::isnan(hours.vwap[1]));
  EXPECT_TRUE(std::isnan(hours.trade_count[1]));
  EXPECT_EQ(hours.volume[1], 3);
  EXPECT_TRUE(std::isnan(hours.vwap[2]));
  EXPECT_EQ(hours.trade_count[2], 0);
  EXPECT_TRUE(Resample(FlatSeries("30m", {0, 1}), kHour).series.vwap.empty());
}

TEST(ResampleTest, IncompleteBarsAreDroppedOrMadeButAlwaysListed) {
  const CandleSeries series = FlatSeries("30m", {1, 2, 3, 4, 8, 9, 10});
  const ResampleResult dropped = Resample(series, kHour);
  EXPECT_THAT(TimeTexts(dropped.series.open_time),
              testing::ElementsAre("1970-01-01T01:00:00Z", "1970-01-01T04:00:00Z"));
  const auto incomplete =
      testing::ElementsAre("1970-01-01T00:00:00Z", "1970-01-01T02:00:00Z", "1970-01-01T05:00:00Z");
  EXPECT_THAT(TimeTexts(dropped.incomplete), incomplete);
  const ResampleResult partial =
      Resample(series, kHour, {.incomplete = IncompletePolicy::kPartial});
  EXPECT_EQ(partial.series.size(), 5u);
  EXPECT_EQ(partial.series.open_time[0], 0);
  EXPECT_EQ(partial.series.volume, (std::vector<double>{1, 2, 1, 2, 1}));
  EXPECT_THAT(TimeTexts(partial.incomplete), incomplete);
}

TEST(ResampleTest, ACalendarSaysWhatACoarseBarConsistsOf) {
  CandleSeries series = EmptySeries("30m");
  // Thanksgiving week 2024: the half day of Friday and premarket bars before it.
  for (TimeMs time = TestTime("2024-11-29T13:30:00Z"); time < TestTime("2024-11-29T18:00:00Z");
       time += 30 * kMsPerMinute) {
    series.Append(FlatBar(time, 50));
  }
  const ResampleOptions options{.calendar = &UsEquitiesCalendar()};
  const ResampleResult day = Resample(series, Timeframe::Parse("1d"), options);
  EXPECT_THAT(TimeTexts(day.series.open_time), testing::ElementsAre("2024-11-29T00:00:00Z"));
  EXPECT_EQ(day.outside_sessions, 2);
  EXPECT_EQ(day.series.volume[0], 7);
  EXPECT_THAT(day.incomplete, testing::IsEmpty());
  EXPECT_EQ(Resample(series, kHour, options).series.size(), 4u);
  EXPECT_TRUE(Resample(series, Timeframe::Parse("1d")).series.empty());
}

TEST(ResampleTest, DailyBarsOfAnExchangeMakeWeeks) {
  CandleSeries series = EmptySeries("1d");
  for (const char* day : {"2024-11-25", "2024-11-26", "2024-11-27", "2024-11-29"}) {
    series.Append(FlatBar(TestTime(day) + 5 * kMsPerHour, 50));  // midnight in New York
  }
  const ResampleResult weeks =
      Resample(series, Timeframe::Parse("1w"), {.calendar = &UsEquitiesCalendar()});
  EXPECT_THAT(TimeTexts(weeks.series.open_time), testing::ElementsAre("2024-11-25T00:00:00Z"));
  EXPECT_EQ(weeks.series.volume[0], 4);
}

TEST(ResampleTest, EveryPairEqualsASlowImplementation) {
  Random random(7);
  CandleSeries minutes = EmptySeries("1m");
  double price = 100;
  for (TimeMs time = 0; time < 9 * kMsPerDay; time += kMsPerMinute) {
    const double open = price;
    price *= std::exp(1e-3 * random.Normal());
    if (random.Below(5000) == 0) continue;  // missing
    minutes.Append(Bar(time, open, std::max(open, price) * 1.0001, std::min(open, price) * 0.9999,
                       price, random.Exponential()));
  }
  for (const Timeframe coarse : Timeframe::All()) {
    const ResampleResult result =
        Resample(minutes, coarse, {.incomplete = IncompletePolicy::kPartial});
    size_t index = 0;
    std::set<TimeMs> incomplete(result.incomplete.begin(), result.incomplete.end());
    for (TimeMs open = coarse.Floor(0); open < 9 * kMsPerDay; open += coarse.duration()) {
      const CandleSeries part = minutes.Between(open, open + coarse.duration());
      if (part.empty()) continue;
      const Candle bar = result.series.At(index++);
      ASSERT_EQ(bar.open_time, open);
      EXPECT_EQ(bar.open, part.open.front());
      EXPECT_EQ(bar.close, part.close.back());
      EXPECT_EQ(bar.high, *std::ranges::max_element(part.high));
      EXPECT_EQ(bar.low, *std::ranges::min_element(part.low));
      long double volume = 0;
      for (const double v : part.volume) volume += v;
      EXPECT_DOUBLE_EQ(bar.volume, static_cast<double>(volume));
      EXPECT_EQ(incomplete.contains(open),
                part.size() != static_cast<size_t>(coarse.duration() / kMsPerMinute));
    }
    EXPECT_EQ(index, result.series.size());
  }
}

TEST(ResampleTest, VolumeSumsLoseNothingToTheirOrder) {
  CandleSeries series = EmptySeries("1m");
  const std::vector<double> volumes = {1e16, 1, 1, 1, 1};
  for (size_t i = 0; i < volumes.size(); ++i) {
    Candle bar = FlatBar(static_cast<TimeMs>(i) * kMsPerMinute, 1);
    bar.volume = volumes[i];
    series.Append(bar);
  }
  EXPECT_EQ(Resample(series, Timeframe::Parse("5m")).series.volume[0], 1e16 + 4);
}

TEST(ResampleTest, WrongUseIsRefused) {
  const auto code_of = [](const CandleSeries& series, const char* coarser) {
    try {
      Resample(series, Timeframe::Parse(coarser));
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::kFailed;
  };
  EXPECT_EQ(code_of(FlatSeries("30m", {0, 1}), "15m"), ErrorCode::kUsage);
  EXPECT_EQ(code_of(FlatSeries("3m", {0, 1}), "5m"), ErrorCode::kUsage);
  EXPECT_EQ(code_of(FlatSeries("30m", {1, 0}), "1h"), ErrorCode::kBadData);
  EXPECT_EQ(code_of(FlatSeries("30m", {0, 0}), "1h"), ErrorCode::kBadData);
  CandleSeries off_grid = EmptySeries("30m");
  off_grid.Append(FlatBar(1000, 1));
  EXPECT_EQ(code_of(off_grid, "1h"), ErrorCode::kBadData);
  EXPECT_TRUE(Resample(EmptySeries("30m"), kHour).series.empty());
}

// Binance's own hourly bars are the oracle. Prices are equal bit for bit. A volume is a decimal
// with at most 8 places; the sum of two such decimals as doubles may differ from the double nearest
// to the exact sum by its last bit, so volumes are equal if they are neighbours at most.
TEST(ResampleTest, RealHalfHoursMakeTheRealHours) {
  ALMANAC_NEEDS_REAL_DATA("crypto/spot_30m");
  for (const char* symbol : {"BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "XRPUSDT"}) {
    const ResampleResult made = Resample(ReadRealCandles("spot_30m", symbol, "30m"), kHour);
    const CandleSeries real = ReadRealCandles("spot_1h", symbol, "1h");
    EXPECT_EQ(made.incomplete.size(), 6u) << symbol;
    EXPECT_EQ(made.series.size(), 43798u) << symbol;
    size_t compared = 0, j = 0;
    for (size_t i = 0; i < made.series.size(); ++i) {
      while (j < real.size() && real.open_time[j] < made.series.open_time[i]) ++j;
      if (j == real.size() || real.open_time[j] != made.series.open_time[i]) continue;
      ASSERT_EQ(made.series.open[i], real.open[j]);
      ASSERT_EQ(made.series.high[i], real.high[j]);
      ASSERT_EQ(made.series.low[i], real.low[j]);
      ASSERT_EQ(made.series.close[i], real.close[j]);
      const double sum = made.series.volume[i];
      ASSERT_LE(std::nextafter(sum, 0.0), real.volume[j]) << FormatTime(real.open_time[j]);
      ASSERT_GE(std::nextafter(sum, INFINITY), real.volume[j]) << FormatTime(real.open_time[j]);
      ++compared;
    }
    EXPECT_EQ(compared, 43798u) << symbol;
  }
}

}  // namespace
}  // namespace almanac
