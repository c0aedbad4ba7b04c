#include "almanac/evaluate/bootstrap.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/base/random.h"
#include "almanac/evaluate/golden_test_util.h"
#include "almanac/evaluate/statistics.h"

namespace almanac {
namespace {

WeightedStatistics WeightedMean(const std::vector<double>& values) {
  return [&values](std::span<const uint32_t> multiplicity, std::span<double> out) {
    double sum = 0;
    for (size_t i = 0; i < values.size(); ++i) sum += multiplicity[i] * values[i];
    out[0] = sum / static_cast<double>(values.size());
  };
}

std::vector<double> Autoregressive(size_t count, double rho, uint64_t seed) {
  Random random(seed);
  std::vector<double> values(count);
  double previous = random.Normal() / std::sqrt(1 - rho * rho);
  for (double& value : values) previous = value = rho * previous + random.Normal();
  return values;
}

TEST(BlockLength, AgreesWithThePaperInNumpy) {
  for (const Json& series : EvaluateGolden()["block_length"]) {
    const double golden = series["length"];
    EXPECT_NEAR(AutomaticBlockLength(Doubles(series["values"])), golden, 1e-9 * golden);
  }
}

TEST(BlockLength, IsOneWithoutAnythingToMeasure) {
  EXPECT_EQ(AutomaticBlockLength(std::vector<double>(50, 3.0)), 1);
  EXPECT_EQ(AutomaticBlockLength(std::vector<double>{1, 2, 3}), 1);
  EXPECT_EQ(AutomaticBlockLength({}), 1);
}

TEST(BlockLength, GrowsWithDependence) {
  EXPECT_LT(AutomaticBlockLength(Autoregressive(2000, 0.0, 3)), 5);
  EXPECT_GT(AutomaticBlockLength(Autoregressive(2000, 0.9, 3)), 20);
}

TEST(StationaryDraw, DrawsCountInstantsInBlocksOfTheMeanLength) {
  constexpr size_t kCount = 20000;
  constexpr double kMean = 8;
  const std::vector<uint32_t> drawn = StationaryDraw(kCount, kMean, 5, 0);
  EXPECT_EQ(std::accumulate(drawn.begin(), drawn.end(), uint64_t{0}), kCount);
  // A block starts where the multiplicity rises: if draws were independent, neighbours would be
  // too.
  double same = 0;
  for (size_t i = 1; i < kCount; ++i) {
    same += (drawn[i] - 1.0) * (drawn[i - 1] - 1.0);
  }
  // In blocks of mean length L two neighbours are drawn together with probability 1 - 1/L.
  EXPECT_NEAR(same / kCount, 1 - 1 / kMean, 0.1);
}

TEST(StationaryDraw, IsTheSameForSeedAndReplicate) {
  EXPECT_EQ(StationaryDraw(100, 4, 1, 2), StationaryDraw(100, 4, 1, 2));
  EXPECT_NE(StationaryDraw(100, 4, 1, 2), StationaryDraw(100, 4, 1, 3));
  EXPECT_NE(StationaryDraw(100, 4, 1, 2), StationaryDraw(100, 4, 2, 2));
}

// The variance of the bootstrapped mean has a closed form (Politis and Romano 1994, lemma 1):
// (gamma_0 + 2 sum_k (1 - k/n)(1 - p)^k gamma*_k) / n with circular autocovariances.
TEST(BootstrapIntervals, SpreadOfTheMeanAgreesWithItsClosedForm) {
  constexpr size_t kCount = 200;
  constexpr double kBlock = 6;
  const std::vector<double> values = Autoregressive(kCount, 0.6, 11);
  const double mean = Mean(values);
  double variance = 0;
  for (size_t k = 0; k < kCount; ++k) {
    double circular = 0;
    for (size_t i = 0; i < kCount; ++i) {
      circular += (values[i] - mean) * (values[(i + k) % kCount] - mean);
    }
    circular /= kCount;
    const double weight =
        (1 - static_cast<double>(k) / kCount) * std::pow(1 - 1 / kBlock, static_cast<double>(k));
    variance += (k == 0 ? 1 : 2) * weight * circular;
  }
  variance /= kCount;
  double sum_squares = 0;
  constexpr uint64_t kReplicates = 20000;
  for (uint64_t r = 0; r < kReplicates; ++r) {
    double drawn_mean = 0;
    WeightedMean(values)(StationaryDraw(kCount, kBlock, 4, r), std::span(&drawn_mean, 1));
    sum_squares += (drawn_mean - mean) * (drawn_mean - mean);
  }
  EXPECT_NEAR(sum_squares / kReplicates / variance, 1, 0.04);
}

TEST(BootstrapIntervals, CoverTheTruthAboutAsOftenAsTheySay) {
  int covered = 0;
  constexpr int kSeries = 300;
  for (int s = 0; s < kSeries; ++s) {
    const std::vector<double> values = Autoregressive(250, 0.4, 1000 + static_cast<uint64_t>(s));
    BootstrapOptions options{.replicates = 200, .confidence = 0.9};
    const Interval interval = BootstrapIntervals(values.size(), 1, AutomaticBlockLength(values),
                                                 options, WeightedMean(values))[0];
    covered += interval.low <= 0 && 0 <= interval.high ? 1 : 0;
  }
  EXPECT_GT(covered, 0.82 * kSeries);
  EXPECT_LT(covered, 0.95 * kSeries);
}

TEST(BootstrapIntervals, DoNotDependOnThreads) {
  const std::vector<double> values = Autoregressive(300, 0.3, 5);
  const BootstrapOptions options{.replicates = 150};
  const int before = ThreadCount();
  const auto run = [&](int threads) {
    SetThreadCount(threads);
    return BootstrapIntervals(values.size(), 1, 3.5, options, WeightedMean(values))[0];
  };
  const Interval one = run(1);
  const Interval many = run(4);
  SetThreadCount(before);
  EXPECT_EQ(one.low, many.low);
  EXPECT_EQ(one.high, many.high);
  EXPECT_LT(one.low, one.high);
}

TEST(BootstrapIntervals, LeaveOutReplicatesWithoutAValue) {
  const auto mostly = [](double share_defined) {
    return [share_defined](std::span<const uint32_t> drawn, std::span<double> out) {
      const bool defined = drawn[0] < 10 * share_defined;
      out[0] = defined ? drawn[0] : std::numeric_limits<double>::quiet_NaN();
    };
  };
  const BootstrapOptions options{.replicates = 200};
  EXPECT_FALSE(std::isnan(BootstrapIntervals(50, 1, 1, options, mostly(1))[0].low));
  EXPECT_TRUE(std::isnan(BootstrapIntervals(50, 1, 1, options, mostly(0))[0].low));
}

TEST(BootstrapOptions, AreRefusedOutsideTheirRange) {
  EXPECT_THROW(CheckOptions({.replicates = -1}), Error);
  EXPECT_THROW(CheckOptions({.confidence = 1.0}), Error);
  EXPECT_THROW(CheckOptions({.block_length = 0.5}), Error);
  EXPECT_NO_THROW(CheckOptions({}));
  EXPECT_TRUE(std::isnan(BootstrapIntervals(5, 1, 1, {.replicates = 0}, {})[0].low));
}

}  // namespace
}  // namespace almanac
