#include "almanac/backtest/benchmark.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/evaluate/json_value.h"
#include "almanac/evaluate/statistics.h"

namespace almanac {
namespace {

bool Varies(std::span<const double> values) {
  return std::any_of(values.begin(), values.end(), [&](double v) { return v != values[0]; });
}

// The standard error of an estimate that is a sum of influence_t: its HAC variance. The influences
// sum to 0, as those of least squares do.
double HacError(std::span<const double> influence, size_t lag) {
  const auto n = static_cast<double>(influence.size());
  return std::sqrt(NeweyWestVariance(influence, lag) * n);
}

double TwoSided(double estimate, double error) {
  return error > 0 ? 2 * NormalCdf(-std::abs(estimate / error)) : BenchmarkRegression::kNan;
}

// (X'X)^-1 x_t e_t, t by t: the first row for alpha, the second for beta.
void AddErrors(std::span<const double> residual, std::span<const double> benchmark,
               BenchmarkRegression& regression) {
  const auto n = static_cast<double>(residual.size());
  const double mean = Mean(benchmark);
  const double squares = Variance(benchmark) * (n - 1);
  std::vector<double> alpha(residual.size());
  std::vector<double> beta(residual.size());
  for (size_t t = 0; t < residual.size(); ++t) {
    beta[t] = residual[t] * (benchmark[t] - mean) / squares;
    alpha[t] = residual[t] / n - mean * beta[t];
  }
  regression.alpha_error = HacError(alpha, regression.lag);
  regression.beta_error = HacError(beta, regression.lag);
  regression.alpha_p = TwoSided(regression.alpha, regression.alpha_error);
  regression.beta_p = TwoSided(regression.beta, regression.beta_error);
}

}  // namespace

BenchmarkRegression RegressOnBenchmark(std::span<const double> returns,
                                       std::span<const double> benchmark, double periods_per_year) {
  if (returns.size() != benchmark.size()) {
    throw Error(ErrorCode::kUsage, "benchmark",
                fmt::format("{} returns against {}", returns.size(), benchmark.size()),
                "pass the returns of both over the same periods");
  }
  constexpr size_t kFewest = 3;
  BenchmarkRegression regression;
  regression.count = returns.size();
  if (returns.size() < kFewest || !Varies(benchmark)) return regression;
  regression.lag = std::min(NeweyWestLag(returns.size()), returns.size() - 1);
  const double mean = Mean(returns);
  const double benchmark_mean = Mean(benchmark);
  double cross = 0;
  double squares = 0;
  std::vector<double> active(returns.size());
  for (size_t t = 0; t < returns.size(); ++t) {
    cross += (returns[t] - mean) * (benchmark[t] - benchmark_mean);
    squares += (benchmark[t] - benchmark_mean) * (benchmark[t] - benchmark_mean);
    active[t] = returns[t] - benchmark[t];
  }
  regression.beta = cross / squares;
  regression.alpha = mean - regression.beta * benchmark_mean;
  regression.annual_alpha = regression.alpha * periods_per_year;
  regression.correlation = PearsonCorrelation(returns, benchmark);
  regression.r_squared = regression.correlation * regression.correlation;
  const double spread = std::sqrt(Variance(active));
  regression.tracking_error = spread * std::sqrt(periods_per_year);
  if (Varies(active)) {
    regression.information_ratio = Mean(active) / spread * std::sqrt(periods_per_year);
  }
  std::vector<double> residual(returns.size());
  for (size_t t = 0; t < returns.size(); ++t) {
    residual[t] = returns[t] - regression.alpha - regression.beta * benchmark[t];
  }
  AddErrors(residual, benchmark, regression);
  return regression;
}

Json ToJson(const BenchmarkRegression& regression) {
  return Json{{"periods", regression.count},
              {"lag", regression.lag},
              {"alpha", NumberOrNull(regression.alpha)},
              {"annual_alpha", NumberOrNull(regression.annual_alpha)},
              {"alpha_error", NumberOrNull(regression.alpha_error)},
              {"alpha_p", NumberOrNull(regression.alpha_p)},
              {"beta", NumberOrNull(regression.beta)},
              {"beta_error", NumberOrNull(regression.beta_error)},
              {"beta_p", NumberOrNull(regression.beta_p)},
              {"r_squared", NumberOrNull(regression.r_squared)},
              {"correlation", NumberOrNull(regression.correlation)},
              {"information_ratio", NumberOrNull(regression.information_ratio)},
              {"tracking_error", NumberOrNull(regression.tracking_error)}};
}

}  // namespace almanac
