#include <algorithm>
#include <cmath>

#include "almanac/gbdt/split.h"

namespace almanac::gbdt {
namespace {

// The rows sent left by the best set of categories found so far.
struct BestSet {
  double gain = -std::numeric_limits<double>::infinity();
  double gradient = 0, hessian = 0;
  int rows = 0;
  std::vector<uint32_t> bins;
};

class CategoricalScan {
 public:
  CategoricalScan(std::span<const HistogramBin> histogram, const BinMapper& mapper,
                  const LeafSums& leaf, const Params& params)
      : histogram_(histogram), mapper_(mapper), leaf_(leaf), params_(params) {
    rows_per_hessian_ = leaf.rows / leaf.hessian;
    l2_ = params.lambda_l2;
    const double unsplit =
        params.path_smooth > kEpsilon
            ? SmoothedParentGain()
            : LeafGain(leaf.gradient, leaf.hessian, params, l2_, leaf.rows, leaf.output);
    least_gain_ = unsplit + params.min_gain_to_split;
  }

  Split Find(bool* is_splittable) {
    if (static_cast<int>(mapper_.bins()) <= params_.max_cat_to_onehot) {
      TryEachAlone();
    } else {
      l2_ += params_.cat_l2;
      TrySortedSets();
    }
    *is_splittable = is_splittable_;
    return is_splittable_ ? MakeSplit() : Split();
  }

 private:
  double SmoothedParentGain() const {
    const double magnitude = std::max(0.0, std::abs(leaf_.gradient) - params_.lambda_l1);
    const double shrunk = leaf_.gradient < 0 ? -magnitude : magnitude;
    return -(2.0 * shrunk * leaf_.output + (leaf_.hessian + l2_) * leaf_.output * leaf_.output);
  }

  double Gain(double gradient, double hessian, int rows) const {
    if (params_.monotone_constraints.empty()) {
      return LeafGain(gradient, hessian, params_, l2_, rows, leaf_.output);
    }
    return LeafGainOf(Output(gradient, hessian, rows), gradient, hessian, params_, l2_);
  }

  double Output(double gradient, double hessian, int rows) const {
    return leaf_.bounds.Clip(LeafOutput(gradient, hessian, params_, l2_, rows, leaf_.output));
  }

  int RowsOf(const HistogramBin& bin) const { return RoundCount(bin.hessian * rows_per_hessian_); }

  // Few categories: each against all others.
  void TryEachAlone() {
    for (uint32_t bin = 1; bin < mapper_.bins(); ++bin) {
      const HistogramBin& sums = histogram_[bin];
      const int rows = RowsOf(sums), others = leaf_.rows - rows;
      if (rows < params_.min_data_in_leaf || sums.hessian < params_.min_sum_hessian_in_leaf ||
          others < params_.min_data_in_leaf) {
        continue;
      }
      const double rest = leaf_.hessian - sums.hessian - kEpsilon;
      if (rest < params_.min_sum_hessian_in_leaf) continue;
      const double gain = Gain(leaf_.gradient - sums.gradient, rest, others) +
                          Gain(sums.gradient, sums.hessian + kEpsilon, rows);
      if (!IsNewBest(gain)) continue;
      best_ = {gain, sums.gradient, sums.hessian + kEpsilon, rows, {bin}};
    }
  }

  // Many: sorted by mean gradient, the first or the last few of them.
  void TrySortedSets() {
    std::vector<uint32_t> order;
    for (uint32_t bin = 1; bin < mapper_.bins(); ++bin) {
      if (RowsOf(histogram_[bin]) >= params_.cat_smooth) order.push_back(bin);
    }
    const auto mean = [&](uint32_t bin) {
      return histogram_[bin].gradient / (histogram_[bin].hessian + params_.cat_smooth);
    };
    std::stable_sort(order.begin(), order.end(),
                     [&](uint32_t a, uint32_t b) { return mean(a) < mean(b); });
    TryFirst(order);
    std::reverse(order.begin(), order.end());
    TryFirst(order);
  }

  void TryFirst(const std::vector<uint32_t>& order) {
    const size_t most =
        std::min(static_cast<size_t>(params_.max_cat_threshold), (order.size() + 1) / 2);
    double gradient = 0, hessian = kEpsilon;
    int rows = 0, rows_of_group = 0;
    for (size_t i = 0; i < most; ++i) {
      const HistogramBin& sums = histogram_[order[i]];
      gradient += sums.gradient;
      hessian += sums.hessian;
      rows += RowsOf(sums);
      rows_of_group += RowsOf(sums);
      if (rows < params_.min_data_in_leaf || hessian < params_.min_sum_hessian_in_leaf) continue;
      const int others = leaf_.rows - rows;
      if (others < std::max(params_.min_data_in_leaf, params_.min_data_per_group)) break;
      const double rest = leaf_.hessian - hessian;
      if (rest < params_.min_sum_hessian_in_leaf) break;
      if (rows_of_group < params_.min_data_per_group) continue;
      rows_of_group = 0;
      const double gain =
          Gain(gradient, hessian, rows) + Gain(leaf_.gradient - gradient, rest, others);
      if (!IsNewBest(gain)) continue;
      const auto end = order.begin() + static_cast<std::ptrdiff_t>(i) + 1;
      best_ = {gain, gradient, hessian, rows, {order.begin(), end}};
    }
  }

  bool IsNewBest(double gain) {
    if (gain <= least_gain_) return false;
    is_splittable_ = true;
    return gain > best_.gain;
  }

  Split MakeSplit() const {
    const auto sums = [&](double gradient, double hessian, int rows) {
      return LeafSums{gradient, hessian - kEpsilon, rows, Output(gradient, hessian, rows),
                      0,        leaf_.bounds};
    };
    Split split;
    split.gain = best_.gain - least_gain_;
    split.left_bins = best_.bins;
    split.defaults_left = false;
    split.left = sums(best_.gradient, best_.hessian, best_.rows);
    split.right = sums(leaf_.gradient - best_.gradient, leaf_.hessian - best_.hessian,
                       leaf_.rows - best_.rows);
    return split;
  }

  std::span<const HistogramBin> histogram_;
  const BinMapper& mapper_;
  const LeafSums& leaf_;
  const Params& params_;
  double rows_per_hessian_ = 0, l2_ = 0, least_gain_ = 0;
  bool is_splittable_ = false;
  BestSet best_;
};

}  // namespace

Split FindCategoricalSplit(std::span<const HistogramBin> histogram, const BinMapper& mapper,
                           const LeafSums& leaf, const Params& params, bool* is_splittable) {
  return CategoricalScan(histogram, mapper, leaf, params).Find(is_splittable);
}

}  // namespace almanac::gbdt
