#include "almanac/gbdt/split.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "almanac/gbdt/cut_scan.h"

namespace almanac::gbdt {
namespace {

double Sign(double value) { return value > 0 ? 1.0 : value < 0 ? -1.0 : 0.0; }

double SoftThreshold(double gradient, double l1) {
  return Sign(gradient) * std::max(0.0, std::abs(gradient) - l1);
}

bool HasPlainOutput(const Params& params) {
  return params.max_delta_step <= 0 && params.path_smooth <= kEpsilon;
}

// One side of a candidate split, growing as bins are added: in doubles.
class ExactSums {
 public:
  using Bin = HistogramBin;
  struct Side {
    double gradient = 0, hessian = kEpsilon;
    int rows = 0;
  };

  // The sums of the leaf are to carry 2 epsilon, one a side.
  explicit ExactSums(const LeafSums& leaf) : leaf_(leaf) {
    leaf_.hessian += 2 * kEpsilon;
    rows_per_hessian_ = leaf_.rows / leaf_.hessian;
  }

  double gradient() const { return leaf_.gradient; }
  double hessian() const { return leaf_.hessian; }
  CutLeaf Asked(const Params& params) const {
    return {
        leaf_.gradient,    leaf_.hessian, params.lambda_l2,       params.min_sum_hessian_in_leaf,
        rows_per_hessian_, leaf_.rows,    params.min_data_in_leaf};
  }
  void Add(Side& side, const Bin& bin) const {
    side.gradient += bin.gradient;
    side.hessian += bin.hessian;
    side.rows += RoundCount(bin.hessian * rows_per_hessian_);
  }
  Side Rest(const Side& side) const {
    return {leaf_.gradient - side.gradient, leaf_.hessian - side.hessian, leaf_.rows - side.rows};
  }
  Side First(std::span<const Bin> histogram) const {
    Side first{leaf_.gradient, leaf_.hessian - kEpsilon, leaf_.rows};
    for (const Bin& bin : histogram.subspan(1)) {
      first.gradient -= bin.gradient;
      first.hessian -= bin.hessian;
      first.rows -= RoundCount(bin.hessian * rows_per_hessian_);
    }
    return first;
  }
  static double Gradient(const Side& side) { return side.gradient; }
  static double Hessian(const Side& side) { return side.hessian; }
  static double GuardedHessian(const Side& side) { return side.hessian; }
  static LeafSums Sums(const Side& side) {
    return {side.gradient, side.hessian - kEpsilon, side.rows, 0, 0};
  }

 private:
  LeafSums leaf_;
  double rows_per_hessian_;
};

// In whole numbers. Rows are estimated from a side's whole hessian, as LightGBM does where it
// quantizes, or bin by bin, as it does otherwise; then in float32, as LargestGains does it for many
// columns at a time (tile_kernels.h): equal numbers decide alike.
class PackedSums {
 public:
  using Bin = PackedBin;
  struct Side {
    PackedBin sum = 0;
    int rows = 0;
  };

  PackedSums(const LeafSums& leaf, const PackedScale& scale, bool rounds_bins)
      : leaf_(leaf), scale_(scale), rounds_bins_(rounds_bins) {
    rows_per_hessian_ = static_cast<double>(leaf.rows) / PackedHessian(leaf.packed);
  }

  double gradient() const { return Gradient({leaf_.packed, 0}); }
  double hessian() const { return Hessian({leaf_.packed, 0}); }
  void Add(Side& side, Bin bin) const {
    side.sum += bin;
    side.rows = rounds_bins_ ? side.rows + RowsOfBin(bin) : Rows(side.sum);
  }
  Side Rest(const Side& side) const { return {leaf_.packed - side.sum, leaf_.rows - side.rows}; }
  Side First(std::span<const Bin> histogram) const {
    Side first{leaf_.packed, leaf_.rows};
    for (const Bin bin : histogram.subspan(1)) {
      first.sum -= bin;
      first.rows -= RowsOfBin(bin);
    }
    if (!rounds_bins_) first.rows = Rows(first.sum);
    return first;
  }
  double Gradient(const Side& side) const { return PackedGradient(side.sum) * scale_.gradient; }
  double Hessian(const Side& side) const { return PackedHessian(side.sum) * scale_.hessian; }
  double GuardedHessian(const Side& side) const { return Hessian(side) + kEpsilon; }
  LeafSums Sums(const Side& side) const {
    return {Gradient(side), Hessian(side), rounds_bins_ ? side.rows : Rows(side.sum), 0, side.sum};
  }

 private:
  int RowsOfBin(Bin bin) const {
    return EstimatedRows(PackedHessian(bin), static_cast<float>(rows_per_hessian_));
  }
  int Rows(PackedBin sum) const { return RoundCount(PackedHessian(sum) * rows_per_hessian_); }

  const LeafSums& leaf_;
  const PackedScale& scale_;
  bool rounds_bins_;
  double rows_per_hessian_;
};

// Both scans over the bins of a numerical feature.
template <typename Sums>
class NumericalScan {
  using Bin = typename Sums::Bin;
  using Side = typename Sums::Side;

