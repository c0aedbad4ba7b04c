#include "almanac/backtest/selection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/random.h"

namespace almanac {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Returns of `configurations` accounts without skill, but for number 3, whose mean is `edge`
// deviations.
SeriesPanel Returns(size_t periods, size_t configurations, uint64_t seed, double edge = 0) {
  SeriesPanel panel(periods);
  for (size_t k = 0; k < configurations; ++k) {
    Random random(seed, k);
    std::vector<double> returns(periods);
    for (double& r : returns) r = 0.01 * (random.Normal() + (k == 3 ? edge : 0));
    panel.Add("c" + std::to_string(k), returns);
  }
  return panel;
}

SelectionOptions Quick() {
  SelectionOptions options;
  options.bootstrap.replicates = 199;
  options.bootstrap.block_length = 1;
  options.overfitting.blocks = 6;
  return options;
}

// 2,000 strategies of pure noise, again and again: taken alone, 5 % of them look significant; what
// knows how many there were is misled in about 5 % of the panels, and PBO is about one half.
TEST(Selection, OnNoiseFalseDiscoveriesAreAsManyAsTheyShouldBe) {
  constexpr int kPanels = 24;
  constexpr size_t kStrategies = 2000;
  double alone = 0, deflated = 0, spa = 0, stepwise = 0, overfitting = 0;
  for (uint64_t seed = 0; seed < kPanels; ++seed) {
    const Selection selection = JudgeSelection(Returns(150, kStrategies, 100 + seed), Quick());
    alone += static_cast<double>(selection.found_alone) / kStrategies / kPanels;
    deflated += selection.deflated.probability > 0.95;
    spa += selection.superior.spa < 0.05;
    stepwise += !selection.found.empty();
    overfitting += selection.overfitting->probability / kPanels;
    EXPECT_EQ(selection.deflated.trials, kStrategies);
    EXPECT_EQ(selection.expected_by_luck, 100);
  }
  EXPECT_NEAR(alone, 0.05, 0.012);
  EXPECT_LE(deflated, 2);  // 1.2 are expected at 5 %
  EXPECT_LE(spa, 5);       // a little above 5 %: docs/evaluation.md
  EXPECT_LE(stepwise, 5);
  EXPECT_NEAR(overfitting, 0.5, 0.12);
}

TEST(Selection, APlantedEdgeIsFound) {
  constexpr int kPanels = 6;
  int deflated = 0, spa = 0, found = 0;
  double overfitting = 0;
  for (uint64_t seed = 0; seed < kPanels; ++seed) {
    const Selection selection = JudgeSelection(Returns(400, 2000, 300 + seed, 0.35), Quick());
    EXPECT_EQ(selection.best, 3u);
    deflated += selection.deflated.probability > 0.95;
    spa += selection.superior.spa < 0.05;
    found += std::find(selection.found.begin(), selection.found.end(), 3u) != selection.found.end();
    overfitting += selection.overfitting->probability / kPanels;
  }
  EXPECT_GE(deflated, 5);
  EXPECT_EQ(spa, kPanels);
  EXPECT_EQ(found, kPanels);
  EXPECT_LT(overfitting, 0.02);
}

TEST(Selection, SaysItInPlainWords) {
  const Selection luck = JudgeSelection(Returns(200, 50, 1), Quick());
  EXPECT_THAT(luck.verdict, HasSubstr("the best of 50 trials, not distinguishable from the best of "
                                      "50 coin flips (deflated p = "));
  const Selection skill = JudgeSelection(Returns(500, 50, 1, 0.5), Quick());
  EXPECT_THAT(skill.verdict, HasSubstr("c3 (Sharpe 9.0"));
  EXPECT_THAT(skill.verdict, HasSubstr("better than luck makes the best of so many (deflated p < "
                                       "0.001, SPA p = 0.005)"));
  EXPECT_THAT(skill.found, ElementsAre(3));
  EXPECT_EQ(ToJson(skill, Returns(2, 50, 1).names())["found"], Json::array({"c3"}));
}

TEST(Selection, CountsTheRegistrysTrialsWhereThereAreMore) {
  SelectionOptions options = Quick();
  options.trials = 5000;
  EXPECT_EQ(JudgeSelection(Returns(100, 8, 1), options).deflated.trials, 5000u);
  options.trials = 3;
  EXPECT_EQ(JudgeSelection(Returns(100, 8, 1), options).deflated.trials, 8u);
}

TEST(Selection, AccountsThatNeverTradeCountAndAreNeverFound) {
  SeriesPanel panel = Returns(100, 5, 1);
  panel.Add("flat", std::vector<double>(100, 0.0));
  const Selection selection = JudgeSelection(panel, Quick());
  EXPECT_EQ(selection.deflated.trials, 6u);
  EXPECT_EQ(selection.superior.not_tested, 1u);
  SeriesPanel flat(100);
  flat.Add("a", std::vector<double>(100, 0.0));
  EXPECT_THROW(JudgeSelection(flat, Quick()), Error);
}

}  // namespace
}  // namespace almanac
