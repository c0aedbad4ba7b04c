// The search of a tile's histograms for gains, 16 columns at a time. Inside this room. What is
// found are bounds: they differ between instruction sets by less than kGainError says, so that what
// is decided by them and settled in whole numbers (split.h) does not.
#ifndef ALMANAC_GBDT_GAIN_KERNELS_H_
#define ALMANAC_GBDT_GAIN_KERNELS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "almanac/gbdt/split.h"
#include "almanac/gbdt/tile_kernels.h"

namespace almanac::gbdt {

// What the search must know of a leaf, in the units of the codes.
struct LeafBounds {
  int32_t gradient = 0, hessian = 0, rows = 0;  // of the leaf
  int32_t least_hessian = 1, least_rows = 0;    // of either side; hessian at least 1
  float rows_per_unit = 0;                      // of hessian, for EstimatedRows bin by bin
  float l2 = 0;
};

inline constexpr int32_t kNoMissing = 1 << 20;
struct MissingBins {
  std::array<int32_t, kTileWidth> bin;  // of missing values, or kNoMissing
  // -1 where the first bin's rows are what the others leave of the leaf's, else 0.
  std::array<int32_t, kTileWidth> first_is_rest{};
};

inline constexpr size_t kWordsBehind = 16;

// With G and H of the leaf, g and h of a side, w = h + l2 and W = H + 2 l2, a cut gains
//   g^2 / w + (G - g)^2 / (W - w) - G^2 / W = W (g - w G / W)^2 / (w (W - w)):
// a form without cancellation between large terms. For every slot the largest
// (g - w G / W)^2 / (w (W - w)) of all cuts whose sides both have the least hessian and rows; -1 if
// there is none. Cuts are FindSplit's: rows are summed from the right, and where a slot has missing
// values, which may go either way, from the left, too. `bins` is at least that of every slot; sums
// behind a slot's last bin are 0. GainScale says how to read it. kWordsBehind words behind the
// histogram are read, whatever they are, and `gains` has room for 16 slots.
void LargestGains(const PackedBin* histogram, size_t bins, size_t slots, const MissingBins& missing,
                  const LeafBounds& leaf, float* gains);

// Whether no cut can leave enough on both sides.
inline bool IsTooSmall(const LeafBounds& leaf) {
  return leaf.rows < 2 * leaf.least_rows || leaf.hessian / 2 < leaf.least_hessian;
}

// Of float32 sums and an approximate reciprocal, which has 8 bits on some machines.
inline constexpr double kGainError = 1.0 / 128;

// Gains, as FindSplit has them (above G^2 / W), against LargestGains' numbers.
class GainScale {
 public:
  GainScale(const LeafBounds& leaf, const PackedScale& scale);

  // A slot whose best cut gains as much has at least this number ...
  float AtLeast(double gain) const;
  // ... and one that has at least this number gains as much.
  float Surely(double gain) const;

 private:
  double gain_of_one_;
  double slack_;  // of the root of a number, from the rounding of g - w G / W
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_GAIN_KERNELS_H_
