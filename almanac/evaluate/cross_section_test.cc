#include "almanac/evaluate/cross_section.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "almanac/base/error.h"
#include "almanac/base/random.h"
#include "almanac/evaluate/golden_test_util.h"

namespace almanac {
namespace {

using ::testing::HasSubstr;

struct Panel {
  std::vector<TimeMs> made_at;
  std::vector<std::string> symbol;
  std::vector<double> forecast, actual;

  CrossSectionSample Sample(size_t horizon = 1) const {
    return {made_at, symbol, forecast, actual, horizon};
  }
};

void ExpectMean(const TimeMean& mean, const Json& golden) {
  ExpectRelative(mean.mean, golden["mean"], 1e-9);
  ExpectRelative(mean.deviation, golden["deviation"], 1e-9);
  ExpectRelative(mean.error, golden["error"], 1e-9);
  ExpectRelative(mean.t, golden["t"], 1e-9);
  ExpectRelative(mean.p_value, golden["p_value"], 1e-9);
}

TEST(CrossSection, AgreesWithPandasScipyAndStatsmodels) {
  const Json& golden = EvaluateGolden()["cross_section"];
  Panel panel;
  for (const Json& time : golden["time"]) panel.made_at.push_back(time.get<TimeMs>() * kMsPerDay);
  panel.symbol = golden["symbol"].get<std::vector<std::string>>();
  panel.forecast = Doubles(golden["forecast"]);
  panel.actual = Doubles(golden["actual"]);
  // Forecasts over five bars share four.
  const CrossSection section = EvaluateCrossSection(panel.Sample(5), {.fewest = 3, .buckets = 4});
  EXPECT_EQ(section.instants, 60u);
  EXPECT_EQ(section.ic.lag, 4u);
  ExpectMean(section.ic, golden["ic"]);
  ExpectMean(section.rank_ic, golden["rank_ic"]);
  ExpectMean(section.spread, golden["spread"]);
  for (size_t b = 0; b < 4; ++b)
    ExpectRelative(section.buckets[b].mean, golden["buckets"][b], 1e-9);
  ExpectRelative(section.ranking_turnover, golden["ranking_turnover"], 1e-9);
  ExpectRelative(section.top_turnover, golden["top_turnover"], 1e-9);
  EXPECT_DOUBLE_EQ(section.icir, section.ic.mean / section.ic.deviation);
}

Panel Noise(size_t instants, size_t symbols, double skill, uint64_t seed) {
  Random random(seed);
  Panel panel;
  for (size_t t = 0; t < instants; ++t) {
    for (size_t s = 0; s < symbols; ++s) {
      panel.made_at.push_back(static_cast<TimeMs>(t));
      panel.symbol.push_back("S" + std::to_string(100 + s));
      panel.actual.push_back(random.Normal());
      panel.forecast.push_back(skill * panel.actual.back() + random.Normal());
    }
  }
  return panel;
}

TEST(CrossSection, OnNoiseFindsAsOftenAsItSaysAndSkillAlways) {
  int found = 0;
  constexpr int kPanels = 300;
  for (uint64_t seed = 0; seed < kPanels; ++seed) {
    found += EvaluateCrossSection(Noise(80, 10, 0, seed).Sample()).ic.p_value < 0.05;
  }
  EXPECT_GT(found, 0.02 * kPanels);
  EXPECT_LT(found, 0.12 * kPanels);
  const CrossSection skill = EvaluateCrossSection(Noise(80, 10, 0.5, 1).Sample());
  EXPECT_LT(skill.rank_ic.p_value, 1e-6);
  EXPECT_GT(skill.buckets[4].mean, skill.buckets[0].mean);
  EXPECT_LT(skill.spread.p_value, 1e-6);
}

TEST(CrossSection, LeavesOutInstantsThatSayNothing) {
  Panel panel = Noise(4, 6, 0, 2);
  for (size_t i = 0; i < 6; ++i) panel.forecast[i] = 1;  // the first instant ranks nothing
  panel.made_at[23] = 9;                                 // a lone symbol after the last
  const CrossSection section = EvaluateCrossSection(panel.Sample());
  EXPECT_EQ(section.instants, 3u);
  EXPECT_EQ(section.left_out, 2u);
  EXPECT_TRUE(std::isnan(EvaluateCrossSection({}).ic.mean));
  EXPECT_TRUE(ToJson(EvaluateCrossSection({}))["icir"].is_null());
}

TEST(CrossSection, ATurningRankingTurnsOver) {
  Panel panel;
  for (int t = 0; t < 6; ++t) {
    for (int s = 0; s < 10; ++s) {
      panel.made_at.push_back(t);
      panel.symbol.push_back("S" + std::to_string(s));
      panel.forecast.push_back(t % 2 == 0 ? s : -s);
      panel.actual.push_back(s % 3);
    }
  }
  const CrossSection section = EvaluateCrossSection(panel.Sample());
  EXPECT_NEAR(section.ranking_turnover, 2, 1e-12);
  EXPECT_EQ(section.top_turnover, 1);
}

std::string MessageOf(const CrossSectionSample& sample, const CrossSectionOptions& options = {}) {
  try {
    EvaluateCrossSection(sample, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(CrossSection, RefusesWrongUse) {
  Panel panel = Noise(3, 5, 0, 1);
  EXPECT_THAT(MessageOf(panel.Sample(), {.fewest = 2}), HasSubstr("a correlation over 2 symbols"));
  EXPECT_THAT(MessageOf(panel.Sample(), {.buckets = 1}), HasSubstr("1 parts; at least 2"));
  panel.symbol[1] = panel.symbol[0];
  EXPECT_THAT(MessageOf(panel.Sample()), HasSubstr("row 1 (S100 1970-01-01T00:00:00Z)"));
  panel = Noise(3, 5, 0, 1);
  panel.actual[2] = NAN;
  EXPECT_THAT(MessageOf(panel.Sample()), HasSubstr("not finite"));
  panel.actual.pop_back();
  EXPECT_THAT(MessageOf(panel.Sample()), HasSubstr("columns of different lengths"));
}

}  // namespace
}  // namespace almanac
