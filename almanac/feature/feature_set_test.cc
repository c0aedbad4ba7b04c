#include "almanac/feature/feature_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"

namespace almanac {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string MessageOf(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

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
  EXPECT_EQ(families.size(), 10U);
  EXPECT_TRUE(std::is_sorted(families.begin(), families.end(),
                             [](const auto& a, const auto& b) { return a.name < b.name; }));
  for (const FamilyInfo& family : families) {
    for (const std::string* text :
         {&family.formula, &family.unit, &family.range, &family.look_back, &family.source}) {
      EXPECT_FALSE(text->empty()) << family.name;
    }
    const FeatureSet set({{family.name, {{"window", 5}}}});
    const Json line = ToJson(set.Columns().front());
    for (const char* key :
         {"name", "formula", "parameters", "unit", "range", "look_back", "known_at", "source"}) {
      EXPECT_TRUE(line.contains(key)) << family.name << " " << key;
    }
  }
}

}  // namespace
}  // namespace almanac
