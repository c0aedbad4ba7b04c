#include "almanac/backtest/benchmark.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "almanac/backtest/golden_test_util.h"
#include "almanac/base/error.h"
#include "almanac/base/random.h"

namespace almanac {
namespace {

TEST(BenchmarkRegression, AgreesWithStatsmodels) {
  const Json& golden = BacktestGolden()["benchmark"];
  const auto returns = golden["returns"].get<std::vector<double>>();
  const auto benchmark = golden["benchmark"].get<std::vector<double>>();
  const double periods = BacktestGolden()["periods_per_year"];
  const BenchmarkRegression fit = RegressOnBenchmark(returns, benchmark, periods);
  EXPECT_EQ(fit.lag, golden["lag"].get<size_t>());
  ExpectGolden(fit.alpha, golden["alpha"]);
  ExpectGolden(fit.beta, golden["beta"]);
  ExpectGolden(fit.alpha_error, golden["alpha_error"]);
  ExpectGolden(fit.beta_error, golden["beta_error"]);
  ExpectGolden(fit.alpha_p, golden["alpha_p"]);
  ExpectGolden(fit.beta_p, golden["beta_p"]);
  ExpectGolden(fit.r_squared, golden["r_squared"]);
  ExpectGolden(fit.information_ratio, golden["information_ratio"]);
  ExpectGolden(fit.tracking_error, golden["tracking_error"]);
  EXPECT_DOUBLE_EQ(fit.annual_alpha, fit.alpha * periods);
}

TEST(BenchmarkRegression, OfTheBenchmarkItselfIsOne) {
  Random random(1);
  std::vector<double> returns(100);
  for (double& r : returns) r = random.Normal();
  const BenchmarkRegression fit = RegressOnBenchmark(returns, returns, 252);
  EXPECT_NEAR(fit.beta, 1, 1e-12);
  EXPECT_NEAR(fit.alpha, 0, 1e-12);
  EXPECT_EQ(fit.tracking_error, 0);
  EXPECT_TRUE(std::isnan(fit.information_ratio));
}

// Without skill, alpha is found as often as the test says.
TEST(BenchmarkRegression, OnNoiseAlphaIsRejectedAsOftenAsItSays) {
  int rejected = 0;
  constexpr int kSeries = 2000;
  for (int s = 0; s < kSeries; ++s) {
    Random random(5, static_cast<uint64_t>(s));
    std::vector<double> returns(250);
    std::vector<double> benchmark(250);
    for (size_t t = 0; t < returns.size(); ++t) {
      benchmark[t] = random.Normal();
      returns[t] = 0.5 * benchmark[t] + random.Normal();
    }
    rejected += RegressOnBenchmark(returns, benchmark, 252).alpha_p < 0.05 ? 1 : 0;
  }
  EXPECT_GT(rejected, 0.04 * kSeries);
  EXPECT_LT(rejected, 0.085 * kSeries);
}

TEST(BenchmarkRegression, IsNotDefinedWithoutVariationAndRefusesOtherLengths) {
  const std::vector<double> flat(20, 0.0);
  const std::vector<double> returns = {1, 2, 3};
  EXPECT_TRUE(std::isnan(RegressOnBenchmark(flat, flat, 252).beta));
  EXPECT_TRUE(std::isnan(RegressOnBenchmark({}, {}, 252).beta));
  EXPECT_TRUE(ToJson(RegressOnBenchmark(flat, flat, 252))["beta"].is_null());
  EXPECT_THROW(RegressOnBenchmark(returns, flat, 252), Error);
}

}  // namespace
}  // namespace almanac
