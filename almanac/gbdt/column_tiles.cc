#include "almanac/gbdt/column_tiles.h"

#include <algorithm>
#include <tuple>

#include "almanac/base/parallel.h"

namespace almanac::gbdt {
namespace {

// Rows whose columns are copied one after another: they stay in the nearest cache.
constexpr size_t kRowsAtOnce = 1024;

}  // namespace

void ColumnTiles::Lay(const BinnedData& data) {
  tiles_.clear();
  for (size_t t = 0; t < data.tiles(); ++t) {
    ColumnTile tile;
    tile.bytes = data.tile(t);
    tile.feature.fill(Split::kNoFeature);
    for (size_t f = data.first_of_tile(t); f < data.first_of_tile(t + 1); ++f) {
      tile.feature[data.place(f)] = static_cast<uint32_t>(f);
      tile.bins = std::max<size_t>(tile.bins, data.mapper(f).bins());
    }
    if (tile.bins > 0) tiles_.push_back(tile);
  }
}

void ColumnTiles::Pack(const BinnedData& data, std::span<const uint32_t> features) {
  std::vector<uint32_t> order(features.begin(), features.end());
  const auto likeness = [&](uint32_t f) {
    const BinMapper& mapper = data.mapper(f);
    return std::tuple(mapper.missing() == Missing::kNan, mapper.bins(), f);
  };
  std::sort(order.begin(), order.end(),
            [&](uint32_t a, uint32_t b) { return likeness(a) < likeness(b); });
  const size_t count = (order.size() + kTileWidth - 1) / kTileWidth;
  const size_t tile_bytes = data.rows() * kTileWidth;
  if (copy_size_ < count * tile_bytes) {
    copy_size_ = count * tile_bytes;
    copy_ = hwy::AllocateAligned<uint8_t>(copy_size_);
  }
  tiles_.clear();
  for (size_t t = 0; t < count; ++t) {
    ColumnTile tile;
    tile.bytes = copy_.get() + t * tile_bytes;
    tile.feature.fill(Split::kNoFeature);
    for (size_t i = t * kTileWidth; i < std::min(order.size(), (t + 1) * kTileWidth); ++i) {
      tile.feature[i % kTileWidth] = order[i];
      tile.bins = std::max<size_t>(tile.bins, data.mapper(order[i]).bins());
    }
    tiles_.push_back(tile);
  }
  ParallelFor(tiles_.size(),
              [&](size_t t) { CopyColumns(data, tiles_[t], copy_.get() + t * tile_bytes); });
}

void ColumnTiles::CopyColumns(const BinnedData& data, const ColumnTile& tile, uint8_t* to) const {
  for (size_t begin = 0; begin < data.rows(); begin += kRowsAtOnce) {
    const size_t end = std::min(data.rows(), begin + kRowsAtOnce);
    for (size_t place = 0; place < kTileWidth; ++place) {
      const uint32_t f = tile.feature[place];
      uint8_t* out = to + begin * kTileWidth + place;
      if (f == Split::kNoFeature) {
        for (size_t row = begin; row < end; ++row, out += kTileWidth) *out = 0;
        continue;
      }
      const uint8_t* in = data.tile(data.tile_of(f)) + begin * kTileWidth + data.place(f);
      for (size_t row = begin; row < end; ++row, in += kTileWidth, out += kTileWidth) *out = *in;
    }
  }
}

}  // namespace almanac::gbdt
