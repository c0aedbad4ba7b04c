#include "almanac/evaluate/judged_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "almanac/base/error.h"

namespace almanac {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

CandleSeries Bars(const std::string& symbol, const std::vector<double>& close) {
  CandleSeries bars;
  bars.key = {"test", symbol, Timeframe::Parse("1h")};
  for (size_t i = 0; i < close.size(); ++i) {
    bars.Append({.open_time = static_cast<TimeMs>(i) * kMsPerHour,
                 .open = close[i],
                 .high = close[i],
                 .low = close[i],
                 .close = close[i],
                 .volume = 1});
  }
  return bars;
}

class JoinOutcomesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const CandleSeries* bars : {&btc_, &eth_}) {
      for (size_t i = 1; i < 4; ++i) {
        Add("ridge", *bars, i, 0.01 * static_cast<double>(i));
        Add("naive", *bars, i, 0);
      }
    }
  }
  void Add(const std::string& model, const CandleSeries& bars, size_t bar, double value) {
    table_.Append({.model = model,
                   .symbol = bars.key.symbol,
                   .made_at = bars.KnownAt(bar),
                   .target_time = bars.KnownAt(bar) + kMsPerHour,
                   .horizon = 1,
                   .price = bars.close[bar],
                   .value = value});
  }
  std::string MessageOf(std::string_view model, int64_t horizon,
                        std::span<const SymbolOutcome> outcomes) const {
    try {
      JoinOutcomes(table_, model, "naive", horizon, outcomes);
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  }

  const CandleSeries btc_ = Bars("BTCUSDT", {100, 110, 121, 115, 120});
  const CandleSeries eth_ = Bars("ETHUSDT", {10, 11, 9, 12});
  const Labels btc_labels_ = BuildLabels(TargetSpec{}, btc_);
  const Labels eth_labels_ = BuildLabels(TargetSpec{}, eth_);
  const std::vector<SymbolOutcome> outcomes_ = {{&btc_, &btc_labels_}, {&eth_, &eth_labels_}};
  ForecastTable table_;
};

TEST_F(JoinOutcomesTest, PutsForecastNaiveAndOutcomeBesideEachOtherInOrderOfTime) {
  const JudgedRows rows = JoinOutcomes(table_, "ridge", "naive", 1, outcomes_);
  EXPECT_THAT(rows.symbol, ElementsAre("BTCUSDT", "ETHUSDT", "BTCUSDT", "ETHUSDT", "BTCUSDT"));
  EXPECT_THAT(rows.forecast, ElementsAre(0.01, 0.01, 0.02, 0.02, 0.03));
  EXPECT_DOUBLE_EQ(rows.actual[0], 0.1);
  EXPECT_DOUBLE_EQ(rows.actual[1], 9.0 / 11 - 1);
  EXPECT_EQ(rows.price[4], 115);
  EXPECT_EQ(rows.known_at[0], btc_.KnownAt(2));
  EXPECT_EQ(rows.without_outcome, 1u);  // the last bar of ETHUSDT
  const Evaluation evaluation = Evaluate(rows.Sample(), {.model = "ridge"});
  EXPECT_EQ(evaluation.rows, 5u);
  EXPECT_EQ(evaluation.instants, 3u);
}

TEST_F(JoinOutcomesTest, ConvertsLogReturns) {
  const Labels labels = BuildLabels(TargetSpec{.kind = TargetKind::kForwardLogReturn}, btc_);
  const std::vector<SymbolOutcome> outcomes = {{&btc_, &labels, Quantity::kLogReturn},
                                               outcomes_[1]};
  EXPECT_NEAR(JoinOutcomes(table_, "ridge", "naive", 1, outcomes).actual[0], 0.1, 1e-15);
  table_.quantity = Quantity::kLogReturn;
  EXPECT_NEAR(JoinOutcomes(table_, "ridge", "naive", 1, outcomes).forecast[0], std::expm1(0.01),
              1e-15);
}

TEST_F(JoinOutcomesTest, DoesNotMixVolatilitiesWithReturns) {
  table_.quantity = Quantity::kVolatility;
  EXPECT_THAT(MessageOf("ridge", 1, outcomes_),
              HasSubstr("forecasts of volatility beside outcomes of return"));
}

TEST_F(JoinOutcomesTest, LeavesOutAndCountsRowsThatNaiveDoesNotHave) {
  Add("ridge", btc_, 0, 0.5);
  const JudgedRows rows = JoinOutcomes(table_, "ridge", "naive", 1, outcomes_);
  EXPECT_EQ(rows.without_naive, 1u);
  EXPECT_EQ(rows.rows(), 5u);
}

TEST_F(JoinOutcomesTest, ScalesByTheTrainingTimeAlone) {
  JudgedRows rows;
  SetTrainingScale(std::span(outcomes_).first(1), 0, btc_.KnownAt(2), rows);
  // The labels of bars 0 and 1; that of bar 2 looks beyond.
  EXPECT_NEAR(rows.return_scale, 0.1, 1e-15);
  EXPECT_NEAR(rows.price_scale, (10.0 + 11.0) / 2, 1e-12);
}

TEST_F(JoinOutcomesTest, RefusesWhatDoesNotFit) {
  EXPECT_THAT(MessageOf("lstm", 1, outcomes_), HasSubstr("no forecast of 'lstm' at horizon 1"));
  EXPECT_THAT(MessageOf("ridge", 2, outcomes_), HasSubstr("no forecast of 'ridge' at horizon 2"));
  EXPECT_THAT(MessageOf("ridge", 1, std::span(outcomes_).first(1)),
              HasSubstr("no outcomes of ETHUSDT"));
  table_.price[0] = 99;
  EXPECT_THAT(MessageOf("ridge", 1, outcomes_), HasSubstr("price 99, but the bar closed at 110"));
}

}  // namespace
}  // namespace almanac
