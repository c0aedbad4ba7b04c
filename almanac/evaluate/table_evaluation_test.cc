#include "almanac/evaluate/table_evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/random.h"
#include "almanac/evaluate/breakdown.h"
#include "almanac/evaluate/statistics.h"

namespace almanac {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr size_t kBars = 400;
constexpr size_t kFirstForecast = 200;

// Bars whose volatility triples in their second half.
CandleSeries Bars(const std::string& symbol, uint64_t seed) {
  Random random(seed);
  CandleSeries bars;
  bars.key = {"test", symbol, Timeframe::Parse("1h")};
  double close = 100;
  for (size_t i = 0; i < kBars; ++i) {
    const double open = close;
    close *= std::exp((i < 300 ? 0.01 : 0.03) * random.Normal());
    bars.Append({.open_time = static_cast<TimeMs>(i) * kMsPerHour,
                 .open = open,
                 .high = std::max(open, close),
                 .low = std::min(open, close),
                 .close = close,
                 .volume = 1});
  }
  return bars;
}

class EvaluateTableTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* symbol : {"A", "B", "C", "D", "E", "F"}) {
      series_.push_back(Bars(symbol, static_cast<uint64_t>(symbol[0])));
    }
    options_.bootstrap.replicates = 99;
  }

  // Forecasts of `model` that know a share of what will happen.
  void Add(const std::string& model, double knows, int64_t horizon, size_t symbols) {
    Random random(7, model);
    for (size_t s = 0; s < symbols; ++s) {
      const CandleSeries& bars = series_[s];
      for (size_t i = kFirstForecast; i + 1 < kBars; ++i) {
        const size_t at = std::min(i + static_cast<size_t>(horizon), kBars - 1);
        const double actual = bars.close[at] / bars.close[i] - 1;
        table_.Append({model, bars.key.symbol, bars.KnownAt(i),
                       bars.KnownAt(i) + horizon * kMsPerHour, horizon, bars.close[i],
                       knows * actual + 0.002 * random.Normal()});
      }
    }
  }
  TableEvaluation Run() {
    table_.Sort();
    return EvaluateTable(table_, series_, options_);
  }
  std::string MessageOf() {
    try {
      Run();
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  }

  std::vector<CandleSeries> series_;
  ForecastTable table_;
  TableOptions options_;
};

TEST_F(EvaluateTableTest, JudgesEveryModelAtEveryHorizonBesideANaiveForecastThatItMakes) {
  Add("good", 0.5, 1, 6);
  Add("noise", 0, 1, 6);
  Add("good", 0.5, 3, 6);
  const TableEvaluation evaluation = Run();
  ASSERT_EQ(evaluation.horizons.size(), 2u);
  const HorizonEvaluation& first = evaluation.horizons[0];
  ASSERT_EQ(first.models.size(), 2u);
  EXPECT_EQ(first.models[0].model, "good");
  EXPECT_EQ(first.models[0].naive, "naive");
  EXPECT_GT(first.models[0].Find(Space::kReturn, Metric::kR2)->model.value, 0.5);
  EXPECT_GT(first.models[0].Find(Space::kReturn, Metric::kMase)->model.value, 0);
  EXPECT_EQ(evaluation.horizons[1].horizon, 3);
  EXPECT_EQ(first.rankings.size(), 2u);
  EXPECT_GT(first.rankings[0].ranking.ic.mean, 0.8);
  // The forecasts of the last two bars look beyond the data at horizon 3.
  EXPECT_THAT(evaluation.notes,
              ElementsAre(HasSubstr("12 forecasts of good at horizon 3 have no outcome yet")));
  const Json json = ToJson(evaluation);
  EXPECT_EQ(json["horizons"][0]["comparison"]["models"].size(), 3u);
}

