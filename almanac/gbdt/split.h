// Finding the best split of a leaf along one feature from its histogram, with LightGBM's order of
// operations: equal histograms give equal splits, to the last bit.
#ifndef ALMANAC_GBDT_SPLIT_H_
#define ALMANAC_GBDT_SPLIT_H_

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "almanac/dataset/bin_mapper.h"
#include "almanac/gbdt/params.h"

namespace almanac::gbdt {

// Guards divisions by a hessian of 0. A float, as in LightGBM.
inline constexpr double kEpsilon = 1e-15F;

// Sums over the rows of a bin.
struct HistogramBin {
  double gradient = 0, hessian = 0;

  HistogramBin& operator+=(const HistogramBin& other) {
    gradient += other.gradient;
    hessian += other.hessian;
    return *this;
  }
  HistogramBin& operator-=(const HistogramBin& other) {
    gradient -= other.gradient;
    hessian -= other.hessian;
    return *this;
  }
};

// The same in whole numbers, one word: the gradient's sum, signed, in the upper half, the hessian's
// in the lower. Words are added and subtracted as such: nothing is carried between the halves as
// long as the hessians' sum stays below 2^32 and the gradients' within +-2^31.
using PackedBin = uint64_t;

inline PackedBin Pack(int32_t gradient, uint32_t hessian) {
  return (static_cast<PackedBin>(static_cast<uint32_t>(gradient)) << 32) + hessian;
}
inline int32_t PackedGradient(PackedBin bin) { return static_cast<int32_t>(bin >> 32); }
inline uint32_t PackedHessian(PackedBin bin) { return static_cast<uint32_t>(bin); }

// What one unit of a packed sum is.
struct PackedScale {
  double gradient = 1, hessian = 1;
};

// What monotone constraints leave a leaf to give its rows.
struct OutputBounds {
  double least = std::numeric_limits<double>::lowest();
  double most = std::numeric_limits<double>::max();

  double Clip(double output) const {
    return output < least ? least : output > most ? most : output;
  }
};

// A leaf to be split.
struct LeafSums {
  double gradient = 0, hessian = 0;
  int rows = 0;
  double output = 0;     // the leaf's own value, not shrunk
  PackedBin packed = 0;  // the sums as whole numbers, where those are used
  OutputBounds bounds = {};
};

struct Split {
  static constexpr uint32_t kNoFeature = std::numeric_limits<uint32_t>::max();

  uint32_t feature = kNoFeature;                           // of the binned data
  double gain = -std::numeric_limits<double>::infinity();  // above the least gain asked for
  uint32_t threshold = 0;                                  // bins up to it go left
  std::vector<uint32_t> left_bins;                         // categorical instead
  bool defaults_left = true;
  LeafSums left, right;  // rows are estimates until the rows are parted

  // A better gain, or the same with a smaller feature number.
  bool IsBetterThan(const Split& other) const {
    return gain != other.gain ? gain > other.gain : feature < other.feature;
  }
};

// A leaf's value: -G / (H + l2), with G shrunk by l1, clipped and smoothed towards the parent's.
double LeafOutput(double gradient, double hessian, const Params& params, double l2, int rows,
                  double parent_output);

// The best split of `leaf`; its gain is -inf if none is worth making. `histogram` has a bin for
// every one of the mapper's. `trend`: 1 where outputs may not fall with the feature, -1 where they
// may not rise (not for categories), else 0. `is_splittable` receives whether any candidate was
// better than not to split, even by less than the least gain of the best.
Split FindSplit(std::span<const HistogramBin> histogram, const BinMapper& mapper,
                const LeafSums& leaf, const Params& params, int trend, bool* is_splittable);

// The same for sums in whole numbers. The leaf's are leaf.packed.
Split FindSplit(std::span<const PackedBin> histogram, const BinMapper& mapper, const LeafSums& leaf,
                const PackedScale& scale, const Params& params, int trend, bool* is_splittable);

// The part of FindSplit for categorical features.
Split FindCategoricalSplit(std::span<const HistogramBin> histogram, const BinMapper& mapper,
                           const LeafSums& leaf, const Params& params, bool* is_splittable);

// The gain of a leaf that gives its rows LeafOutput, or the `output` said.
double LeafGain(double gradient, double hessian, const Params& params, double l2, int rows,
                double parent_output);
double LeafGainOf(double output, double gradient, double hessian, const Params& params, double l2);

// The rows of a bin or leaf, estimated from its hessian.
inline int RoundCount(double count) {
  const double above = count + 0.5;
  return static_cast<int>(above);
}

// The same of a fixed-point hessian, below 2^31, in float32.
inline int EstimatedRows(uint32_t hessian, float rows_per_unit) {
  const float above = static_cast<float>(static_cast<int32_t>(hessian)) * rows_per_unit + 0.5F;
  return static_cast<int>(above);
}

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_SPLIT_H_
