#include "almanac/evaluate/statistics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <string>

#include "almanac/base/error.h"

namespace almanac {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

double Polynomial(std::span<const double> coefficients, double x) {
  double value = 0;
  for (const double coefficient : coefficients) value = value * x + coefficient;
  return value;
}

// Acklam's approximation of the quantile for p in (0, 0.5], relative error below 1.2e-9.
double LowerQuantileStart(double p) {
  constexpr std::array kA = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                             1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
  constexpr std::array kB = {-5.447609879822406e+01, 1.615858368580409e+02,  -1.556989798598866e+02,
                             6.680131188771972e+01,  -1.328068155288572e+01, 1.0};
  constexpr std::array kC = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                             -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
  constexpr std::array kD = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                             3.754408661907416e+00, 1.0};
  constexpr double kTail = 0.02425;
  if (p < kTail) {
    const double q = std::sqrt(-2 * std::log(p));
    return Polynomial(kC, q) / Polynomial(kD, q);
  }
  const double q = p - 0.5;
  return Polynomial(kA, q * q) * q / Polynomial(kB, q * q);
}

double LogGamma(double x) {
  int sign = 0;
  return lgamma_r(x, &sign);  // std::lgamma writes a global variable
}

// Lentz's evaluation of the continued fraction for I_x(a, b), for x below (a + 1) / (a + b + 2),
// where it converges in about sqrt(max(a, b)) steps.
double BetaContinuedFraction(double a, double b, double x) {
  constexpr double kTiny = 1e-300;
  constexpr double kPrecision = 1e-16;
  constexpr int kMostSteps = 100000;
  const auto away_from_zero = [](double v) { return std::abs(v) < kTiny ? kTiny : v; };
  double c = 1;
  double d = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
  double value = d;
  for (int m = 1; m <= kMostSteps; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away_from_zero(1 + even * d);
    c = away_from_zero(1 + even / c);
    value *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away_from_zero(1 + odd * d);
    c = away_from_zero(1 + odd / c);
    value *= d * c;
    if (std::abs(d * c - 1) < kPrecision * 4) break;
  }
  return value;
}

void RequireSameLength(std::span<const double> a, std::span<const double> b) {
  if (a.size() == b.size()) return;
  throw Error(
      ErrorCode::kUsage, "correlation",
      "spans of " + std::to_string(a.size()) + " and " + std::to_string(b.size()) + " values",
      "pass pairs");
}

}  // namespace

double NormalDensity(double x) {
  return std::exp(-0.5 * x * x) * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
}

