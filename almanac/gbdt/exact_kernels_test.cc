#include "almanac/gbdt/exact_kernels.h"

#include <gtest/gtest.h>

#include <hwy/targets.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "almanac/base/random.h"

namespace almanac::gbdt {
namespace {

// With each instruction set of this machine.
void WithInstructionSets(const std::function<void()>& body) {
  for (const int64_t target : hwy::SupportedAndGeneratedTargets()) {
    if (target == HWY_SSE4) continue;  // not compiled
    SCOPED_TRACE(hwy::TargetName(target));
    hwy::SetSupportedTargetsForTest(target);
    body();
    hwy::SetSupportedTargetsForTest(0);
  }
}

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

// A tile of columns of any number of bins, every third with missing values.
struct SearchCase {
  std::vector<BinMapper> mappers;
  std::vector<HistogramBin> histogram;
  MissingBins missing;
  size_t bins = 0, slots;
  LeafSums leaf;
  Params params;

  SearchCase(Random& random, int trial) : slots(1 + random.Below(kTileWidth)) {
    constexpr int kRows = 600;
    std::vector<HistogramBin> values;
    for (int row = 0; row < kRows; ++row) {
      values.push_back({random.Normal(), random.Below(9) == 0 ? 0 : random.Uniform()});
      leaf.gradient += values.back().gradient;
      leaf.hessian += values.back().hessian;
    }
    leaf.rows = kRows;
    std::vector<std::vector<uint8_t>> bins_of(slots);
    missing.bin.fill(kNoMissing);
    for (size_t s = 0; s < slots; ++s) {
      std::vector<float> column;
      const uint64_t distinct = 2 + random.Below(400);
      // A value that many rows have becomes the most frequent bin, 0 or another.
      const auto usual = static_cast<float>(random.Below(distinct));
      for (int row = 0; row < kRows; ++row) {
        const auto value = static_cast<float>(random.Below(distinct));
        const bool is_missing = s % 3 == 0 && random.Below(5) == 0;
        column.push_back(is_missing ? NAN : s % 4 == 1 && row % 5 != 0 ? usual : value);
      }
      mappers.push_back(BinMapper::Find(std::span<const float>(column), BinOptions()));
      const BinMapper& mapper = mappers.back();
      bins_of[s].resize(column.size());
      mapper.BinsOf(std::span<const float>(column), bins_of[s].data());
      bins = std::max<size_t>(bins, mapper.bins());
      if (mapper.missing() != Missing::kNan || mapper.bins() <= 2) continue;
      missing.bin[s] = static_cast<int32_t>(mapper.bins() - 1);
      missing.first_is_rest[s] = mapper.frequent_bin() == 0 ? -1 : 0;
    }
    histogram.resize(bins * slots + kBinsBehind);
    for (size_t s = 0; s < slots; ++s) {
      for (size_t row = 0; row < kRows; ++row)
        histogram[bins_of[s][row] * slots + s] += values[row];
    }
    params.lambda_l2 = trial % 3 * 2;
    params.min_data_in_leaf = 1 + trial % 4 * 60;
    params.min_sum_hessian_in_leaf = trial % 5 == 0 ? 100 : 1e-3;
  }

  Split Find(size_t s, bool* has_cut) const {
    std::vector<HistogramBin> of_slot;
    for (size_t b = 0; b < mappers[s].bins(); ++b) of_slot.push_back(histogram[b * slots + s]);
    return FindSplit(of_slot, mappers[s], leaf, params, 0, has_cut);
  }
};

// The numbers of the columns that have a cut are those of FindSplit's best, within what they may be
// off; those of others are below what would be one.
TEST(ExactKernelsTest, TheLargestCutsAreFindSplits) {
  Random random(4);
  int found = 0, none = 0;
  WithInstructionSets([&] {
    for (int trial = 0; trial < 40; ++trial) {
      const SearchCase of(random, trial);
      const Params& params = of.params;
      const double h = of.leaf.hessian + 2 * kEpsilon, g = of.leaf.gradient;
      const CutLeaf leaf{g,
                         h,
                         params.lambda_l2,
                         params.min_sum_hessian_in_leaf,
                         of.leaf.rows / h,
                         of.leaf.rows,
                         params.min_data_in_leaf};
      std::array<double, kTileWidth> numbers;
      LargestCuts(of.histogram.data(), of.bins, of.slots, of.missing, leaf, numbers.data());
      const double weight = h + 2 * params.lambda_l2;
      const double own = g * g / (h + params.lambda_l2) - g * g / weight;
      for (size_t s = 0; s < of.slots; ++s) {
        bool has_cut = false;
        const Split split = of.Find(s, &has_cut);
        const double above = has_cut ? split.gain + own : own, expected = above / weight;
        ++(has_cut ? found : none);
        const double error = kNumberError * expected + 1e-12;
        EXPECT_GE(numbers[s], has_cut ? expected - error : -1) << trial << " " << s;
        EXPECT_LE(numbers[s], expected + error) << trial << " " << s;
      }
    }
  });
  EXPECT_GT(found, 200);
  EXPECT_GT(none, 20);
}

}  // namespace
}  // namespace almanac::gbdt
