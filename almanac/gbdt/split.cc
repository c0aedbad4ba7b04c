#include "almanac/gbdt/split.h"

#include <algorithm>
#include <cmath>

namespace almanac::gbdt {
namespace {

double Sign(double value) { return value > 0 ? 1.0 : value < 0 ? -1.0 : 0.0; }

double SoftThreshold(double gradient, double l1) {
  return Sign(gradient) * std::max(0.0, std::abs(gradient) - l1);
}

bool HasPlainOutput(const Params& params) {
  return params.max_delta_step <= 0 && params.path_smooth <= kEpsilon;
}

// One side of a candidate split, growing as bins are added.
struct Side {
  double gradient = 0, hessian = kEpsilon;
  int rows = 0;

  void Add(const HistogramBin& bin, double rows_per_hessian) {
    gradient += bin.gradient;
    hessian += bin.hessian;
    rows += RoundCount(bin.hessian * rows_per_hessian);
  }
};

// Both scans over the bins of a numerical feature. The sums of `leaf` carry 2 epsilon, one a side.
class NumericalScan {
 public:
  NumericalScan(std::span<const HistogramBin> histogram, const BinMapper& mapper,
                const LeafSums& leaf, const Params& params)
      : histogram_(histogram), mapper_(mapper), leaf_(leaf), params_(params) {
    rows_per_hessian_ = leaf.rows / leaf.hessian;
    least_gain_ =
        LeafGain(leaf.gradient, leaf.hessian, params, params.lambda_l2, leaf.rows, leaf.output) +
        params.min_gain_to_split;
  }

  Split Find(bool* is_splittable) {
    const bool has_missing = mapper_.missing() != Missing::kNone;
    const bool scans_twice = has_missing && mapper_.bins() > 2;
    skips_zero_ = scans_twice && mapper_.missing() == Missing::kZero;
    skips_nan_ = scans_twice && mapper_.missing() == Missing::kNan;
    ScanFromRight();
    if (scans_twice) ScanFromLeft();
    if (mapper_.missing() == Missing::kNan && !scans_twice) best_.defaults_left = false;
    *is_splittable = is_splittable_;
    return best_;
  }

 private:
  // Collects the right side; what is missing stays on the left.
  void ScanFromRight() {
    Side right, best_left;
    double best_gain = -std::numeric_limits<double>::infinity();
    uint32_t threshold = 0;
    for (uint32_t bin = mapper_.bins() - (skips_nan_ ? 2 : 1); bin >= 1; --bin) {
      if (skips_zero_ && bin == mapper_.zero_bin()) continue;
      right.Add(histogram_[bin], rows_per_hessian_);
      if (!IsBigEnough(right)) continue;
      const Side left = Rest(right);
      if (!IsBigEnough(left)) break;
      const double gain = Gain(left, right);
      if (gain <= least_gain_) continue;
      is_splittable_ = true;
      if (gain <= best_gain) continue;
      best_gain = gain;
      best_left = left;
      threshold = bin - 1;
    }
    Take(best_gain, best_left, threshold, true);
  }

  // Collects the left side; what is missing goes right.
  void ScanFromLeft() {
    Side left, best_left;
    double best_gain = -std::numeric_limits<double>::infinity();
    uint32_t threshold = 0;
    // LightGBM does not store a most frequent bin 0: it takes it from the leaf's sums for NaN, and
    // leaves it out where zero is missing.
    const bool lacks_first = mapper_.frequent_bin() == 0;
    if (lacks_first && skips_nan_) left = WithoutOthers();
    for (uint32_t bin = lacks_first && !skips_nan_ ? 1 : 0; bin + 2 <= mapper_.bins(); ++bin) {
      if (skips_zero_ && bin == mapper_.zero_bin()) continue;
      if (bin > 0 || !lacks_first) left.Add(histogram_[bin], rows_per_hessian_);
      if (!IsBigEnough(left)) continue;
      const Side right = Rest(left);
      if (!IsBigEnough(right)) break;
      const double gain = Gain(left, right);
      if (gain <= least_gain_) continue;
      is_splittable_ = true;
      if (gain <= best_gain) continue;
      best_gain = gain;
      best_left = left;
      threshold = bin;
    }
    Take(best_gain, best_left, threshold, false);
  }

