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
  bool are_numbers = false;  // upper and lower are that number
};

// Bounds of LargestGains' numbers for half of the work: mostly they say that a column does not win.
// Where they would say little they are the numbers themselves. What is read is what LargestGains
// reads.
void BoundGains(const PackedBin* histogram, size_t bins, size_t slots, const MissingBins& missing,
                const LeafBounds& leaf, GainBounds* bounds);

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_GAIN_BOUNDS_H_
