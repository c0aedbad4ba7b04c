// Bounds of what the search of a tile's histograms finds (gain_kernels.h). Inside this room.
#ifndef ALMANAC_GBDT_GAIN_BOUNDS_H_
#define ALMANAC_GBDT_GAIN_BOUNDS_H_

#include <array>
#include <cstddef>

#include "almanac/gbdt/gain_kernels.h"

namespace almanac::gbdt {

// By slot: LargestGains' number lies between.
struct GainBounds {
  alignas(64) std::array<float, kTileWidth> upper, lower;
};

// Bounds of LargestGains' numbers for half of the work: mostly they say that a column does not win.
// Where they would say little they are the numbers themselves. In the same pass the histogram is
// copied to `copy` unless that is null.
void BoundGains(const PackedBin* histogram, PackedBin* copy, size_t bins,
                const MissingBins& missing, const LeafBounds& leaf, GainBounds* bounds);

// Sets larger[i] = parent[i] - smaller[i] for all bins, of which the parent may be the larger, and
// bounds that in the same pass.
void BoundGainsOfRest(const PackedBin* parent, const PackedBin* smaller, PackedBin* larger,
                      size_t bins, const MissingBins& missing, const LeafBounds& leaf,
                      GainBounds* bounds);

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_GAIN_BOUNDS_H_
