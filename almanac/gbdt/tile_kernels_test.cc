#include "almanac/gbdt/tile_kernels.h"

#include <gtest/gtest.h>

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
    const Soon soon{expected.data(), expected.data() + count * kTileWidth};
    AddRows(tile.bytes.data(), tile.rows.data(), tile.codes.data(), tile.rows.size(), slots,
            sums.data(), soon);
    for (size_t i = 0; i < tile.rows.size(); ++i) {
      for (size_t s = 0; s < count; ++s) {
        const uint8_t bin = tile.bytes[tile.rows[i] * kTileWidth + slots.place[s]];
        expected[bin * count + s] += tile.codes[i];
      }
    }
    ASSERT_EQ(sums, expected) << count;
  }
}

// Row after row: doubles whose sum depends on the order.
TEST(TileKernelsTest, AddsDoublesInOrderOfRows) {
  const Tile tile(4);
  Random random(5);
  std::vector<HistogramBin> values;
  for (size_t i = 0; i < tile.rows.size(); ++i) {
    values.push_back({random.Normal() * 1e6, random.Uniform()});
  }
  for (size_t count = 0; count <= kTileWidth; ++count) {
    TileSlots slots;
    SlotBins<HistogramBin> bins{};
    SlotBins<PackedBin> packed{};
    std::vector<HistogramBin> sums(kTileBins * kTileWidth, {0.1, 0.2}), expected = sums;
    std::vector<PackedBin> codes(kTileBins * kTileWidth, 7), expected_codes = codes;
    for (size_t s = 0; s < count; ++s) {
      slots.place[s] = static_cast<uint8_t>((s * 5 + 3) % 16);
      bins[s] = &sums[s * kTileBins];
      packed[s] = &codes[s * kTileBins];
    }
    slots.count = count;
    AddRowsApart(tile.bytes.data(), tile.rows.data(), values.data(), tile.rows.size(), slots, bins);
    AddRowsApart(tile.bytes.data(), tile.rows.data(), tile.codes.data(), tile.rows.size(), slots,
                 packed);
    for (size_t i = 0; i < tile.rows.size(); ++i) {
      for (size_t s = 0; s < count; ++s) {
        const size_t bin = s * kTileBins + tile.bytes[tile.rows[i] * kTileWidth + slots.place[s]];
        expected[bin] += values[i];
        expected_codes[bin] += tile.codes[i];
      }
    }
    for (size_t i = 0; i < sums.size(); ++i) {
      ASSERT_EQ(sums[i].gradient, expected[i].gradient) << count;
      ASSERT_EQ(sums[i].hessian, expected[i].hessian) << count;
    }
    ASSERT_EQ(codes, expected_codes) << count;
  }
}

TEST(TileKernelsTest, AddsFourTreesTogether) {
  const Tile tile(2);
  for (const size_t first : {size_t{0}, kHalfTile}) {
    std::vector<PackedBin> sums(kHalfTile * kTileBins * kTogether, 0), expected = sums;
    AddRowsTogether(tile.bytes.data(), tile.rows.data(), tile.codes.data(), tile.rows.size(), first,
                    sums.data());
    for (size_t i = 0; i < tile.rows.size(); ++i) {
      for (size_t c = 0; c < kHalfTile; ++c) {
        const uint8_t bin = tile.bytes[tile.rows[i] * kTileWidth + first + c];
        for (size_t k = 0; k < kTogether; ++k) {
          expected[(c * kTileBins + bin) * kTogether + k] += tile.codes[i * kTogether + k];
        }
      }
    }
    ASSERT_EQ(sums, expected);
  }
}

TEST(TileKernelsTest, AddsShortCodesAsTheirWords) {
  const Tile tile(4);
  std::vector<ShortCode> codes;
  std::vector<PackedBin> words;
  Random random(5);
  for (size_t i = 0; i < tile.codes.size(); ++i) {
    const auto gradient = static_cast<int16_t>(static_cast<int>(random.Below(65535)) - 32767);
    const auto hessian = static_cast<int16_t>(random.Below(32768));
    codes.push_back({hessian, gradient});
    words.push_back(Pack(gradient, static_cast<uint32_t>(hessian)));
  }
  std::vector<PackedBin> sums(kHalfTile * kTileBins * kTogether, 0), expected = sums;
  const auto add = [&](const auto& of_rows, std::vector<PackedBin>& to) {
    AddRowsTogether(tile.bytes.data(), tile.rows.data(), of_rows.data(), tile.rows.size(),
                    kHalfTile, to.data());
  };
  add(codes, sums);
  add(words, expected);
  EXPECT_EQ(sums, expected);
}

TEST(TileKernelsTest, Subtracts) {
  const Tile tile(3);
  const size_t words = tile.codes.size() / 16 * 16;
  std::vector<PackedBin> smaller(words), larger(words);
  for (size_t i = 0; i < words; ++i) smaller[i] = tile.codes[words - 1 - i];
  Subtract(tile.codes.data(), smaller.data(), words, larger.data());
  for (size_t i = 0; i < words; ++i) ASSERT_EQ(larger[i], tile.codes[i] - smaller[i]);
}

}  // namespace
}  // namespace almanac::gbdt
