// The golden values of testdata/golden.json (made by testdata/make_golden.py), for tests.
#ifndef ALMANAC_BACKTEST_GOLDEN_TEST_UTIL_H_
#define ALMANAC_BACKTEST_GOLDEN_TEST_UTIL_H_

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "almanac/base/file.h"
#include "almanac/base/json.h"
#include "almanac/base/places_for_test.h"

namespace almanac {

inline const Json& BacktestGolden() {
  static const Json kGolden =
      Json::parse(ReadFile(SourceFolder() / "almanac/backtest/testdata/golden.json"));
  return kGolden;
}

inline void ExpectGolden(double value, const Json& golden, double tolerance = 1e-9) {
  const auto expected = golden.get<double>();
  EXPECT_NEAR(value, expected, tolerance * std::abs(expected));
}

}  // namespace almanac

#endif  // ALMANAC_BACKTEST_GOLDEN_TEST_UTIL_H_
