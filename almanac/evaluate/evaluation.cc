// Evaluate: the metrics with their intervals, the tests against the naive forecast, the verdict.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "almanac/evaluate/json_value.h"
#include "almanac/evaluate/metric_sums.h"
#include "almanac/evaluate/metrics.h"
#include "almanac/evaluate/p_value.h"
#include "almanac/evaluate/ratio_sums.h"
#include "almanac/evaluate/statistics.h"

namespace almanac {
namespace {

struct Losses {
  std::vector<double> squared, squared_naive, absolute, absolute_naive;
};

// The mean losses of each instant.
Losses InstantLosses(const ForecastSample& sample, const MetricSums& sums) {
  Losses losses;
  for (size_t i = 0; i < sums.instants(); ++i) {
    double squared = 0;
    double squared_naive = 0;
    double absolute = 0;
    double absolute_naive = 0;
    for (size_t row = sums.InstantBegin(i); row < sums.InstantBegin(i + 1); ++row) {
      const double error = sample.actual[row] - sample.forecast[row];
      const double naive = sample.actual[row] - sample.naive[row];
      squared += error * error;
      squared_naive += naive * naive;
      absolute += std::abs(error);
      absolute_naive += std::abs(naive);
    }
    const auto rows = static_cast<double>(sums.InstantBegin(i + 1) - sums.InstantBegin(i));
    losses.squared.push_back(squared / rows);
    losses.squared_naive.push_back(squared_naive / rows);
    losses.absolute.push_back(absolute / rows);
    losses.absolute_naive.push_back(absolute_naive / rows);
  }
  return losses;
}

std::vector<MetricResult> ResultsWithIntervals(const MetricSums& sums, double block_length,
                                               const BootstrapOptions& options) {
  const size_t width = 3 * sums.columns().size();
  std::vector<double> values(width);
  const std::vector<uint32_t> once(sums.instants(), 1);
  sums.Compute(once, values);
  const std::vector<Interval> intervals = BootstrapIntervals(
      sums.instants(), width, block_length, options,
      [&](std::span<const uint32_t> drawn, std::span<double> out) { sums.Compute(drawn, out); });
  const auto estimate = [&](size_t k) {
    return Estimate{values[k], std::isnan(values[k]) ? Interval{} : intervals[k]};
  };
  std::vector<MetricResult> results;
  for (size_t c = 0; c < sums.columns().size(); ++c) {
    results.push_back({sums.columns()[c].space, sums.columns()[c].metric, estimate(3 * c),
                       estimate(3 * c + 1), estimate(3 * c + 2)});
  }
  return results;
}

std::string VerdictOf(const Evaluation& evaluation, double naive_loss, double significance) {
  const DieboldMariano& test = evaluation.squared;
  if (std::isnan(test.p_value)) {
    return fmt::format("{} cannot be compared with the {} forecast: {} instants at horizon {}",
                       evaluation.model, evaluation.naive, test.count, test.horizon);
  }
  if (test.statistic == 0 && test.p_value == 1) {
    return fmt::format("{} makes the same errors as the {} forecast", evaluation.model,
                       evaluation.naive);
  }
  const std::string p = FormatPValue(test.p_value);
  if (test.p_value >= significance) {
    return fmt::format("{} is not distinguishable from the {} forecast (DM {})", evaluation.model,
                       evaluation.naive, p);
  }
  const bool better = test.mean_difference < 0;
  return fmt::format(
      "{} {} the {} forecast: {} {} squared error (DM {})", evaluation.model,
      better ? "beats" : "is worse than", evaluation.naive,
      naive_loss > 0 ? fmt::format("{:.2g} %", 100 * std::abs(test.mean_difference) / naive_loss)
                     : "any",
      better ? "less" : "more", p);
}

// What the values are.
std::vector<std::string> AssumptionsOf(Space space) {
  if (space == Space::kVolatility) {
    return {
        "Volatility is the root of the sum of the squared log returns of the horizon's bars, not "
        "annualised; the naive forecast is that of the last equally long time.",
        "QLIKE leaves out rows whose volatility is 0; it is not defined if another row's forecast "
        "is not above 0."};
  }
  return {"Returns are fractions; price forecasts are close * (1 + forecast return).",
          "Direction leaves out rows whose return is exactly 0; a forecast of 0 counts one half."};
}

std::vector<std::string> Assumptions(const ForecastSample& sample, const Evaluation& evaluation) {
  std::vector<std::string> lines = {
      fmt::format("Every metric stands beside that of the {} forecast on the same {} rows.",
                  evaluation.naive, evaluation.rows),
      "MASE divides by the naive forecast's mean absolute error in training at that horizon.",
      fmt::format("The Diebold-Mariano test uses squared error, {} autocovariances, and Harvey, "
                  "Leybourne and Newbold's correction.",
                  sample.horizon - 1)};
  const std::vector<std::string> values = AssumptionsOf(sample.space);
  lines.insert(lines.begin() + 1, values.begin(), values.end());
  if (evaluation.bootstrap.replicates > 0) {
    lines.push_back(
        fmt::format("Intervals are {:g} % percentile intervals of the stationary bootstrap ({} "
                    "replicates, mean "
                    "block {:.1f} instants, seed {}).",
                    100 * evaluation.bootstrap.confidence, evaluation.bootstrap.replicates,
                    evaluation.block_length, evaluation.bootstrap.seed));
  }
  return lines;
}

Json ToJson(const GroupResult& group) {
  Json metrics = Json::array();
  for (const MetricResult& result : group.metrics) {
    metrics.push_back({{"space", Name(result.space)},
                       {"metric", Name(result.metric)},
                       {"model", NumberOrNull(result.model.value)},
                       {"naive", NumberOrNull(result.naive.value)}});
  }
  return Json{{"label", group.label}, {"rows", group.rows}, {"metrics", std::move(metrics)}};
}

}  // namespace

const MetricResult* Evaluation::Find(Space of, Metric metric) const {
  for (const MetricResult& result : metrics) {
    if (result.space == of && result.metric == metric) return &result;
  }
  return nullptr;
}

Evaluation Evaluate(const ForecastSample& sample, const EvaluateOptions& options) {
  CheckOptions(options.bootstrap);
  const MetricSums sums(sample);
  const Losses losses = InstantLosses(sample, sums);
  Evaluation evaluation;
  evaluation.model = options.model;
  evaluation.naive = options.naive;
  evaluation.rows = sample.size();
  evaluation.instants = sums.instants();
  evaluation.first_made_at = sample.made_at.front();
  evaluation.last_made_at = sample.made_at.back();
  evaluation.horizon = sample.horizon;
  evaluation.space = sample.space;
  evaluation.bootstrap = options.bootstrap;
  evaluation.block_length = BlockLengthOfDifference(losses.squared, losses.squared_naive,
                                                    sample.horizon, options.bootstrap);
  evaluation.metrics = ResultsWithIntervals(sums, evaluation.block_length, options.bootstrap);
  evaluation.squared = TestDieboldMariano(losses.squared, losses.squared_naive, sample.horizon);
  evaluation.absolute = TestDieboldMariano(losses.absolute, losses.absolute_naive, sample.horizon);
  evaluation.months = EvaluateMonths(sample);
  evaluation.assumptions = Assumptions(sample, evaluation);
  evaluation.verdict = VerdictOf(evaluation, Mean(losses.squared_naive), options.significance);
  return evaluation;
}

Json ToJson(const MetricResult& result) {
  return Json{{"space", Name(result.space)},
              {"metric", Name(result.metric)},
              {"title", Title(result.metric)},
              {"smaller_is_better", SmallerIsBetter(result.metric)},
              {"model", ToJson(result.model)},
              {"naive", ToJson(result.naive)},
              {"difference", ToJson(result.difference)}};
}

Json ToJson(const Evaluation& evaluation) {
  Json metrics = Json::array();
  for (const MetricResult& result : evaluation.metrics) metrics.push_back(ToJson(result));
  const auto groups = [](const std::vector<GroupResult>& results) {
    Json json = Json::array();
    for (const GroupResult& group : results) json.push_back(ToJson(group));
    return json;
  };
  return Json{
      {"model", evaluation.model},
      {"naive", evaluation.naive},
      {"verdict", evaluation.verdict},
      {"rows", evaluation.rows},
      {"instants", evaluation.instants},
      {"first_made_at", FormatTime(evaluation.first_made_at)},
      {"last_made_at", FormatTime(evaluation.last_made_at)},
      {"horizon", evaluation.horizon},
      {"confidence", evaluation.bootstrap.confidence},
      {"replicates", evaluation.bootstrap.replicates},
      {"seed", evaluation.bootstrap.seed},
      {"block_length", evaluation.block_length},
      {"metrics", std::move(metrics)},
      {"diebold_mariano",
       {{"squared", ToJson(evaluation.squared)}, {"absolute", ToJson(evaluation.absolute)}}},
      {"months", groups(evaluation.months)},
      {"symbols", groups(evaluation.symbols)},
      {"regimes", groups(evaluation.regimes)},
      {"assumptions", evaluation.assumptions}};
}

}  // namespace almanac
