#include "almanac/gbdt/tile_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "almanac/base/random.h"

namespace almanac::gbdt {
namespace {

constexpr size_t kRows = 300;

struct Tile {
  alignas(64) std::array<uint8_t, kRows * kTileWidth> bytes;
  std::vector<uint32_t> rows;
  std::vector<PackedBin> codes;  // four a row

  explicit Tile(uint64_t seed) {
    Random random(seed);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.Below(256));
    for (uint32_t row = 0; row < kRows; row += 1 + random.Below(3)) rows.push_back(row);
    for (size_t i = 0; i < rows.size() * kTogether; ++i) {
      codes.push_back(Pack(static_cast<int32_t>(random.Below(2001)) - 1000,
                           static_cast<uint32_t>(random.Below(1000))));
    }
  }
};

TEST(TileKernelsTest, AddsLikeTheObviousLoop) {
  const Tile tile(1);
  for (size_t count = 0; count <= kTileWidth; ++count) {
    TileSlots slots;
    for (size_t s = 0; s < count; ++s) slots.place[s] = static_cast<uint8_t>((s * 5 + 3) % 16);
    slots.count = count;
    std::vector<PackedBin> sums(kTileBins * kTileWidth, 7), expected = sums;
    AddRows(tile.bytes.data(), tile.rows.data(), tile.codes.data(), tile.rows.size(), slots,
            sums.data());
    for (size_t i = 0; i < tile.rows.size(); ++i) {
      for (size_t s = 0; s < count; ++s) {
        const uint8_t bin = tile.bytes[tile.rows[i] * kTileWidth + slots.place[s]];
        expected[bin * kTileWidth + s] += tile.codes[i];
      }
    }
    ASSERT_EQ(sums, expected) << count;
  }
}

TEST(TileKernelsTest, AddsFourTreesTogether) {
  const Tile tile(2);
  for (const size_t first : {size_t{0}, kHalfTile}) {
    std::vector<PackedBin> sums(kTileBins * kHalfTile * kTogether, 0), expected = sums;
    AddRowsTogether(tile.bytes.data(), tile.rows.data(), tile.codes.data(), tile.rows.size(), first,
                    sums.data());
    for (size_t i = 0; i < tile.rows.size(); ++i) {
      for (size_t c = 0; c < kHalfTile; ++c) {
        const uint8_t bin = tile.bytes[tile.rows[i] * kTileWidth + first + c];
        for (size_t k = 0; k < kTogether; ++k) {
          expected[(bin * kHalfTile + c) * kTogether + k] += tile.codes[i * kTogether + k];
        }
      }
    }
    ASSERT_EQ(sums, expected);
  }
}

TEST(TileKernelsTest, Subtracts) {
  const Tile tile(3);
  const size_t words = tile.codes.size() / 16 * 16;
  std::vector<PackedBin> smaller(words), larger(words);
  for (size_t i = 0; i < words; ++i) smaller[i] = tile.codes[words - 1 - i];
  Subtract(tile.codes.data(), smaller.data(), words, larger.data());
  for (size_t i = 0; i < words; ++i) ASSERT_EQ(larger[i], tile.codes[i] - smaller[i]);
}

// The largest gain is that of the exact search, to float32 precision, for columns of any number of
// bins with and without missing values.
TEST(TileKernelsTest, TheLargestGainIsFindSplits) {
  Random random(4);
  int found = 0;
  for (int trial = 0; trial < 30; ++trial) {
    std::vector<BinMapper> mappers;
    MissingBins missing;
    missing.bin.fill(kNoMissing);
    std::vector<PackedBin> histogram(kTileBins * kTileWidth, 0);
    LeafSums leaf;
    leaf.rows = 600;
    size_t most_bins = 0;
    std::vector<PackedBin> codes;
    for (int row = 0; row < leaf.rows; ++row) {
      codes.push_back(Pack(static_cast<int32_t>(random.Below(200001)) - 100000,
                           static_cast<uint32_t>(random.Below(60000) + 1)));
      leaf.packed += codes.back();
    }
    for (size_t s = 0; s < kTileWidth; ++s) {
      std::vector<float> values;
      const uint64_t distinct = 2 + random.Below(400);
      for (int row = 0; row < leaf.rows; ++row) {
        const auto value = static_cast<float>(random.Below(distinct)) - 3;
        values.push_back(s % 3 == 0 && row % 5 == 0 ? NAN : value);
      }
      mappers.push_back(BinMapper::Find(std::span<const float>(values), BinOptions()));
      const BinMapper& mapper = mappers.back();
      std::vector<uint8_t> bins(values.size());
      mapper.BinsOf(std::span<const float>(values), bins.data());
      for (size_t row = 0; row < bins.size(); ++row) {
        histogram[bins[row] * kTileWidth + s] += codes[row];
      }
      most_bins = std::max<size_t>(most_bins, mapper.bins());
      if (mapper.missing() != Missing::kNan) continue;
      missing.bin[s] = static_cast<int32_t>(mapper.bins() - 1);
      missing.first_is_rest[s] = mapper.frequent_bin() == 0 ? -1 : 0;
    }
    Params params;
    params.lambda_l2 = trial % 3;
    params.min_data_in_leaf = trial % 4 * 15;
    const LeafBounds bounds{PackedGradient(leaf.packed),
                            static_cast<int32_t>(PackedHessian(leaf.packed)),
                            leaf.rows,
                            1,
                            params.min_data_in_leaf,
                            static_cast<float>(600.0 / PackedHessian(leaf.packed)),
                            static_cast<float>(params.lambda_l2)};
    std::array<float, kTileWidth> gains;
    LargestGains(histogram.data(), most_bins, missing, bounds, gains.data());
    for (size_t s = 0; s < kTileWidth; ++s) {
      std::vector<PackedBin> bins;
      for (size_t b = 0; b < mappers[s].bins(); ++b) bins.push_back(histogram[b * kTileWidth + s]);
      bool is_splittable = false;
      const Split split = FindSplit(bins, mappers[s], leaf, {1, 1}, params, 0, &is_splittable);
      if (!is_splittable) continue;
      ++found;
      const double of_leaf = LeafGain(PackedGradient(leaf.packed), PackedHessian(leaf.packed),
                                      params, params.lambda_l2, leaf.rows, 0);
      EXPECT_NEAR(gains[s] / (split.gain + of_leaf), 1, kGainError) << trial << " " << s;
    }
  }
  EXPECT_GT(found, 300);
}

}  // namespace
}  // namespace almanac::gbdt
