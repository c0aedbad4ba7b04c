#include "almanac/feature/set.h"

#include <gtest/gtest.h>

#include <cmath>

#include "almanac/feature/audit.h"
#include "almanac/feature/build.h"
#include "almanac/feature/frame_for_test.h"

namespace almanac {
namespace {

TEST(Set, Gru44Has44KnownColumns) {
  const FeatureSet set = FeatureSet::Named("gru44");
  ASSERT_EQ(set.size(), 44U);
  const FeatureTable table = BuildFeatures(set, SeriesOf("BTC", 400, 1));
  for (size_t c = 0; c < table.columns.size(); ++c) {
    EXPECT_FALSE(std::isnan(table.columns[c].back())) << table.names[c].name;
  }
}

TEST(Set, SwingHasAboutFiveThousandColumnsACoin) {
  const FeatureSet one = FeatureSet::Named("swing", {"BTCUSDT"});
  EXPECT_GT(one.size(), 4750U);
  EXPECT_LT(one.size(), 5250U);
  EXPECT_EQ(one.Columns().front().name.find("BTCUSDT"), std::string::npos);
  const FeatureSet three = FeatureSet::Named("swing", {"BTCUSDT", "ETHUSDT", "SOLUSDT"});
  EXPECT_GE(three.size(), 15000U);
  // Twenty cross columns on 5m and on 1h, against each of two others.
  EXPECT_EQ(three.size(), 3 * (one.size() + 2 * 20 * 2));
}

// Every fifteenth column of swing, so that each family, form and timeframe is among them.
TEST(Set, SwingPassesTheAuditWithMissingBars) {
  std::vector<CandleSeries> series = ThreeSeries(700, 61, 90);
  for (CandleSeries& one : series) {
    one.key.timeframe = Timeframe::Parse("5m");
    for (size_t i = 0; i < one.size(); ++i) {
      one.open_time[i] = kTestStart + (one.open_time[i] - kTestStart) / 6;
    }
  }
  const Frame frame(std::move(series));
  const FeatureSet swing = FeatureSet::Named("swing", frame.key().symbols());
  std::vector<FeatureSpec> some;
  for (size_t c = 0; c < swing.size(); c += 15) some.push_back(swing.specs()[c]);
  const LeakAudit audit = AuditFeatures(FeatureSet(some), frame, {.seed = 2, .cuts = 2});
  EXPECT_EQ(audit.columns, some.size());
  EXPECT_TRUE(audit.passed());
  for (const LeakFinding& finding : audit.findings) ADD_FAILURE() << finding.column;
}

}  // namespace
}  // namespace almanac
