// The inner loops of exact mode over tiles of bins: histograms in doubles. Inside this room. A
// bin's sums are made row after row and sums over bins one after another: they are the reference's
// to the last bit, whatever the instruction set. largest_cuts.h searches them.
//
// A tile's histogram is bin after bin, in each the slots that are used, side by side. kBinsBehind
// more follow it, which may be read and mean nothing.
#ifndef ALMANAC_GBDT_EXACT_KERNELS_H_
#define ALMANAC_GBDT_EXACT_KERNELS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "almanac/gbdt/growing_tree.h"
#include "almanac/gbdt/split.h"
#include "almanac/gbdt/tile_kernels.h"

namespace almanac::gbdt {

using GradientPair = DoubleSums::Value;  // a row's

inline constexpr size_t kBinsBehind = 16;

// Memory that is read next, asked for while rows are added; far memory answers late.
inline constexpr size_t kLineBins = 4;  // of a cache line
struct Lines {
  const HistogramBin* begin = nullptr;
  size_t count = 0;
};

// Adds values[i] to the bins of rows[i], row after row. `tile` is 16 bytes a row, aligned.
void AddPairs(const uint8_t* tile, const uint32_t* rows, const GradientPair* values, size_t count,
              const TileSlots& slots, HistogramBin* histogram, Lines soon = {});

// The same for the columns [first, first + 4) of the tile and four trees at once: the pairs
// values[i * 4 + k] to sums[(column * 256 + bin) * 4 + k], the columns counted from `first`.
inline constexpr size_t kQuarterTile = 4;  // columns of such a pass: its sums nearly fit the L1
void AddPairsTogether(const uint8_t* tile, const uint32_t* rows, const GradientPair* values,
                      size_t count, size_t first, HistogramBin* sums);
// Whether that is faster for all columns than AddPairs for `slots` of them, of all trees.
bool PaysTogether(size_t slots);

// Sets the most frequent bin of every slot where it is not 0 to what the other bins leave of the
// leaf's sums, taken away one after another from bin 0 on, as LightGBM does.
void ReconstructFrequentBins(HistogramBin* histogram, size_t bins, size_t slots,
                             const std::array<uint32_t, kTileWidth>& frequent,
                             const HistogramBin& leaf);

// larger[i] = parent[i] - smaller[i] for `count` bins; the parent may be the larger.
void SubtractBins(const HistogramBin* parent, const HistogramBin* smaller, size_t count,
                  HistogramBin* larger);

// Copies `count` bins, up to three more, to where they are not read soon: past the caches. Both are
// aligned to 64 bytes.
void KeepBins(const HistogramBin* from, size_t count, HistogramBin* to);

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_EXACT_KERNELS_H_
