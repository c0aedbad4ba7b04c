// Volatility and statistics against numpy, scipy, pandas and statsmodels
// (testdata/make_statistics_golden.py), and their windows against slow ones.
#include <gtest/gtest.h>

#include <set>

#include "almanac/base/random.h"
#include "almanac/feature/cell/entropy.h"
#include "almanac/feature/cell/sorted.h"
#include "almanac/feature/every_family_for_test.h"
#include "almanac/feature/golden_file_for_test.h"
#include "almanac/feature/random_series_for_test.h"

namespace almanac {
namespace {

TEST(Statistics, AgreeWithNumpyScipyAndStatsmodels) {
  ExpectGoldenFile("statistics_golden.csv", MadeGoldenBars());
}

TEST(Statistics, AgreeOnRealData) {
  ALMANAC_NEEDS_REAL_DATA("crypto/spot_30m");
  ExpectGoldenFile("statistics_golden_real.csv", RealGoldenBars());
}

std::vector<Family> FamiliesHere() {
  std::vector<Family> all;
  for (const auto& families :
       {statistics::MomentFamilies(), statistics::OrderFamilies(), volatility::RangeFamilies()}) {
    all.insert(all.end(), families.begin(), families.end());
  }
  return all;
}

TEST(Statistics, EveryFamilyHasGoldenValues) {
  std::set<std::string> seen;
  for (const auto& [column, values] : ReadGoldenColumns("statistics_golden.csv")) {
    seen.insert(ParseColumnName(column).family);
  }
  for (const Family& family : FamiliesHere()) EXPECT_TRUE(seen.contains(family.info.name));
}

// Where nothing moves, volatilities and means are 0 and what divides by a movement is not known.
TEST(Statistics, FlatBarsAreUndefinedOrAtRest) {
  CandleSeries flat = RandomSeries(120, 1);
  for (size_t i = 0; i < flat.size(); ++i) {
    flat.open[i] = flat.high[i] = flat.low[i] = flat.close[i] = 7;
    flat.volume[i] = 0;
  }
  const std::set<std::string> undefined = {
      "close_mad_zscore", "close_zscore",      "downside_share",         "har_component",
      "hurst_exponent",   "jump_share",        "return_autocorrelation", "return_entropy",
      "return_kurtosis",  "return_mad_zscore", "return_skewness",        "trend_r2",
      "trend_residual",   "trend_t",           "variance_ratio",         "volatility_of_volatility",
      "volatility_ratio", "volume_mad_zscore"};
  for (const Family& family : FamiliesHere()) {
    const std::string& name = family.info.name;
    const double last = ComputeColumn(SpecOf(FindFamily(name)->info, 5), flat).back();
    if (undefined.contains(name)) {
      EXPECT_TRUE(std::isnan(last)) << name << " is " << last;
    } else if (name.ends_with("_rank")) {
      EXPECT_EQ(last, 0.6) << name;  // all are equal: the mean of 1 to 5, over 5
    } else if (name != "fractional_difference") {
      EXPECT_NEAR(last, 0, 1e-15) << name;
    }
  }
}

// A jump is a jump: one large return among small ones is nearly all of the variance.
TEST(Statistics, JumpShareFindsTheJump) {
  CandleSeries bars = RandomSeries(100, 3);
  for (size_t i = 60; i < 100; ++i) {
    for (auto* field : {&bars.open, &bars.high, &bars.low, &bars.close}) (*field)[i] *= 2;
  }
  const std::vector<double> share = ComputeColumn({"jump_share", {{"window", 30}}}, bars);
  EXPECT_GT(share[70], 0.9);
  EXPECT_LT(share[50], 0.5);
  EXPECT_LT(share[95], 0.5);
}

// Random walks with momentum, without memory and with reversion.
TEST(Statistics, HurstExponentSeesMemory) {
  for (const auto& [carry, low, high] :
       {std::tuple{0.5, 0.55, 0.8}, {0.0, 0.45, 0.55}, {-0.5, 0.25, 0.45}}) {
    CandleSeries bars = RandomSeries(4000, 5);
    Random random(8);
    double step = 0;
    double price = 100;
    for (double& close : bars.close) {
      step = carry * step + 0.01 * random.Normal();
      price *= std::exp(step);
      close = price;
    }
    const double hurst = ComputeColumn({"hurst_exponent", {{"window", 3500}}}, bars).back();
    EXPECT_GT(hurst, low) << carry;
    EXPECT_LT(hurst, high) << carry;
  }
}

TEST(SortedWindow, IsLikeSortingEveryWindow) {
  Random random(4);
  for (const size_t length : {1, 2, 7, 64}) {
    SortedWindow window(static_cast<int64_t>(length));
    std::vector<double> all;
    for (int step = 0; step < 2000; ++step) {
      // Few different values, so that there are equals; now and then one that is not known.
      const bool unknown = random.Below(50) == 0;
      all.push_back(unknown ? kUnknown : static_cast<double>(random.Below(20)));
      window.Push(all.back());
      if (all.size() < length) continue;
      std::vector<double> sorted(all.end() - static_cast<int64_t>(length), all.end());
      const bool known =
          std::none_of(sorted.begin(), sorted.end(), [](double x) { return std::isnan(x); });
      ASSERT_EQ(window.full(), known);
      if (!known) continue;
      std::sort(sorted.begin(), sorted.end());
      for (size_t k = 0; k < length; ++k) ASSERT_EQ(window[k], sorted[k]);
      for (const double value : {-1.0, 3.0, 3.5, 30.0}) {
        const auto below = std::lower_bound(sorted.begin(), sorted.end(), value) - sorted.begin();
        const auto up_to = std::upper_bound(sorted.begin(), sorted.end(), value) - sorted.begin();
        ASSERT_EQ(window.CountBelow(value), static_cast<size_t>(below));
        ASSERT_EQ(window.CountUpTo(value), static_cast<size_t>(up_to));
      }
    }
  }
}

// However long the stream is: the sum of terms is that of the counts.
TEST(EntropyWindow, DoesNotDrift) {
  constexpr size_t kLength = 100, kSymbols = 6;
  EntropyWindow window(kLength, kSymbols);
  Random random(6);
  std::vector<int32_t> all;
  for (int step = 0; step < 50'000; ++step) {
    all.push_back(static_cast<int32_t>(random.Below(1 + random.Below(kSymbols))));
    const double entropy = window.Push(all.back());
    if (step % 97 != 0 || all.size() < kLength) continue;
    std::array<double, kSymbols> counts{};
    for (size_t i = all.size() - kLength; i < all.size(); ++i)
      ++counts[static_cast<size_t>(all[i])];
    double expected = 0;
    for (const double count : counts) {
      if (count > 0) expected -= count / kLength * std::log(count / kLength);
    }
    ASSERT_NEAR(entropy, expected / std::log(kSymbols), 1e-13) << step;
  }
}

}  // namespace
}  // namespace almanac
