#include "almanac/backtest/sharpe.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "almanac/base/file.h"
#include "almanac/base/places_for_test.h"
#include "almanac/base/random.h"
#include "almanac/evaluate/statistics.h"

namespace almanac {
namespace {

const Json& Golden() {
  static const Json kGolden =
      Json::parse(ReadFile(SourceFolder() / "almanac/backtest/testdata/golden.json"));
  return kGolden;
}

void ExpectRelative(double value, const Json& golden, double tolerance = 1e-9) {
  const auto expected = golden.get<double>();
  EXPECT_NEAR(value, expected, tolerance * std::abs(expected));
}

TEST(Sharpe, AgreesWithScipyAndStatsmodels) {
  const double periods = Golden()["periods_per_year"];
  for (const Json& golden : Golden()["sharpe"]) {
    const auto returns = golden["returns"].get<std::vector<double>>();
    const SharpeStatistics sharpe = ComputeSharpe(returns, periods);
    ExpectRelative(sharpe.ratio, golden["ratio"]);
    ExpectRelative(sharpe.annual, golden["annual"]);
    ExpectRelative(sharpe.skewness, golden["skewness"]);
    ExpectRelative(sharpe.kurtosis, golden["kurtosis"]);
    ExpectRelative(sharpe.error_normal, golden["error_normal"]);
    ExpectRelative(sharpe.error_mertens, golden["error_mertens"]);
    EXPECT_EQ(sharpe.lag, golden["lag"].get<size_t>());
    ExpectRelative(sharpe.error_robust, golden["error_robust"]);
    ExpectRelative(sharpe.p_value, golden["p_value"]);
    ExpectRelative(sharpe.probabilistic, golden["probabilistic"]);
    ExpectRelative(sharpe.annual_dependent, golden["annual_dependent"]);
    if (golden["minimum_track_record"].is_null()) {
      EXPECT_TRUE(std::isinf(sharpe.minimum_track_record));
    } else {
      ExpectRelative(sharpe.minimum_track_record, golden["minimum_track_record"]);
    }
    EXPECT_DOUBLE_EQ(sharpe.annual_error, sharpe.error_robust * std::sqrt(periods));
  }
}

// Without lags Lo's estimator is Mertens', whose ratio has divisor n.
TEST(Sharpe, GmmWithoutLagsIsMertens) {
  const auto returns = Golden()["sharpe"][0]["returns"].get<std::vector<double>>();
  const auto n = static_cast<double>(returns.size());
  const Moments moments = ComputeMoments(returns);
  const double sr = SharpeRatio(returns) * std::sqrt(n / (n - 1));
  EXPECT_NEAR(SharpeErrorGmm(returns, 0),
              SharpeErrorMertens(sr, moments.skewness, moments.kurtosis, n), 1e-14);
  EXPECT_NEAR(SharpeErrorMertens(0.3, 0, 3, 50), SharpeErrorNormal(0.3, 50), 1e-15);
}

// Bailey and Lopez de Prado 2012: two years of monthly returns, annual ratio 1.585, skewness
// -2.448, kurtosis 10.164: 0.913, but 0.982 if the returns were normal.
TEST(ProbabilisticSharpe, AgreesWithThePublishedExample) {
  const double sr = 1.585 / std::sqrt(12);
  EXPECT_NEAR(ProbabilisticSharpe(sr, 0, -2.448, 10.164, 24), 0.913, 0.0005);
  EXPECT_NEAR(ProbabilisticSharpe(sr, 0, 0, 3, 24), 0.982, 0.0005);
}

// Bailey and Lopez de Prado 2012, section 5: to be above 1 with 95 % confidence, an annual ratio of
// 2 takes 2.73 years of daily, 2.83 of weekly and 3.24 of monthly normal returns, and 4.99 years of
// monthly returns with skewness -0.72 and kurtosis 5.78.
TEST(MinimumTrackRecord, AgreesWithThePublishedExample) {
  const auto years = [](double a_year, double skewness, double kurtosis) {
    return MinimumTrackRecord(2 / std::sqrt(a_year), 1 / std::sqrt(a_year), skewness, kurtosis,
                              0.95) /
           a_year;
  };
  EXPECT_NEAR(years(250, 0, 3), 2.73, 0.005);
  EXPECT_NEAR(years(52, 0, 3), 2.83, 0.005);
  EXPECT_NEAR(years(12, 0, 3), 3.24, 0.005);
  EXPECT_NEAR(years(12, -0.72, 5.78), 4.99, 0.005);
  EXPECT_TRUE(std::isinf(MinimumTrackRecord(0.1, 0.1, 0, 3, 0.95)));
  EXPECT_TRUE(std::isnan(MinimumTrackRecord(NAN, 0, 0, 3, 0.95)));
}

// With so many periods the probability of a ratio above the benchmark is just the confidence.
TEST(MinimumTrackRecord, InvertsTheProbabilisticRatio) {
  const double n = MinimumTrackRecord(0.12, 0.03, -0.8, 6, 0.9);
  EXPECT_NEAR(ProbabilisticSharpe(0.12, 0.03, -0.8, 6, n), 0.9, 1e-12);
}

// Bailey and Lopez de Prado 2014: annual ratio 2.5 over 1250 days (250 a year), variance of the
// trials' annual ratios 1/2. 100 trials with skewness -3, kurtosis 10: hurdle 0.1132 a day, 0.9004;
// 46 trials: 0.9505; normal returns and 88 trials: 0.9505.
TEST(DeflatedSharpe, AgreesWithThePublishedExample) {
  const auto deflated = [](size_t trials, double skewness, double kurtosis) {
    const double hurdle =
        ExpectedMaximumSharpe(0.5, static_cast<double>(trials)) / std::sqrt(250.0);
    return ProbabilisticSharpe(2.5 / std::sqrt(250.0), hurdle, skewness, kurtosis, 1250);
  };
  EXPECT_NEAR(ExpectedMaximumSharpe(0.5, 100) / std::sqrt(250.0), 0.1132, 0.00005);
  EXPECT_NEAR(deflated(100, -3, 10), 0.9004, 0.00005);
  EXPECT_NEAR(deflated(46, -3, 10), 0.9505, 0.00005);
  EXPECT_NEAR(deflated(88, 0, 3), 0.9505, 0.00005);
}

TEST(DeflatedSharpe, ThroughTheStatisticsOfASeries) {
  SharpeStatistics sharpe;
  sharpe.count = 1250;
  sharpe.periods_per_year = 250;
  sharpe.ratio = 2.5 / std::sqrt(250.0);
  sharpe.skewness = -3;
  sharpe.kurtosis = 10;
  // A hundred ratios of variance 1/2, scattered around 1.
  std::vector<double> annual(100);
  const double spread = std::sqrt(0.5 * 99 / 100);
  for (size_t i = 0; i < annual.size(); ++i) annual[i] = 1 + (i % 2 == 0 ? spread : -spread);
  const DeflatedSharpe deflated = Deflate(sharpe, 100, annual);
  EXPECT_EQ(deflated.variance_source, "trials");
  EXPECT_NEAR(deflated.trial_variance, 0.5, 1e-12);
  EXPECT_NEAR(deflated.probability, 0.9004, 0.00005);
  EXPECT_EQ(Deflate(sharpe, 3, annual).trials, 100u);
}

TEST(DeflatedSharpe, OneTrialIsNotDeflated) {
  const auto returns = Golden()["sharpe"][0]["returns"].get<std::vector<double>>();
  const SharpeStatistics sharpe = ComputeSharpe(returns, 365);
  const DeflatedSharpe deflated = Deflate(sharpe, 0, {});
  EXPECT_EQ(deflated.trials, 1u);
  EXPECT_EQ(deflated.hurdle_annual, 0);
  EXPECT_DOUBLE_EQ(deflated.probability, sharpe.probabilistic);
}

TEST(DeflatedSharpe, WithoutTheTrialsRatiosTheStandardErrorStandsIn) {
  const auto returns = Golden()["sharpe"][0]["returns"].get<std::vector<double>>();
  const SharpeStatistics sharpe = ComputeSharpe(returns, 365);
  const DeflatedSharpe deflated = Deflate(sharpe, 20, std::vector<double>{1.0});
  EXPECT_EQ(deflated.variance_source, "standard error");
  EXPECT_DOUBLE_EQ(deflated.trial_variance, sharpe.error_mertens * sharpe.error_mertens * 365);
  EXPECT_LT(deflated.probability, sharpe.probabilistic);
}

// The best of N lucky trials, by simulation.
TEST(ExpectedMaximumSharpe, IsTheMeanOfTheBestOfLuckyTrials) {
  Random random(3);
  constexpr int kRepeats = 4000;
  constexpr int kTrials = 200;
  double sum = 0;
  for (int r = 0; r < kRepeats; ++r) {
    double best = -1e9;
    for (int t = 0; t < kTrials; ++t) best = std::max(best, 0.7 * random.Normal());
    sum += best;
  }
  EXPECT_NEAR(ExpectedMaximumSharpe(0.49, kTrials), sum / kRepeats, 0.02);
  EXPECT_EQ(ExpectedMaximumSharpe(0.49, 1), 0);
}

// Among noise, p below 5 % comes in 5 % of the cases, the deflated ratio of the best of many trials
// above 0.95 seldom.
TEST(Sharpe, OnNoiseFindsWhatItSays) {
  constexpr int kGroups = 100;
  constexpr int kTrials = 20;
  constexpr double kPeriods = 250;
  int found_alone = 0;
  int found_deflated = 0;
  for (int g = 0; g < kGroups; ++g) {
    std::vector<SharpeStatistics> trials;
    std::vector<double> annual;
    size_t best = 0;
    for (int t = 0; t < kTrials; ++t) {
      Random random(99, static_cast<uint64_t>(g * kTrials + t));
      std::vector<double> returns(250);
      for (double& r : returns) r = 0.01 * random.Normal();
      trials.push_back(ComputeSharpe(returns, kPeriods));
      annual.push_back(trials.back().annual);
      found_alone += trials.back().p_value < 0.05 ? 1 : 0;
      if (trials.back().annual > trials[best].annual) best = trials.size() - 1;
    }
    found_deflated += Deflate(trials[best], kTrials, annual).probability > 0.95 ? 1 : 0;
  }
  EXPECT_GT(found_alone, 0.035 * kGroups * kTrials);
  EXPECT_LT(found_alone, 0.07 * kGroups * kTrials);
  EXPECT_LE(found_deflated, 0.05 * kGroups);
}

TEST(Sharpe, IsNotDefinedWithoutVariation) {
  const std::vector<double> flat(20, 0.0);
  const SharpeStatistics sharpe = ComputeSharpe(flat, 365);
  EXPECT_TRUE(std::isnan(sharpe.ratio));
  EXPECT_TRUE(std::isnan(sharpe.annual_error));
  EXPECT_EQ(sharpe.p_value, 1);
  EXPECT_TRUE(std::isnan(Deflate(sharpe, 5, {}).probability));
  EXPECT_TRUE(ToJson(sharpe)["annual"].is_null());
  EXPECT_TRUE(std::isnan(ComputeSharpe({}, 365).ratio));
}

// Lo 2002: for returns that follow an AR(1) process the sum has a closed form.
TEST(LoTimeAggregation, AgreesWithTheClosedFormForAutoregressiveReturns) {
  for (const double rho : {-0.4, 0.2, 0.9}) {
    for (const size_t q : {2u, 12u, 250u}) {
      std::vector<double> autocorrelations;
      for (size_t k = 1; k < q; ++k) autocorrelations.push_back(std::pow(rho, k));
      const auto n = static_cast<double>(q);
      const double inflation =
          1 + 2 * rho / (1 - rho) * (1 - (1 - std::pow(rho, n)) / (n * (1 - rho)));
      EXPECT_NEAR(LoTimeAggregation(q, autocorrelations), std::sqrt(n / inflation), 1e-9);
    }
  }
  EXPECT_DOUBLE_EQ(LoTimeAggregation(12, {}), std::sqrt(12.0));
}

TEST(PeriodsPerYear, FollowsTheMarketsHours) {
  const auto periods = [](const char* timeframe, TradingYear year) {
    return PeriodsPerYear(Timeframe::Parse(timeframe), year);
  };
  EXPECT_EQ(periods("30m", TradingYear::kAlwaysOpen), 17520);
  EXPECT_EQ(periods("1d", TradingYear::kAlwaysOpen), 365);
  EXPECT_DOUBLE_EQ(periods("1w", TradingYear::kAlwaysOpen), 365.0 / 7);
  EXPECT_EQ(periods("1d", TradingYear::kUsEquities), 252);
  // 249 whole sessions and 3 half days.
  EXPECT_EQ(periods("1m", TradingYear::kUsEquities), 249 * 390 + 3 * 210);
  EXPECT_EQ(periods("1h", TradingYear::kUsEquities), 249 * 7 + 3 * 4);
  EXPECT_EQ(periods("1w", TradingYear::kUsEquities), 52);
}

TEST(PeriodsPerYear, KnowsTheYearOfACalendar) {
  EXPECT_EQ(TradingYearOf(AlwaysOpenCalendar()), TradingYear::kAlwaysOpen);
  EXPECT_EQ(TradingYearOf(CalendarByName("us-equities")), TradingYear::kUsEquities);
}

}  // namespace
}  // namespace almanac
