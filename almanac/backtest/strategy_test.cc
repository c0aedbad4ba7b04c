#include "almanac/backtest/strategy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "almanac/base/error.h"

namespace almanac {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<TimeMs> kTimes = {10, 20, 30, 40, 50};
const std::vector<double> kForecasts = {0.02, 0.01, -0.03, 0.005, -0.01};

std::vector<double> Weights(const ThresholdStrategy& strategy) {
  std::vector<double> weights;
  for (const PositionTarget& target : DecideTargets(strategy, kTimes, kForecasts)) {
    weights.push_back(target.weight);
  }
  return weights;
}

TEST(ThresholdStrategy, IsLongAboveShortBelowAndFlatOnTheThreshold) {
  EXPECT_THAT(Weights({.threshold = 0.01}), ElementsAre(1, 0, -1, 0, 0));
  EXPECT_THAT(Weights({.threshold = 0}), ElementsAre(1, 1, -1, 1, -1));
  EXPECT_THAT(Weights({.threshold = 0, .allow_short = false, .size = 0.5}),
              ElementsAre(0.5, 0.5, 0, 0.5, 0));
}

TEST(ThresholdStrategy, DecidesAtEveryNthForecast) {
  ThresholdStrategy strategy;
  strategy.decide_every = 2;
  EXPECT_THAT(DecideTargets(strategy, kTimes, kForecasts),
              ElementsAre(PositionTarget{10, 1}, PositionTarget{30, -1}, PositionTarget{50, -1}));
}

TEST(ThresholdStrategy, RefusesWhatCannotBe) {
  EXPECT_THROW(CheckStrategy({.threshold = -0.1}), Error);
  EXPECT_THROW(CheckStrategy({.threshold = NAN}), Error);
  EXPECT_THROW(CheckStrategy({.decide_every = 0}), Error);
  EXPECT_THROW(CheckStrategy({.size = 0}), Error);
  EXPECT_THROW(CheckStrategy({.size = 1.5}), Error);
  EXPECT_THROW(DecideTargets({}, kTimes, std::span(kForecasts).first(2)), Error);
  const std::vector<TimeMs> repeated = {10, 10};
  const std::vector<double> bad = {0.1, NAN};
  EXPECT_THROW(DecideTargets({}, repeated, std::span(kForecasts).first(2)), Error);
  try {
    DecideTargets({}, std::span(kTimes).first(2), bad);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("forecast row 1"));
    EXPECT_EQ(error.code(), ErrorCode::kBadData);
  }
}

TEST(ThresholdStrategy, DescribesItself) {
  const std::vector<std::string> lines = Describe({.threshold = 0.002, .decide_every = 4});
  EXPECT_EQ(lines[0], "Long when the forecast return is above 0.2 %.");
  EXPECT_EQ(lines[2], "A decision at every 4th forecast, held until the next.");
  EXPECT_THAT(Describe({.allow_short = false})[1], HasSubstr("no short"));
}

}  // namespace
}  // namespace almanac
