#include "almanac/backtest/sharpe.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "almanac/base/error.h"
#include "almanac/base/time.h"
#include "almanac/evaluate/json_value.h"
#include "almanac/evaluate/statistics.h"

namespace almanac {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kTradingDays = 252;
constexpr double kWeeks = 52;
constexpr double kTrackRecordConfidence = 0.95;

// n times the squared standard error.
double MertensVariance(double sr, double skewness, double kurtosis) {
  return 1 - skewness * sr + (kurtosis - 1) / 4 * sr * sr;
}

bool Varies(std::span<const double> values) {
  return std::any_of(values.begin(), values.end(), [&](double v) { return v != values[0]; });
}

double AnnualDependent(const SharpeStatistics& sharpe, std::span<const double> returns) {
  if (std::isnan(sharpe.ratio)) return kNan;
  std::vector<double> correlations = Autocovariance(returns, sharpe.lag);
  const double variance = correlations.front();
  correlations.erase(correlations.begin());
  for (double& value : correlations) value /= variance;
  const auto periods = static_cast<size_t>(std::lround(sharpe.periods_per_year));
  return sharpe.ratio * LoTimeAggregation(periods, correlations);
}

}  // namespace

TradingYear TradingYearOf(const Calendar& calendar) {
  if (calendar.name() == AlwaysOpenCalendar().name()) return TradingYear::kAlwaysOpen;
  if (calendar.name() == UsEquitiesCalendar().name()) return TradingYear::kUsEquities;
  throw Error(ErrorCode::kUsage, "annualisation",
              "the calendar '" + calendar.name() + "' has no trading year",
              "use 24/7 or us-equities");
}

double PeriodsPerYear(Timeframe timeframe, TradingYear year) {
  const auto duration = static_cast<double>(timeframe.duration());
  if (year == TradingYear::kAlwaysOpen) return 365.0 * kMsPerDay / duration;
  if (timeframe.duration() > kMsPerDay) return kWeeks * (7.0 * kMsPerDay) / duration;
  if (timeframe.duration() == kMsPerDay) return kTradingDays;
  return static_cast<double>(UsEquitiesCalendar().CountExpected(
      timeframe, StartOfDate({2024, 1, 1}), StartOfDate({2025, 1, 1})));
}

double SharpeRatio(std::span<const double> returns) {
  if (returns.size() < 2 || !Varies(returns)) return kNan;
  return Mean(returns) / std::sqrt(Variance(returns));
}

double SharpeErrorNormal(double sr, double count) { return std::sqrt((1 + sr * sr / 2) / count); }

double SharpeErrorMertens(double sr, double skewness, double kurtosis, double count) {
  return std::sqrt(MertensVariance(sr, skewness, kurtosis) / count);
}

double SharpeErrorGmm(std::span<const double> returns, size_t lag) {
  if (returns.size() < 2 || lag >= returns.size() || !Varies(returns)) return kNan;
  const auto n = static_cast<double>(returns.size());
  const double mean = Mean(returns);
  const double variance = Variance(returns) * (n - 1) / n;
  const double deviation = std::sqrt(variance);
  // The gradient of mean / sqrt(variance), times the moment conditions: its long-run variance is
  // the quadratic form of theirs.
  std::vector<double> influence(returns.size());
  for (size_t i = 0; i < returns.size(); ++i) {
    const double d = returns[i] - mean;
    influence[i] = d / deviation - mean / (2 * variance * deviation) * (d * d - variance);
  }
  return std::sqrt(NeweyWestVariance(influence, lag) / n);
}

double LoTimeAggregation(size_t periods, std::span<const double> autocorrelations) {
  const auto q = static_cast<double>(periods);
  double sum = q;
  const size_t lags = std::min(autocorrelations.size(), periods > 0 ? periods - 1 : 0);
  for (size_t k = 1; k <= lags; ++k) {
    sum += 2 * (q - static_cast<double>(k)) * autocorrelations[k - 1];
  }
  return sum > 0 ? q / std::sqrt(sum) : kNan;
}

double ProbabilisticSharpe(double sr, double benchmark, double skewness, double kurtosis,
                           double count) {
  return NormalCdf((sr - benchmark) / SharpeErrorMertens(sr, skewness, kurtosis, count - 1));
}

double ExpectedMaximumSharpe(double variance, double trials) {
  if (trials <= 1) return 0;
  const double first = NormalQuantile(1 - 1 / trials);
  const double second = NormalQuantile(1 - 1 / (trials * std::numbers::e));
  return std::sqrt(variance) * ((1 - kEulerMascheroni) * first + kEulerMascheroni * second);
}

