#include "almanac/feature/feature_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "almanac/base/error_for_test.h"
#include "almanac/feature/every_family_for_test.h"

namespace almanac {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

FeatureSet Read(const std::string& yaml) {
  const ConfigDocument document = ConfigDocument::Parse(yaml, "recipe.yaml");
  FeatureSet set = FeatureSet::FromConfig(document.root());
  document.RefuseUnknownKeys();
  return set;
}

std::vector<std::string> Names(const FeatureSet& set) {
  std::vector<std::string> names;
  for (const FeatureInfo& info : set.Columns()) names.push_back(info.name);
  return names;
}

TEST(FeatureSet, ReadsFamiliesAndWindowsInOrder) {
  const FeatureSet set = Read(
      "features:\n"
      "  - {family: log_return, windows: [12, 1]}\n"
      "  - family: parkinson_volatility\n"
      "    windows: 48\n");
  EXPECT_THAT(Names(set), ElementsAre("log_return_12", "log_return_1", "parkinson_volatility_48"));
  EXPECT_EQ(set.LookBack(), 48);
  EXPECT_EQ(set.Columns()[0].look_back, 13);
  EXPECT_EQ(set.Columns()[0].formula, "ln(close[t] / close[t-n]), n = 12");
}

TEST(FeatureSet, JsonGivesTheSameSet) {
  const FeatureSet set({{"ema_distance", {{"window", 20}}}, {"simple_return", {{"window", 1}}}});
  EXPECT_EQ(set.ToJson().dump(),
            R"([{"family":"ema_distance","window":20},{"family":"simple_return","window":1}])");
  EXPECT_EQ(FeatureSet::FromJson(set.ToJson()).specs(), set.specs());
}

TEST(FeatureSet, SeveralParametersGiveEveryCombination) {
  const FeatureSet set = Read(
      "features:\n"
      "  - {family: macd_line, fast: [3, 12], slow: [26, 50]}\n"
      "  - {family: bollinger_percent_b, windows: [20], deviations: 2}\n"
      "  - {family: balance_of_power}\n");
  EXPECT_THAT(Names(set),
              ElementsAre("macd_line_3_26", "macd_line_3_50", "macd_line_12_26", "macd_line_12_50",
                          "bollinger_percent_b_20_2", "balance_of_power"));
  EXPECT_THAT(set.Columns()[2].formula, HasSubstr("fast = 12, slow = 26"));
  EXPECT_EQ(set.Columns()[3].look_back, 50);
  EXPECT_EQ(FeatureSet::FromJson(set.ToJson()).specs(), set.specs());
}

TEST(FeatureSet, ReadsShippedSetsAmongFamilies) {
  const FeatureSet set = Read(
      "features:\n"
      "  - {family: log_return, windows: [1]}\n"
      "  - {set: alpha158}\n");
  EXPECT_EQ(set.size(), 159U);
  EXPECT_EQ(set.Columns()[1].name, "KMID");
  EXPECT_EQ(set.Columns().back().name, "VSUMD60");
  EXPECT_EQ(FeatureSet::FromJson(set.ToJson()).specs(), set.specs());
  EXPECT_THAT(MessageOf([] { Read("features:\n  - {set: alpha185}\n"); }),
              testing::AllOf(HasSubstr("recipe.yaml:2"), HasSubstr("alpha158")));
  EXPECT_THAT(MessageOf([] {
                Read("features:\n  - {set: alpha158}\n  - {family: alpha_ma, windows: [5]}\n");
              }),
              testing::AllOf(HasSubstr("recipe.yaml:3"), HasSubstr("MA5 is there twice")));
  EXPECT_THAT(MessageOf([] { Read("features:\n  - {set: alpha158, windows: [5]}\n"); }),
              HasSubstr("windows"));
  EXPECT_THAT(MessageOf([] { FeatureSet::Named("alfa158"); }), HasSubstr("did you mean"));
}

TEST(FeatureSet, RefusesWrongParameters) {
  EXPECT_THAT(MessageOf([] { Read("features:\n  - {family: macd_line, fast: 26, slow: 12}\n"); }),
              testing::AllOf(HasSubstr("recipe.yaml:2"),
                             HasSubstr("slow 12 of macd_line is not above fast 26")));
  EXPECT_THAT(MessageOf([] { Read("features:\n  - {family: macd_line, fast: 12}\n"); }),
              testing::AllOf(HasSubstr("recipe.yaml:2"), HasSubstr("no slow for macd_line")));
  EXPECT_THAT(MessageOf([] { Read("features:\n  - {family: macd_line, windows: [12]}\n"); }),
              HasSubstr("no fast for macd_line"));
  EXPECT_THAT(MessageOf([] { Read("features:\n  - {family: balance_of_power, windows: 2}\n"); }),
              HasSubstr("windows"));
  EXPECT_THAT(MessageOf([] {
                FeatureSet({{"supertrend_distance", {{"window", 10}, {"multiplier", 21}}}});
              }),
              HasSubstr("multiplier 21 of supertrend_distance"));
  EXPECT_THAT(MessageOf([] {
                FeatureSet::FromJson(Json::parse(R"([{"family": "rsi", "window": 3, "slow": 4}])"));
              }),
              HasSubstr("rsi has other parameters"));
}

TEST(FeatureSet, RefusesWrongConfigurationNamingThePlace) {
  EXPECT_THAT(MessageOf([] { Read("features:\n  - {family: log_retrun, windows: [1]}\n"); }),
              testing::AllOf(HasSubstr("recipe.yaml:2"), HasSubstr("log_return")));
  EXPECT_THAT(MessageOf([] { Read("features:\n  - {family: log_return}\n"); }),
              testing::AllOf(HasSubstr("recipe.yaml:2"), HasSubstr("no windows for log_return")));
  EXPECT_THAT(MessageOf([] { Read("features:\n  - {family: log_return, windows: [0]}\n"); }),
              HasSubstr("recipe.yaml:2"));
  EXPECT_THAT(MessageOf([] { Read("features:\n  - {family: volume_zscore, windows: [1]}\n"); }),
              HasSubstr("2"));
  EXPECT_THAT(MessageOf([] { Read("features:\n  - {family: log_return, windows: [2, 2]}\n"); }),
              HasSubstr("log_return_2 is there twice"));
  EXPECT_THAT(MessageOf([] { Read("features:\n  - {family: log_return, window: [2]}\n"); }),
              HasSubstr("window"));
  EXPECT_THAT(MessageOf([] { Read("name: x\n"); }), HasSubstr("no features"));
}

TEST(FeatureSet, RefusesWrongSpecs) {
  EXPECT_THAT(MessageOf([] { FeatureSet(std::vector<FeatureSpec>{}); }), HasSubstr("empty"));
  EXPECT_THAT(MessageOf([] {
                FeatureSet({{"ema_distanse", {{"window", 2}}}});
              }),
              HasSubstr("did you mean \"ema_distance\""));
  EXPECT_THAT(MessageOf([] {
                FeatureSet({{"ema_distance", {{"window", -2}}}});
              }),
              HasSubstr("window -2"));
  EXPECT_THAT(MessageOf([] {
                FeatureSet(std::vector<FeatureSpec>{{"ema_distance", {}}});
              }),
              HasSubstr("parameters"));
  EXPECT_THAT(MessageOf([] { FeatureSet::FromJson(Json::parse(R"([{"family": "x"}])")); }),
              HasSubstr("feature set"));
  EXPECT_THAT(MessageOf([] {
                FeatureSet::FromJson(Json::parse(R"([{"family": "nothing", "window": 3}])"));
              }),
              HasSubstr("unknown family"));
}

TEST(Catalogue, HasEveryFamilyOnceAndComplete) {
  const std::vector<FamilyInfo> families = Catalogue();
  EXPECT_GE(families.size(), 10U);
  EXPECT_TRUE(std::is_sorted(families.begin(), families.end(),
                             [](const auto& a, const auto& b) { return a.name < b.name; }));
  for (const FamilyInfo& family : families) {
    for (const std::string* text :
         {&family.formula, &family.unit, &family.range, &family.look_back, &family.source}) {
      EXPECT_FALSE(text->empty()) << family.name;
    }
    const FeatureSet set({SpecOf(family, 5)});
    const Json line = ToJson(set.Columns().front());
    for (const char* key :
         {"name", "formula", "parameters", "unit", "range", "look_back", "known_at", "source"}) {
      EXPECT_TRUE(line.contains(key)) << family.name << " " << key;
    }
  }
}

}  // namespace
}  // namespace almanac
