#include "almanac/evaluate/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "almanac/base/error.h"
#include "almanac/evaluate/golden_test_util.h"

namespace almanac {
namespace {

TEST(Statistics, NormalCdfAgreesWithScipy) {
  for (const Json& row : EvaluateGolden()["normal_cdf"]) {
    ExpectRelative(NormalCdf(row[0]), row[1], 1e-12);
  }
}

TEST(Statistics, NormalQuantileAgreesWithScipy) {
  for (const Json& row : EvaluateGolden()["normal_quantile"]) {
    EXPECT_NEAR(NormalQuantile(row[0]), row[1].get<double>(), 1e-13 * 40) << row[0];
  }
}

TEST(Statistics, NormalQuantileAtAndBeyondItsEnds) {
  EXPECT_EQ(NormalQuantile(0), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(NormalQuantile(1), std::numeric_limits<double>::infinity());
  EXPECT_EQ(NormalQuantile(0.5), 0);
  EXPECT_TRUE(std::isnan(NormalQuantile(-0.1)));
  EXPECT_TRUE(std::isnan(NormalQuantile(1.1)));
  EXPECT_TRUE(std::isnan(NormalQuantile(std::numeric_limits<double>::quiet_NaN())));
}

TEST(Statistics, NormalQuantileInvertsTheCdf) {
  for (double p = 1e-12; p < 1; p += 0.00317)
    ExpectRelative(NormalCdf(NormalQuantile(p)), p, 1e-13);
}

TEST(Statistics, NormalDensityIsTheSlopeOfTheCdf) {
  constexpr double kStep = 1e-5;
  for (const double x : {-3.0, -0.5, 0.0, 1.7}) {
    EXPECT_NEAR(NormalDensity(x), (NormalCdf(x + kStep) - NormalCdf(x - kStep)) / (2 * kStep),
                1e-9);
  }
}

TEST(Statistics, StudentTAgreesWithScipy) {
  for (const Json& row : EvaluateGolden()["student_cdf"]) {
    SCOPED_TRACE(row.dump());
    ExpectRelative(StudentTCdf(row[0], row[1]), row[2], 1e-9);
  }
}

TEST(Statistics, IncompleteBetaAgreesWithScipy) {
  for (const Json& row : EvaluateGolden()["beta"]) {
    SCOPED_TRACE(row.dump());
    ExpectRelative(RegularizedIncompleteBeta(row[0], row[1], row[2]), row[3], 1e-11);
  }
  EXPECT_EQ(RegularizedIncompleteBeta(2, 3, 0), 0);
  EXPECT_EQ(RegularizedIncompleteBeta(2, 3, 1), 1);
  EXPECT_TRUE(std::isnan(RegularizedIncompleteBeta(2, 3, 1.5)));
  EXPECT_TRUE(std::isnan(RegularizedIncompleteBeta(0, 3, 0.5)));
}

TEST(Statistics, MomentsAgreeWithScipy) {
  const Json& golden = EvaluateGolden()["moments"];
  const Moments moments = ComputeMoments(Doubles(EvaluateGolden()["series"]));
  EXPECT_EQ(moments.count, 400u);
  ExpectRelative(moments.mean, golden["mean"], 1e-12);
  ExpectRelative(moments.variance, golden["variance"], 1e-12);
  ExpectRelative(moments.skewness, golden["skewness"], 1e-12);
  ExpectRelative(moments.kurtosis, golden["kurtosis"], 1e-12);
}

TEST(Statistics, MomentsOfWhatDoesNotVary) {
  const std::vector<double> flat(7, 0.1);
  const Moments moments = ComputeMoments(flat);
  EXPECT_TRUE(std::isnan(moments.skewness));
  EXPECT_TRUE(std::isnan(moments.kurtosis));
  EXPECT_TRUE(std::isnan(ComputeMoments({}).mean));
  EXPECT_TRUE(std::isnan(Variance(std::vector<double>{1.0})));
}

TEST(Statistics, AutocovarianceAgreesWithStatsmodels) {
  const std::vector<double> series = Doubles(EvaluateGolden()["series"]);
  const std::vector<double> golden = Doubles(EvaluateGolden()["autocovariance"]);
  const std::vector<double> gamma = Autocovariance(series, 5);
  ASSERT_EQ(gamma.size(), golden.size());
  for (size_t k = 0; k < gamma.size(); ++k) EXPECT_NEAR(gamma[k], golden[k], 1e-15);
  EXPECT_THROW(Autocovariance(series, series.size()), Error);
}

TEST(Statistics, NeweyWestAgreesWithStatsmodels) {
  const std::vector<double> series = Doubles(EvaluateGolden()["series"]);
  ExpectRelative(NeweyWestVariance(series, 6), EvaluateGolden()["newey_west_6"], 1e-10);
  EXPECT_EQ(NeweyWestLag(100), 4u);
  EXPECT_EQ(NeweyWestLag(1000), 6u);
}

TEST(Statistics, RanksAndCorrelationsAgreeWithScipyOnTies) {
  const Json& golden = EvaluateGolden()["ties"];
  const std::vector<double> a = Doubles(golden["a"]);
  const std::vector<double> b = Doubles(golden["b"]);
  EXPECT_EQ(AverageRanks(a), Doubles(golden["ranks_a"]));
  EXPECT_NEAR(PearsonCorrelation(a, b), golden["pearson"].get<double>(), 1e-12);
  EXPECT_NEAR(SpearmanCorrelation(a, b), golden["spearman"].get<double>(), 1e-12);
}

TEST(Statistics, CorrelationWithWhatDoesNotVaryIsNotDefined) {
  const std::vector<double> flat(5, 0.1);
  const std::vector<double> rising = {1, 2, 3, 4, 5};
  EXPECT_TRUE(std::isnan(PearsonCorrelation(flat, rising)));
  EXPECT_TRUE(std::isnan(SpearmanCorrelation(rising, flat)));
  EXPECT_DOUBLE_EQ(PearsonCorrelation(rising, rising), 1);
  EXPECT_THROW(PearsonCorrelation(flat, std::span(rising).first(3)), Error);
}

TEST(Statistics, QuantilesAgreeWithNumpy) {
  std::vector<double> series = Doubles(EvaluateGolden()["series"]);
  std::sort(series.begin(), series.end());
  for (const Json& row : EvaluateGolden()["quantiles"]) {
    EXPECT_NEAR(SortedQuantile(series, row[0]), row[1].get<double>(), 1e-15);
  }
}

}  // namespace
}  // namespace almanac
