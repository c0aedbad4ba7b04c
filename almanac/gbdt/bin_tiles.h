// Bins in tiles of 16 features, row-major inside a tile: one row's bins of a tile are 16 bytes side
// by side, and the 16 histograms being added to (32 kB) stay in the nearest cache. Data mapped from
// a file of bins has them already and is not copied.
#ifndef ALMANAC_GBDT_BIN_TILES_H_
#define ALMANAC_GBDT_BIN_TILES_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "almanac/gbdt/binned_data.h"
#include "almanac/gbdt/split.h"

namespace almanac::gbdt {

// A column of a tile and the histogram that it is added to.
struct TileColumn {
  uint32_t place;  // in the tile
  PackedBin* bins;
};

class BinTiles {
 public:
  static constexpr size_t kColumns = BinnedData::kTileColumns;

  BinTiles() = default;
  explicit BinTiles(const BinnedData& data);  // which must outlive it
  BinTiles(BinTiles&&) = default;
  BinTiles& operator=(BinTiles&&) = default;

  // Features with more than 256 bins are in no tile.
  bool Has(size_t feature) const { return is_narrow_[feature] != 0; }
  // Adds codes[i] to the bin of rows[i] in each of the columns of the tile (BinnedData::tiles).
  void Fill(size_t tile, std::span<const uint32_t> rows, std::span<const PackedBin> codes,
            std::span<const TileColumn> columns) const;

 private:
  size_t rows_ = 0;
  std::vector<uint8_t> is_narrow_;
  std::vector<std::vector<uint8_t>> made_;  // [row * 16 + place]
  std::vector<const uint8_t*> tiles_;
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_BIN_TILES_H_
