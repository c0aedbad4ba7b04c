// The quantiles that LightGBM uses for leaf values and starting scores.
#ifndef ALMANAC_GBDT_QUANTILE_H_
#define ALMANAC_GBDT_QUANTILE_H_

#include <algorithm>
#include <cstddef>
#include <functional>
#include <numeric>
#include <span>
#include <vector>

namespace almanac::gbdt {

// Linear interpolation between the order statistics at (n - 1) * alpha, from above. `values` is not
// empty.
template <typename T>
T Quantile(std::vector<T> values, double alpha) {
  const size_t count = values.size();
  if (count == 1) return values[0];
  const double from_top = static_cast<double>(count - 1) * (1.0 - alpha);
  const size_t position = static_cast<size_t>(from_top) + 1;
  if (position >= count) return *std::min_element(values.begin(), values.end());
  const auto below = values.begin() + static_cast<std::ptrdiff_t>(position);
  std::nth_element(values.begin(), below, values.end(), std::greater<T>());
  const T upper = *std::min_element(values.begin(), below), lower = *below;
  const double share = from_top - static_cast<double>(position - 1);
  return static_cast<T>(upper - (upper - lower) * share);
}

// The value at which the running weight of the sorted values passes alpha of their sum; where the
// next value weighs at least 1, LightGBM's interpolation with its predecessor.
template <typename T>
T WeightedQuantile(const std::vector<T>& values, std::span<const float> weights, double alpha) {
  const size_t count = values.size();
  if (count == 1) return values[0];
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> running(count);
  double sum = 0;
  for (size_t i = 0; i < count; ++i) running[i] = sum += static_cast<double>(weights[order[i]]);
  const double threshold = sum * alpha;
  const auto passed = std::upper_bound(running.begin(), running.end(), threshold);
  const size_t position = std::min(static_cast<size_t>(passed - running.begin()), count - 1);
  const T value = values[order[position]];
  if (position == 0 || position == count - 1) return value;
  const double next_weight = running[position + 1] - running[position];
  if (next_weight < 1.0) return value;
  const T previous = values[order[position - 1]];
  return static_cast<T>((threshold - running[position]) / next_weight * (value - previous) +
                        previous);
}

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_QUANTILE_H_
