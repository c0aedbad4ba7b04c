#include "almanac/gbdt/bin_tiles.h"

#include <array>
#include <cstddef>

#include "almanac/gbdt/binned_data.h"

namespace almanac::gbdt {
namespace {

constexpr size_t kWidth = BinnedData::kTileColumns;
// How many rows ahead a row's bins are asked for: the rows of a leaf lie scattered in memory.
constexpr size_t kAhead = 16;

// So many columns: the loop over them is unrolled.
template <size_t kCount, typename Bin>
void AddAll(const uint8_t* tile, std::span<const uint32_t> rows, std::span<const Bin> values,
            std::span<const TileColumn<Bin>> columns) {
  std::array<TileColumn<Bin>, kCount> of;
  for (size_t c = 0; c < kCount; ++c) of[c] = columns[c];
  for (size_t i = 0; i < rows.size(); ++i) {
    if (i + kAhead < rows.size()) __builtin_prefetch(tile + rows[i + kAhead] * kWidth);
    const uint8_t* row = tile + rows[i] * kWidth;
    const Bin value = values[i];
    for (size_t c = 0; c < kCount; ++c) of[c].bins[row[of[c].place]] += value;
  }
}

}  // namespace

// At most 16 columns: fours and what is left of them.
template <typename Bin>
void AddToHistograms(const uint8_t* tile, std::span<const uint32_t> rows,
                     std::span<const Bin> values, std::span<const TileColumn<Bin>> columns) {
  while (columns.size() >= 16) {
    AddAll<16>(tile, rows, values, columns);
    columns = columns.subspan(16);
  }
  while (columns.size() >= 4) {
    AddAll<4>(tile, rows, values, columns);
    columns = columns.subspan(4);
  }
  while (!columns.empty()) {
    AddAll<1>(tile, rows, values, columns);
    columns = columns.subspan(1);
  }
}

template void AddToHistograms<PackedBin>(const uint8_t*, std::span<const uint32_t>,
                                         std::span<const PackedBin>,
                                         std::span<const TileColumn<PackedBin>>);
template void AddToHistograms<HistogramBin>(const uint8_t*, std::span<const uint32_t>,
                                            std::span<const HistogramBin>,
                                            std::span<const TileColumn<HistogramBin>>);

}  // namespace almanac::gbdt