TEST_F(EvaluateTableTest, ComparesModelsWithEachOtherAndWithNaive) {
  Add("good", 0.5, 1, 2);
  Add("same", 0.5, 1, 2);
  Add("noise", 0, 1, 2);
  const Comparison comparison = *Run().horizons[0].comparison;
  EXPECT_THAT(comparison.models, ElementsAre("good", "noise", "same", "naive"));
  EXPECT_EQ(comparison.pairs.size(), 6u);
  EXPECT_EQ(comparison.instants, kBars - 1 - kFirstForecast);
  EXPECT_EQ(comparison.rows, 2 * comparison.instants);
  EXPECT_LT(comparison.pairs[0].test.p_value, 1e-6);  // good against noise
  EXPECT_LT(comparison.pairs[0].test.mean_difference, 0);
  const std::vector<size_t> best = comparison.confidence_set->Members(0.05);
  EXPECT_EQ(std::count(best.begin(), best.end(), 1u) + std::count(best.begin(), best.end(), 3u), 0);
  EXPECT_LT(comparison.superior->stepwise[0], 0.05);
  EXPECT_GT(comparison.superior->stepwise[1], 0.05);
  EXPECT_THAT(comparison.verdict, HasSubstr("with 95 % confidence; of 3 models tried"));
  EXPECT_THAT(comparison.verdict, HasSubstr("beats naive beyond luck (SPA p = 0.01)"));
}

TEST_F(EvaluateTableTest, JudgesVolatilitiesBesideThoseOfTheLastEquallyLongTime) {
  constexpr int64_t kHorizon = 24;
  table_.quantity = Quantity::kVolatility;
  Random random(11);
  std::vector<double> error, naive_error, scale;
  for (size_t s = 0; s < 6; ++s) {
    const CandleSeries& bars = series_[s];
    const auto volatility = [&](size_t from, size_t to) {  // of the bars after `from`
      double sum = 0;
      for (size_t k = from + 1; k <= to; ++k) {
        sum += std::pow(std::log(bars.close[k] / bars.close[k - 1]), 2);
      }
      return std::sqrt(sum);
    };
    for (size_t i = kFirstForecast; i + kHorizon < kBars; ++i) {
      const double actual = volatility(i, i + kHorizon);
      const double value = actual * std::exp(0.1 * random.Normal());
      table_.Append({"good", bars.key.symbol, bars.KnownAt(i),
                     bars.KnownAt(i) + kHorizon * kMsPerHour, kHorizon, bars.close[i], value});
      error.push_back(std::abs(actual - value));
      naive_error.push_back(std::abs(actual - volatility(i - kHorizon, i)));
    }
    for (size_t i = kHorizon; i + kHorizon <= kFirstForecast; ++i) {
      scale.push_back(std::abs(volatility(i, i + kHorizon) - volatility(i - kHorizon, i)));
    }
  }
  const TableEvaluation evaluation = Run();
  ASSERT_EQ(evaluation.horizons.size(), 1u);
  const Evaluation& good = evaluation.horizons[0].models.at(0);
  EXPECT_EQ(good.rows, error.size());
  const MetricResult* mae = good.Find(Space::kVolatility, Metric::kMae);
  EXPECT_NEAR(mae->model.value, Mean(error), 1e-12);
  EXPECT_NEAR(mae->naive.value, Mean(naive_error), 1e-12);
  EXPECT_NEAR(good.Find(Space::kVolatility, Metric::kMase)->model.value, Mean(error) / Mean(scale),
              1e-9);
  EXPECT_LT(good.squared.mean_difference, 0);
  EXPECT_EQ(good.months.front().metrics.front().space, Space::kVolatility);
  EXPECT_EQ(good.regimes.size(), 3u);
  EXPECT_TRUE(evaluation.horizons[0].rankings.empty());
  EXPECT_EQ(evaluation.horizons[0].comparison->space, Space::kVolatility);
}

TEST_F(EvaluateTableTest, BreaksDownBySymbolAndVolatility) {
  Add("good", 0.5, 1, 3);
  const Evaluation evaluation = Run().horizons[0].models[0];
  ASSERT_EQ(evaluation.symbols.size(), 3u);
  EXPECT_EQ(evaluation.symbols[0].label, "A");
  EXPECT_EQ(evaluation.symbols[0].rows, kBars - 1 - kFirstForecast);
  ASSERT_EQ(evaluation.regimes.size(), 3u);
  EXPECT_EQ(evaluation.regimes[0].label, "calm");
  EXPECT_EQ(evaluation.regimes[2].label, "turbulent");
  // Naive errors are as large as the moves: the parts were made by what was known before.
  EXPECT_GT(evaluation.regimes[2].metrics[0].naive.value,
            1.5 * evaluation.regimes[0].metrics[0].naive.value);
}