double NormalCdf(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

double NormalQuantile(double p) {
  if (!(p >= 0 && p <= 1)) return kNan;
  if (p == 0) return -kInfinity;
  if (p == 1) return kInfinity;
  // 1 - p is exact here, so that both tails are equally precise.
  if (p > 0.5) return -NormalQuantile(1 - p);
  const double x = LowerQuantileStart(p);
  const double density = NormalDensity(x);
  if (density == 0) return x;
  const double u = (NormalCdf(x) - p) / density;
  return x - u / (1 + x * u / 2);
}

double RegularizedIncompleteBeta(double a, double b, double x) {
  if (!(a > 0 && b > 0 && x >= 0 && x <= 1)) return kNan;
  if (x == 0 || x == 1) return x;
  const double log_front =
      LogGamma(a + b) - LogGamma(a) - LogGamma(b) + a * std::log(x) + b * std::log1p(-x);
  const double front = std::exp(log_front);
  if (x < (a + 1) / (a + b + 2)) return front * BetaContinuedFraction(a, b, x) / a;
  return 1 - front * BetaContinuedFraction(b, a, 1 - x) / b;
}

double StudentTCdf(double t, double degrees) {
  if (std::isnan(t) || !(degrees > 0)) return kNan;
  if (std::isinf(t)) return t > 0 ? 1 : 0;
  const double tail =
      0.5 * RegularizedIncompleteBeta(degrees / 2, 0.5, degrees / (degrees + t * t));
  return t > 0 ? 1 - tail : tail;
}

double Mean(std::span<const double> values) {
  if (values.empty()) return kNan;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double Variance(std::span<const double> values) {
  if (values.size() < 2) return kNan;
  const double mean = Mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return sum / static_cast<double>(values.size() - 1);
}

Moments ComputeMoments(std::span<const double> values) {
  Moments moments;
  moments.count = values.size();
  moments.mean = Mean(values);
  moments.variance = Variance(values);
  double m2 = 0;
  double m3 = 0;
  double m4 = 0;
  for (const double value : values) {
    const double d = value - moments.mean;
    m2 += d * d;
    m3 += d * d * d;
    m4 += d * d * d * d;
  }
  const auto n = static_cast<double>(values.size());
  const bool varies = !values.empty() && std::any_of(values.begin(), values.end(),
                                                     [&](double v) { return v != values[0]; });
  moments.skewness = varies ? (m3 / n) / std::pow(m2 / n, 1.5) : kNan;
  moments.kurtosis = varies ? (m4 / n) / ((m2 / n) * (m2 / n)) : kNan;
  return moments;
}

std::vector<double> Autocovariance(std::span<const double> values, size_t max_lag) {
  const size_t n = values.size();
  if (max_lag >= n) {
    throw Error(ErrorCode::kUsage, "autocovariance",
                "lag " + std::to_string(max_lag) + " of " + std::to_string(n) + " values",
                "the lag must be smaller than the number of values");
  }
  const double mean = Mean(values);
  std::vector<double> centred(values.begin(), values.end());
  for (double& value : centred) value -= mean;
  std::vector<double> gamma(max_lag + 1);
  for (size_t lag = 0; lag <= max_lag; ++lag) {
    const double sum = std::inner_product(centred.begin() + static_cast<std::ptrdiff_t>(lag),
                                          centred.end(), centred.begin(), 0.0);
    gamma[lag] = sum / static_cast<double>(n);
  }
  return gamma;
}

double NeweyWestVariance(std::span<const double> values, size_t lag) {
  const std::vector<double> gamma = Autocovariance(values, lag);
  double variance = gamma[0];
  for (size_t k = 1; k <= lag; ++k) {
    const double weight = 1 - static_cast<double>(k) / static_cast<double>(lag + 1);
    variance += 2 * weight * gamma[k];
  }
  return variance;
}

size_t NeweyWestLag(size_t count) {
  return static_cast<size_t>(4 * std::pow(static_cast<double>(count) / 100, 2.0 / 9));
}

std::vector<double> AverageRanks(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (size_t first = 0; first < order.size();) {
    size_t last = first + 1;
    while (last < order.size() && values[order[last]] == values[order[first]]) ++last;
    const double rank = static_cast<double>(first + last + 1) / 2;
    for (size_t i = first; i < last; ++i) ranks[order[i]] = rank;
    first = last;
  }
  return ranks;
}

double PearsonCorrelation(std::span<const double> a, std::span<const double> b) {
  RequireSameLength(a, b);
  if (a.size() < 2) return kNan;
  const double mean_a = Mean(a);
  const double mean_b = Mean(b);
  double aa = 0;
  double bb = 0;
  double ab = 0;
  bool a_varies = false;
  bool b_varies = false;
  for (size_t i = 0; i < a.size(); ++i) {
    a_varies = a_varies || a[i] != a[0];
    b_varies = b_varies || b[i] != b[0];
    aa += (a[i] - mean_a) * (a[i] - mean_a);
    bb += (b[i] - mean_b) * (b[i] - mean_b);
    ab += (a[i] - mean_a) * (b[i] - mean_b);
  }
  if (!a_varies || !b_varies) return kNan;
  return std::clamp(ab / std::sqrt(aa) / std::sqrt(bb), -1.0, 1.0);
}

double SpearmanCorrelation(std::span<const double> a, std::span<const double> b) {
  RequireSameLength(a, b);
  return PearsonCorrelation(AverageRanks(a), AverageRanks(b));
}

double SortedQuantile(std::span<const double> sorted, double p) {
  const double position = p * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(position);
  if (below + 1 >= sorted.size()) return sorted.back();
  return sorted[below] +
         (position - static_cast<double>(below)) * (sorted[below + 1] - sorted[below]);
}

}  // namespace almanac
