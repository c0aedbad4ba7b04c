#include "almanac/evaluate/ratio_sums.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>

#include "almanac/evaluate/json_value.h"

namespace almanac {

RatioSums::RatioSums(std::span<const TimeMs> made_at) {
  for (size_t row = 0; row < made_at.size(); ++row) {
    if (row == 0 || made_at[row] != made_at[row - 1]) count_.push_back(0);
    ++count_.back();
    instant_of_row_.push_back(static_cast<uint32_t>(count_.size() - 1));
  }
}

size_t RatioSums::Add(std::span<const double> values) {
  columns_.emplace_back(count_.size(), 0.0);
  for (size_t row = 0; row < values.size(); ++row) {
    columns_.back()[instant_of_row_[row]] += values[row];
  }
  return columns_.size() - 1;
}

std::vector<double> RatioSums::InstantMeans(size_t column) const {
  std::vector<double> means = columns_[column];
  for (size_t i = 0; i < means.size(); ++i) means[i] /= count_[i];
  return means;
}

void RatioSums::Compute(std::span<const uint32_t> multiplicity, std::span<double> out) const {
  double rows = 0;
  for (size_t i = 0; i < count_.size(); ++i) rows += multiplicity[i] * count_[i];
  for (size_t c = 0; c < columns_.size(); ++c) {
    double sum = 0;
    for (size_t i = 0; i < count_.size(); ++i) sum += multiplicity[i] * columns_[c][i];
    out[c] = rows > 0 ? sum / rows : std::numeric_limits<double>::quiet_NaN();
  }
}

std::vector<Estimate> RatioSums::Estimates(double mean_block,
                                           const BootstrapOptions& options) const {
  std::vector<double> values(width());
  Compute(std::vector<uint32_t>(instants(), 1), values);
  const std::vector<Interval> intervals = BootstrapIntervals(
      instants(), width(), mean_block, options,
      [this](std::span<const uint32_t> drawn, std::span<double> out) { Compute(drawn, out); });
  std::vector<Estimate> estimates;
  for (size_t c = 0; c < width(); ++c) estimates.push_back({values[c], intervals[c]});
  return estimates;
}

double BlockLengthOfDifference(std::span<const double> loss, std::span<const double> naive_loss,
                               size_t horizon, const BootstrapOptions& options) {
  if (options.block_length > 0) return options.block_length;
  std::vector<double> difference(loss.size());
  std::transform(loss.begin(), loss.end(), naive_loss.begin(), difference.begin(),
                 [](double a, double b) { return a - b; });
  const bool differs =
      std::any_of(difference.begin(), difference.end(), [](double d) { return d != 0; });
  return std::max(AutomaticBlockLength(differs ? std::span<const double>(difference) : loss),
                  static_cast<double>(horizon));
}

Json ToJson(const Estimate& estimate) {
  return Json{{"value", NumberOrNull(estimate.value)},
              {"low", NumberOrNull(estimate.interval.low)},
              {"high", NumberOrNull(estimate.interval.high)}};
}

}  // namespace almanac
