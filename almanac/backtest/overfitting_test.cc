#include "almanac/backtest/overfitting.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "almanac/backtest/golden_test_util.h"
#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/base/random.h"

namespace almanac {
namespace {

using ::testing::HasSubstr;

SeriesPanel Noise(size_t periods, size_t configurations, uint64_t seed, double edge_of_first = 0) {
  SeriesPanel panel(periods);
  for (size_t k = 0; k < configurations; ++k) {
    Random random(seed, k);
    std::vector<double> returns(periods);
    for (double& r : returns) r = 0.01 * (random.Normal() + (k == 0 ? edge_of_first : 0));
    panel.Add("c" + std::to_string(k), returns);
  }
  return panel;
}

TEST(Overfitting, AgreesWithThePapersStepsInNumpy) {
  const Json& golden = BacktestGolden()["overfitting"];
  SeriesPanel panel(golden["returns"][0].size());
  for (const Json& returns : golden["returns"]) panel.Add("", returns.get<std::vector<double>>());
  const BacktestOverfitting result =
      ComputeOverfitting(panel, {.blocks = golden["blocks"].get<size_t>()});
  EXPECT_EQ(result.left_out, 1u);
  ASSERT_EQ(result.logits.size(), golden["logits"].size());
  for (size_t i = 0; i < result.logits.size(); ++i) {
    EXPECT_NEAR(result.logits[i], golden["logits"][i].get<double>(), 1e-12) << i;
  }
  EXPECT_NEAR(result.probability, golden["probability"].get<double>(), 1e-12);
  EXPECT_NEAR(result.loss_probability, golden["loss_probability"].get<double>(), 1e-12);
  ExpectGolden(result.slope, golden["slope"]);
  ExpectGolden(result.intercept, golden["intercept"]);
  ExpectGolden(result.r_squared, golden["r_squared"]);
}

// Bailey et al.: S = 16 gives 12,780 in the paper's text, which is 12,870 = 16! / (8! 8!).
TEST(Overfitting, HalvesTheTimeInEveryWay) {
  EXPECT_EQ(ComputeOverfitting(Noise(64, 3, 1)).logits.size(), 12870u);
  EXPECT_EQ(ComputeOverfitting(Noise(64, 3, 1), {.blocks = 2}).logits.size(), 2u);
}

// Without skill the chosen one is as often below as above the median; with it, hardly ever below.
TEST(Overfitting, IsOneHalfOnNoiseAndSmallWithSkill) {
  double noise = 0;
  double skill = 0;
  constexpr int kPanels = 30;
  for (uint64_t seed = 0; seed < kPanels; ++seed) {
    noise += ComputeOverfitting(Noise(256, 40, seed), {.blocks = 8}).probability / kPanels;
    skill += ComputeOverfitting(Noise(256, 40, seed, 0.4), {.blocks = 8}).probability / kPanels;
  }
  EXPECT_NEAR(noise, 0.5, 0.1);
  EXPECT_LT(skill, 0.02);
}

TEST(Overfitting, ConfigurationsThatNeverTradeHaveRatioZero) {
  SeriesPanel panel = Noise(64, 1, 3, -5);  // loses always
  panel.Add("flat", std::vector<double>(64, 0.0));
  panel.Add("flat too", std::vector<double>(64, 0.0));
  const BacktestOverfitting result = ComputeOverfitting(panel, {.blocks = 4});
  EXPECT_EQ(result.mean_in_sample, 0);
  EXPECT_EQ(result.mean_out_of_sample, 0);
  EXPECT_TRUE(std::isnan(result.slope));
  // Ranks 2 and 3 of 3 are shared: 2.5 / 4.
  EXPECT_NEAR(result.logits[0], std::log(2.5 / 1.5), 1e-12);
}

TEST(Overfitting, DoesNotDependOnThreads) {
  const SeriesPanel panel = Noise(200, 30, 4);
  const int before = ThreadCount();
  SetThreadCount(1);
  const BacktestOverfitting one = ComputeOverfitting(panel, {.blocks = 8});
  SetThreadCount(3);
  const BacktestOverfitting many = ComputeOverfitting(panel, {.blocks = 8});
  SetThreadCount(before);
  EXPECT_EQ(ToJson(one), ToJson(many));
}

std::string MessageOf(const SeriesPanel& panel, size_t blocks) {
  try {
    ComputeOverfitting(panel, {.blocks = blocks});
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Overfitting, RefusesWrongUse) {
  EXPECT_THAT(MessageOf(Noise(64, 2, 1), 5), HasSubstr("5 blocks; an even number from 2 to 20"));
  EXPECT_THAT(MessageOf(Noise(64, 2, 1), 22), HasSubstr("22 blocks"));
  EXPECT_THAT(MessageOf(Noise(64, 1, 1), 4), HasSubstr("1 configurations"));
  EXPECT_THAT(MessageOf(Noise(7, 2, 1), 4), HasSubstr("7 returns for 4 blocks"));
}

}  // namespace
}  // namespace almanac
