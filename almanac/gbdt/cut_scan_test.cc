#include "almanac/gbdt/cut_scan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "almanac/base/random.h"

namespace almanac::gbdt {
namespace {

struct Case {
  std::vector<HistogramBin> bins;
  CutLeaf leaf;
};

Case MakeCase(Random& random, size_t count) {
  Case made;
  HistogramBin sum;
  for (size_t i = 0; i < count; ++i) {
    const double rows = static_cast<double>(random.Below(4));
    made.bins.push_back({random.Normal() * rows, rows * random.Uniform()});
    sum += made.bins.back();
    made.leaf.rows += static_cast<int>(rows);
  }
  made.leaf.gradient = sum.gradient + random.Normal();
  made.leaf.hessian = sum.hessian + 1;
  made.leaf.rows_per_hessian = made.leaf.rows / made.leaf.hessian;
  made.leaf.least_rows = static_cast<int>(random.Below(20));
  made.leaf.least_hessian = random.Uniform();
  made.leaf.l2 = random.Below(2) == 0 ? 0 : random.Uniform();
  return made;
}

// Cut by cut, with the reference's order of operations and its end.
std::vector<double> ExpectedGains(const CutScan& scan, const CutLeaf& leaf) {
  std::vector<double> gains(scan.count, -1);
  double g = scan.gradient, h = scan.hessian;
  int rows = scan.rows;
  for (size_t i = 0; i < scan.count; ++i) {
    const HistogramBin& bin = scan.bin[static_cast<std::ptrdiff_t>(i) * scan.step];
    g += bin.gradient;
    h += bin.hessian;
    rows += RoundCount(bin.hessian * leaf.rows_per_hessian);
    if (rows < leaf.least_rows || h < leaf.least_hessian) continue;
    const double rest_g = leaf.gradient - g, rest_h = leaf.hessian - h;
    if (leaf.rows - rows < leaf.least_rows || rest_h < leaf.least_hessian) break;
    gains[i] = g * g / (h + leaf.l2) + rest_g * rest_g / (rest_h + leaf.l2);
  }
  return gains;
}

void ExpectEqual(const CutScan& scan, const CutLeaf& leaf) {
  ScannedCuts cuts;
  ScanCuts(scan, leaf, cuts);
  ASSERT_TRUE(cuts.is_usual);
  ASSERT_LT(cuts.count, scan.count + 8);
  double g = scan.gradient, h = scan.hessian, largest = -1;
  const std::vector<double> expected = ExpectedGains(scan, leaf);
  const double most = *std::max_element(expected.begin(), expected.end());
  const double largest_of_all = most < 0 ? std::numeric_limits<double>::infinity() : most;
  for (size_t i = 0; i < scan.count; ++i) {
    largest = std::max(largest, expected[i]);
    if (i >= cuts.count) {  // behind the end
      ASSERT_EQ(expected[i], -1);
      continue;
    }
    g += scan.bin[static_cast<std::ptrdiff_t>(i) * scan.step].gradient;
    h += scan.bin[static_cast<std::ptrdiff_t>(i) * scan.step].hessian;
    ASSERT_EQ(cuts.gradient[i], g);
    ASSERT_EQ(cuts.hessian[i], h);
    ASSERT_NEAR(cuts.gain[i], expected[i], std::abs(expected[i]) * kCutError) << i;
    const auto* near = cuts.near.data();
    const auto* end = near + cuts.near_count;
    if (expected[i] == largest_of_all) {
      ASSERT_NE(std::find(near, end, static_cast<uint8_t>(i)), end);
    }
  }
  for (size_t i = scan.count; i < cuts.count; ++i) ASSERT_EQ(cuts.gain[i], -1);
  EXPECT_NEAR(cuts.largest, largest, std::abs(largest) * kCutError);
}

TEST(CutScanTest, IsTheObviousLoop) {
  Random random(7);
  for (size_t round = 0; round < 500; ++round) {
    const size_t count = 1 + random.Below(kMostCuts);
    const Case made = MakeCase(random, count);
    ExpectEqual({made.bins.data(), 1, count, 0.5, 1e-15, 3}, made.leaf);
    ExpectEqual({&made.bins.back(), -1, count, 0, 1e-15, 0}, made.leaf);
  }
}

TEST(CutScanTest, SaysWhereNumbersAreUnusual) {
  Random random(8);
  Case made = MakeCase(random, 40);
  made.leaf.least_rows = 0;
  made.leaf.least_hessian = 0;
  const CutScan scan{made.bins.data(), 1, made.bins.size(), 0, 1e-15, 0};
  ScannedCuts cuts;
  ScanCuts(scan, made.leaf, cuts);
  EXPECT_TRUE(cuts.is_usual);
  const HistogramBin kept = made.bins[9];
  for (const double odd :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(), 1e150}) {
    made.bins[9].gradient = odd;
    ScanCuts(scan, made.leaf, cuts);
    EXPECT_FALSE(cuts.is_usual) << odd;
  }
  made.bins[9] = kept;
  for (HistogramBin& bin : made.bins) bin.gradient *= 1e-10;
  made.leaf.gradient *= 1e-10;
  ScanCuts(scan, made.leaf, cuts);
  EXPECT_FALSE(cuts.is_usual);
}

}  // namespace
}  // namespace almanac::gbdt
