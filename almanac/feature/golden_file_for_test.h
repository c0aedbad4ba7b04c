// Compares columns with golden files over made bars and over a stretch of real ones, which the
// scripts in testdata/ write through golden_bars.py.
#ifndef ALMANAC_FEATURE_GOLDEN_FILE_FOR_TEST_H_
#define ALMANAC_FEATURE_GOLDEN_FILE_FOR_TEST_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "almanac/feature/golden_for_test.h"
#include "almanac/market/real_data_for_test.h"

namespace almanac {

inline CandleSeries MadeGoldenBars() { return SeriesOf(ReadGoldenColumns("bars.csv")); }
inline CandleSeries RealGoldenBars() {
  return ReadRealCandles("spot_30m", "BTCUSDT", "30m").Slice(40'000, 42'000);
}

// Of `specs`, those in the file: 1e-9 relative, and 1e-14 absolute below 1e-5, where a difference
// of prices has lost digits on both sides.
inline void ExpectGolden(const std::vector<FeatureSpec>& specs, const CandleSeries& series,
                         const GoldenColumns& golden) {
  constexpr double kTolerance = 1e-9, kFloor = 1e-5;
  const std::vector<std::vector<double>> columns = ComputeColumns(specs, series);
  for (size_t c = 0; c < specs.size(); ++c) {
    const std::string name = specs[c].Name();
    ASSERT_TRUE(golden.contains(name)) << name << " has no golden values";
    const std::vector<double>& expected = golden.at(name);
    bool known = false;
    for (size_t i = 0; i < expected.size(); ++i) {
      const auto row = static_cast<size_t>(golden.at("row")[i]);
      const double value = columns[c][row];
      ASSERT_EQ(std::isnan(value), std::isnan(expected[i]))
          << name << " row " << row << ": " << value << " against " << expected[i];
      if (std::isnan(value)) continue;
      known = true;
      ASSERT_NEAR(value, expected[i], kTolerance * std::max(std::abs(expected[i]), kFloor))
          << name << " row " << row;
    }
    EXPECT_TRUE(known) << name;
  }
}

// Every column of a file.
inline void ExpectGoldenFile(const std::string& file, const CandleSeries& series) {
  const GoldenColumns golden = ReadGoldenColumns(file);
  std::vector<FeatureSpec> specs;
  for (const auto& [column, values] : golden) {
    if (column == "row") continue;
    specs.push_back(ParseColumnName(column));
    ASSERT_EQ(specs.back().Name(), column);
  }
  ExpectGolden(specs, series, golden);
}

}  // namespace almanac

#endif  // ALMANAC_FEATURE_GOLDEN_FILE_FOR_TEST_H_
