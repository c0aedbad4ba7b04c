// The inner loops of fast training: rows added up by the bins of a tile. Inside this room. Sums are
// whole numbers: they do not depend on the instruction set. gain_kernels.h searches them.
//
// A tile's histogram is bin after bin, in each the slots side by side, a PackedBin (split.h) each:
// running sums over bins and gains need no exchange between vector lanes.
#ifndef ALMANAC_GBDT_TILE_KERNELS_H_
#define ALMANAC_GBDT_TILE_KERNELS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "almanac/gbdt/split.h"

namespace almanac::gbdt {

inline constexpr size_t kTileWidth = 16;  // bins of a row; slots of a histogram's bin, at most
inline constexpr size_t kTogether = 4;    // trees added up in one pass
inline constexpr size_t kHalfTile = 8;    // columns of such a pass: its sums then fit the caches
inline constexpr size_t kTileBins = 256;

// The columns of a tile that are looked at: slot s is the column at place[s].
struct TileSlots {
  alignas(16) std::array<uint8_t, kTileWidth> place{};
  size_t count = 0;
};

// Where each slot's column has its bins, one after another.
template <typename Bin>
using SlotBins = std::array<Bin*, kTileWidth>;

// Adds values[i] to the bin of rows[i] in every slot, row after row: sums of doubles depend on it.
// `tile` is 16 bytes a row. AddRows below is faster where slots may lie side by side.
void AddRowsApart(const uint8_t* tile, const uint32_t* rows, const HistogramBin* values,
                  size_t count, const TileSlots& slots, const SlotBins<HistogramBin>& bins);
void AddRowsApart(const uint8_t* tile, const uint32_t* rows, const PackedBin* values, size_t count,
                  const TileSlots& slots, const SlotBins<PackedBin>& bins);

// A code of a training on so many rows that it is small.
struct ShortCode {
  int16_t hessian = 0, gradient = 0;  // as in a PackedBin, the hessian in the lower half
};

// Memory that is read next, asked for while rows are added; far memory answers late.
struct Soon {
  const PackedBin* begin = nullptr;
  const PackedBin* end = nullptr;
};

// Adds codes[i] to the bins of rows[i]. `tile` is 16 bytes a row, aligned; `histogram` has a word
// for every bin and slot.
void AddRows(const uint8_t* tile, const uint32_t* rows, const PackedBin* codes, size_t count,
             const TileSlots& slots, PackedBin* histogram, Soon soon = {});

// The same for the columns [first, first + 8) of the tile and four trees at once: codes[i * 4 + k]
// to sums[(column * 256 + bin) * 4 + k].
void AddRowsTogether(const uint8_t* tile, const uint32_t* rows, const PackedBin* codes,
                     size_t count, size_t first, PackedBin* sums);
// Of codes whose halves have 16 bits, for half of the memory.
void AddRowsTogether(const uint8_t* tile, const uint32_t* rows, const ShortCode* codes,
                     size_t count, size_t first, PackedBin* sums);

// larger[i] = parent[i] - smaller[i]; the parent may be the larger. `words` is a multiple of 8.
void Subtract(const PackedBin* parent, const PackedBin* smaller, size_t words, PackedBin* larger);

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_TILE_KERNELS_H_
