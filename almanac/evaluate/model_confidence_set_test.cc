#include "almanac/evaluate/model_confidence_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/base/random.h"
#include "almanac/evaluate/golden_test_util.h"

namespace almanac {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Not;

// Squared-error-like losses; model k is `worse[k]` worse on average.
SeriesPanel Losses(size_t instants, const std::vector<double>& worse, uint64_t seed) {
  SeriesPanel panel(instants);
  Random common(seed, uint64_t{1} << 40);
  std::vector<double> shared(instants);
  for (double& value : shared) value = common.Exponential();
  for (size_t k = 0; k < worse.size(); ++k) {
    Random random(seed, k);
    std::vector<double> values(instants);
    for (size_t t = 0; t < instants; ++t) values[t] = shared[t] + 0.5 * random.Normal() + worse[k];
    panel.Add("m" + std::to_string(k), values);
  }
  return panel;
}

// Hansen, Lunde and Nason's definitions, every statistic of every step made anew.
std::vector<double> SlowPValues(const SeriesPanel& losses, double block, int replicates,
                                uint64_t seed, ConfidenceSetStatistic kind) {
  const size_t models = losses.series();
  const std::vector<double> mean = losses.Means();
  std::vector<std::vector<double>> moved;  // L*_i - L_i
  for (int b = 0; b < replicates; ++b) {
    const std::vector<uint32_t> drawn =
        StationaryDraw(losses.instants(), block, seed, static_cast<uint64_t>(b));
    moved.emplace_back(models);
    for (size_t i = 0; i < models; ++i) {
      for (size_t t = 0; t < drawn.size(); ++t) moved.back()[i] += drawn[t] * losses.values(i)[t];
      moved.back()[i] = moved.back()[i] / static_cast<double>(drawn.size()) - mean[i];
    }
  }
  std::vector<size_t> left(models);
  for (size_t i = 0; i < models; ++i) left[i] = i;
  std::vector<double> p_value(models, 1);
  double largest = 0;
  while (left.size() > 1) {
    // The contrasts of the test: one a model, or one a pair.
    const auto contrast = [&](const std::vector<double>& loss, size_t i, size_t j) {
      if (kind == ConfidenceSetStatistic::kRange) return loss[i] - loss[j];
      double average = 0;
      for (const size_t m : left) average += loss[m] / static_cast<double>(left.size());
      return loss[i] - average;
    };
    const auto deviation = [&](size_t i, size_t j) {
      double sum = 0;
      for (const auto& draw : moved) sum += contrast(draw, i, j) * contrast(draw, i, j);
      return std::sqrt(sum / replicates);
    };
    double statistic = -1e300;
    size_t worst = 0;
    std::vector<double> maxima(moved.size(), -1e300);
    for (const size_t i : left) {
      for (const size_t j : left) {
        if (i == j) continue;
        const double sd = deviation(i, j);
        const double t = contrast(mean, i, j) / sd;
        if (t > statistic) statistic = t, worst = i;
        for (size_t b = 0; b < moved.size(); ++b) {
          maxima[b] = std::max(maxima[b], contrast(moved[b], i, j) / sd);
        }
      }
    }
    const auto reached = std::count_if(maxima.begin(), maxima.end(),
                                       [&](double value) { return value >= statistic - 1e-12; });
    largest = std::max(largest, static_cast<double>(1 + reached) / (1 + replicates));
    p_value[worst] = largest;
    std::erase(left, worst);
  }
  return p_value;
}

TEST(ModelConfidenceSet, AgreesWithTheDefinitions) {
  for (const ConfidenceSetStatistic kind :
       {ConfidenceSetStatistic::kMax, ConfidenceSetStatistic::kRange}) {
    for (const uint64_t seed : {1, 2, 3}) {
      const SeriesPanel losses = Losses(90, {0, 0.02, 0.1, 0.05, 0.3, 0.01, 0.15}, seed);
      const BootstrapOptions options{.replicates = 120, .seed = 5, .block_length = 2};
      const ModelConfidenceSet set = ComputeConfidenceSet(losses, options, 1, kind);
      const std::vector<double> slow = SlowPValues(losses, 2, 120, 5, kind);
      for (size_t i = 0; i < slow.size(); ++i) {
        EXPECT_NEAR(set.p_value[i], slow[i], 1e-12) << Name(kind) << " seed " << seed << " " << i;
      }
      EXPECT_EQ(set.removed.size(), 7u);
      EXPECT_EQ(set.p_value[set.removed.back()], 1);
    }
  }
}

// arch draws other replicates: what 10000 and 4000 of them leave uncertain.
TEST(ModelConfidenceSet, AgreesWithArch) {
  SeriesPanel losses(300);
  for (const Json& values : ArchGolden()["losses"]) losses.Add("", Doubles(values));
  for (const ConfidenceSetStatistic kind :
       {ConfidenceSetStatistic::kMax, ConfidenceSetStatistic::kRange}) {
    const ModelConfidenceSet set =
        ComputeConfidenceSet(losses, {.replicates = 4000, .block_length = 5}, 1, kind);
    const std::vector<double> golden = Doubles(ArchGolden()["mcs_" + std::string(Name(kind))]);
    for (size_t i = 0; i < golden.size(); ++i) {
      EXPECT_NEAR(set.p_value[i], golden[i], 0.03) << Name(kind) << " " << i;
    }
  }
}

TEST(ModelConfidenceSet, KeepsTheBestAsOftenAsItSays) {
  for (const ConfidenceSetStatistic kind :
       {ConfidenceSetStatistic::kMax, ConfidenceSetStatistic::kRange}) {
    int kept = 0, kept_worst = 0;
    constexpr int kPanels = 150;
    for (int panel = 0; panel < kPanels; ++panel) {
      const SeriesPanel losses = Losses(150, {0, 0.02, 0.02, 0.02, 0.02, 0.02, 0.02, 0.5},
                                        40 + static_cast<uint64_t>(panel));
      const std::vector<size_t> members =
          ComputeConfidenceSet(losses, {.replicates = 199, .block_length = 1}, 1, kind)
              .Members(0.1);
      kept += std::find(members.begin(), members.end(), 0u) != members.end();
      kept_worst += std::find(members.begin(), members.end(), 7u) != members.end();
    }
    EXPECT_GT(kept, 0.85 * kPanels) << Name(kind);
    EXPECT_LT(kept_worst, 0.02 * kPanels) << Name(kind);
  }
}

TEST(ModelConfidenceSet, OneModelStaysAndCopiesStayTogether) {
  EXPECT_THAT(ComputeConfidenceSet(Losses(30, {0}, 1), {.replicates = 20}).p_value, ElementsAre(1));
  SeriesPanel losses = Losses(100, {0, 1}, 3);
  losses.Add("copy of m0", losses.values(0));
  for (const ConfidenceSetStatistic kind :
       {ConfidenceSetStatistic::kMax, ConfidenceSetStatistic::kRange}) {
    const ModelConfidenceSet set = ComputeConfidenceSet(losses, {.replicates = 99}, 1, kind);
    EXPECT_THAT(set.Members(0.1), ElementsAre(0, 2)) << Name(kind);
    EXPECT_EQ(set.p_value[0], 1);
    EXPECT_EQ(set.p_value[2], 1);
  }
}

TEST(ModelConfidenceSet, DoesNotDependOnThreads) {
  const SeriesPanel losses = Losses(80, std::vector<double>(23, 0.0), 6);
  const int before = ThreadCount();
  for (const ConfidenceSetStatistic kind :
       {ConfidenceSetStatistic::kMax, ConfidenceSetStatistic::kRange}) {
    SetThreadCount(1);
    const ModelConfidenceSet one = ComputeConfidenceSet(losses, {.replicates = 130}, 1, kind);
    SetThreadCount(4);
    const ModelConfidenceSet many = ComputeConfidenceSet(losses, {.replicates = 130}, 1, kind);
    EXPECT_EQ(one.p_value, many.p_value);
    EXPECT_EQ(one.removed, many.removed);
  }
  SetThreadCount(before);
}

TEST(ModelConfidenceSet, RefusesWrongUse) {
  EXPECT_THROW(ComputeConfidenceSet(SeriesPanel(50), {}), Error);
  EXPECT_THROW(ComputeConfidenceSet(Losses(9, {0, 1}, 1), {}), Error);
  EXPECT_THROW(ComputeConfidenceSet(Losses(50, {0, 1}, 1), {.replicates = 0}), Error);
}

}  // namespace
}  // namespace almanac
