// The golden values of testdata/golden.json (made by testdata/make_golden.py), for tests.
#ifndef ALMANAC_EVALUATE_GOLDEN_TEST_UTIL_H_
#define ALMANAC_EVALUATE_GOLDEN_TEST_UTIL_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "almanac/base/file.h"
#include "almanac/base/json.h"
#include "almanac/base/places_for_test.h"

namespace almanac {

inline const Json& EvaluateGolden() {
  static const Json kGolden =
      Json::parse(ReadFile(SourceFolder() / "almanac/evaluate/testdata/golden.json"));
  return kGolden;
}

// testdata/arch.json (made by testdata/make_arch_golden.py).
inline const Json& ArchGolden() {
  static const Json kGolden =
      Json::parse(ReadFile(SourceFolder() / "almanac/evaluate/testdata/arch.json"));
  return kGolden;
}

inline std::vector<double> Doubles(const Json& json) { return json.get<std::vector<double>>(); }

inline void ExpectRelative(double value, double golden, double tolerance) {
  EXPECT_LE(std::abs(value - golden), tolerance * std::max(std::abs(golden), 1e-300))
      << value << " against " << golden;
}

}  // namespace almanac

#endif  // ALMANAC_EVALUATE_GOLDEN_TEST_UTIL_H_
