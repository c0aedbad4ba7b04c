#include "almanac/evaluate/comparison.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/evaluate/json_value.h"
#include "almanac/evaluate/p_value.h"
#include "almanac/evaluate/ratio_sums.h"
#include "almanac/evaluate/statistics.h"

namespace almanac {
namespace {

constexpr size_t kFewestInstants = 10;

using Key = std::pair<TimeMs, std::string_view>;

// For each model its rows that all have, in one order.
std::vector<std::vector<size_t>> CommonRows(std::span<const NamedRows> models) {
  std::map<Key, std::vector<size_t>> found;
  for (size_t m = 0; m < models.size(); ++m) {
    const JudgedRows& rows = *models[m].rows;
    for (size_t row = 0; row < rows.rows(); ++row) {
      std::vector<size_t>& places = found[{rows.made_at[row], rows.symbol[row]}];
      if (places.size() == m) places.push_back(row);
    }
  }
  std::vector<std::vector<size_t>> common(models.size());
  for (const auto& [key, places] : found) {
    if (places.size() != models.size()) continue;
    for (size_t m = 0; m < models.size(); ++m) common[m].push_back(places[m]);
  }
  if (common.front().empty()) {
    throw Error(ErrorCode::kBadData, "comparison of models", "no row that all of them forecast",
                "compare models of the same symbols and times");
  }
  return common;
}

// The squared error of each instant, a series a model and one for naive.
SeriesPanel LossPanel(std::span<const NamedRows> models, const std::string& naive,
                      Comparison& comparison) {
  const std::vector<std::vector<size_t>> common = CommonRows(models);
  std::vector<TimeMs> made_at;
  for (const size_t row : common.front()) made_at.push_back(models[0].rows->made_at[row]);
  RatioSums sums(made_at);
  std::vector<double> loss(made_at.size());
  for (size_t m = 0; m <= models.size(); ++m) {
    const bool is_naive = m == models.size();
    const JudgedRows& rows = *models[is_naive ? 0 : m].rows;
    const std::vector<size_t>& places = common[is_naive ? 0 : m];
    for (size_t i = 0; i < places.size(); ++i) {
      const double forecast = is_naive ? rows.naive[places[i]] : rows.forecast[places[i]];
      const double error = rows.actual[places[i]] - forecast;
      loss[i] = error * error;
    }
    sums.Add(loss);
    comparison.models.push_back(is_naive ? naive : models[m].model);
    comparison.mean_loss.push_back(Mean(loss));
  }
  comparison.rows = made_at.size();
  comparison.instants = sums.instants();
  SeriesPanel panel(sums.instants());
  for (size_t m = 0; m <= models.size(); ++m) {
    panel.Add(comparison.models[m], sums.InstantMeans(m));
  }
  return panel;
}

std::string VerdictOf(const Comparison& comparison, double significance) {
  if (!comparison.confidence_set) return "too few instants to tell the models apart";
  std::vector<std::string> best;
  for (const size_t member : comparison.confidence_set->Members(significance)) {
    best.push_back(comparison.models[member]);
  }
  std::string text =
      best.size() == comparison.models.size()
          ? fmt::format("none of {} can be told from the best", fmt::join(comparison.models, ", "))
          : fmt::format("the best is among {} with {:g} % confidence", fmt::join(best, ", "),
                        100 * (1 - significance));
  if (comparison.superior && comparison.superior->series > 0) {
    const SuperiorAbility& test = *comparison.superior;
    text += fmt::format("; of {} models tried {} beats {} beyond luck (SPA {})", test.series,
                        test.spa < significance ? comparison.models[test.best] : "none",
                        comparison.models.back(), FormatPValue(test.spa));
  }
  return text;
}

// A model that is naive by another name by a constant cannot be tested; the others can.
std::optional<SuperiorAbility> TestAgainstNaive(const SeriesPanel& losses,
                                                const BootstrapOptions& options, double horizon) {
  SeriesPanel models(losses.instants());
  for (size_t m = 0; m + 1 < losses.series(); ++m) models.Add(losses.names()[m], losses.values(m));
  return TestSuperiorAbility(models.BetterThan(losses.values(losses.series() - 1)), options,
                             horizon);
}

}  // namespace

Comparison CompareModels(std::span<const NamedRows> models, const std::string& naive,
                         const BootstrapOptions& options, double significance) {
  if (models.empty()) {
    throw Error(ErrorCode::kUsage, "comparison of models", "no models", "pass at least one");
  }
  Comparison comparison;
  comparison.horizon = models.front().rows->horizon;
  comparison.space = models.front().rows->space;
  for (const NamedRows& model : models) {
    if (model.rows->horizon == comparison.horizon) continue;
    throw Error(ErrorCode::kUsage, "comparison of models",
                fmt::format("horizon {} beside {}", model.rows->horizon, comparison.horizon),
                "compare models at one horizon");
  }
  for (const NamedRows& model : models) {
    if (model.rows->space == comparison.space) continue;
    throw Error(ErrorCode::kUsage, "comparison of models", "volatilities beside returns",
                "compare models of one target");
  }
  const SeriesPanel losses = LossPanel(models, naive, comparison);
  for (size_t a = 0; a < losses.series(); ++a) {
    for (size_t b = a + 1; b < losses.series(); ++b) {
      comparison.pairs.push_back(
          {a, b, TestDieboldMariano(losses.values(a), losses.values(b), comparison.horizon)});
    }
  }
  if (losses.instants() >= kFewestInstants && options.replicates > 0) {
    const auto horizon = static_cast<double>(comparison.horizon);
    comparison.confidence_set = ComputeConfidenceSet(losses, options, horizon);
    comparison.superior = TestAgainstNaive(losses, options, horizon);
  }
  comparison.verdict = VerdictOf(comparison, significance);
  return comparison;
}

Json ToJson(const Comparison& comparison) {
  Json losses = Json::array();
  for (size_t m = 0; m < comparison.models.size(); ++m) {
    losses.push_back({{"model", comparison.models[m]},
                      {"mean_squared_error", NumberOrNull(comparison.mean_loss[m])}});
  }
  Json pairs = Json::array();
  for (const PairTest& pair : comparison.pairs) {
    pairs.push_back({{"a", comparison.models[pair.a]},
                     {"b", comparison.models[pair.b]},
                     {"diebold_mariano", ToJson(pair.test)}});
  }
  std::vector<std::string> tested = comparison.models;
  tested.pop_back();
  return Json{{"verdict", comparison.verdict},
              {"rows", comparison.rows},
              {"instants", comparison.instants},
              {"models", std::move(losses)},
              {"pairs", std::move(pairs)},
              {"confidence_set", comparison.confidence_set
                                     ? ToJson(*comparison.confidence_set, comparison.models)
                                     : Json(nullptr)},
              {"superior_ability",
               comparison.superior ? ToJson(*comparison.superior, tested) : Json(nullptr)}};
}

}  // namespace almanac
