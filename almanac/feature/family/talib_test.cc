// Technical families against the TA-Lib library itself (testdata/make_talib_golden.py).
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "almanac/feature/golden_for_test.h"
#include "almanac/market/real_data_for_test.h"

namespace almanac {
namespace {

// Whether TA-Lib's value is of all bars since the first, with the rounding errors that its running
// sums gathered on the way (testdata/make_talib_golden.py).
bool HasLongMemory(const std::string& column) {
  for (const char* part :
       {"kama_", "sar_", "mama_", "fama_", "ht_", "cycle_mean_", "macd_extended"}) {
    if (column.starts_with(part)) return true;
  }
  return false;
}

// 1e-9 relative; for values below 1e-3 (of percentages 1e-1) of that: a distance from a level
// agrees to 1e-12 of the price.
void ExpectAsTaLib(const std::string& file, const CandleSeries& bars, double long_memory_floor) {
  GoldenColumns golden = ReadGoldenColumns(file);
  const std::vector<double> rows = golden.at("row");
  golden.erase("row");
  std::vector<FeatureSpec> specs;
  for (const auto& [name, expected] : golden) {
    specs.push_back(ParseColumnName(name));
    ASSERT_EQ(specs.back().Name(), name);
  }
  const std::vector<std::vector<double>> columns = ComputeColumns(specs, bars);
  size_t c = 0;
  for (const auto& [name, expected] : golden) {
    const bool percent = FindFamily(specs[c].family)->info.unit == "percent";
    const std::vector<double>& values = columns[c++];
    double least = percent ? 1e-1 : 1e-3;
    if (HasLongMemory(name)) least = std::max(least, long_memory_floor);
    // With TA-Lib's weighted mean, whose running sum drifts most.
    if (name.starts_with("macd_extended")) least = std::max(least, 10 * long_memory_floor);
    for (size_t i = 0; i < rows.size(); ++i) {
      if (std::isnan(expected[i])) continue;  // it may begin later than the family
      const double value = values[static_cast<size_t>(rows[i])];
      const double tolerance = 1e-9 * std::max(std::abs(expected[i]), least);
      EXPECT_NEAR(value, expected[i], tolerance) << name << " row " << rows[i];
      if (!(std::abs(value - expected[i]) <= tolerance)) break;
    }
  }
}

// The families of TA-Lib's functions; those of other publications are not among them.
TEST(TaLib, EveryFamilyOfOneOfItsFunctionsIsCompared) {
  std::set<std::string> compared;
  for (const auto& [name, values] : ReadGoldenColumns("talib_golden.csv")) {
    compared.insert(ParseColumnName(name).family);
  }
  for (const Family& family : AllFamilies()) {
    if (family.info.group != "technical") continue;
    const bool its_own = family.info.source.find("TA-Lib") != std::string::npos;
    // Chande's own, which TA-Lib's function of that name is not.
    if (its_own && family.info.name != "cmo") {
      EXPECT_TRUE(compared.contains(family.info.name)) << family.info.name;
    }
  }
}

TEST(TaLib, FamiliesAgreeFromTheFirstBar) {
  ExpectAsTaLib("talib_golden.csv", SeriesOf(ReadGoldenColumns("bars.csv")), 0);
}

TEST(TaLib, FamiliesAgreeOnRealBars) {
  ALMANAC_NEEDS_REAL_DATA("crypto/spot_30m");
  ExpectAsTaLib("talib_real_golden.csv", ReadRealCandles("spot_30m", "BTCUSDT", "30m"), 6e-2);
}

}  // namespace
}  // namespace almanac
