#include "almanac/evaluate/diebold_mariano.h"

#include <gtest/gtest.h>

#include <cmath>

#include "almanac/base/error.h"
#include "almanac/base/random.h"
#include "almanac/evaluate/golden_test_util.h"

namespace almanac {
namespace {

TEST(DieboldMariano, AgreesWithTheFormulaInScipy) {
  const std::vector<double> forecast = Doubles(EvaluateGolden()["sample"]["forecast"]);
  const std::vector<double> actual = Doubles(EvaluateGolden()["sample"]["actual"]);
  std::vector<double> loss;
  std::vector<double> naive;
  for (size_t i = 0; i < actual.size(); ++i) {
    loss.push_back((actual[i] - forecast[i]) * (actual[i] - forecast[i]));
    naive.push_back(actual[i] * actual[i]);
  }
  for (const Json& golden : EvaluateGolden()["diebold_mariano"]) {
    const DieboldMariano test = TestDieboldMariano(loss, naive, golden["horizon"]);
    EXPECT_EQ(test.kernel, "rectangular");
    ExpectRelative(test.statistic, golden["statistic"], 1e-10);
    ExpectRelative(test.p_value, golden["p_value"], 1e-9);
  }
}

TEST(DieboldMariano, OnNoiseRejectsAsOftenAsItSays) {
  int rejected = 0;
  constexpr int kSeries = 2000;
  for (int s = 0; s < kSeries; ++s) {
    Random random(77, static_cast<uint64_t>(s));
    std::vector<double> a(60);
    std::vector<double> b(60);
    // Overlapping horizons: errors that share two of three shocks.
    double a1 = random.Normal();
    double a2 = random.Normal();
    double b1 = random.Normal();
    double b2 = random.Normal();
    for (size_t i = 0; i < a.size(); ++i) {
      const double a0 = random.Normal();
      const double b0 = random.Normal();
      a[i] = (a0 + a1 + a2) * (a0 + a1 + a2);
      b[i] = (b0 + b1 + b2) * (b0 + b1 + b2);
      a2 = a1, a1 = a0, b2 = b1, b1 = b0;
    }
    rejected += TestDieboldMariano(a, b, 3).p_value < 0.05 ? 1 : 0;
  }
  // Harvey, Leybourne and Newbold report sizes a little above the nominal 5 %.
  EXPECT_GT(rejected, 0.03 * kSeries);
  EXPECT_LT(rejected, 0.09 * kSeries);
}

TEST(DieboldMariano, FallsBackWhereTheRectangularKernelIsNotPositive) {
  const std::vector<double> a = {1, -1, 1, -1, 1, -1, 1, -0.9, 1, -1};
  const std::vector<double> b(10, 0.0);
  const DieboldMariano test = TestDieboldMariano(a, b, 2);
  EXPECT_EQ(test.kernel, "bartlett");
  EXPECT_TRUE(std::isfinite(test.statistic));
}

TEST(DieboldMariano, EqualLossesAreEqual) {
  const std::vector<double> a = {1, 2, 3, 4};
  EXPECT_EQ(TestDieboldMariano(a, a, 1).p_value, 1);
  EXPECT_EQ(TestDieboldMariano(a, a, 1).statistic, 0);
}

TEST(DieboldMariano, IsNotDefinedWithoutEnoughOrWithoutVariation) {
  const std::vector<double> a = {1.1, 2.1, 3.1, 4.1};
  const std::vector<double> b = {1, 2, 3, 4};
  EXPECT_TRUE(std::isnan(TestDieboldMariano(a, b, 4).p_value));
  EXPECT_TRUE(std::isnan(TestDieboldMariano(a, b, 1).p_value));
  EXPECT_TRUE(ToJson(TestDieboldMariano(a, b, 4))["p_value"].is_null());
  EXPECT_TRUE(std::isnan(TestDieboldMariano({}, {}, 1).p_value));
}

TEST(DieboldMariano, RefusesWrongUse) {
  const std::vector<double> a = {1, 2, 3};
  const std::vector<double> bad = {1, NAN, 3};
  EXPECT_THROW(TestDieboldMariano(a, std::span(a).first(2), 1), Error);
  EXPECT_THROW(TestDieboldMariano(a, a, 0), Error);
  EXPECT_THROW(TestDieboldMariano(a, bad, 1), Error);
}

}  // namespace
}  // namespace almanac
