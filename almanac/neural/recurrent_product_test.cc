#include "almanac/neural/recurrent_product.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "almanac/base/parallel.h"
#include "almanac/base/random.h"
#include "almanac/neural/recurrent_targets_for_test.h"

namespace almanac::neural {
namespace {

std::vector<float> Normals(size_t count, Random* random) {
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random->Normal());
  return values;
}

double Exact(const MatrixView& left, const MatrixView& right, size_t i, size_t j) {
  double sum = 0;
  for (size_t k = 0; k < left.columns; ++k) {
    sum += static_cast<double>(*left.At(i, k)) * *right.At(k, j);
  }
  return sum;
}

MatrixView Shaped(const std::vector<float>& values, size_t rows, size_t columns, bool transposed) {
  if (transposed) return RowMajor(values.data(), columns, rows).Transposed();
  return RowMajor(values.data(), rows, columns);
}

// One product of random shape, orientation and starting values.
void TestOneProduct(uint64_t seed) {
  SCOPED_TRACE(seed);
  Random random(seed);
  const size_t rows = 1 + random.Below(220), columns = 1 + random.Below(150);
  const size_t depth = 1 + random.Below(300);
  const std::vector<float> a = Normals(rows * depth, &random),
                           b = Normals(depth * columns, &random);
  const std::vector<float> bias = Normals(columns, &random);
  const MatrixView left = Shaped(a, rows, depth, random.Below(2) == 1);
  const MatrixView right = Shaped(b, depth, columns, random.Below(2) == 1);
  const uint64_t kind = random.Below(3);  // onto nothing, the bias, the result
  const size_t stride = columns + random.Below(5);
  const std::vector<float> before = Normals(rows * stride, &random);
  std::vector<float> out = before;
  const Onto onto = {kind == 1 ? bias.data() : nullptr, kind == 2};
  Multiply(left, PackedMatrix(right), out.data(), stride, onto);
  for (size_t i = 0; i < rows; ++i) {
    for (size_t j = 0; j < stride; ++j) {
      const size_t at = i * stride + j;
      if (j >= columns) {
        ASSERT_EQ(out[at], before[at]) << "between the rows, " << i << ", " << j;
        continue;
      }
      const double start = kind == 1 ? bias[j] : kind == 2 ? before[at] : 0;
      ASSERT_NEAR(out[at], start + Exact(left, right, i, j), 1e-5 * std::sqrt(depth) + 1e-5)
          << i << ", " << j;
    }
  }
}

TEST(RecurrentProductTest, EqualsTheSumsInDouble) {
  ForEachTarget([] {
    for (uint64_t seed = 0; seed < 30; ++seed) TestOneProduct(seed);
  });
}

TEST(RecurrentProductTest, BitsDependNeitherOnThreadsNorOnOtherRows) {
  Random random(7);
  const size_t rows = 333, columns = 70, depth = 200;
  const std::vector<float> a = Normals(rows * depth, &random),
                           b = Normals(depth * columns, &random);
  const MatrixView left = RowMajor(a.data(), rows, depth);
  const Runner threads = {4, ParallelFor};
  const PackedMatrix right(RowMajor(b.data(), depth, columns), threads);
  std::vector<float> alone(rows * columns), together(rows * columns);
  Multiply(left, right, together.data(), columns, {}, threads);
  for (size_t i = 0; i < rows; ++i) {
    Multiply({left.At(i, 0), 1, depth, depth, 1}, right, alone.data() + i * columns, columns);
  }
  EXPECT_EQ(alone, together);
}

TEST(RecurrentProductTest, SumsOfRows) {
  Random random(3);
  const std::vector<float> a = Normals(500 * 37, &random);
  std::vector<float> sums(30);
  SumRows({a.data(), 500, 30, 37, 1}, sums.data());
  for (size_t j = 0; j < 30; ++j) {
    double exact = 0;
    for (size_t i = 0; i < 500; ++i) exact += a[i * 37 + j];
    EXPECT_NEAR(sums[j], exact, 1e-4);
  }
}

TEST(RecurrentProductTest, NothingToMultiply) {
  const std::vector<float> b(6, 1.0F);
  std::vector<float> out(3, 5.0F);
  Multiply(RowMajor(b.data(), 0, 2), PackedMatrix(RowMajor(b.data(), 2, 3)), out.data(), 3);
  EXPECT_THAT(out, testing::Each(5.0F));
}

}  // namespace
}  // namespace almanac::neural
