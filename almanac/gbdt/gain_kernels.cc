#include "almanac/gbdt/gain_kernels.h"

#include <algorithm>
#include <cmath>

// Few instruction sets are worth their compilation.
#define HWY_DISABLED_TARGETS \
  (HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "almanac/gbdt/gain_kernels.cc"
#include <hwy/foreach_target.h>  // compiles what follows once for each instruction set

#include <hwy/highway.h>

#include "almanac/gbdt/gain_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace almanac::gbdt::HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR  // without vectors: the plain loops

// Of the cut between a side and the rest; -1 where one is too small.
float NumberOf(PackedBin side, int32_t rows, const LeafBounds& leaf) {
  const auto h = static_cast<int32_t>(PackedHessian(side));
  const int32_t rest = leaf.hessian - h;
  if (h < leaf.least_hessian || rest < leaf.least_hessian) return -1;
  if (rows < leaf.least_rows || leaf.rows - rows < leaf.least_rows) return -1;
  const float mean =
      static_cast<float>(leaf.gradient) / (static_cast<float>(leaf.hessian) + 2 * leaf.l2);
  const float weight = static_cast<float>(h) + leaf.l2;
  const float distance = static_cast<float>(PackedGradient(side)) - mean * weight;
  return distance * distance / (weight * (static_cast<float>(rest) + leaf.l2));
}

void FindLargest(const PackedBin* histogram, size_t bins, size_t slots, const MissingBins& missing,
                 const LeafBounds& leaf, float* gains) {
  for (size_t s = 0; s < slots; ++s) {
    gains[s] = -1;
    int32_t all_rows = 0;
    for (const bool from_right : {true, false}) {
      if (!from_right && missing.bin[s] == kNoMissing) continue;
      PackedBin side = 0;
      int32_t rows = from_right ? 0 : (leaf.rows - all_rows) & missing.first_is_rest[s];
      for (size_t i = 0; i < bins; ++i) {
        const size_t bin = from_right ? bins - 1 - i : i;
        const PackedBin added = histogram[bin * slots + s];
        const int32_t added_rows = EstimatedRows(PackedHessian(added), leaf.rows_per_unit);
        if (from_right) all_rows += added_rows;
        if (static_cast<int32_t>(bin) == missing.bin[s]) continue;
        side += added;
        rows += added_rows;
        gains[s] = std::max(gains[s], NumberOf(side, rows, leaf));
      }
    }
  }
}

#else

void FindLargest(const PackedBin* histogram, size_t bins, size_t slots, const MissingBins& missing,
                 const LeafBounds& bounds, float* gains) {
  const Bins source{histogram, slots};
  FindLargestIn(source, bins, missing, MissingnessOf(source, missing), bounds, gains);
}

#endif  // HWY_TARGET == HWY_SCALAR

}  // namespace almanac::gbdt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace almanac::gbdt {
namespace {

HWY_EXPORT(FindLargest);

// The distance g - w G / W is off by at most 2^-22 |G| and a part of itself far below kGainError:
// g, w, W, G / W and the product are rounded to 24 bits each, and |w G / W| <= |G|.
constexpr double kRounding = 1.0 / (1 << 21);

}  // namespace

void LargestGains(const PackedBin* histogram, size_t bins, size_t slots, const MissingBins& missing,
                  const LeafBounds& leaf, float* gains) {
  if (IsTooSmall(leaf)) {
    std::fill_n(gains, kTileWidth, -1.0F);
    return;
  }
  HWY_DYNAMIC_DISPATCH(FindLargest)(histogram, bins, slots, missing, leaf, gains);
}

GainScale::GainScale(const LeafBounds& leaf, const PackedScale& scale) {
  const double weight = leaf.hessian + 2.0 * leaf.l2;
  gain_of_one_ = scale.gradient * scale.gradient / scale.hessian * weight;
  // Either side weighs at least so much: w (W - w) is at least half of that times W.
  const double least = leaf.least_hessian + double{leaf.l2};
  slack_ =
      kRounding * std::abs(static_cast<double>(leaf.gradient)) * std::sqrt(2 / (least * weight));
}

float GainScale::AtLeast(double gain) const {
  const double root = std::sqrt(std::max(0.0, gain / gain_of_one_)) - slack_;
  return root <= 0 ? 0.0F : static_cast<float>(root * root / (1 + kGainError));
}

float GainScale::Surely(double gain) const {
  const double root = std::sqrt(std::max(0.0, gain / gain_of_one_)) + slack_;
  return static_cast<float>(root * root * (1 + kGainError));
}

}  // namespace almanac::gbdt
#endif  // HWY_ONCE
