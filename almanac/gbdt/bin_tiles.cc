#include "almanac/gbdt/bin_tiles.h"

#include <array>

#include "almanac/base/parallel.h"

namespace almanac::gbdt {
namespace {

constexpr size_t kWidth = BinTiles::kColumns;
// How many rows ahead a row's bins are asked for: the rows of a leaf lie scattered in memory.
constexpr size_t kAhead = 16;
constexpr uint32_t kNarrowBins = 256;

// Every column of the tile: the loop over them is unrolled.
void FillWhole(const uint8_t* tile, std::span<const uint32_t> rows,
               std::span<const PackedBin> codes, const std::array<PackedBin*, kWidth>& bins) {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i + kAhead < rows.size()) __builtin_prefetch(tile + rows[i + kAhead] * kWidth);
    const uint8_t* row = tile + rows[i] * kWidth;
    const PackedBin code = codes[i];
    for (size_t c = 0; c < kWidth; ++c) bins[c][row[c]] += code;
  }
}

void FillSome(const uint8_t* tile, std::span<const uint32_t> rows, std::span<const PackedBin> codes,
              std::span<const TileColumn> columns) {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i + kAhead < rows.size()) __builtin_prefetch(tile + rows[i + kAhead] * kWidth);
    const uint8_t* row = tile + rows[i] * kWidth;
    for (const TileColumn& column : columns) column.bins[row[column.place]] += codes[i];
  }
}

}  // namespace

BinTiles::BinTiles(const BinnedData& data)
    : rows_(data.rows()),
      is_narrow_(data.features(), 0),
      tiles_((data.features() + kWidth - 1) / kWidth) {
  ParallelFor(tiles_.size(), [&](size_t t) {
    std::vector<uint8_t>& tile = tiles_[t];
    tile.resize(rows_ * kWidth);
    for (size_t c = 0; c < kWidth && t * kWidth + c < data.features(); ++c) {
      const size_t feature = t * kWidth + c;
      if (data.mapper(feature).bins() > kNarrowBins) continue;
      is_narrow_[feature] = 1;
      for (size_t row = 0; row < rows_; ++row) {
        tile[row * kWidth + c] = static_cast<uint8_t>(data.bin(feature, row));
      }
    }
  });
}

void BinTiles::Fill(size_t tile, std::span<const uint32_t> rows, std::span<const PackedBin> codes,
                    std::span<const TileColumn> columns) const {
  const uint8_t* bins = tiles_[tile].data();
  if (columns.size() < kWidth) {
    FillSome(bins, rows, codes, columns);
    return;
  }
  std::array<PackedBin*, kWidth> targets{};
  for (const TileColumn& column : columns) targets[column.place] = column.bins;
  FillWhole(bins, rows, codes, targets);
}

}  // namespace almanac::gbdt
