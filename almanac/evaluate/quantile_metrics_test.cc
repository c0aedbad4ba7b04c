#include "almanac/evaluate/quantile_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "almanac/base/error.h"
#include "almanac/base/random.h"
#include "almanac/evaluate/golden_test_util.h"
#include "almanac/evaluate/statistics.h"

namespace almanac {
namespace {

using ::testing::HasSubstr;

EvaluateOptions Quick() {
  EvaluateOptions options;
  options.model = "lstm";
  options.bootstrap.replicates = 100;
  return options;
}

QuantileSample GoldenSample() {
  const Json& golden = EvaluateGolden()["quantile_sample"];
  QuantileSample sample;
  sample.actual = Doubles(golden["actual"]);
  sample.levels = Doubles(golden["levels"]);
  for (const Json& column : golden["model"]) sample.model.push_back(Doubles(column));
  for (const double value : Doubles(golden["naive"])) {
    sample.naive.emplace_back(sample.actual.size(), value);
  }
  for (size_t i = 0; i < sample.actual.size(); ++i) {
    sample.made_at.push_back(static_cast<TimeMs>(i) * kMsPerDay);
  }
  return sample;
}

TEST(QuantileMetrics, AgreeWithScikitLearnAndNumpy) {
  const QuantileEvaluation result = EvaluateQuantiles(GoldenSample(), Quick());
  const auto expect_side = [&](const Json& golden, auto side) {
    ExpectRelative(side(result.crps), golden["crps"], 1e-12);
    for (size_t k = 0; k < 5; ++k) {
      ExpectRelative(side(result.levels[k].pinball), golden["pinball"][k], 1e-12);
    }
    ASSERT_EQ(result.intervals.size(), 2u);
    for (size_t i = 0; i < 2; ++i) {
      ExpectRelative(side(result.intervals[i].coverage), golden["coverage"][i], 1e-12);
      ExpectRelative(side(result.intervals[i].width), golden["width"][i], 1e-12);
      ExpectRelative(side(result.intervals[i].score), golden["interval_score"][i], 1e-12);
    }
  };
  const Json& golden = EvaluateGolden()["quantile_sample"];
  expect_side(golden["model_result"], [](const PairedEstimate& e) { return e.model.value; });
  expect_side(golden["naive_result"], [](const PairedEstimate& e) { return e.naive.value; });
  for (size_t cell = 0; cell < 6; ++cell) {
    EXPECT_NEAR(result.pit[cell].share.value, golden["model_result"]["pit"][cell].get<double>(),
                1e-12);
    EXPECT_NEAR(result.pit[cell].naive_share, golden["naive_result"]["pit"][cell].get<double>(),
                1e-12);
  }
  EXPECT_NEAR(result.intervals[0].nominal, 0.9, 1e-12);
  EXPECT_EQ(result.crossings, 0u);
  EXPECT_LE(result.crps.model.interval.low, result.crps.model.value);
  EXPECT_GE(result.crps.model.interval.high, result.crps.model.value);
}

// Gneiting and Raftery 2007, eq. 21: the CRPS of a standard normal forecast of y is
// y (2 Phi(y) - 1) + 2 phi(y) - 1 / sqrt(pi).
TEST(QuantileMetrics, CrpsOfManyLevelsIsThatOfTheNormalDistribution) {
  constexpr size_t kLevels = 999;
  const std::vector<double> outcomes = {-1.7, 0.0, 0.3, 2.2};
  QuantileSample sample;
  double expected = 0;
  for (size_t i = 0; i < outcomes.size(); ++i) {
    const double y = outcomes[i];
    sample.made_at.push_back(static_cast<TimeMs>(i));
    sample.actual.push_back(y);
    expected += y * (2 * NormalCdf(y) - 1) + 2 * NormalDensity(y) - std::numbers::inv_sqrtpi;
  }
  for (size_t k = 1; k <= kLevels; ++k) {
    sample.levels.push_back(static_cast<double>(k) / (kLevels + 1));
    sample.model.emplace_back(outcomes.size(), NormalQuantile(sample.levels.back()));
  }
  sample.naive = sample.model;
  EvaluateOptions options = Quick();
  options.bootstrap.replicates = 0;
  EXPECT_NEAR(EvaluateQuantiles(sample, options).crps.model.value, expected / 4, 2e-4);
}

TEST(QuantileMetrics, ACalibratedForecastIsCalibratedAndBeatsPastReturns) {
  Random random(3);
  QuantileSample sample;
  sample.levels = {0.1, 0.5, 0.9};
  sample.model.resize(3);
  sample.naive.resize(3);
  for (int i = 0; i < 3000; ++i) {
    const double centre = random.Normal();
    sample.made_at.push_back(i);
    sample.actual.push_back(centre + 0.5 * random.Normal());
    for (size_t k = 0; k < 3; ++k) {
      const double z = NormalQuantile(sample.levels[k]);
      sample.model[k].push_back(centre + 0.5 * z);
      sample.naive[k].push_back(std::sqrt(1.25) * z);
    }
  }
  const QuantileEvaluation result = EvaluateQuantiles(sample, Quick());
  EXPECT_NEAR(result.intervals[0].coverage.model.value, 0.8, 0.025);
  EXPECT_NEAR(result.intervals[0].coverage.naive.value, 0.8, 0.025);
  EXPECT_NEAR(result.pit[1].share.value, 0.4, 0.03);
  EXPECT_GT(result.skill, 0.4);
  EXPECT_THAT(result.verdict, HasSubstr("lstm is better than that of past returns"));
}

TEST(QuantileMetrics, CountsCrossingsAndTakesTheNaiveQuantilesFromOutcomes) {
  QuantileSample sample = GoldenSample();
  std::swap(sample.model[1][7], sample.model[2][7]);
  EXPECT_EQ(EvaluateQuantiles(sample, Quick()).crossings, 1u);
  const std::vector<double> levels = {0.25, 0.5};
  EXPECT_THAT(NaiveQuantiles({4, 1, 3, 2, 5}, levels), ::testing::ElementsAre(2, 3));
  EXPECT_THROW(NaiveQuantiles({}, levels), Error);
}

std::string MessageOf(const QuantileSample& sample) {
  try {
    EvaluateQuantiles(sample, Quick());
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(QuantileMetrics, RefuseWrongUse) {
  QuantileSample sample = GoldenSample();
  sample.levels[1] = 0.6;
  EXPECT_THAT(MessageOf(sample), HasSubstr("level 0.5 at place 2"));
  sample = GoldenSample();
  sample.model[3][4] = NAN;
  EXPECT_THAT(MessageOf(sample), HasSubstr("quantile row 4, 1970-01-05T00:00:00Z: a quantile of "
                                           "the model is nan"));
  sample = GoldenSample();
  sample.naive.pop_back();
  EXPECT_THAT(MessageOf(sample), HasSubstr("4 columns of the naive forecast for 5 levels"));
  EXPECT_THAT(MessageOf({}), HasSubstr("no rows"));
}

}  // namespace
}  // namespace almanac
