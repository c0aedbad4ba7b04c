#include "almanac/evaluate/superior_ability.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/base/random.h"
#include "almanac/evaluate/golden_test_util.h"
#include "almanac/evaluate/statistics.h"

namespace almanac {
namespace {

using ::testing::HasSubstr;

// Series of noise that share a market; series k has mean edge(k), each value keeps `memory` of the
// one before.
SeriesPanel Noise(
    size_t instants, size_t series, uint64_t seed,
    const std::function<double(size_t)>& edge = [](size_t) { return 0.0; }, double memory = 0) {
  SeriesPanel panel(instants);
  Random common(seed, uint64_t{1} << 40);
  std::vector<double> market(instants);
  for (double& value : market) value = common.Normal();
  for (size_t k = 0; k < series; ++k) {
    Random random(seed, k);
    std::vector<double> values(instants);
    double before = 0;
    for (size_t t = 0; t < instants; ++t) {
      before = memory * before + random.Normal();
      values[t] = before + 0.5 * market[t] + edge(k);
    }
    panel.Add("s" + std::to_string(k), values);
  }
  return panel;
}

// The mean of the resampled series, written out draw by draw.
std::vector<double> ResampledMeans(const SeriesPanel& panel, double block, uint64_t seed,
                                   uint64_t replicate) {
  const std::vector<uint32_t> drawn = StationaryDraw(panel.instants(), block, seed, replicate);
  std::vector<double> means;
  for (size_t k = 0; k < panel.series(); ++k) {
    std::vector<double> sample;
    for (size_t t = 0; t < drawn.size(); ++t)
      sample.insert(sample.end(), drawn[t], panel.values(k)[t]);
    means.push_back(Mean(sample));
  }
  return means;
}

TEST(SeriesPanel, BootstrapMeansAreThoseOfTheResampledSeries) {
  const SeriesPanel panel = Noise(50, 11, 4, [](size_t k) { return 0.1 * static_cast<double>(k); });
  const BootstrapOptions options{.replicates = 7, .seed = 3};
  const std::vector<double> centred = CentredBootstrapMeans(panel, 4, options);
  const std::vector<double> means = panel.Means();
  for (size_t b = 0; b < 7; ++b) {
    const std::vector<double> resampled = ResampledMeans(panel, 4, 3, b);
    for (size_t k = 0; k < 11; ++k) {
      EXPECT_NEAR(centred[b * 11 + k], resampled[k] - means[k], 1e-13);
    }
  }
}

// Politis and Romano 1994, lemma 1, as Hansen 2005 writes it: ordinary autocovariances with weights
// kappa(n, i) = (n - i) / n (1 - q)^i + i / n (1 - q)^(n - i).
TEST(SeriesPanel, DeviationsAreHansensKernel) {
  const SeriesPanel panel = Noise(
      40, 2, 8, [](size_t) { return 0.0; }, 0.4);
  for (const double block : {1.0, 2.5, 9.0}) {
    const std::vector<double> deviations = StationaryDeviations(panel, block);
    for (size_t k = 0; k < panel.series(); ++k) {
      const std::vector<double> gamma = Autocovariance(panel.values(k), 39);
      double variance = gamma[0];
      for (size_t i = 1; i < 40; ++i) {
        const double share = static_cast<double>(i) / 40;
        const double kept = 1 - 1 / block;
        variance +=
            2 * gamma[i] *
            ((1 - share) * std::pow(kept, i) + share * std::pow(kept, 40 - static_cast<double>(i)));
      }
      EXPECT_NEAR(deviations[k], std::sqrt(variance), 1e-11);
    }
  }
}

TEST(SeriesPanel, DeviationsAreThoseOfTheReplicates) {
  const SeriesPanel panel = Noise(
      200, 3, 5, [](size_t) { return 0.0; }, 0.4);
  const BootstrapOptions options{.replicates = 20000};
  const std::vector<double> centred = CentredBootstrapMeans(panel, 6, options);
  const std::vector<double> deviations = StationaryDeviations(panel, 6);
  for (size_t k = 0; k < 3; ++k) {
    double sum = 0;
    for (size_t b = 0; b < 20000; ++b) sum += centred[b * 3 + k] * centred[b * 3 + k];
    EXPECT_NEAR(std::sqrt(200 * sum / 20000) / deviations[k], 1, 0.02);
  }
}

struct Slow {
  double white, lower, consistent, upper;
  std::vector<double> stepwise;
};

// The definitions of White, Hansen, Romano and Wolf, series by series and replicate by replicate.
Slow SlowTest(const SeriesPanel& panel, double block, int replicates, uint64_t seed) {
  const double n = static_cast<double>(panel.instants());
  const size_t series = panel.series();
  const std::vector<double> mean = panel.Means();
  const std::vector<double> w = StationaryDeviations(panel, block);
  double v = -1e300, t = 0;
  std::vector<double> statistic(series);
  for (size_t k = 0; k < series; ++k) {
    statistic[k] = std::sqrt(n) * mean[k] / w[k];
    v = std::max(v, std::sqrt(n) * mean[k]);
    t = std::max(t, statistic[k]);
  }
  std::vector<size_t> order(series);
  for (size_t k = 0; k < series; ++k) order[k] = k;
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return statistic[a] > statistic[b]; });
  Slow counts{0, 0, 0, 0, std::vector<double>(series, 0)};
  for (int b = 0; b < replicates; ++b) {
    const std::vector<double> draw = ResampledMeans(panel, block, seed, static_cast<uint64_t>(b));
    double white = -1e300, lower = 0, consistent = 0, upper = 0;
    std::vector<double> t_star(series);
    for (size_t k = 0; k < series; ++k) {
      const double g_consistent =
          mean[k] >= -std::sqrt(w[k] * w[k] / n * 2 * std::log(std::log(n))) ? mean[k] : 0;
      white = std::max(white, std::sqrt(n) * (draw[k] - mean[k]));
      lower = std::max(lower, std::sqrt(n) * (draw[k] - std::max(0.0, mean[k])) / w[k]);
      consistent = std::max(consistent, std::sqrt(n) * (draw[k] - g_consistent) / w[k]);
      upper = std::max(upper, std::sqrt(n) * (draw[k] - mean[k]) / w[k]);
      t_star[k] = std::sqrt(n) * (draw[k] - mean[k]) / w[k];
    }
    counts.white += white >= v;
    counts.lower += lower >= t;
    counts.consistent += consistent >= t;
    counts.upper += upper >= t;
    for (size_t j = 0; j < series; ++j) {
      double most = -1e300;
      for (size_t i = j; i < series; ++i) most = std::max(most, t_star[order[i]]);
      counts.stepwise[order[j]] += most >= statistic[order[j]];
    }
  }
  const auto p = [&](double count) { return (1 + count) / (1 + replicates); };
  double largest = 0;
  for (const size_t k : order) {
    largest = std::max(largest, p(counts.stepwise[k]));
    counts.stepwise[k] = largest;
  }
  return {p(counts.white), p(counts.lower), p(counts.consistent), p(counts.upper), counts.stepwise};
}