 public:
  NumericalScan(const Sums& sums, std::span<const Bin> histogram, const BinMapper& mapper,
                const LeafSums& leaf, const Params& params, int trend)
      : sums_(sums),
        histogram_(histogram),
        mapper_(mapper),
        leaf_(leaf),
        params_(params),
        trend_(trend) {
    least_gain_ = LeafGain(sums.gradient(), sums.hessian(), params, params.lambda_l2, leaf.rows,
                           leaf.output) +
                  params.min_gain_to_split;
    is_plain_ = params.lambda_l1 == 0 && HasPlainOutput(params);
    is_bounded_ = !params.monotone_constraints.empty();
    scans_many_ = std::is_same_v<Sums, ExactSums> && is_plain_ && !is_bounded_ &&
                  histogram.size() <= kMostCuts;
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
  // The best candidate of one scan.
  struct Candidate {
    double gain = -std::numeric_limits<double>::infinity();
    Side left;
    uint32_t threshold = 0;
  };

  // Collects the right side; what is missing stays on the left.
  void ScanFromRight() {
    Side right;
    Candidate best;
    const uint32_t last = mapper_.bins() - (skips_nan_ ? 2 : 1);
    const auto consider = [&](const Side& side, uint32_t bin) {
      const Side left = sums_.Rest(side);
      if (!IsBigEnough(left)) return false;
      Consider(left, Gain(left, side), bin - 1, best);
      return true;
    };
    if (!ScanMany(right, last, -1, last, consider)) {
      for (uint32_t bin = last; bin >= 1; --bin) {
        if (skips_zero_ && bin == mapper_.zero_bin()) continue;
        sums_.Add(right, histogram_[bin]);
        if (IsBigEnough(right) && !consider(right, bin)) break;
      }
    }
    Take(best, true);
  }

  // Collects the left side; what is missing goes right.
  void ScanFromLeft() {
    Side left;
    Candidate best;
    const auto consider = [&](const Side& side, uint32_t bin) {
      const Side right = sums_.Rest(side);
      if (!IsBigEnough(right)) return false;
      Consider(side, Gain(side, right), bin, best);
      return true;
    };
    // LightGBM does not store a most frequent bin 0: it takes it from the leaf's sums for NaN, and
    // leaves it out where zero is missing.
    uint32_t first = 0;
    if (mapper_.frequent_bin() == 0) {
      first = 1;
      if (skips_nan_) left = sums_.First(histogram_);
      if (skips_nan_ && IsBigEnough(left) && !consider(left, 0)) return Take(best, false);
    }
    if (!ScanMany(left, first, 1, mapper_.bins() - 1 - first, consider)) {
      for (uint32_t bin = first; bin + 2 <= mapper_.bins(); ++bin) {
        if (skips_zero_ && bin == mapper_.zero_bin()) continue;
        sums_.Add(left, histogram_[bin]);
        if (IsBigEnough(left) && !consider(left, bin)) break;
      }
    }
    Take(best, false);
  }

  // Considers the cuts with the largest gain of those that `count` bins from `first` on, added to
  // `side`, make. False if that is to be done one by one.
  template <typename OnCut>
  bool ScanMany(const Side& side, uint32_t first, int step, uint32_t count,
                const OnCut& consider) const {
    if constexpr (std::is_same_v<Sums, ExactSums>) {
      if (!scans_many_ || skips_zero_) return false;
      const CutScan scan{&histogram_[first], step, count, side.gradient, side.hessian, side.rows};
      ScannedCuts cuts;
      ScanCuts(scan, sums_.Asked(params_), cuts);
      if (!cuts.is_usual) return false;
      if (cuts.largest < least_gain_ * (1 - double{kCutError})) return true;
      for (size_t i = 0; i < cuts.near_count; ++i) {
        const uint32_t cut = cuts.near[i];
        const Side at{cuts.gradient[cut], cuts.hessian[cut], cuts.rows[cut]};
        consider(at, first + static_cast<uint32_t>(step) * cut);
      }
      return true;
    } else {
      return false;
    }
  }

  bool IsBigEnough(const Side& side) const {
    return side.rows >= params_.min_data_in_leaf &&
           sums_.Hessian(side) >= params_.min_sum_hessian_in_leaf;
  }

  double GainOf(const Side& side) const {
    if (is_plain_) {  // what LeafGain gives then, without its questions
      const double gradient = sums_.Gradient(side);
      return (gradient * gradient) / (sums_.GuardedHessian(side) + params_.lambda_l2);
    }
    return LeafGain(sums_.Gradient(side), sums_.GuardedHessian(side), params_, params_.lambda_l2,
                    side.rows, leaf_.output);
  }
  double Gain(const Side& left, const Side& right) const {
    return is_bounded_ ? BoundedGain(left, right) : GainOf(left) + GainOf(right);
  }

  double BoundedGain(const Side& left, const Side& right) const {
    const double low = BoundedOutput(left), high = BoundedOutput(right);
    // LightGBM returns 0, which smoothing can make the best there is; here it is never.
    if (Contradicts(low, high)) return -std::numeric_limits<double>::infinity();
    const auto gain = [&](const Side& side, double output) {
      return LeafGainOf(output, sums_.Gradient(side), sums_.GuardedHessian(side), params_,
                        params_.lambda_l2);
    };
    return gain(left, low) + gain(right, high);
  }

  double BoundedOutput(const Side& side) const {
    return leaf_.bounds.Clip(LeafOutput(sums_.Gradient(side), sums_.GuardedHessian(side), params_,
                                        params_.lambda_l2, side.rows, leaf_.output));
  }

  bool Contradicts(double left, double right) const {
    return (trend_ > 0 && left > right) || (trend_ < 0 && left < right);
  }

  void Consider(const Side& left, double gain, uint32_t threshold, Candidate& best) {
    if (gain <= least_gain_) return;
    is_splittable_ = true;
    if (gain > best.gain) best = {gain, left, threshold};
  }

  // The sums of a side as a leaf of its own.
  LeafSums LeafOf(const Side& side) const {
    LeafSums leaf = sums_.Sums(side);
    leaf.output = leaf_.bounds.Clip(LeafOutput(sums_.Gradient(side), sums_.Hessian(side), params_,
                                               params_.lambda_l2, leaf.rows, leaf_.output));
    leaf.bounds = leaf_.bounds;
    return leaf;
  }

  // What lies below one side never crosses the middle of the two.
  void PartBounds(LeafSums& left, LeafSums& right) const {
    if (trend_ == 0) return;
    LeafSums& low = trend_ > 0 ? left : right;
    LeafSums& high = trend_ > 0 ? right : left;
    const double middle = (left.output + right.output) / 2.0;
    low.bounds.most = std::min(middle, low.bounds.most);
    high.bounds.least = std::max(middle, high.bounds.least);
    // Whole numbers' outputs have been compared with a hessian that differs in the last bits.
    low.output = low.bounds.Clip(low.output);
    high.output = high.bounds.Clip(high.output);
  }

  void Take(const Candidate& candidate, bool defaults_left) {
    if (!is_splittable_ || !(candidate.gain > best_.gain + least_gain_)) return;
    best_.threshold = candidate.threshold;
    best_.defaults_left = defaults_left;
    best_.left = LeafOf(candidate.left);
    best_.right = LeafOf(sums_.Rest(candidate.left));
    PartBounds(best_.left, best_.right);
    best_.gain = candidate.gain - least_gain_;
  }

  const Sums& sums_;
  std::span<const Bin> histogram_;
  const BinMapper& mapper_;
  const LeafSums& leaf_;
  const Params& params_;
  int trend_;
  double least_gain_ = 0;
  bool is_plain_ = false, is_bounded_ = false, scans_many_ = false, skips_zero_ = false,
       skips_nan_ = false;
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
  if (HasPlainOutput(params)) {
    const double shrunk = SoftThreshold(gradient, params.lambda_l1);
    return (shrunk * shrunk) / (hessian + l2);
  }
  return LeafGainOf(LeafOutput(gradient, hessian, params, l2, rows, parent_output), gradient,
                    hessian, params, l2);
}

double LeafGainOf(double output, double gradient, double hessian, const Params& params, double l2) {
  const double shrunk = SoftThreshold(gradient, params.lambda_l1);
  return -(2.0 * shrunk * output + (hessian + l2) * output * output);
}

Split FindSplit(std::span<const HistogramBin> histogram, const BinMapper& mapper,
                const LeafSums& leaf, const Params& params, int trend, bool* is_splittable) {
  if (mapper.is_categorical()) {
    LeafSums guarded = leaf;
    guarded.hessian += 2 * kEpsilon;
    return FindCategoricalSplit(histogram, mapper, guarded, params, is_splittable);
  }
  const ExactSums sums(leaf);
  return NumericalScan<ExactSums>(sums, histogram, mapper, leaf, params, trend).Find(is_splittable);
}

Split FindSplit(std::span<const PackedBin> histogram, const BinMapper& mapper, const LeafSums& leaf,
                const PackedScale& scale, const Params& params, int trend, bool* is_splittable) {
  if (!mapper.is_categorical()) {
    const PackedSums sums(leaf, scale, !params.use_quantized_grad);
    return NumericalScan<PackedSums>(sums, histogram, mapper, leaf, params, trend)
        .Find(is_splittable);
  }
  std::vector<HistogramBin> unpacked;
  for (const PackedBin bin : histogram) {
    unpacked.push_back({PackedGradient(bin) * scale.gradient, PackedHessian(bin) * scale.hessian});
  }
  Split split = FindSplit(unpacked, mapper, leaf, params, trend, is_splittable);
  for (const uint32_t bin : split.left_bins) split.left.packed += histogram[bin];
  split.right.packed = leaf.packed - split.left.packed;
  return split;
}

}  // namespace almanac::gbdt