  bool IsBigEnough(const Side& side) const {
    return side.rows >= params_.min_data_in_leaf && side.hessian >= params_.min_sum_hessian_in_leaf;
  }

  Side Rest(const Side& side) const {
    return {leaf_.gradient - side.gradient, leaf_.hessian - side.hessian, leaf_.rows - side.rows};
  }

  Side WithoutOthers() const {
    Side first{leaf_.gradient, leaf_.hessian - kEpsilon, leaf_.rows};
    for (uint32_t bin = 1; bin < mapper_.bins(); ++bin) {
      first.gradient -= histogram_[bin].gradient;
      first.hessian -= histogram_[bin].hessian;
      first.rows -= RoundCount(histogram_[bin].hessian * rows_per_hessian_);
    }
    return first;
  }

  double Gain(const Side& left, const Side& right) const {
    return LeafGain(left.gradient, left.hessian, params_, params_.lambda_l2, left.rows,
                    leaf_.output) +
           LeafGain(right.gradient, right.hessian, params_, params_.lambda_l2, right.rows,
                    leaf_.output);
  }

  void Take(double gain, const Side& left, uint32_t threshold, bool defaults_left) {
    if (!is_splittable_ || !(gain > best_.gain + least_gain_)) return;
    const Side right = Rest(left);
    const auto sums = [&](const Side& side) {
      return LeafSums{side.gradient, side.hessian - kEpsilon, side.rows,
                      LeafOutput(side.gradient, side.hessian, params_, params_.lambda_l2, side.rows,
                                 leaf_.output)};
    };
    best_.threshold = threshold;
    best_.defaults_left = defaults_left;
    best_.left = sums(left);
    best_.right = sums(right);
    best_.gain = gain - least_gain_;
  }

  std::span<const HistogramBin> histogram_;
  const BinMapper& mapper_;
  const LeafSums& leaf_;
  const Params& params_;
  double rows_per_hessian_ = 0, least_gain_ = 0;
  bool skips_zero_ = false, skips_nan_ = false;
  bool is_splittable_ = false;
  Split best_;
};

}  // namespace

double LeafOutput(double gradient, double hessian, const Params& params, double l2, int rows,
                  double parent_output) {
  double output = -SoftThreshold(gradient, params.lambda_l1) / (hessian + l2);
  if (params.max_delta_step > 0 && std::abs(output) > params.max_delta_step) {
    output = Sign(output) * params.max_delta_step;
  }
  if (params.path_smooth > kEpsilon) {
    const double weight = rows / params.path_smooth;
    output = output * weight / (weight + 1) + parent_output / (weight + 1);
  }
  return output;
}

double LeafGain(double gradient, double hessian, const Params& params, double l2, int rows,
                double parent_output) {
  const double shrunk = SoftThreshold(gradient, params.lambda_l1);
  if (HasPlainOutput(params)) return (shrunk * shrunk) / (hessian + l2);
  const double output = LeafOutput(gradient, hessian, params, l2, rows, parent_output);
  return -(2.0 * shrunk * output + (hessian + l2) * output * output);
}

Split FindSplit(std::span<const HistogramBin> histogram, const BinMapper& mapper,
                const LeafSums& leaf, const Params& params, bool* is_splittable) {
  LeafSums guarded = leaf;
  guarded.hessian += 2 * kEpsilon;
  if (mapper.is_categorical()) {
    return FindCategoricalSplit(histogram, mapper, guarded, params, is_splittable);
  }
  return NumericalScan(histogram, mapper, guarded, params).Find(is_splittable);
}

}  // namespace almanac::gbdt