TEST(SuperiorAbility, AgreesWithTheDefinitions) {
  for (const uint64_t seed : {1, 2, 3}) {
    const SeriesPanel panel = Noise(
        80, 13, seed, [](size_t k) { return k < 5 ? -0.4 : 0.06 * static_cast<double>(k % 4); });
    const BootstrapOptions options{.replicates = 150, .seed = 9, .block_length = 3};
    const SuperiorAbility test = TestSuperiorAbility(panel, options);
    const Slow slow = SlowTest(panel, 3, 150, 9);
    EXPECT_DOUBLE_EQ(test.reality_check, slow.white);
    EXPECT_DOUBLE_EQ(test.spa_lower, slow.lower);
    EXPECT_DOUBLE_EQ(test.spa, slow.consistent);
    EXPECT_DOUBLE_EQ(test.spa_upper, slow.upper);
    for (size_t k = 0; k < 13; ++k) EXPECT_DOUBLE_EQ(test.stepwise[k], slow.stepwise[k]);
    EXPECT_LE(test.spa_lower, test.spa);
    EXPECT_LE(test.spa, test.spa_upper);
    EXPECT_DOUBLE_EQ(test.stepwise[test.best],
                     *std::min_element(slow.stepwise.begin(), slow.stepwise.end()));
  }
}

// arch and numpy draw other replicates: what 20000 and 4000 of them leave uncertain.
TEST(SuperiorAbility, AgreesWithArchAndNumpy) {
  SeriesPanel performance(300);
  for (const Json& losses : ArchGolden()["losses"]) {
    std::vector<double> values = Doubles(losses);
    for (double& value : values) value = -value;
    performance.Add("", values);
  }
  const SuperiorAbility test =
      TestSuperiorAbility(performance, {.replicates = 4000, .block_length = 5});
  EXPECT_NEAR(test.reality_check, ArchGolden()["reality_check"].get<double>(), 0.012);
  EXPECT_NEAR(test.spa_lower, ArchGolden()["spa"]["lower"].get<double>(), 0.012);
  EXPECT_NEAR(test.spa, ArchGolden()["spa"]["consistent"].get<double>(), 0.012);
  EXPECT_NEAR(test.spa_upper, ArchGolden()["spa"]["upper"].get<double>(), 0.012);
}

