#include "almanac/dataset/bin_cuts.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "almanac/dataset/bin_mapper.h"

namespace almanac {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

using Bounds = std::vector<double>;

// The cut between two neighbouring values: just above their middle, unless that is the cut before.
bool AddCut(Bounds& bounds, double below, double above) {
  const double cut = std::nextafter((below + above) / 2.0, kInfinity);
  if (!bounds.empty() && cut <= std::nextafter(bounds.back(), kInfinity)) return false;
  bounds.push_back(cut);
  return true;
}

// As few values as bins: a bin each, or several where they have too few rows.
Bounds CutEveryValue(std::span<const double> values, std::span<const int> counts, int min_rows) {
  Bounds bounds;
  int rows = 0;
  for (size_t i = 0; i + 1 < values.size(); ++i) {
    rows += counts[i];
    if (rows >= min_rows && AddCut(bounds, values[i], values[i + 1])) rows = 0;
  }
  bounds.push_back(kInfinity);
  return bounds;
}

// Values with the rows of a whole bin get one alone; the others share the remaining bins evenly,
// the share being taken anew after each.
Bounds CutEvenly(std::span<const double> values, std::span<const int> counts, int max_bins,
                 int rows) {
  const double even_share = static_cast<double>(rows) / max_bins;
  int rest_bins = max_bins, rest_rows = rows;
  std::vector<bool> is_big(values.size(), false);
  for (size_t i = 0; i < values.size(); ++i) {
    if (counts[i] < even_share) continue;
    is_big[i] = true;
    --rest_bins;
    rest_rows -= counts[i];
  }
  double share = static_cast<double>(rest_rows) / rest_bins;

  std::vector<size_t> last_of_bin;
  int in_bin = 0;
  for (size_t i = 0; i + 1 < values.size(); ++i) {
    if (!is_big[i]) rest_rows -= counts[i];
    in_bin += counts[i];
    const bool is_full =
        is_big[i] || in_bin >= share || (is_big[i + 1] && in_bin >= std::max(1.0, share * 0.5));
    if (!is_full) continue;
    last_of_bin.push_back(i);
    if (static_cast<int>(last_of_bin.size()) >= max_bins - 1) break;
    in_bin = 0;
    if (is_big[i]) continue;
    --rest_bins;
    share = rest_rows / static_cast<double>(rest_bins);
  }

  Bounds bounds;
  for (const size_t i : last_of_bin) AddCut(bounds, values[i], values[i + 1]);
  bounds.push_back(kInfinity);
  return bounds;
}

// One side of zero.
Bounds CutSide(std::span<const double> values, std::span<const int> counts, int max_bins, int rows,
               int min_rows) {
  if (static_cast<int>(values.size()) <= max_bins) return CutEveryValue(values, counts, min_rows);
  return CutEvenly(values, counts, std::max(1, std::min(max_bins, rows / min_rows)), rows);
}

int SumOf(std::span<const int> counts) {
  int sum = 0;
  for (const int count : counts) sum += count;
  return sum;
}

}  // namespace

std::vector<double> FindUpperBounds(std::span<const double> values, std::span<const int> counts,
                                    int max_bins, int rows, int min_rows) {
  const auto position = [&](double limit) {
    return static_cast<size_t>(std::upper_bound(values.begin(), values.end(), limit) -
                               values.begin());
  };
  const size_t negatives = position(-kZeroThreshold), positives = position(kZeroThreshold);
  const int below = SumOf(counts.first(negatives)), above = SumOf(counts.subspan(positives));
  const int zeros = SumOf(counts) - below - above;

  Bounds bounds;
  if (negatives > 0 && max_bins > 1) {
    const int share =
        static_cast<int>(static_cast<double>(below) / (rows - zeros) * (max_bins - 1));
    bounds = CutSide(values.first(negatives), counts.first(negatives), std::max(1, share), below,
                     min_rows);
    bounds.back() = -kZeroThreshold;
  }
  const int rest = max_bins - 1 - static_cast<int>(bounds.size());
  if (positives == values.size() || rest <= 0) {
    bounds.push_back(kInfinity);
    return bounds;
  }
  bounds.push_back(kZeroThreshold);
  const Bounds upper =
      CutSide(values.subspan(positives), counts.subspan(positives), rest, above, min_rows);
  bounds.insert(bounds.end(), upper.begin(), upper.end());
  return bounds;
}

}  // namespace almanac
