// The columns that trees look at, 16 side by side: as they lie in the data, or some of them copied
// together, so that what is not looked at costs nothing. Inside this room.
#ifndef ALMANAC_GBDT_COLUMN_TILES_H_
#define ALMANAC_GBDT_COLUMN_TILES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <hwy/aligned_allocator.h>

#include "almanac/gbdt/binned_data.h"
#include "almanac/gbdt/tile_kernels.h"

namespace almanac::gbdt {

struct ColumnTile {
  const uint8_t* bytes = nullptr;              // 16 a row
  std::array<uint32_t, kTileWidth> feature{};  // by place; Split::kNoFeature where there is none
  size_t bins = 0;                             // of the column with the most
};

class ColumnTiles {
 public:
  // All features of the data.
  void Lay(const BinnedData& data);
  // Only these, in a copy: those with missing values and those with as many bins together.
  void Pack(const BinnedData& data, std::span<const uint32_t> features);

  size_t size() const { return tiles_.size(); }
  const ColumnTile& operator[](size_t tile) const { return tiles_[tile]; }

 private:
  void CopyColumns(const BinnedData& data, const ColumnTile& tile, uint8_t* to) const;

  std::vector<ColumnTile> tiles_;
  hwy::AlignedFreeUniquePtr<uint8_t[]> copy_;
  size_t copy_size_ = 0;
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_COLUMN_TILES_H_
