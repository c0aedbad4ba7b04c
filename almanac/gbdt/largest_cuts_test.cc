#include "almanac/gbdt/largest_cuts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "almanac/base/random.h"
#include "almanac/gbdt/instruction_sets_for_test.h"

namespace almanac::gbdt {
namespace {

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
TEST(LargestCutsTest, TheLargestCutsAreFindSplits) {
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
