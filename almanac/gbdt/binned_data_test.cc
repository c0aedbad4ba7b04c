#include "almanac/gbdt/binned_data.h"

#include <gtest/gtest.h>

#include "almanac/base/error.h"
#include "almanac/gbdt/toy_data_for_test.h"

namespace almanac::gbdt {
namespace {

TEST(BinnedDataTest, WideColumnsAndOtherRows) {
  const ToyData toy(3000, 2, 4);
  const Params params = Params::Parse({{"max_bin", "1000"}}, "test");
  const BinnedData data = BinnedData::Make(toy.Source(), params);
  ASSERT_EQ(data.features(), 2U);
  EXPECT_GT(data.mapper(0).bins(), 256U);
  const ToyData other(50, 2, 5);
  const BinnedData same = data.WithSameBins(other.Source());
  for (size_t row = 0; row < 50; ++row) {
    EXPECT_EQ(same.bin(1, row), data.mapper(1).BinOf(other.columns[1][row]));
  }
  EXPECT_THROW(data.WithSameBins(ToyData(50, 3, 5).Source()), Error);
}

}  // namespace
}  // namespace almanac::gbdt
