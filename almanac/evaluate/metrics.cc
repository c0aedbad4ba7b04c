#include "almanac/evaluate/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "almanac/base/error.h"
#include "almanac/evaluate/metric_sums.h"
#include "almanac/evaluate/statistics.h"

namespace almanac {
namespace {

constexpr std::array kReturnMetrics = {Metric::kMae,   Metric::kRmse,      Metric::kMase,
                                       Metric::kR2,    Metric::kDirection, Metric::kIc,
                                       Metric::kRankIc};
constexpr std::array kVolatilityMetrics = {Metric::kMae,   Metric::kRmse, Metric::kQlike,
                                           Metric::kMase,  Metric::kR2,   Metric::kIc,
                                           Metric::kRankIc};
constexpr std::array kPriceMetrics = {Metric::kMae,   Metric::kRmse, Metric::kMape,
                                      Metric::kSmape, Metric::kMase, Metric::kR2};

struct MetricTraits {
  std::string_view name;
  std::string_view title;
  bool smaller_is_better;
};

const MetricTraits& TraitsOf(Metric metric) {
  static constexpr std::array<MetricTraits, 10> kTraits = {{{"mae", "MAE", true},
                                                            {"rmse", "RMSE", true},
                                                            {"mape", "MAPE", true},
                                                            {"smape", "sMAPE", true},
                                                            {"qlike", "QLIKE", true},
                                                            {"mase", "MASE", true},
                                                            {"r2", "R² vs naive", false},
                                                            {"direction", "direction", false},
                                                            {"ic", "IC", false},
                                                            {"rank_ic", "rank IC", false}}};
  return kTraits[static_cast<size_t>(metric)];
}

[[noreturn]] void RefuseRow(const ForecastSample& sample, size_t row, std::string_view what,
                            const char* remedy) {
  throw Error(ErrorCode::kBadData,
              fmt::format("forecast row {}, {}", row, FormatTime(sample.made_at[row])),
              std::string(what), remedy);
}

void CheckLength(const ForecastSample& sample, std::span<const double> values, const char* name) {
  if (values.size() == sample.size()) return;
  throw Error(ErrorCode::kUsage, "forecast sample",
              fmt::format("{} values of '{}' for {} rows", values.size(), name, sample.size()),
              "pass one value a row");
}

std::vector<MetricResult> PointResults(const MetricSums& sums) {
  std::vector<double> values(3 * sums.columns().size());
  const std::vector<uint32_t> once(sums.instants(), 1);
  sums.Compute(once, values);
  std::vector<MetricResult> results;
  for (size_t c = 0; c < sums.columns().size(); ++c) {
    MetricResult result;
    result.space = sums.columns()[c].space;
    result.metric = sums.columns()[c].metric;
    result.model.value = values[3 * c];
    result.naive.value = values[3 * c + 1];
    result.difference.value = values[3 * c + 2];
    results.push_back(result);
  }
  return results;
}

}  // namespace

std::string_view Name(Space space) {
  return space == Space::kReturn ? "return" : space == Space::kPrice ? "price" : "volatility";
}
std::string_view Name(Metric metric) { return TraitsOf(metric).name; }
std::string_view Title(Metric metric) { return TraitsOf(metric).title; }
bool SmallerIsBetter(Metric metric) { return TraitsOf(metric).smaller_is_better; }

std::span<const Metric> MetricsOf(Space space) {
  if (space == Space::kReturn) return kReturnMetrics;
  if (space == Space::kVolatility) return kVolatilityMetrics;
  return kPriceMetrics;
}

void CheckSample(const ForecastSample& sample) {
  if (sample.horizon == 0) {
    throw Error(ErrorCode::kUsage, "forecast sample", "a horizon of 0", "at least 1");
  }
  CheckLength(sample, sample.forecast, "forecast");
  CheckLength(sample, sample.actual, "actual");
  CheckLength(sample, sample.naive, "naive");
  if (!sample.price.empty()) CheckLength(sample, sample.price, "price");
  if (sample.space == Space::kPrice ||
      (sample.space == Space::kVolatility && !sample.price.empty())) {
    throw Error(ErrorCode::kUsage, "forecast sample", "prices, or volatilities with prices",
                "pass returns, with or without prices, or volatilities alone");
  }
  if (sample.size() == 0) {
    throw Error(ErrorCode::kBadData, "forecast sample", "no forecasts to judge",
                "widen the test period");
  }
  for (size_t row = 0; row < sample.size(); ++row) {
    if (row > 0 && sample.made_at[row] < sample.made_at[row - 1]) {
      RefuseRow(sample, row, "made before the row above it", "sort the rows by made_at");
    }
    for (const auto& [values, name] : {std::pair(sample.forecast, "forecast"),
                                       {sample.actual, "actual"},
                                       {sample.naive, "naive forecast"}}) {
      if (!std::isfinite(values[row])) {
        RefuseRow(sample, row, fmt::format("{} is {}", name, values[row]),
                  "leave out rows without a finite value");
      }
    }
    if (!sample.price.empty() && !(sample.price[row] > 0 && std::isfinite(sample.price[row]))) {
      RefuseRow(sample, row, fmt::format("the price is {}", sample.price[row]),
                "a close above 0 is needed");
    }
  }
}

double NaiveScale(std::span<const double> actual, std::span<const double> naive) {
  double sum = 0;
  for (size_t i = 0; i < actual.size(); ++i) sum += std::abs(actual[i] - naive[i]);
  return sum / static_cast<double>(actual.size());
}

double NaivePriceScale(std::span<const double> actual, std::span<const double> naive,
                       std::span<const double> price) {
  double sum = 0;
  for (size_t i = 0; i < actual.size(); ++i) sum += price[i] * std::abs(actual[i] - naive[i]);
  return sum / static_cast<double>(actual.size());
}

std::vector<GroupResult> EvaluateGroups(const ForecastSample& sample,
                                        std::span<const uint32_t> group,
                                        std::span<const std::string> labels) {
  CheckSample(sample);
  if (group.size() != sample.size()) {
    throw Error(ErrorCode::kUsage, "forecast groups",
                fmt::format("{} group numbers for {} rows", group.size(), sample.size()),
                "pass one a row");
  }
  std::vector<uint32_t> order;  // groups by their first row
  std::vector<std::vector<size_t>> rows(labels.size());
  for (size_t row = 0; row < group.size(); ++row) {
    if (group[row] >= labels.size()) {
      throw Error(ErrorCode::kUsage, fmt::format("forecast groups, row {}", row),
                  fmt::format("group {} of {}", group[row], labels.size()), "pass its label");
    }
    if (rows[group[row]].empty()) order.push_back(group[row]);
    rows[group[row]].push_back(row);
  }
  std::vector<GroupResult> results;
  for (const uint32_t g : order) {
    std::vector<TimeMs> made_at;
    std::array<std::vector<double>, 4> columns;
    for (const size_t row : rows[g]) {
      made_at.push_back(sample.made_at[row]);
      columns[0].push_back(sample.forecast[row]);
      columns[1].push_back(sample.actual[row]);
      columns[2].push_back(sample.naive[row]);
      if (!sample.price.empty()) columns[3].push_back(sample.price[row]);
    }
    ForecastSample part = sample;
    part.made_at = made_at;
    part.forecast = columns[0];
    part.actual = columns[1];
    part.naive = columns[2];
    part.price = columns[3];
    results.push_back({labels[g], rows[g].size(), PointResults(MetricSums(part))});
  }
  return results;
}

std::vector<GroupResult> EvaluateMonths(const ForecastSample& sample) {
  std::vector<uint32_t> group;
  std::vector<std::string> labels;
  for (const TimeMs made_at : sample.made_at) {
    const CivilDate date = DateOf(made_at);
    std::string label = fmt::format("{:04}-{:02}", date.year, date.month);
    if (labels.empty() || labels.back() != label) labels.push_back(std::move(label));
    group.push_back(static_cast<uint32_t>(labels.size() - 1));
  }
  return EvaluateGroups(sample, group, labels);
}

}  // namespace almanac
