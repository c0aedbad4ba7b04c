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
    : rows_(data.rows()), is_narrow_(data.features(), 1), tiles_(data.tiles()) {
  for (size_t t = 0; t < data.tiles(); ++t) tiles_[t] = data.mapped_tile(t);
  if (data.is_mapped()) return;
  made_.resize(data.tiles());
  ParallelFor(data.tiles(), [&](size_t t) {
    std::vector<uint8_t>& tile = made_[t];
    tile.resize(rows_ * kWidth);
    for (size_t feature = data.first_of_tile(t); feature < data.first_of_tile(t + 1); ++feature) {
      is_narrow_[feature] = data.mapper(feature).bins() <= kNarrowBins ? 1 : 0;
      if (is_narrow_[feature] == 0) continue;
      for (size_t row = 0; row < rows_; ++row) {
        tile[row * kWidth + data.place(feature)] = static_cast<uint8_t>(data.bin(feature, row));
      }
    }
    tiles_[t] = tile.data();
  });
}

void BinTiles::Fill(size_t tile, std::span<const uint32_t> rows, std::span<const PackedBin> codes,
                    std::span<const TileColumn> columns) const {
  const uint8_t* bins = tiles_[tile];
  if (columns.size() < kWidth) {
    FillSome(bins, rows, codes, columns);
    return;
  }
  std::array<PackedBin*, kWidth> targets{};
  for (const TileColumn& column : columns) targets[column.place] = column.bins;
  FillWhole(bins, rows, codes, targets);
}

}  // namespace almanac::gbdt
