#include "almanac/gbdt/gain_bounds.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "almanac/base/random.h"
#include "almanac/gbdt/instruction_sets_for_test.h"

namespace almanac::gbdt {
namespace {

// The largest gain is that of the exact search, within the error that GainScale allows for: columns
// of any number of bins, without missing values, with them, and with them in other leaves alone; in
// leaves of few rows and of many. Bounds lie around it, mostly close by.
void ExpectFindSplitsGains() {
  Random random(4);
  int found = 0, close = 0;
  for (int trial = 0; trial < 40; ++trial) {
    std::vector<BinMapper> mappers;
    MissingBins missing;
    missing.bin.fill(kNoMissing);
    const size_t slots = trial % 3 == 0 ? 11 : kTileWidth;
    std::vector<PackedBin> histogram(kTileBins * slots, 0);
    LeafSums leaf;
    const int rows = trial % 4 == 3 ? 4000 : 600;
    const bool is_complete = trial % 5 < 2;
    const auto is_in_leaf = [&](int row) { return !is_complete || row % 5 != 0; };
    size_t most_bins = 0;
    std::vector<PackedBin> codes;
    for (int row = 0; row < rows; ++row) {
      codes.push_back(Pack(static_cast<int32_t>(random.Below(200001)) - 90000,
                           static_cast<uint32_t>(random.Below(60000) + 1)));
      if (!is_in_leaf(row)) continue;
      leaf.packed += codes.back();
      ++leaf.rows;
    }
    for (size_t s = 0; s < slots; ++s) {
      std::vector<float> values;
      const uint64_t distinct = trial % 2 == 0 ? 2 + random.Below(400) : 60;
      for (int row = 0; row < rows; ++row) {
        const auto value = static_cast<float>(random.Below(distinct)) - 3;
        values.push_back(trial % 8 != 6 && s % 3 == 0 && row % 5 == 0 ? NAN : value);
      }
      mappers.push_back(BinMapper::Find(std::span<const float>(values), BinOptions()));
      const BinMapper& mapper = mappers.back();
      std::vector<uint8_t> bins(values.size());
      mapper.BinsOf(std::span<const float>(values), bins.data());
      for (size_t row = 0; row < bins.size(); ++row) {
        if (is_in_leaf(static_cast<int>(row))) histogram[bins[row] * slots + s] += codes[row];
      }
      most_bins = std::max<size_t>(most_bins, mapper.bins());
      if (mapper.missing() != Missing::kNan) continue;
      missing.bin[s] = static_cast<int32_t>(mapper.bins() - 1);
      missing.first_is_rest[s] = mapper.frequent_bin() == 0 ? -1 : 0;
    }
    Params params;
    params.lambda_l2 = trial % 3 * 1e5;
    params.min_data_in_leaf = trial % 4 * 15;
    const LeafBounds bounds{
        PackedGradient(leaf.packed),
        static_cast<int32_t>(PackedHessian(leaf.packed)),
        leaf.rows,
        1,
        params.min_data_in_leaf,
        static_cast<float>(static_cast<double>(leaf.rows) / PackedHessian(leaf.packed)),
        static_cast<float>(params.lambda_l2)};
    std::array<float, kTileWidth> numbers;
    const GainScale scale(bounds, {1, 1});
    histogram.resize(most_bins * slots);
    histogram.resize(histogram.size() + kWordsBehind, Pack(-77, 123456789));  // are not looked at
    LargestGains(histogram.data(), most_bins, slots, missing, bounds, numbers.data());
    GainBounds around;
    BoundGains(histogram.data(), most_bins, slots, missing, bounds, &around);
    for (size_t s = 0; s < slots; ++s) {
      std::vector<PackedBin> bins;
      for (size_t b = 0; b < mappers[s].bins(); ++b) bins.push_back(histogram[b * slots + s]);
      EXPECT_LE(around.lower[s], numbers[s]) << trial << " " << s;
      EXPECT_GE(around.upper[s], numbers[s]) << trial << " " << s;
      bool is_splittable = false;
      const Split split = FindSplit(bins, mappers[s], leaf, {1, 1}, params, 0, &is_splittable);
      if (!is_splittable) continue;
      ++found;
      if (around.upper[s] < 1.5F * numbers[s] && around.lower[s] > 0) ++close;
      const double g = PackedGradient(leaf.packed), h = PackedHessian(leaf.packed);
      const double l2 = params.lambda_l2, of_leaf = LeafGain(g, h, params, l2, leaf.rows, 0);
      const double above = split.gain + of_leaf - g * g / (h + 2 * l2);
      EXPECT_GE(numbers[s], scale.AtLeast(above)) << trial << " " << s;
      EXPECT_LE(numbers[s], scale.Surely(above)) << trial << " " << s;
    }
  }
  EXPECT_GT(found, 400);
  EXPECT_GT(close, 9 * found / 10);
}

TEST(GainKernelsTest, TheLargestGainIsFindSplits) { WithInstructionSets(ExpectFindSplitsGains); }

TEST(GainKernelsTest, NoCutOfALeafThatIsTooSmall) {
  std::vector<PackedBin> histogram(kTileBins * kTileWidth + kWordsBehind, Pack(-5, 1));
  MissingBins missing;
  missing.bin.fill(kNoMissing);
  std::array<float, kTileWidth> numbers;
  const auto largest = [&](int32_t least_hessian, int32_t least_rows) {
    const LeafBounds bounds{-5 * 256, 256, 256, least_hessian, least_rows, 1, 0};
    LargestGains(histogram.data(), kTileBins, kTileWidth, missing, bounds, numbers.data());
    GainBounds around;
    BoundGains(histogram.data(), kTileBins, kTileWidth, missing, bounds, &around);
    EXPECT_LE(around.lower[3], numbers[3]);
    EXPECT_GE(around.upper[3], numbers[3]);
    return numbers[3];
  };
  EXPECT_EQ(largest(1, 129), -1);
  EXPECT_EQ(largest(129, 1), -1);
  EXPECT_GE(largest(128, 128), 0);
  EXPECT_LT(largest(128, 128), 1e-6);  // all bins are alike
}

}  // namespace
}  // namespace almanac::gbdt