TEST_F(EvaluateTableTest, VolatilityIsKnownWhenTheForecastIsMade) {
  const std::vector<double> whole = TrailingVolatility(series_[0]);
  CandleSeries cut = series_[0].Slice(0, 120);
  const std::vector<double> part = TrailingVolatility(cut);
  EXPECT_TRUE(std::isnan(whole[kVolatilityBars - 1]));
  for (size_t i = kVolatilityBars; i < 120; ++i) EXPECT_EQ(whole[i], part[i]);
  std::vector<double> returns;
  for (size_t i = 60 - kVolatilityBars + 1; i <= 60; ++i) {
    returns.push_back(std::log(cut.close[i] / cut.close[i - 1]));
  }
  EXPECT_NEAR(whole[60], std::sqrt(Variance(returns)), 1e-15);
}

TEST_F(EvaluateTableTest, JudgesQuantilesInReturnsBesideThoseOfPastReturns) {
  Add("lstm", 0, 1, 2);
  table_.quantity = Quantity::kPrice;
  for (const double z : {-1.645, 0.0, 1.645}) {
    ForecastTable::Extra column{z < 0 ? "q5" : z > 0 ? "q95" : "q50", {}};
    for (size_t row = 0; row < table_.rows(); ++row) {
      table_.value[row] = table_.price[row];
      column.values.push_back(table_.price[row] * (1 + 0.01 * z));
    }
    table_.extra.push_back(column);
  }
  const TableEvaluation evaluation = Run();
  ASSERT_EQ(evaluation.horizons[0].quantiles.size(), 1u);
  const QuantileEvaluation& quantiles = evaluation.horizons[0].quantiles[0];
  EXPECT_EQ(quantiles.levels.size(), 3u);
  EXPECT_NEAR(quantiles.intervals[0].nominal, 0.9, 1e-12);
  EXPECT_NEAR(quantiles.intervals[0].width.model.value, 0.0329, 1e-4);
  EXPECT_LT(quantiles.intervals[0].coverage.model.value, 0.85);  // the second half is turbulent
  EXPECT_GT(quantiles.crps.naive.value, 0);
}

TEST_F(EvaluateTableTest, JudgesClassesByTheirTarget) {
  Add("gbdt", 0, 1, 2);
  ForecastTable::Extra down{"p_down", {}};
  ForecastTable::Extra up{"p_up", {}};
  for (size_t row = 0; row < table_.rows(); ++row) {
    up.values.push_back(row % 2 == 0 ? 0.4 : 0.7);
    down.values.push_back(1 - up.values.back());
  }
  table_.extra = {down, {"p_flat", std::vector<double>(table_.rows(), 0.0)}, up};
  EXPECT_THAT(Run().notes,
              ElementsAre(HasSubstr("the class probabilities of gbdt are not judged")));
  options_.class_target = DirectionSpec{};
  const TableEvaluation evaluation = Run();
  ASSERT_EQ(evaluation.horizons[0].classes.size(), 1u);
  EXPECT_EQ(evaluation.horizons[0].classes[0].classes.size(), 3u);
  EXPECT_NEAR(evaluation.horizons[0].classes[0].macro_auc.model.value, 0.5, 0.1);
  table_.extra.pop_back();
  EXPECT_THAT(MessageOf(), HasSubstr("no column p_up; the target's classes are down, flat, up"));
  options_.class_target = TargetSpec{};
  EXPECT_THAT(MessageOf(), HasSubstr("has no classes"));
}

TEST_F(EvaluateTableTest, RefusesWhatCannotBeJudged) {
  EXPECT_THAT(MessageOf(), HasSubstr("no rows to judge"));
  Add("good", 0.5, 1, 2);
  series_.erase(series_.begin());
  EXPECT_THAT(MessageOf(), HasSubstr("no outcomes of A"));
}

}  // namespace
}  // namespace almanac