double MinimumTrackRecord(double sr, double benchmark, double skewness, double kurtosis,
                          double confidence) {
  if (std::isnan(sr)) return kNan;
  if (sr <= benchmark) return std::numeric_limits<double>::infinity();
  const double z = NormalQuantile(confidence) / (sr - benchmark);
  return 1 + MertensVariance(sr, skewness, kurtosis) * z * z;
}

SharpeStatistics ComputeSharpe(std::span<const double> returns, double periods_per_year) {
  SharpeStatistics sharpe;
  sharpe.count = returns.size();
  sharpe.periods_per_year = periods_per_year;
  sharpe.ratio = SharpeRatio(returns);
  sharpe.annual = sharpe.ratio * std::sqrt(periods_per_year);
  const Moments moments = ComputeMoments(returns);
  sharpe.skewness = moments.skewness;
  sharpe.kurtosis = moments.kurtosis;
  const auto n = static_cast<double>(returns.size());
  sharpe.error_normal = SharpeErrorNormal(sharpe.ratio, n);
  sharpe.error_mertens = SharpeErrorMertens(sharpe.ratio, sharpe.skewness, sharpe.kurtosis, n);
  sharpe.lag = std::min(NeweyWestLag(returns.size()), returns.empty() ? 0 : returns.size() - 1);
  sharpe.error_robust = SharpeErrorGmm(returns, sharpe.lag);
  sharpe.annual_error = sharpe.error_robust * std::sqrt(periods_per_year);
  sharpe.p_value = std::isnan(sharpe.ratio) ? 1 : NormalCdf(-sharpe.ratio / sharpe.error_robust);
  sharpe.probabilistic = ProbabilisticSharpe(sharpe.ratio, 0, sharpe.skewness, sharpe.kurtosis, n);
  sharpe.annual_dependent = AnnualDependent(sharpe, returns);
  sharpe.minimum_track_record =
      MinimumTrackRecord(sharpe.ratio, 0, sharpe.skewness, sharpe.kurtosis, kTrackRecordConfidence);
  return sharpe;
}

DeflatedSharpe Deflate(const SharpeStatistics& sharpe, size_t trials,
                       std::span<const double> annual_sharpes) {
  DeflatedSharpe deflated;
  deflated.trials = std::max<size_t>({trials, annual_sharpes.size(), 1});
  if (annual_sharpes.size() >= 2) {
    deflated.trial_variance = Variance(annual_sharpes);
  } else {
    deflated.variance_source = "standard error";
    deflated.trial_variance = sharpe.error_mertens * sharpe.error_mertens * sharpe.periods_per_year;
  }
  deflated.hurdle_annual =
      ExpectedMaximumSharpe(deflated.trial_variance, static_cast<double>(deflated.trials));
  deflated.probability =
      ProbabilisticSharpe(sharpe.ratio, deflated.hurdle_annual / std::sqrt(sharpe.periods_per_year),
                          sharpe.skewness, sharpe.kurtosis, static_cast<double>(sharpe.count));
  deflated.minimum_track_record =
      MinimumTrackRecord(sharpe.ratio, deflated.hurdle_annual / std::sqrt(sharpe.periods_per_year),
                         sharpe.skewness, sharpe.kurtosis, kTrackRecordConfidence);
  return deflated;
}

Json ToJson(const SharpeStatistics& sharpe) {
  return Json{{"annual", NumberOrNull(sharpe.annual)},
              {"annual_error", NumberOrNull(sharpe.annual_error)},
              {"annual_dependent", NumberOrNull(sharpe.annual_dependent)},
              {"p_value", NumberOrNull(sharpe.p_value)},
              {"probabilistic", NumberOrNull(sharpe.probabilistic)},
              {"minimum_track_record", NumberOrNull(sharpe.minimum_track_record)},
              {"per_period", NumberOrNull(sharpe.ratio)},
              {"error_normal", NumberOrNull(sharpe.error_normal)},
              {"error_mertens", NumberOrNull(sharpe.error_mertens)},
              {"error_robust", NumberOrNull(sharpe.error_robust)},
              {"lag", sharpe.lag},
              {"skewness", NumberOrNull(sharpe.skewness)},
              {"kurtosis_pearson", NumberOrNull(sharpe.kurtosis)},
              {"periods", sharpe.count},
              {"periods_per_year", sharpe.periods_per_year}};
}

Json ToJson(const DeflatedSharpe& deflated) {
  return Json{{"trials", deflated.trials},
              {"trial_variance_annual", NumberOrNull(deflated.trial_variance)},
              {"variance_source", deflated.variance_source},
              {"hurdle_annual", NumberOrNull(deflated.hurdle_annual)},
              {"probability", NumberOrNull(deflated.probability)},
              {"minimum_track_record", NumberOrNull(deflated.minimum_track_record)}};
}

}  // namespace almanac
