#include "almanac/gbdt/exact_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "almanac/base/random.h"
#include "almanac/gbdt/instruction_sets_for_test.h"

namespace almanac::gbdt {
namespace {

bool AreSame(const HistogramBin& a, const HistogramBin& b) {
  return a.gradient == b.gradient && a.hessian == b.hessian;
}

TEST(ExactKernelsTest, AddsRowAfterRow) {
  constexpr size_t kRows = 300;
  Random random(1);
  alignas(64) std::array<uint8_t, kRows * kTileWidth> bytes;
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.Below(256));
  std::vector<uint32_t> rows;
  for (uint32_t row = 0; row < kRows; row += 1 + random.Below(3)) rows.push_back(row);
  std::vector<GradientPair> values;
  for (size_t i = 0; i < rows.size(); ++i) {
    values.push_back(
        {static_cast<float>(random.Normal() * 1e6), static_cast<float>(random.Uniform())});
  }
  WithInstructionSets([&] {
    for (size_t count = 0; count <= kTileWidth; ++count) {
      TileSlots slots;
      slots.count = count;
      for (size_t s = 0; s < count; ++s) slots.place[s] = static_cast<uint8_t>((s * 5 + 3) % 16);
      alignas(64) std::array<HistogramBin, kTileBins * kTileWidth> sums;
      sums.fill({0.1, 0.2});
      std::vector<HistogramBin> expected(sums.begin(), sums.end());
      AddPairs(bytes.data(), rows.data(), values.data(), rows.size(), slots, sums.data(),
               {expected.data(), count});
      for (size_t i = 0; i < rows.size(); ++i) {
        for (size_t s = 0; s < count; ++s) {
          const size_t bin = bytes[rows[i] * kTileWidth + slots.place[s]];
          expected[bin * count + s] += {values[i].gradient, values[i].hessian};
        }
      }
      ASSERT_TRUE(std::equal(sums.begin(), sums.end(), expected.begin(), AreSame)) << count;
    }
  });
}

// Four trees of four columns in one pass.
TEST(ExactKernelsTest, AddsTreesTogether) {
  constexpr size_t kRows = 300;
  Random random(5);
  alignas(64) std::array<uint8_t, kRows * kTileWidth> bytes;
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.Below(256));
  std::vector<uint32_t> rows;
  for (uint32_t row = 0; row < kRows; row += 1 + random.Below(3)) rows.push_back(row);
  std::vector<GradientPair> values;
  for (size_t i = 0; i < rows.size() * kTogether; ++i) {
    values.push_back(
        {static_cast<float>(random.Normal() * 1e6), static_cast<float>(random.Uniform())});
  }
  WithInstructionSets([&] {
    alignas(64) std::array<HistogramBin, kQuarterTile * kTileBins * kTogether> sums;
    for (size_t first = 0; first < kTileWidth; first += kQuarterTile) {
      sums.fill({0.1, 0.2});
      std::vector<HistogramBin> expected(sums.begin(), sums.end());
      AddPairsTogether(bytes.data(), rows.data(), values.data(), rows.size(), first, sums.data());
      for (size_t i = 0; i < values.size(); ++i) {
        for (size_t c = 0; c < kQuarterTile; ++c) {
          const size_t bin = bytes[rows[i / kTogether] * kTileWidth + first + c];
          expected[(c * kTileBins + bin) * kTogether + i % kTogether] +=
              {values[i].gradient, values[i].hessian};
        }
      }
      ASSERT_TRUE(std::equal(sums.begin(), sums.end(), expected.begin(), AreSame)) << first;
    }
  });
}

std::vector<HistogramBin> RandomBins(Random& random, size_t count) {
  std::vector<HistogramBin> bins(count);
  for (HistogramBin& bin : bins) bin = {random.Normal(), random.Uniform()};
  return bins;
}

TEST(ExactKernelsTest, FrequentBinsAreWhatTheOthersLeave) {
  Random random(2);
  const HistogramBin leaf{3.7, 120.3};
  WithInstructionSets([&] {
    for (size_t slots = 1; slots <= kTileWidth; ++slots) {
      const size_t bins = 2 + random.Below(255);
      std::vector<HistogramBin> histogram = RandomBins(random, bins * slots + kBinsBehind);
      std::vector<HistogramBin> expected = histogram;
      std::array<uint32_t, kTileWidth> frequent{};
      for (size_t s = 0; s < slots; ++s) {
        frequent[s] = s % 4 == 1 ? 0 : static_cast<uint32_t>(random.Below(bins));
        if (frequent[s] == 0) continue;
        HistogramBin rest = leaf;
        for (size_t bin = 0; bin < bins; ++bin) {
          if (bin != frequent[s]) rest -= histogram[bin * slots + s];
        }
        expected[frequent[s] * slots + s] = rest;
      }
      ReconstructFrequentBins(histogram.data(), bins, slots, frequent, leaf);
      ASSERT_TRUE(std::equal(histogram.begin(), histogram.end(), expected.begin(), AreSame));
    }
  });
}

TEST(ExactKernelsTest, SubtractsBinByBin) {
  Random random(3);
  WithInstructionSets([&] {
    for (const size_t count : {1U, 7U, 64U, 1001U}) {
      std::vector<HistogramBin> parent = RandomBins(random, count + 1);
      const std::vector<HistogramBin> smaller = RandomBins(random, count + 1);
      std::vector<HistogramBin> expected = parent;
      for (size_t i = 0; i < count; ++i) expected[i] -= smaller[i];
      SubtractBins(parent.data(), smaller.data(), count, parent.data());
      ASSERT_TRUE(std::equal(parent.begin(), parent.end(), expected.begin(), AreSame)) << count;
    }
  });
}

}  // namespace
}  // namespace almanac::gbdt
