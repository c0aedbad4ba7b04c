#include "almanac/pipeline/report_curves.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace almanac {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;

// Closes of 100, 110, 120 and so on.
CandleSeries MakeBars(int64_t count = 5) {
  CandleSeries bars;
  bars.key = {"m", "X", Timeframe::Parse("1h")};
  for (int64_t i = 0; i < count; ++i) {
    Candle bar;
    bar.open_time = i * kMsPerHour;
    bar.open = bar.high = bar.low = bar.close = 100 + 10 * static_cast<double>(i);
    bar.volume = 1;
    bars.Append(bar);
  }
  return bars;
}

// Two steps at the second and third bar, of two symbols.
ForecastTable MakeTable(const CandleSeries& bars) {
  ForecastTable table;
  table.quantity = Quantity::kLogReturn;
  table.extra = {{"q10", {}}, {"q50", {}}, {"q90", {}}};
  for (const char* symbol : {"W", "X"}) {
    for (size_t i = 1; i < 3; ++i) {
      for (int64_t h = 1; h <= 2; ++h) {
        const TimeMs made = bars.KnownAt(i);
        const double value = 0.1 * static_cast<double>(h);
        table.Append({"lstm", symbol, made, made + h * kMsPerHour, h, bars.close[i], value});
        for (size_t e = 0; e < 3; ++e) {
          table.extra[e].values.back() = value + 0.01 * (static_cast<double>(e) - 1);
        }
      }
    }
  }
  return table;
}

TEST(ReportCurves, AFanHasEveryOriginOfItsSymbolInPrices) {
  const CandleSeries bars = MakeBars();
  const ReportFan fan = FanOf(MakeTable(bars), bars, "USD");
  EXPECT_EQ(fan.model, "lstm");
  EXPECT_EQ(fan.symbol, "X");
  EXPECT_THAT(fan.close, ElementsAre(110, 120, 130, 140)) << "from the first origin on";
  ASSERT_EQ(fan.origins.size(), 2U);
  const ReportFan::Origin& second = fan.origins[1];
  EXPECT_EQ(second.made_at, bars.KnownAt(2));
  EXPECT_EQ(second.price, 120);
  EXPECT_THAT(second.target_time, ElementsAre(bars.KnownAt(3), bars.KnownAt(4)));
  EXPECT_THAT(second.forecast, ElementsAre(DoubleNear(120 * std::exp(0.1), 1e-9),
                                           DoubleNear(120 * std::exp(0.2), 1e-9)));
  EXPECT_NEAR(second.low[0], 120 * std::exp(0.09), 1e-9);
  EXPECT_NEAR(second.high[1], 120 * std::exp(0.21), 1e-9);
}

TEST(ReportCurves, RowsOfAHorizonKeepTheirColumns) {
  const ForecastTable chosen = RowsAtHorizon(MakeTable(MakeBars()), 2);
  EXPECT_THAT(chosen.value, ElementsAre(0.2, 0.2, 0.2, 0.2));
  EXPECT_EQ(chosen.extra[2].values.size(), 4U);
  EXPECT_NEAR(chosen.extra[2].values[0], 0.21, 1e-12);
}

TEST(ReportCurves, StepsAreJudgedBesideNaive) {
  const CandleSeries bars = MakeBars(45);
  ForecastTable table;
  table.quantity = Quantity::kReturn;
  table.extra = {{"q10", {}}, {"q90", {}}};
  for (size_t i = 40; i < 43; ++i) {
    for (int64_t h = 1; h <= 2; ++h) {
      const TimeMs made = bars.KnownAt(i);
      table.Append({"lstm", "X", made, made + h * kMsPerHour, h, bars.close[i], 0});
      // Wide enough for one step, not for two.
      table.extra[0].values.back() = -0.03;
      table.extra[1].values.back() = 0.03;
    }
  }
  table.Sort();
  TableOptions options;
  options.bootstrap.replicates = 0;
  const ReportSteps steps = StepsOf(EvaluateTable(table, {{bars}}, options), "USD");
  ASSERT_EQ(steps.steps.size(), 2U);
  EXPECT_NEAR(steps.nominal, 0.8, 1e-12);
  EXPECT_NEAR(steps.steps[0].mae, 10, 1e-9);
  EXPECT_NEAR(steps.steps[1].naive_mae, 20, 1e-9);
  EXPECT_EQ(steps.steps[0].coverage, 1);
  EXPECT_EQ(steps.steps[1].coverage, 0);
}

TEST(ReportCurves, AttentionIsReadFromWhatWasLearnt) {
  EXPECT_FALSE(AttentionOf("ridge", {{"kind", "ridge"}}));
  EXPECT_FALSE(AttentionOf("lstm", {{"training", {{"best_epoch", 1}}}}));
  const Json tft = {{"training",
                     {{"importance",
                       {{"past", {{"a", 0.25}, {"b", 0.75}}},
                        {"future", {{"day", 1.0}}},
                        {"attention", {{0.5, 0.5, 0.0}, {0.2, 0.3, 0.5}}}}}}}};
  for (const Json& learnt : {tft, Json{{"model", tft}}}) {
    const auto attention = AttentionOf("tft", learnt);
    ASSERT_TRUE(attention);
    EXPECT_EQ(attention->model, "tft");
    EXPECT_EQ(attention->past[1].second, 0.75);
    EXPECT_EQ(attention->attention[1][2], 0.5);
  }
}

}  // namespace
}  // namespace almanac
