// Structure against a slow reading of the definitions (testdata/make_structure_golden.py).
#include <gtest/gtest.h>

#include <set>

#include "almanac/base/random.h"
#include "almanac/feature/every_family_for_test.h"
#include "almanac/feature/golden_file_for_test.h"
#include "almanac/feature/random_series_for_test.h"

namespace almanac {
namespace {

TEST(Structure, AgreesWithTheDefinitions) {
  ExpectGoldenFile("structure_golden.csv", MadeGoldenBars());
}

TEST(Structure, AgreesOnRealData) {
  ALMANAC_NEEDS_REAL_DATA("crypto/spot_30m");
  ExpectGoldenFile("structure_golden_real.csv", RealGoldenBars());
}

TEST(Structure, EveryFamilyHasGoldenValues) {
  std::set<std::string> seen;
  for (const auto& [column, values] : ReadGoldenColumns("structure_golden.csv")) {
    seen.insert(ParseColumnName(column).family);
  }
  for (const auto& families :
       {structure::PivotFamilies(), structure::ProfileFamilies(), structure::SwingFamilies()}) {
    for (const Family& family : families) EXPECT_TRUE(seen.contains(family.info.name));
  }
}

CandleSeries BarsOf(const std::vector<double>& closes) {
  CandleSeries bars = RandomSeries(closes.size(), 1);
  bars.open = bars.high = bars.low = bars.close = closes;
  return bars;
}

// A swing enters look_back bars later, and of two equal highs the first is one.
TEST(Structure, ASwingIsKnownWhenItIsConfirmed) {
  const CandleSeries bars = BarsOf({1, 2, 5, 3, 2, 4, 4, 3, 2, 6});
  const std::vector<double> age = ComputeColumn({"swing_high_age", {{"look_back", 2}}}, bars);
  EXPECT_TRUE(std::isnan(age[3]));
  const std::vector<double> expected = {2, 3, 4, 2, 3, 4};  // bar 2 from bar 4, bar 5 from bar 7
  for (size_t t = 4; t < 10; ++t) EXPECT_EQ(age[t], expected[t - 4]) << t;
  const std::vector<double> distance =
      ComputeColumn({"swing_high_distance", {{"look_back", 2}}}, bars);
  EXPECT_EQ(distance[6], (4.0 - 5) / 5);
  EXPECT_EQ(distance[9], (6.0 - 4) / 4);
  // Strictly above both neighbours: the equal highs are no fractal.
  const std::vector<double> fractal = ComputeColumn({"fractal_high_age", {}}, bars);
  EXPECT_EQ(fractal[9], 7);
}

// With more levels than are kept, 32, the one whose last touch is the oldest makes room: peaks of
// 200, 210, ... stand between lows of 100, which are one level that is touched again and again.
TEST(Structure, TheOldestLevelMakesRoom) {
  std::vector<double> closes = {100};
  for (int peak = 0; peak < 33; ++peak) {
    closes.push_back(200 + 10 * peak);
    closes.push_back(100);
  }
  const std::vector<double> distance =
      ComputeColumn({"resistance_distance", {{"look_back", 1}, {"tolerance", 1}, {"memory", 1000}}},
                    BarsOf(closes));
  EXPECT_EQ(distance[2], 1);
  EXPECT_EQ(distance[62], 1);    // 31 peaks and the lows
  EXPECT_EQ(distance[64], 1.1);  // of 32 peaks the first is forgotten
  EXPECT_EQ(distance[66], 1.2);
}

// A stream that has gone on for long has the profile of its last bars alone, bit for bit.
TEST(Structure, TheProfileForgetsWhatHasLeft) {
  CandleSeries bars = RandomSeries(3000, 7);
  for (size_t i = 0; i < bars.size(); i += 50) bars.volume[i] *= 1e18;
  for (size_t i = 2900; i < bars.size(); ++i) bars.volume[i] = 1 + static_cast<double>(i % 7);
  const FeatureSpec spec{"point_of_control_distance", {{"window", 90}, {"steps", 500}}};
  const std::vector<double> whole = ComputeColumn(spec, bars);
  const std::vector<double> end = ComputeColumn(spec, bars.Slice(2900, 3000));
  for (size_t i = 89; i < 100; ++i) EXPECT_EQ(whole[2900 + i], end[i]);
}

}  // namespace
}  // namespace almanac
