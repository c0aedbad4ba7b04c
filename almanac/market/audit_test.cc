#include "almanac/market/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/random.h"
#include "almanac/market/real_data_for_test.h"
#include "almanac/market/series_for_test.h"

namespace almanac {
namespace {

std::vector<size_t> Rows(const AuditFinding& finding) {
  std::vector<size_t> rows;
  for (const AuditPlace& place : finding.places) rows.push_back(place.row);
  return rows;
}

// Hourly closes of a random walk with 1 % a bar.
CandleSeries Walk(int count) {
  Random random(3);
  CandleSeries series = EmptySeries("1h");
  double price = 100;
  for (int i = 0; i < count; ++i) {
    const double open = price;
    price *= std::exp(0.01 * random.Normal());
    series.Append(
        Bar(i * kMsPerHour, open, std::max(open, price), std::min(open, price), price, 1));
  }
  return series;
}

TEST(AuditTest, ASoundSeriesHasNoFindings) {
  const SeriesAudit audit = Audit(Walk(500));
  EXPECT_TRUE(audit.IsSound());
  EXPECT_EQ(audit.bars, 500);
  EXPECT_EQ(audit.from, 0);
  EXPECT_EQ(audit.to, 499 * kMsPerHour);
  EXPECT_THAT(audit.gaps, testing::IsEmpty());
  EXPECT_EQ(audit.jumps.count, 0);
  EXPECT_EQ(audit.calendar, "24/7");
}

TEST(AuditTest, GapsAreRunsOfMissingBars) {
  const SeriesAudit audit = Audit(FlatSeries("1h", {2, 3, 6, 7, 9}));
  EXPECT_THAT(audit.gaps, testing::ElementsAre(Gap{4 * kMsPerHour, 6 * kMsPerHour, 2},
                                               Gap{8 * kMsPerHour, 9 * kMsPerHour, 1}));
  EXPECT_EQ(audit.missing_bars, 3);
  EXPECT_TRUE(audit.IsSound());
}

TEST(AuditTest, ARangeMakesItsEndsCount) {
  AuditOptions options;
  options.from = 0;
  options.to = 12 * kMsPerHour;
  const SeriesAudit audit = Audit(FlatSeries("1h", {2, 3}), options);
  EXPECT_THAT(audit.gaps, testing::ElementsAre(Gap{0, 2 * kMsPerHour, 2},
                                               Gap{4 * kMsPerHour, 12 * kMsPerHour, 8}));
  EXPECT_EQ(Audit(EmptySeries("1h"), options).missing_bars, 12);
  EXPECT_EQ(Audit(EmptySeries("1h")).missing_bars, 0);
  // Bars outside the range are audited but cover nothing of it.
  options.from = 3 * kMsPerHour;
  options.to = 4 * kMsPerHour;
  EXPECT_EQ(Audit(FlatSeries("1h", {1, 3, 4, 5}), options).missing_bars, 0);
}

TEST(AuditTest, DisorderAndDuplicatesOfRawBars) {
  RawCandles raw{FlatSeries("1h", {0, 2, 1, 2, 5, 5, 4})};
  raw.bars.close[5] = raw.bars.high[5] = 101;
  const SeriesAudit audit = Audit(raw);
  EXPECT_EQ(audit.bars, 7);
  EXPECT_EQ(audit.from, 0);
  EXPECT_EQ(audit.to, 5 * kMsPerHour);
  EXPECT_EQ(audit.out_of_order.count, 2);
  EXPECT_THAT(Rows(audit.out_of_order), testing::ElementsAre(2, 6));
  EXPECT_EQ(audit.duplicates.count, 2);
  EXPECT_THAT(Rows(audit.duplicates), testing::ElementsAre(3, 5));
  EXPECT_EQ(audit.conflicting_duplicates, 1);
  EXPECT_EQ(audit.duplicates.places[1].detail, "other values as row 4");
  EXPECT_THAT(audit.gaps, testing::ElementsAre(Gap{3 * kMsPerHour, 4 * kMsPerHour, 1}));
  EXPECT_FALSE(audit.IsSound());
}

TEST(AuditTest, ContradictionsNameTheirPrices) {
  CandleSeries series = EmptySeries("1h");
  series.Append(Bar(0, 10, 12, 9, 11, 1));
  series.Append(Bar(1 * kMsPerHour, 10, 10.5, 9, 11, 1));
  series.Append(Bar(2 * kMsPerHour, 10, 12, 10.5, 11, 1));
  series.Append(Bar(3 * kMsPerHour, 10, 9, 12, 11, 1));
  series.Append(Bar(4 * kMsPerHour, 13, 12, 9, 11, 1));
  series.Append(Bar(5 * kMsPerHour, 13, 14, 12, 11, 1));
  const SeriesAudit audit = Audit(series);
  EXPECT_EQ(audit.ohlc_violations.count, 5);
  std::vector<std::string> details;
  for (const AuditPlace& place : audit.ohlc_violations.places) details.push_back(place.detail);
  EXPECT_THAT(details,
              testing::ElementsAre("high 10.5 < close 11", "low 10.5 > open 10", "high 9 < low 12",
                                   "high 12 < open 13", "low 12 > close 11"));
  EXPECT_FALSE(audit.IsSound());
}

TEST(AuditTest, ValuesThatNoMarketHas) {
  CandleSeries series = FlatSeries("1h", {0, 1, 2, 3, 4, 5});
  series.close[0] = NAN;
  series.volume[1] = INFINITY;
  series.low[2] = -1;
  series.volume[3] = -2;
  series.volume[4] = 0;
  series.open[5] = series.low[5] = 0;
  const SeriesAudit audit = Audit(series);
  EXPECT_THAT(Rows(audit.non_finite), testing::ElementsAre(0, 1));
  EXPECT_EQ(audit.non_finite.places[0].detail, "close nan");
  EXPECT_THAT(Rows(audit.negative), testing::ElementsAre(2, 3));
  EXPECT_EQ(audit.negative.places[1].detail, "volume -2");
  EXPECT_THAT(Rows(audit.zero_volume), testing::ElementsAre(4));
  EXPECT_THAT(Rows(audit.zero_price), testing::ElementsAre(5));
  EXPECT_EQ(audit.ohlc_violations.count, 0);
  EXPECT_FALSE(audit.IsSound());
}

TEST(AuditTest, BarsOffTheGridCoverTheirSlot) {
  CandleSeries series = FlatSeries("1h", {0, 1, 2});
  series.open_time[1] += 5000;
  const SeriesAudit audit = Audit(series);
  EXPECT_THAT(Rows(audit.off_grid), testing::ElementsAre(1));
  EXPECT_EQ(audit.off_grid.places[0].detail, "the bar's grid has 1970-01-01T01:00:00Z");
  EXPECT_EQ(audit.missing_bars, 0);
}

TEST(AuditTest, WeekendsAndHolidaysAreNotGapsOfEquities) {
  CandleSeries series = EmptySeries("1d");
  series.key.market = "us-stocks";
  for (const char* day : {"2024-11-26", "2024-11-29", "2024-12-02", "2024-12-07"}) {
    series.Append(FlatBar(TestTime(day) + 5 * kMsPerHour, 50));
  }
  const SeriesAudit audit = Audit(series);
  EXPECT_EQ(audit.calendar, "us-equities");
  EXPECT_EQ(audit.missing_bars, 1 + 4);
  EXPECT_THAT(audit.gaps,
              testing::ElementsAre(Gap{TestTime("2024-11-27"), TestTime("2024-11-28"), 1},
                                   Gap{TestTime("2024-12-03"), TestTime("2024-12-07"), 4}));
  EXPECT_THAT(Rows(audit.outside_sessions), testing::ElementsAre(3));  // a Saturday
  AuditOptions every_day;
  every_day.calendar = &AlwaysOpenCalendar();
  EXPECT_EQ(Audit(series, every_day).missing_bars, 8);
}

TEST(AuditTest, ADayStampedTwiceIsADuplicate) {
  CandleSeries series = EmptySeries("1d");
  series.Append(FlatBar(TestTime("2024-11-26"), 50));
  series.Append(FlatBar(TestTime("2024-11-26T05:00:00Z"), 50));
  const SeriesAudit audit = Audit(series);
  EXPECT_EQ(audit.duplicates.count, 1);
  EXPECT_EQ(audit.off_grid.count, 0);
}

TEST(AuditTest, JumpsAreMovesFarBeyondTheUsual) {
  CandleSeries series = Walk(400);
  for (size_t i = 200; i < 400; ++i) {  // a split that nobody adjusted: all prices halve
    for (auto* field : {&series.open, &series.high, &series.low, &series.close}) {
      (*field)[i] /= 2;
    }
  }
  series.low[300] *= 0.7;  // a bad tick that close to close would not show
  const SeriesAudit audit = Audit(series);
  EXPECT_THAT(Rows(audit.jumps), testing::ElementsAre(200, 300));
  EXPECT_THAT(audit.jumps.places[0].detail, testing::StartsWith("-5"));
  EXPECT_TRUE(audit.IsSound());
  AuditOptions loose;
  loose.jump_threshold = 200;
  EXPECT_EQ(Audit(series, loose).jumps.count, 0);
}

TEST(AuditTest, AQuietSeriesNeedsTheFloorAndAGapWidensTheThreshold) {
  CandleSeries series = EmptySeries("1m");
  for (int i = 0; i < 60; ++i) series.Append(FlatBar(i * kMsPerMinute, 100));
  series.Append(FlatBar(60 * kMsPerMinute, 100.9));  // below 20 * 0.0005
  EXPECT_EQ(Audit(series).jumps.count, 0);
  AuditOptions options;
  options.jump_scale_floor = 0.0001;
  EXPECT_EQ(Audit(series, options).jumps.count, 1);
  series.open_time.back() += 29 * kMsPerMinute;  // the same move after half an hour
  EXPECT_EQ(Audit(series, options).jumps.count, 0);
  // Without enough history there is no verdict.
  EXPECT_EQ(Audit(series.Slice(42, 61), options).jumps.count, 0);
}

// The rolling median against sorting each window anew.
TEST(AuditTest, JumpsEqualASlowImplementation) {
  CandleSeries series = Walk(600);
  Random random(5);
  for (int k = 0; k < 12; ++k) series.close[random.Below(600)] *= 1.0 + 0.3 * random.Normal();
  AuditOptions options;
  options.jump_threshold = 5;
  options.jump_window = 31;
  options.places = 600;
  std::vector<size_t> expected;
  std::vector<double> moves;
  for (size_t i = 1; i < series.size(); ++i) {
    const double last = series.close[i - 1];
    const size_t first = moves.size() > 31 ? moves.size() - 31 : 0;
    std::vector<double> window(moves.begin() + static_cast<std::ptrdiff_t>(first), moves.end());
    std::ranges::sort(window);
    if (window.size() >= 20) {
      const double median = (window[(window.size() - 1) / 2] + window[window.size() / 2]) / 2;
      double move = 0;
      for (const double price : {series.open[i], series.high[i], series.low[i], series.close[i]}) {
        move = std::max(move, std::abs(std::log(price / last)));
      }
      if (move > 5 * std::max(0.0005, median / 0.6745)) expected.push_back(i);
    }
    moves.push_back(std::abs(std::log(series.close[i] / last)));
  }
  EXPECT_GE(expected.size(), 10u);
  EXPECT_EQ(Rows(Audit(series, options).jumps), expected);
}

TEST(AuditTest, OnlyTheFirstPlacesAreKept) {
  CandleSeries series = Walk(100);
  std::ranges::fill(series.volume, 0.0);
  AuditOptions options;
  options.places = 3;
  const SeriesAudit audit = Audit(series, options);
  EXPECT_EQ(audit.zero_volume.count, 100);
  EXPECT_THAT(Rows(audit.zero_volume), testing::ElementsAre(0, 1, 2));
}

TEST(AuditTest, JsonGivesNumbersListsAndTimes) {
  CandleSeries series = FlatSeries("30m", {0, 1, 4});
  series.volume[1] = 0;
  const Json json = ToJson(Audit(series));
  EXPECT_EQ(json.dump(),
            R"({"market":"test","symbol":"X","timeframe":"30m","calendar":"24/7",)"
            R"("from":"1970-01-01T00:00:00Z","to":"1970-01-01T02:00:00Z","bars":3,"gaps":1,)"
            R"("missing_bars":2,"zero_volume":1,"duplicates":0,"out_of_order":0,)"
            R"("ohlc_violations":0,"jumps":0,"non_finite":0,"negative":0,"zero_price":0,)"
            R"("off_grid":0,"outside_sessions":0,"conflicting_duplicates":0,"sound":true,)"
            R"("gap_list":[{"from":"1970-01-01T01:00:00Z","to":"1970-01-01T02:00:00Z","bars":2}],)"
            R"("places":{"zero_volume":[{"time":"1970-01-01T00:30:00Z","row":1,"detail":""}]}})");
  EXPECT_TRUE(ToJson(Audit(EmptySeries("1h")))["from"].is_null());
}

TEST(AuditTest, TimesInAnotherUnitAndBadOptionsAreRefused) {
  CandleSeries series = EmptySeries("1h");
  series.Append(FlatBar(1600560000000000, 1));  // microseconds
  try {
    Audit(series);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadData);
    EXPECT_THAT(error.what(), testing::HasSubstr("row 0"));
    EXPECT_THAT(error.what(), testing::HasSubstr("milliseconds"));
  }
  AuditOptions options;
  options.jump_threshold = 0;
  EXPECT_THROW(Audit(Walk(3), options), Error);
  options = {};
  options.jump_history = 101;
  EXPECT_THROW(Audit(Walk(3), options), Error);
  options = {};
  options.jump_window = 0;
  EXPECT_THROW(Audit(Walk(3), options), Error);
}

TEST(AuditTest, RealBitcoinHalfHours) {
  ALMANAC_NEEDS_REAL_DATA("crypto/spot_30m");
  const SeriesAudit audit = Audit(ReadRealCandles("spot_30m", "BTCUSDT", "30m"));
  const Json json = ToJson(audit);
  EXPECT_EQ(json["bars"], 87602);
  EXPECT_EQ(json["gaps"], 10);
  EXPECT_EQ(json["missing_bars"], 45);
  EXPECT_EQ(json["zero_volume"], 6);
  EXPECT_EQ(json["duplicates"], 0);
  EXPECT_EQ(json["out_of_order"], 0);
  EXPECT_EQ(json["ohlc_violations"], 0);
  EXPECT_EQ(json["sound"], true);
  EXPECT_EQ(json["from"], "2020-09-20T00:00:00Z");
  EXPECT_EQ(json["gap_list"].size(), 10u);
  EXPECT_EQ(json["gap_list"][0].dump(),
            R"({"from":"2020-11-30T06:00:00Z","to":"2020-11-30T07:00:00Z","bars":2})");
  EXPECT_EQ(json["gap_list"][7].dump(),
            R"({"from":"2021-08-13T02:00:00Z","to":"2021-08-13T06:30:00Z","bars":9})");
}

TEST(AuditTest, RealEquitiesHaveEverySessionOfTheirLife) {
  ALMANAC_NEEDS_REAL_DATA("equities/daily_2018_2021.csv.zst");
  std::map<std::string, CandleSeries> panel;
  VisitCsv(
      ReadZstd(RealData("equities/daily_2018_2021.csv.zst")),
      [&](const std::vector<std::string_view>& f) {
        CandleSeries& series = panel[std::string(f[0])];
        series.key = {"us-stocks", std::string(f[0]), Timeframe::Parse("1d")};
        series.Append(Bar(TestTime(f[1]), NumberOf<double>(f[2]), NumberOf<double>(f[3]),
                          NumberOf<double>(f[4]), NumberOf<double>(f[5]), NumberOf<double>(f[6])));
      });
  ASSERT_EQ(panel.size(), 351u);
  int64_t missing = 0, outside = 0, whole = 0;
  for (const auto& [symbol, series] : panel) {
    const SeriesAudit audit = Audit(series);
    missing += audit.missing_bars;
    outside += audit.outside_sessions.count;
    whole += audit.bars == 1008;
    EXPECT_EQ(audit.bars + audit.missing_bars,
              UsEquitiesCalendar().CountExpected(series.key.timeframe, audit.from, audit.to + 1));
  }
  EXPECT_EQ(outside, 0);
  EXPECT_EQ(whole, 347);
  EXPECT_EQ(missing, 0);
}

}  // namespace
}  // namespace almanac
