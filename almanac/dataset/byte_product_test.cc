#include "almanac/dataset/byte_product.h"

#include <gtest/gtest.h>

#include <vector>

#include "almanac/base/random.h"

namespace almanac {
namespace {

std::vector<ByteColumn> RandomColumns(size_t columns, size_t rows, uint64_t seed) {
  Random random(seed);
  std::vector<ByteColumn> result;
  for (size_t c = 0; c < columns; ++c) {
    ByteColumn& column = result.emplace_back(rows);
    // One in four columns is at the ends of the range, so that sums are as large as they can be.
    for (size_t i = 0; i < rows; ++i) {
      const int wide = static_cast<int>(random.Below(255)) - 127;
      column.data()[i] = static_cast<int8_t>(c % 4 == 0 ? (c % 8 == 0 ? 127 : -127) : wide);
    }
  }
  return result;
}

std::vector<const ByteColumn*> PointersTo(const std::vector<ByteColumn>& columns) {
  std::vector<const ByteColumn*> pointers;
  for (const ByteColumn& column : columns) pointers.push_back(&column);
  return pointers;
}

void ExpectExact(size_t left_columns, size_t right_columns, size_t rows) {
  const auto left = RandomColumns(left_columns, rows, 1);
  const auto right = RandomColumns(right_columns, rows, 2);
  const ByteColumns packed(PointersTo(right), rows);
  for (const ByteKernel kernel : {ByteKernel::kFastest, ByteKernel::kPortable}) {
    std::vector<double> products(left_columns * right_columns, -1);
    std::vector<size_t> chosen(right_columns);  // backwards
    for (size_t j = 0; j < right_columns; ++j) chosen[j] = right_columns - 1 - j;
    MultiplyBytes(PointersTo(left), packed, chosen, products.data(), kernel);
    for (size_t i = 0; i < left_columns; ++i) {
      for (size_t j = 0; j < right_columns; ++j) {
        int64_t sum = 0;
        for (size_t k = 0; k < rows; ++k) sum += left[i].data()[k] * right[chosen[j]].data()[k];
        ASSERT_EQ(products[i * right_columns + j], static_cast<double>(sum)) << i << " " << j;
      }
    }
  }
}

TEST(MultiplyBytes, IsExact) {
  ExpectExact(1, 1, 1);
  ExpectExact(6, 3, 64);
  ExpectExact(7, 5, 130);
  ExpectExact(20, 150, 777);   // several groups of columns
  ExpectExact(9, 9, 140'000);  // more than 32 bits hold
}

TEST(MultiplyBytes, TakesNoColumns) {
  const auto some = RandomColumns(2, 10, 3);
  MultiplyBytes({}, ByteColumns(PointersTo(some), 10), std::vector<size_t>{1}, nullptr);
  MultiplyBytes(PointersTo(some), ByteColumns({}, 10), {}, nullptr);
}

}  // namespace
}  // namespace almanac
