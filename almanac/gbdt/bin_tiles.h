// Adding rows up by the bins of one tile: the histograms being added to stay in the nearest cache,
// and a row's 16 bins come in one load.
#ifndef ALMANAC_GBDT_BIN_TILES_H_
#define ALMANAC_GBDT_BIN_TILES_H_

#include <cstdint>
#include <span>

#include "almanac/gbdt/split.h"

namespace almanac::gbdt {

// A column of a tile and the histogram that it is added to.
template <typename Bin>
struct TileColumn {
  uint32_t place;  // in the tile
  Bin* bins;
};

// Adds values[i] to the bin of rows[i] in each of the columns, row after row. Bin is PackedBin or
// HistogramBin. `tile` is BinnedData::tile.
template <typename Bin>
void AddToHistograms(const uint8_t* tile, std::span<const uint32_t> rows,
                     std::span<const Bin> values, std::span<const TileColumn<Bin>> columns);

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_BIN_TILES_H_
