#include "almanac/feature/lineage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "almanac/base/config.h"
#include "almanac/feature/build.h"
#include "almanac/feature/random_series_for_test.h"
#include "almanac/feature/role.h"

namespace almanac {
namespace {

using testing::ElementsAre;

FeatureSet Read(const std::string& list) {
  const ConfigDocument document = ConfigDocument::Parse("features: " + list, "recipe.yaml");
  return FeatureSet::FromConfig(document.root());
}

TEST(Lineage, GoesFromAColumnThroughWhatIsDoneToItDownToBarsAndObservations) {
  const auto lineage = LineageOf(
      Read("[{family: natr, windows: 14, over: {family: observation, feature: label, fields: last},"
           " transforms: diff_1.zscore_50, lags: 2}]"));
  const std::string value = "natr_14", label = "label_event_last";
  const std::string ratio = value + "_over_" + label;
  EXPECT_THAT(lineage.at(ratio + "_diff_1_zscore_50_lag_2"),
              ElementsAre(ratio + "_diff_1_zscore_50"));
  EXPECT_THAT(lineage.at(ratio + "_diff_1_zscore_50"), ElementsAre(ratio + "_diff_1"));
  EXPECT_THAT(lineage.at(ratio + "_diff_1"), ElementsAre(ratio));
  EXPECT_THAT(lineage.at(ratio), ElementsAre(value, label));
  EXPECT_THAT(lineage.at(value), ElementsAre("bars"));
  EXPECT_THAT(lineage.at(label), ElementsAre("label"));
}

FeatureRole RoleOfOnly(const std::string& entry) {
  return RoleOf(Read("[" + entry + "]").specs()[0]);
}

TEST(Role, IsWhenTheColumnIsKnown) {
  EXPECT_EQ(RoleOfOnly("{family: time_of_day_sin}"), FeatureRole::kKnownFuture);
  EXPECT_EQ(RoleOfOnly("{family: time_of_day_sin, lags: 1}"), FeatureRole::kObserved);
  EXPECT_EQ(RoleOfOnly("{family: time_of_day_sin, timeframes: 4h}"), FeatureRole::kObserved);
  EXPECT_EQ(RoleOfOnly("{family: log_return, windows: 1}"), FeatureRole::kObserved);
  EXPECT_EQ(RoleOfOnly("{family: observation, feature: sector, time_frame: static, fields: last}"),
            FeatureRole::kStatic);
  EXPECT_EQ(RoleOfOnly("{family: observation, feature: surprise, fields: last}"),
            FeatureRole::kObserved);
}

// On the same instants with other prices, what is known of the future has the same values.
TEST(Role, KnownFutureColumnsDoNotDependOnPrices) {
  std::vector<FeatureSpec> specs;
  for (const FamilyInfo& family : Catalogue()) {
    FeatureSpec spec{family.name, {}};
    for (const ParameterInfo& parameter : family.parameters) {
      spec.parameters.emplace_back(parameter.name, parameter.smallest);
    }
    if (RoleOf(spec) == FeatureRole::kKnownFuture) specs.push_back(std::move(spec));
  }
  ASSERT_GT(specs.size(), 15U);
  const FeatureSet set(specs);
  const CandleSeries one = RandomSeries(600, 1);
  CandleSeries other = RandomSeries(600, 2);
  other.open_time = one.open_time;
  const FeatureTable a = BuildFeatures(set, one), b = BuildFeatures(set, other);
  for (size_t c = 0; c < a.columns.size(); ++c) {
    for (size_t row = 0; row < a.rows(); ++row) {
      EXPECT_EQ(a.columns[c][row], b.columns[c][row]) << a.names[c].name;
    }
  }
}

}  // namespace
}  // namespace almanac
