#include "almanac/evaluate/superior_ability.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/evaluate/json_value.h"

namespace almanac {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr size_t kFewestInstants = 10;

void Check(const SeriesPanel& panel, const BootstrapOptions& options) {
  CheckOptions(options);
  const auto refuse = [](std::string what, std::string remedy) {
    throw Error(ErrorCode::kUsage, "test for superior ability", std::move(what), std::move(remedy));
  };
  if (options.replicates == 0) refuse("0 replicates", "at least 1; 1000 are usual");
  if (panel.series() == 0) refuse("no series", "pass at least one");
  if (panel.instants() < kFewestInstants) {
    refuse(fmt::format("{} instants", panel.instants()),
           fmt::format("at least {}", kFewestInstants));
  }
}

// What is tested, in order of falling t-statistic.
struct Tested {
  std::vector<size_t> position;  // in the panel
  std::vector<double> mean, deviation, statistic, centre_lower, centre_consistent;
};

Tested Order(const SeriesPanel& panel, double mean_block) {
  const std::vector<double> means = panel.Means();
  const std::vector<double> deviations = StationaryDeviations(panel, mean_block);
  const double root = std::sqrt(static_cast<double>(panel.instants()));
  Tested tested;
  for (size_t k = 0; k < panel.series(); ++k) {
    if (deviations[k] > 0) {
      tested.position.push_back(k);
    } else if (means[k] != 0) {
      throw Error(ErrorCode::kBadData, fmt::format("series '{}'", panel.names()[k]),
                  fmt::format("it differs from the benchmark by {} at every instant", means[k]),
                  "a series without variation cannot be tested: leave it out");
    }
  }
  const auto t = [&](size_t k) { return root * means[k] / deviations[k]; };
  std::stable_sort(tested.position.begin(), tested.position.end(),
                   [&](size_t a, size_t b) { return t(a) > t(b); });
  const auto n = static_cast<double>(panel.instants());
  const double poor = -std::sqrt(2 * std::log(std::log(n)));
  for (const size_t k : tested.position) {
    tested.mean.push_back(means[k]);
    tested.deviation.push_back(deviations[k]);
    tested.statistic.push_back(t(k));
    tested.centre_lower.push_back(std::max(0.0, means[k]));
    tested.centre_consistent.push_back(t(k) >= poor ? means[k] : 0.0);
  }
  return tested;
}

// The maxima of one replicate. `rest[j]` is that over the series from place j on.
struct Maxima {
  double white = 0, lower = 0, consistent = 0, upper = 0;
  std::vector<double> rest;
};

Maxima MaximaOf(const Tested& tested, const double* centred, double root) {
  Maxima maxima;
  maxima.white = -std::numeric_limits<double>::infinity();
  maxima.rest.resize(tested.position.size());
  double rest = -std::numeric_limits<double>::infinity();
  for (size_t j = tested.position.size(); j-- > 0;) {
    const double moved = centred[tested.position[j]];  // mean* - mean
    const double scale = root / tested.deviation[j];
    const double above = moved + tested.mean[j];
    maxima.white = std::max(maxima.white, root * moved);
    maxima.lower = std::max(maxima.lower, scale * (above - tested.centre_lower[j]));
    maxima.consistent = std::max(maxima.consistent, scale * (above - tested.centre_consistent[j]));
    maxima.upper = std::max(maxima.upper, scale * moved);
    rest = std::max(rest, scale * moved);
    maxima.rest[j] = rest;
  }
  return maxima;
}

// Adjusted p-values in the order of `tested`, which never fall.
std::vector<double> Stepwise(const Tested& tested, const std::vector<Maxima>& maxima) {
  std::vector<double> p(tested.position.size());
  ParallelFor(p.size(), [&](size_t j) {
    size_t reached = 0;
    for (const Maxima& replicate : maxima) {
      reached += replicate.rest[j] >= tested.statistic[j] ? 1 : 0;
    }
    p[j] = static_cast<double>(1 + reached) / static_cast<double>(1 + maxima.size());
  });
  for (size_t j = 1; j < p.size(); ++j) p[j] = std::max(p[j], p[j - 1]);
  return p;
}

}  // namespace

SuperiorAbility TestSuperiorAbility(const SeriesPanel& performance, const BootstrapOptions& options,
                                    double least_block) {
  Check(performance, options);
  SuperiorAbility test;
  test.instants = performance.instants();
  test.replicates = options.replicates;
  test.block_length = PanelBlockLength(performance, options, least_block);
  test.statistic.assign(performance.series(), kNan);
  test.stepwise.assign(performance.series(), 1.0);
  const Tested tested = Order(performance, test.block_length);
  test.series = tested.position.size();
  test.not_tested = performance.series() - test.series;
  test.best_mean = test.best_statistic = kNan;
  if (test.series == 0) return test;

  const double root = std::sqrt(static_cast<double>(test.instants));
  const std::vector<double> centred =
      CentredBootstrapMeans(performance, test.block_length, options);
  std::vector<Maxima> maxima(static_cast<size_t>(options.replicates));
  ParallelFor(maxima.size(), [&](size_t b) {
    maxima[b] = MaximaOf(tested, centred.data() + b * performance.series(), root);
  });
  const auto p_value = [&](double Maxima::*which, double statistic) {
    std::vector<double> draws;
    draws.reserve(maxima.size());
    for (const Maxima& replicate : maxima) draws.push_back(replicate.*which);
    return BootstrapPValue(draws, statistic);
  };
  test.best = tested.position.front();
  test.best_mean = tested.mean.front();
  test.best_statistic = tested.statistic.front();
  const double best = std::max(0.0, test.best_statistic);
  test.reality_check =
      p_value(&Maxima::white, root * *std::max_element(tested.mean.begin(), tested.mean.end()));
  test.spa_lower = p_value(&Maxima::lower, best);
  test.spa = p_value(&Maxima::consistent, best);
  test.spa_upper = p_value(&Maxima::upper, best);
  const std::vector<double> stepwise = Stepwise(tested, maxima);
  for (size_t j = 0; j < test.series; ++j) {
    test.statistic[tested.position[j]] = tested.statistic[j];
    test.stepwise[tested.position[j]] = stepwise[j];
  }
  return test;
}

Json ToJson(const SuperiorAbility& test, const std::vector<std::string>& names) {
  Json json = {{"instants", test.instants},
               {"series", test.series},
               {"not_tested", test.not_tested},
               {"block_length", test.block_length},
               {"replicates", test.replicates},
               {"best_mean", NumberOrNull(test.best_mean)},
               {"best_statistic", NumberOrNull(test.best_statistic)},
               {"p_reality_check", test.reality_check},
               {"p_spa_lower", test.spa_lower},
               {"p_spa", test.spa},
               {"p_spa_upper", test.spa_upper}};
  if (names.empty()) return json;
  json["best"] = test.series > 0 ? Json(names[test.best]) : Json(nullptr);
  json["stepwise"] = Json::array();
  for (size_t k = 0; k < names.size(); ++k) {
    json["stepwise"].push_back({{"name", names[k]},
                                {"statistic", NumberOrNull(test.statistic[k])},
                                {"p_value", test.stepwise[k]}});
  }
  return json;
}

}  // namespace almanac
