// The statistics that judgement rests on: distributions, moments, autocovariances, correlations.
//
// Every span must hold finite numbers; a function that needs more values than it is given, or that
// divides by a spread of zero, returns NaN (said in each case). Sums run in index order, so that a
// result does not depend on threads.
#ifndef ALMANAC_EVALUATE_STATISTICS_H_
#define ALMANAC_EVALUATE_STATISTICS_H_

#include <cstddef>
#include <span>
#include <vector>

namespace almanac {

inline constexpr double kEulerMascheroni = 0.57721566490153286061;

// The standard normal distribution. The quantile takes p in [0, 1] (0 and 1 give the infinities,
// anything else NaN): P. J. Acklam's rational approximation, then one Halley step; relative error
// below 1e-14.
double NormalDensity(double x);
double NormalCdf(double x);
double NormalQuantile(double p);

// Student's t distribution, degrees > 0 (not necessarily whole).
double StudentTCdf(double t, double degrees);

// I_x(a, b), the regularised incomplete beta function, a, b > 0, x in [0, 1]: Lentz's continued
// fraction (Press et al., "Numerical Recipes", 3rd ed., 6.4).
double RegularizedIncompleteBeta(double a, double b, double x);

double Mean(std::span<const double> values);  // NaN if empty
// With divisor n - 1; NaN for fewer than two values.
double Variance(std::span<const double> values);

struct Moments {
  size_t count = 0;
  double mean = 0;
  double variance = 0;  // divisor n - 1
  double skewness = 0;  // m3 / m2^1.5, m_k = central moment with divisor n (scipy's default)
  // Pearson's kurtosis m4 / m2^2: 3 for the normal distribution. Not the excess.
  double kurtosis = 3;
};
// Skewness and kurtosis are NaN where the values do not vary.
Moments ComputeMoments(std::span<const double> values);

// gamma_0 .. gamma_max_lag with divisor n (not n - k) around the sample mean: the estimator that
// keeps the sequence positive semi-definite. max_lag < n, else Error(kUsage).
std::vector<double> Autocovariance(std::span<const double> values, size_t max_lag);

// Newey and West (1987): gamma_0 + 2 sum_{k<=lag} (1 - k / (lag + 1)) gamma_k, the long-run
// variance of sqrt(n) times the mean. lag < n.
double NeweyWestVariance(std::span<const double> values, size_t lag);
// The usual choice of that lag: floor(4 (n / 100)^(2/9)).
size_t NeweyWestLag(size_t count);

// Ranks 1..n, equal values sharing the mean of theirs.
std::vector<double> AverageRanks(std::span<const double> values);
// Pearson's and Spearman's correlation of two equally long spans; NaN if either does not vary or
// there are fewer than two pairs.
double PearsonCorrelation(std::span<const double> a, std::span<const double> b);
double SpearmanCorrelation(std::span<const double> a, std::span<const double> b);

// The p-quantile with linear interpolation between order statistics (type 7 of Hyndman and Fan
// 1996, numpy's default). `sorted` ascending, not empty; p in [0, 1].
double SortedQuantile(std::span<const double> sorted, double p);

}  // namespace almanac

#endif  // ALMANAC_EVALUATE_STATISTICS_H_