// On noise the tests reject as often as they say; of 60 series the best always looks good.
TEST(SuperiorAbility, OnNoiseRejectsAsOftenAsItSays) {
  constexpr int kPanels = 150;
  int spa = 0, white = 0, familywise = 0, naive = 0;
  for (int panel = 0; panel < kPanels; ++panel) {
    const SuperiorAbility test = TestSuperiorAbility(
        Noise(250, 60, 500 + static_cast<uint64_t>(panel)), {.replicates = 199, .block_length = 1});
    spa += test.spa < 0.1;
    white += test.reality_check < 0.1;
    familywise += *std::min_element(test.stepwise.begin(), test.stepwise.end()) < 0.1;
    naive += NormalCdf(-test.best_statistic) < 0.1;  // as if only the best had been tried
  }
  EXPECT_LT(spa, 0.19 * kPanels);
  EXPECT_GT(spa, 0.03 * kPanels);
  EXPECT_LT(white, 0.19 * kPanels);
  EXPECT_LT(familywise, 0.19 * kPanels);
  EXPECT_GT(naive, 0.9 * kPanels);
}

TEST(SuperiorAbility, FindsWhatIsThereAndNamesIt) {
  const SeriesPanel panel =
      Noise(300, 200, 77, [](size_t k) { return k == 17 || k == 150 ? 0.6 : 0.0; });
  const SuperiorAbility test = TestSuperiorAbility(panel, {.replicates = 300, .block_length = 3});
  EXPECT_TRUE(test.best == 17 || test.best == 150);
  EXPECT_LT(test.spa, 0.01);
  EXPECT_LT(test.reality_check, 0.01);
  for (size_t k = 0; k < 200; ++k) {
    EXPECT_EQ(test.stepwise[k] < 0.05, k == 17 || k == 150) << k << " " << test.stepwise[k];
  }
}

// Hansen's point: many poor series make White's test blind, and the consistent centring does not.
TEST(SuperiorAbility, PoorSeriesDoNotHideAGoodOne) {
  int spa = 0, upper = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const SeriesPanel panel =
        Noise(200, 120, 900 + seed, [](size_t k) { return k == 0 ? 0.25 : -1.0; });
    const SuperiorAbility test = TestSuperiorAbility(panel, {.replicates = 199, .block_length = 3});
    spa += test.spa < 0.05;
    upper += test.spa_upper < 0.05;
  }
  EXPECT_GT(spa, upper + 4);
}

TEST(SuperiorAbility, DoesNotDependOnThreads) {
  const SeriesPanel panel = Noise(100, 37, 6);
  const int before = ThreadCount();
  SetThreadCount(1);
  const SuperiorAbility one = TestSuperiorAbility(panel, {.replicates = 101});
  SetThreadCount(4);
  const SuperiorAbility many = TestSuperiorAbility(panel, {.replicates = 101});
  SetThreadCount(before);
  EXPECT_EQ(ToJson(one, panel.names()), ToJson(many, panel.names()));
}

TEST(SuperiorAbility, ASeriesEqualToTheBenchmarkTakesNoPart) {
  SeriesPanel panel = Noise(60, 2, 1);
  panel.Add("copy", std::vector<double>(60, 0.0));
  const SuperiorAbility test = TestSuperiorAbility(panel, {.replicates = 50});
  EXPECT_EQ(test.not_tested, 1u);
  EXPECT_TRUE(std::isnan(test.statistic[2]));
  EXPECT_EQ(test.stepwise[2], 1);
  SeriesPanel copies(60);
  copies.Add("copy", std::vector<double>(60, 0.0));
  EXPECT_EQ(TestSuperiorAbility(copies, {.replicates = 50}).spa, 1);
}

std::string MessageOf(const SeriesPanel& panel, const BootstrapOptions& options) {
  try {
    TestSuperiorAbility(panel, options);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(SuperiorAbility, RefusesWrongUse) {
  EXPECT_THAT(MessageOf(SeriesPanel(50), {}), HasSubstr("no series"));
  EXPECT_THAT(MessageOf(Noise(9, 2, 1), {}), HasSubstr("9 instants; at least 10"));
  EXPECT_THAT(MessageOf(Noise(50, 2, 1), {.replicates = 0}), HasSubstr("0 replicates"));
  EXPECT_THAT(MessageOf(Noise(50, 2, 1), {.confidence = 2}), HasSubstr("bootstrap.confidence"));
  SeriesPanel constant(50);
  constant.Add("always better", std::vector<double>(50, 0.1));
  EXPECT_THAT(MessageOf(constant, {}), HasSubstr("'always better': it differs"));
  SeriesPanel panel(3);
  EXPECT_THROW(panel.Add("short", std::vector<double>(2)), Error);
  try {
    panel.Add("bad", std::vector<double>{0, std::numeric_limits<double>::infinity(), 0});
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("series 'bad', instant 1"));
  }
}

}  // namespace
}  // namespace almanac
