// The Sharpe ratio and how far it can be trusted.
//
// Throughout, sr is the ratio *per period* (mean / standard deviation with divisor n - 1, excess
// over a risk-free rate of 0) unless a name says annual, and kurtosis is Pearson's, 3 for normal
// returns: formulas of papers that use the excess are rewritten for it.
#ifndef ALMANAC_BACKTEST_SHARPE_H_
#define ALMANAC_BACKTEST_SHARPE_H_

#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/market/calendar.h"
#include "almanac/market/timeframe.h"

namespace almanac {

// Which days and hours a market trades, for annualisation.
enum class TradingYear { kAlwaysOpen, kUsEquities };
// By the calendar's name. Throws Error(kUsage) for one that has no trading year here.
TradingYear TradingYearOf(const Calendar& calendar);
// How many bars a year has: the square of the factor that annualises a Sharpe ratio. Always open:
// 365 days of 24 hours. US equities: 52 weeks, 252 days, and for shorter bars those that a complete
// series of 2024 has, a year of 252 sessions.
double PeriodsPerYear(Timeframe timeframe, TradingYear year);

// mean / standard deviation; NaN for fewer than two returns or returns that do not vary.
double SharpeRatio(std::span<const double> returns);

// The standard error for n independent normal returns: sqrt((1 + sr^2 / 2) / n).
// Lo (2002, "The Statistics of Sharpe Ratios", Financial Analysts Journal 58).
double SharpeErrorNormal(double sr, double count);
// For independent returns of any shape: sqrt((1 - skewness sr + (kurtosis - 1) / 4 sr^2) / n).
// Mertens (2002, "Comments on variance of the IID estimator in Lo (2002)"); with normal skewness 0
// and kurtosis 3 it is Lo's. The literature writes it with n or with n - 1: pass either as `count`.
double SharpeErrorMertens(double sr, double skewness, double kurtosis, double count);
// For dependent returns of any shape: Lo's (2002) GMM estimator, the delta method on the long-run
// covariance (Newey-West, `lag` lags) of (r - mean, (r - mean)^2 - variance). With lag 0 it is
// Mertens' with divisor n throughout. NaN where the ratio is.
double SharpeErrorGmm(std::span<const double> returns, size_t lag);

// The factor eta(q) by which a per-period ratio grows over q periods when returns have the given
// autocorrelations rho_1, rho_2, ... (missing ones are 0); sqrt(q) without any. Lo (2002).
double LoTimeAggregation(size_t periods, std::span<const double> autocorrelations);

// The probability that the true ratio exceeds `benchmark`: Phi((sr - benchmark) sqrt(n - 1) /
// sqrt(1 - skewness sr + (kurtosis - 1) / 4 sr^2)). Bailey and Lopez de Prado (2012, "The Sharpe
// Ratio Efficient Frontier", Journal of Risk 15).
double ProbabilisticSharpe(double sr, double benchmark, double skewness, double kurtosis,
                           double count);

// The highest ratio that luck alone is expected to show among `trials` independent trials without
// skill, whose ratios have the given variance: sqrt(variance) ((1 - g) Z(1 - 1/N) + g Z(1 - 1/(N
// e))), g Euler's constant, Z the normal quantile. 0 for one trial. Bailey and Lopez de Prado
// (2014, "The Deflated Sharpe Ratio", Journal of Portfolio Management 40).
double ExpectedMaximumSharpe(double variance, double trials);

// How many periods a track record must have for the ratio to be above `benchmark` with the given
// confidence: 1 + (1 - skewness sr + (kurtosis - 1) / 4 sr^2) (Z(confidence) / (sr - benchmark))^2.
// Infinite where sr <= benchmark. Bailey and Lopez de Prado (2012).
double MinimumTrackRecord(double sr, double benchmark, double skewness, double kurtosis,
                          double confidence);

struct SharpeStatistics {
  size_t count = 0;  // returns
  double periods_per_year = 0;
  double ratio = 0;   // per period
  double annual = 0;  // ratio * sqrt(periods_per_year)
  // ratio * eta(periods_per_year) with the first `lag` autocorrelations (Lo 2002): what the annual
  // ratio is if they are not chance.
  double annual_dependent = 0;
  double skewness = 0;
  double kurtosis = 3;      // Pearson's: normal is 3
  double error_normal = 0;  // standard errors of `ratio`
  double error_mertens = 0;
  double error_robust = 0;   // GMM with `lag` Newey-West lags
  size_t lag = 0;            // floor(4 (n / 100)^(2/9))
  double annual_error = 0;   // error_robust * sqrt(periods_per_year)
  double p_value = 1;        // one-sided, H0: the true ratio <= 0; 1 - Phi(ratio / error_robust)
  double probabilistic = 0;  // the probability that the true ratio exceeds 0
  // Periods for a ratio above 0 with 95 % confidence; infinite where the ratio is not above 0.
  double minimum_track_record = 0;
};
// Where the ratio is not defined (no trades: returns that do not vary), ratio and everything
// derived from it is NaN and p_value is 1.
SharpeStatistics ComputeSharpe(std::span<const double> returns, double periods_per_year);

struct DeflatedSharpe {
  size_t trials = 1;
  double trial_variance = 0;  // of the trials' annualised ratios
  // Where the variance came from: "trials", or, if fewer than two trials have a ratio, "standard
  // error" (the squared Mertens error of this ratio).
  std::string variance_source = "trials";
  double hurdle_annual = 0;  // the expected maximum of that many lucky trials
  double probability = 0;    // that the true ratio exceeds the hurdle; NaN if the ratio is
  // Periods for a ratio above the hurdle with 95 % confidence; infinite where it is not above it.
  double minimum_track_record = 0;
};
// `trials`: how many were needed, this one included; counts as at least 1 and at least the number
// of ratios. `annual_sharpes`: the ratios of those that have one, annualised.
DeflatedSharpe Deflate(const SharpeStatistics& sharpe, size_t trials,
                       std::span<const double> annual_sharpes);

Json ToJson(const SharpeStatistics& sharpe);
Json ToJson(const DeflatedSharpe& deflated);

}  // namespace almanac

#endif  // ALMANAC_BACKTEST_SHARPE_H_
