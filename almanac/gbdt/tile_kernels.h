// The inner loops of fast training: rows added up by the bins of a tile, and the histograms of a
// tile searched for gains, many columns at a time. Inside this room. Results do not depend on the
// instruction set: sums are whole numbers, gains only upper bounds.
//
// A tile's histogram is bin after bin, in each 16 slots, a PackedBin (split.h) each: columns lie
// side by side, so that running sums over bins and gains need no exchange between vector lanes.
#ifndef ALMANAC_GBDT_TILE_KERNELS_H_
#define ALMANAC_GBDT_TILE_KERNELS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "almanac/gbdt/split.h"

namespace almanac::gbdt {

inline constexpr size_t kTileWidth = 16;  // bins of a row; slots of a histogram's bin
inline constexpr size_t kTogether = 4;    // trees added up in one pass
inline constexpr size_t kHalfTile = 8;    // columns of such a pass: its sums then fit the caches
inline constexpr size_t kTileBins = 256;

// The columns of a tile that are looked at: slot s is the column at place[s].
struct TileSlots {
  alignas(16) std::array<uint8_t, kTileWidth> place{};
  size_t count = 0;
};

// Adds codes[i] to the bins of rows[i]. `tile` is 16 bytes a row, aligned; `histogram` has 256 x 16
// words.
void AddRows(const uint8_t* tile, const uint32_t* rows, const PackedBin* codes, size_t count,
             const TileSlots& slots, PackedBin* histogram);

// The same for the columns [first, first + 8) of the tile and four trees at once: codes[i * 4 + k]
// to sums[(bin * 8 + column) * 4 + k].
void AddRowsTogether(const uint8_t* tile, const uint32_t* rows, const PackedBin* codes,
                     size_t count, size_t first, PackedBin* sums);

// larger[i] = parent[i] - smaller[i]; the parent may be the larger. `words` is a multiple of 16.
void Subtract(const PackedBin* parent, const PackedBin* smaller, size_t words, PackedBin* larger);

// What the search must know of a leaf, in the units of the codes.
struct LeafBounds {
  int32_t gradient = 0, hessian = 0, rows = 0;  // of the leaf
  int32_t least_hessian = 1, least_rows = 0;    // of either side; hessian at least 1
  float rows_per_unit = 0;                      // of hessian, for EstimatedRows bin by bin
  float l2 = 0;
};

// For every slot the largest GL^2 / (HL + l2) + GR^2 / (HR + l2) of all cuts whose sides both have
// the least hessian and rows; 0 if there is none. Cuts are FindSplit's: rows are summed from the
// right, and where a slot has missing values, which may go either way, from the left, too. `bins`
// is at least that of every slot; sums behind a slot's last bin are 0. Of float32 precision: the
// true value is at most 1 + kGainError times it.
inline constexpr int32_t kNoMissing = 1 << 20;
inline constexpr double kGainError = 1e-5;
struct MissingBins {
  std::array<int32_t, kTileWidth> bin;  // of missing values, or kNoMissing
  // -1 where the first bin's rows are what the others leave of the leaf's, else 0.
  std::array<int32_t, kTileWidth> first_is_rest{};
};
void LargestGains(const PackedBin* histogram, size_t bins, const MissingBins& missing,
                  const LeafBounds& leaf, float* gains);

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_TILE_KERNELS_H_
