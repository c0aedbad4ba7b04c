#include "almanac/target/target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "almanac/base/error_for_test.h"
#include "almanac/market/real_data_for_test.h"

namespace almanac {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Closes of hourly bars; the bars that open at hours 3 and 4 are missing.
CandleSeries WithGap() {
  CandleSeries series;
  series.key = {"test", "X", Timeframe::Parse("1h")};
  const std::vector<std::pair<int, double>> closes = {{0, 100}, {1, 110}, {2, 99},
                                                      {5, 120}, {6, 60},  {7, 66}};
  for (const auto& [hour, close] : closes) {
    Candle bar;
    bar.open_time = hour * kMsPerHour;
    bar.open = bar.high = bar.low = bar.close = close;
    series.Append(bar);
  }
  return series;
}

TEST(Labels, LookHorizonBarsAhead) {
  const CandleSeries series = WithGap();
  const Labels labels = BuildLabels({TargetKind::kForwardReturn, 2, false}, series);
  EXPECT_EQ(labels.name, "forward_return_2");
  EXPECT_DOUBLE_EQ(labels.value[0], -0.01);
  EXPECT_DOUBLE_EQ(labels.value[1], 10.0 / 110);
  EXPECT_DOUBLE_EQ(labels.value[2], -39.0 / 99);
  EXPECT_DOUBLE_EQ(labels.value[3], -0.45);
  EXPECT_TRUE(std::isnan(labels.value[4]));
  EXPECT_TRUE(std::isnan(labels.value[5]));
  EXPECT_EQ(labels.past_end, 2U);
  EXPECT_EQ(labels.dropped_gap, 0U);
  const TimeMs h = kMsPerHour;
  EXPECT_THAT(labels.t0, ElementsAre(1 * h, 2 * h, 3 * h, 6 * h, 7 * h, 8 * h));
  EXPECT_THAT(labels.t1, ElementsAre(3 * h, 6 * h, 7 * h, 8 * h, 7 * h, 8 * h));
}

TEST(Labels, EveryStepIsAVectorWhoseLastIsTheValue) {
  const Labels labels = BuildLabels({TargetKind::kForwardReturn, 3, false, true}, WithGap());
  EXPECT_EQ(labels.name, "forward_return_1_to_3");
  EXPECT_EQ(labels.steps, 3U);
  EXPECT_EQ(labels.past_end, 3U);
  for (size_t k = 1; k <= 3; ++k) {
    const Labels single =
        BuildLabels({TargetKind::kForwardReturn, static_cast<int64_t>(k), false}, WithGap());
    for (size_t i = 0; i < 3; ++i) EXPECT_EQ(labels.vector(i)[k - 1], single.value[i]);
    EXPECT_EQ(single.vector(0).size(), 1U);
    EXPECT_TRUE(std::isnan(labels.vector(3)[k - 1]));
  }
  EXPECT_EQ(labels.value[1], labels.vector(1)[2]);
  EXPECT_EQ(labels.t1[0], labels.t0[3]);
}

TEST(Labels, GapsAreDroppedWhereAskedFor) {
  const Labels labels = BuildLabels({TargetKind::kForwardReturn, 2, true}, WithGap());
  EXPECT_FALSE(std::isnan(labels.value[0]));
  EXPECT_TRUE(std::isnan(labels.value[1]));
  EXPECT_TRUE(std::isnan(labels.value[2]));
  EXPECT_FALSE(std::isnan(labels.value[3]));
  EXPECT_EQ(labels.t1[1], labels.t0[1]);
  EXPECT_EQ(labels.dropped_gap, 2U);
}

TEST(Labels, KindsAreTheSameMove) {
  const CandleSeries series = WithGap();
  const Labels log_returns = BuildLabels({TargetKind::kForwardLogReturn, 1, false}, series);
  const Labels closes = BuildLabels({TargetKind::kForwardClose, 1, false}, series);
  EXPECT_DOUBLE_EQ(log_returns.value[0], std::log1p(0.1));
  EXPECT_EQ(closes.value[0], 110);
  EXPECT_EQ(closes.unit, "price");
  for (const TargetKind kind :
       {TargetKind::kForwardReturn, TargetKind::kForwardLogReturn, TargetKind::kForwardClose}) {
    const double value = BuildLabels({kind, 1, false}, series).value[1];
    EXPECT_NEAR(ToReturn(kind, value, 110), -0.1, 1e-15);
    EXPECT_NEAR(ToPrice(kind, value, 110), 99, 1e-12);
  }
}

TEST(Labels, HorizonBeyondTheSeriesGivesNone) {
  const Labels labels = BuildLabels({TargetKind::kForwardReturn, 6, false}, WithGap());
  for (const double value : labels.value) EXPECT_TRUE(std::isnan(value));
  EXPECT_EQ(labels.past_end, 6U);
  EXPECT_EQ(BuildLabels({TargetKind::kForwardReturn, 99, false}, WithGap()).past_end, 6U);
}

TEST(Labels, RealDataHasAsManySpannedGapsAsItsGapsGive) {
  ALMANAC_NEEDS_REAL_DATA("crypto/spot_30m");
  const CandleSeries series = ReadRealCandles("spot_30m", "BTCUSDT", "30m");
  const Labels labels = BuildLabels({TargetKind::kForwardReturn, 12, true}, series);
  size_t spanned = 0;
  for (size_t i = 0; i + 12 < series.size(); ++i) {
    spanned += series.open_time[i + 12] - series.open_time[i] != kMsPerMinute * 12 * 30;
    const double expected = series.close[i + 12] / series.close[i] - 1;
    if (!std::isnan(labels.value[i])) {
      ASSERT_NEAR(labels.value[i], expected, 1e-15);
    }
  }
  EXPECT_EQ(labels.dropped_gap, spanned);
  EXPECT_GE(spanned, 10U * 2);
  EXPECT_EQ(labels.past_end, 12U);
}

TEST(TargetSpec, IsReadAndWrittenBack) {
  const ConfigDocument document =
      ConfigDocument::Parse("target: {kind: forward_log_return, horizon: 12}\n", "r.yaml");
  const TargetSpec spec = TargetSpec::FromConfig(document.root().Map("target"));
  document.RefuseUnknownKeys();
  EXPECT_EQ(spec, (TargetSpec{TargetKind::kForwardLogReturn, 12, false}));
  EXPECT_EQ(TargetSpec::FromJson(spec.ToJson()), spec);
  const TargetSpec steps{TargetKind::kForwardReturn, 3, false, true};
  EXPECT_EQ(TargetSpec::FromJson(steps.ToJson()), steps);
}

TEST(TargetSpec, RefusesWhatCannotBe) {
  const auto read = [](const std::string& yaml) {
    return MessageOf([&] {
      const ConfigDocument document = ConfigDocument::Parse(yaml, "r.yaml");
      TargetSpec::FromConfig(document.root());
    });
  };
  EXPECT_THAT(read("kind: forward_retrun\n"), HasSubstr("forward_return"));
  EXPECT_THAT(read("kind: forward_return\nhorizon: 0\n"), HasSubstr("r.yaml:2"));
  EXPECT_THAT(MessageOf([] {
                BuildLabels({TargetKind::kForwardReturn, 0, false}, WithGap());
              }),
              HasSubstr("horizon of 0 bars"));
  EXPECT_THAT(read("kind: forward_return\nhorizon: 20000\nevery_step: true\n"),
              HasSubstr("it must be in 1 to 10000"));
  EXPECT_THAT(MessageOf([] { TargetSpec::FromJson(Json::parse("{}")); }), HasSubstr("target"));
  CandleSeries bad = WithGap();
  bad.close[2] = 0;
  EXPECT_THAT(MessageOf([&] { BuildLabels({}, bad); }), HasSubstr("close is 0"));
}

}  // namespace
}  // namespace almanac
