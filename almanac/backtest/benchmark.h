// A strategy beside a benchmark: what of its return the benchmark explains.
#ifndef ALMANAC_BACKTEST_BENCHMARK_H_
#define ALMANAC_BACKTEST_BENCHMARK_H_

#include <cstddef>
#include <limits>
#include <span>

#include "almanac/base/json.h"

namespace almanac {

// r = alpha + beta b + e by least squares over n periods, with the heteroskedasticity- and
// autocorrelation-consistent covariance of Newey and West (1987) without small-sample correction:
// (X'X)^-1 S (X'X)^-1 with S the Bartlett-weighted sum of the products of e_t (1, b_t) (what
// statsmodels calls HAC with use_correction=False). t-statistics are compared with the normal
// distribution, two-sided. The risk-free rate is 0.
struct BenchmarkRegression {
  static constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  size_t count = 0;
  size_t lag = 0;              // floor(4 (n / 100)^(2/9))
  double alpha = kNan;         // per period
  double annual_alpha = kNan;  // times periods a year: arithmetic
  double alpha_error = kNan;   // per period
  double alpha_p = kNan;       // H0: alpha = 0
  double beta = kNan;
  double beta_error = kNan;
  double beta_p = kNan;  // H0: beta = 0
  double r_squared = kNan;
  double correlation = kNan;
  // mean(r - b) / standard deviation(r - b), annualised.
  double information_ratio = kNan;
  double tracking_error = kNan;  // standard deviation(r - b), annualised
};

// Equally long; NaN throughout for fewer than 3 periods or a benchmark that does not vary. Throws
// Error(kUsage) for different lengths.
BenchmarkRegression RegressOnBenchmark(std::span<const double> returns,
                                       std::span<const double> benchmark, double periods_per_year);

Json ToJson(const BenchmarkRegression& regression);

}  // namespace almanac

#endif  // ALMANAC_BACKTEST_BENCHMARK_H_
