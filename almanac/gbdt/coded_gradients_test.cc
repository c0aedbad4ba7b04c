#include "almanac/gbdt/coded_gradients.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "almanac/gbdt/tile_kernels.h"
#include "almanac/gbdt/toy_data_for_test.h"

namespace almanac::gbdt {
namespace {

std::vector<uint32_t> AllRows(size_t count) {
  std::vector<uint32_t> rows(count);
  std::iota(rows.begin(), rows.end(), 0U);
  return rows;
}

// The largest sums that there can be: every row at an extreme, of any sign, with any count.
TEST(CodedGradientsTest, SumsCannotOverflow) {
  for (const size_t count : {1U, 2U, 3U, 1000U, 65537U, 300001U}) {
    const std::vector<uint32_t> rows = AllRows(count);
    for (const float gradient : {-3.7F, 1e-30F, 1e30F, 1.0F / 3}) {
      const std::vector<float> gradients(count, gradient), hessians(count, 1.0F / 3);
      const CodedGradients coded = ToFixedPoint(gradients, hessians, rows);
      PackedBin sum = 0;
      int64_t gradient_sum = 0, hessian_sum = 0;
      for (const PackedBin code : coded.codes) {
        sum += code;
        gradient_sum += PackedGradient(code);
        hessian_sum += PackedHessian(code);
      }
      EXPECT_LE(std::abs(gradient_sum), std::numeric_limits<int32_t>::max());
      EXPECT_LE(hessian_sum, std::numeric_limits<int32_t>::max());
      EXPECT_EQ(PackedGradient(sum), gradient_sum);
      EXPECT_EQ(PackedHessian(sum), hessian_sum);
      // More than half of the range is used, and the sum is right.
      EXPECT_GT(std::abs(gradient_sum), std::numeric_limits<int32_t>::max() / 2);
      const double expected = static_cast<double>(gradient) * static_cast<double>(count);
      EXPECT_NEAR(static_cast<double>(gradient_sum) * coded.scale.gradient, expected,
                  1e-9 * std::abs(expected));
    }
  }
}

TEST(CodedGradientsTest, RoundsToTheNearestUnit) {
  const std::vector<float> gradients = {0.5F, -0.25F, 0.0F, 0.1F};
  const std::vector<float> hessians = {1.0F, 0.5F, 0.0F, 0.3F};
  const CodedGradients coded = ToFixedPoint(gradients, hessians, AllRows(4));
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(PackedGradient(coded.codes[i]) * coded.scale.gradient, gradients[i],
                0.5 * coded.scale.gradient * 1.0001);
    EXPECT_NEAR(PackedHessian(coded.codes[i]) * coded.scale.hessian, hessians[i],
                0.5 * coded.scale.hessian * 1.0001);
  }
  EXPECT_LT(coded.scale.gradient, 1e-9);  // 4 rows leave 2^29 units
}

TEST(CodedGradientsTest, AllZeroIsZero) {
  const std::vector<float> zeros(3, 0.0F);
  for (const PackedBin code : ToFixedPoint(zeros, zeros, AllRows(3)).codes) EXPECT_EQ(code, 0U);
  for (const PackedBin code : Quantize(zeros, zeros, 4, false).codes) EXPECT_EQ(code, 0U);
}

TEST(CodedGradientsTest, QuantizesByHand) {
  const std::vector<float> gradients = {1.0F, -0.9F, 0.1F, -0.26F};
  const std::vector<float> hessians = {0.25F, 1.0F, 0.1F, 0.5F};
  const CodedGradients coded = Quantize(gradients, hessians, 4, false);
  EXPECT_EQ(coded.scale.gradient, 0.5);
  EXPECT_EQ(coded.scale.hessian, 0.25);
  const std::vector<int32_t> steps = {2, -2, 0, -1};
  const std::vector<uint32_t> hessian_steps = {1, 4, 0, 2};
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(PackedGradient(coded.codes[i]), steps[i]);
    EXPECT_EQ(PackedHessian(coded.codes[i]), hessian_steps[i]);
  }
}

// 20 features: a whole tile and a part of one; one feature with too many bins for a tile.
TEST(AddRowsApartTest, IsTheObviousLoop) {
  ToyData toy(500, 20, 6);
  for (std::vector<double>& column : toy.columns) {
    if (&column != &toy.columns[5]) {
      for (double& value : column) value = std::round(value * 20);
    }
  }
  const Params params = Params::Parse({{"max_bin", "400"}, {"min_data_in_bin", "1"}}, "test");
  const BinnedData data = BinnedData::Make(toy.Source(), params);
  ASSERT_EQ(data.features(), 20U);
  EXPECT_TRUE(data.is_wide(5));
  std::vector<uint32_t> rows;
  std::vector<PackedBin> codes;
  for (uint32_t row = 3; row < 500; row += 2) {
    rows.push_back(row);
    codes.push_back(Pack(static_cast<int32_t>(row) - 250, row));
  }
  for (const std::vector<size_t>& features :
       {std::vector<size_t>{16, 18, 19}, std::vector<size_t>{0, 15}}) {
    std::vector<std::vector<PackedBin>> sums(features.size(), std::vector<PackedBin>(256, 0));
    TileSlots slots;
    SlotBins<PackedBin> bins{};
    for (const size_t feature : features) {
      slots.place[slots.count] = static_cast<uint8_t>(feature % 16);
      bins[slots.count] = sums[slots.count].data();
      ++slots.count;
    }
    AddRowsApart(data.tile(features[0] / 16), rows.data(), codes.data(), rows.size(), slots, bins);
    for (size_t i = 0; i < features.size(); ++i) {
      std::vector<PackedBin> expected(256, 0);
      for (size_t r = 0; r < rows.size(); ++r) expected[data.bin(features[i], rows[r])] += codes[r];
      EXPECT_EQ(sums[i], expected);
    }
  }
}

}  // namespace
}  // namespace almanac::gbdt
