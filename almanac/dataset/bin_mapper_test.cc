#include "almanac/dataset/bin_mapper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "almanac/base/random.h"
#include "almanac/dataset/bin_cuts.h"

namespace almanac {
namespace {

using testing::ElementsAre;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
const double kNan = std::nan("");

// In [-1, 1), each tenth NaN.
std::vector<double> RandomColumn(size_t rows, uint64_t seed) {
  Random random(seed);
  std::vector<double> values(rows);
  for (double& value : values) value = random.Below(10) == 0 ? kNan : 2 * random.Uniform() - 1;
  return values;
}

double Above(double value) { return std::nextafter(value, kInfinity); }

TEST(BinCutsTest, FewValuesGetABinEach) {
  const std::vector<double> values = {-2, -1, 0, 1, 3};
  const std::vector<int> counts = {5, 5, 5, 5, 5};
  EXPECT_THAT(FindUpperBounds(values, counts, 255, 25, 3),
              ElementsAre(Above(-1.5), -kZeroThreshold, kZeroThreshold, Above(2), kInfinity));
}

TEST(BinCutsTest, RareValuesShareABin) {
  const std::vector<double> values = {1, 2, 3, 4};
  const std::vector<int> counts = {2, 2, 2, 9};
  EXPECT_THAT(FindUpperBounds(values, counts, 255, 15, 3),
              ElementsAre(kZeroThreshold, Above(2.5), kInfinity));
}

// 12 values of one row each in 4 bins, one of them zero's: 3 bins of 4.
TEST(BinCutsTest, ManyValuesAreCutEvenly) {
  std::vector<double> values;
  for (int i = 1; i <= 12; ++i) values.push_back(i);
  const std::vector<int> counts(12, 1);
  EXPECT_THAT(FindUpperBounds(values, counts, 4, 12, 3),
              ElementsAre(kZeroThreshold, Above(4.5), Above(8.5), kInfinity));
}

// The value with 50 rows fills a bin alone, and the one before it is closed early.
TEST(BinCutsTest, ABigValueIsAlone) {
  std::vector<double> values;
  for (int i = 1; i <= 10; ++i) values.push_back(i);
  std::vector<int> counts(10, 4);
  counts[3] = 50;
  EXPECT_THAT(FindUpperBounds(values, counts, 5, 86, 3),
              ElementsAre(kZeroThreshold, Above(3.5), Above(4.5), Above(7.5), kInfinity));
}

TEST(BinMapperTest, BinsAreUpToTheirBound) {
  BinOptions options;
  options.min_data_in_bin = 1;
  const BinMapper mapper = BinMapper::Find({-1, 2, 4}, 5, options);
  EXPECT_EQ(mapper.bins(), 4U);  // -1; zero; 2; 4
  EXPECT_EQ(mapper.missing(), Missing::kNone);
  EXPECT_EQ(mapper.zero_bin(), 1U);
  EXPECT_EQ(mapper.BinOf(-kInfinity), 0U);
  EXPECT_EQ(mapper.BinOf(0), 1U);
  EXPECT_EQ(mapper.BinOf(kNan), 1U);
  EXPECT_EQ(mapper.BinOf(Above(3)), 2U);
  EXPECT_EQ(mapper.BinOf(Above(Above(3))), 3U);
  EXPECT_EQ(mapper.BinOf(kInfinity), 3U);
  EXPECT_EQ(mapper.Info(), "[-1:4]");
}

TEST(BinMapperTest, NanHasTheLastBin) {
  BinOptions options;
  options.min_data_in_bin = 1;
  const BinMapper mapper = BinMapper::Find({1, kNan, 2, kNan}, 4, options);
  EXPECT_EQ(mapper.missing(), Missing::kNan);
  EXPECT_EQ(mapper.BinOf(kNan), mapper.bins() - 1);
  EXPECT_EQ(mapper.BinOf(kInfinity), mapper.bins() - 2);
  options.zero_as_missing = true;
  const BinMapper zero = BinMapper::Find({1, kNan, 2, kNan}, 4, options);
  EXPECT_EQ(zero.missing(), Missing::kZero);
  EXPECT_EQ(zero.BinOf(kNan), zero.zero_bin());
  options.use_missing = false;
  EXPECT_EQ(BinMapper::Find({1, kNan, 2, kNan}, 4, options).missing(), Missing::kNone);
}

TEST(BinMapperTest, ManyValuesAtOnceAreBinnedAsEachAlone) {
  for (const size_t count : {1U, 2U, 3U, 7U, 100U, 3000U}) {
    const std::vector<double> column = RandomColumn(count, 17);
    BinOptions options;
    options.max_bin = 1000;
    options.min_data_in_bin = 1;
    const BinMapper mapper = BinMapper::Find(column, count + 3, options);
    std::vector<double> values = column;
    for (const double value : {kInfinity, -kInfinity, kNan, 0.0, 1e-36, -1e-36}) {
      values.push_back(value);
    }
    for (uint32_t bin = 0; bin < mapper.bins(); ++bin) values.push_back(mapper.upper_bound(bin));
    std::vector<uint16_t> bins(values.size());
    mapper.BinsOf(values, bins.data());
    for (size_t i = 0; i < values.size(); ++i) EXPECT_EQ(bins[i], mapper.BinOf(values[i]));
  }
}

// Normals, few values, zeros, one sign only, infinities, denormal and huge numbers; some missing.
std::vector<float> FloatColumn(size_t rows, uint64_t kind) {
  Random random(23, kind);
  std::vector<float> values(rows);
  for (float& value : values) {
    const double normal = random.Normal();
    const double shapes[] = {normal,
                             std::floor(3 * normal),
                             random.Below(10) == 0 ? normal : 0.0,
                             std::abs(normal) + 100,
                             -std::exp(normal),
                             normal * 1e-44,
                             normal * 1e38,
                             random.Below(5) == 0 ? 1 / (normal - normal) : normal};
    value = static_cast<float>(shapes[kind % 8]);
    if (kind >= 8 && random.Below(7) == 0) value = std::numeric_limits<float>::quiet_NaN();
    if (kind % 8 == 7 && random.Below(9) == 0) value = -std::numeric_limits<float>::infinity();
  }
  return values;
}

void ExpectFloatsAreBinnedAsDoubles(const std::vector<float>& values, const BinOptions& options) {
  std::vector<double> wide(values.begin(), values.end()), not_zero;
  for (const double value : wide) {
    if (!(std::abs(value) <= kZeroThreshold)) not_zero.push_back(value);
  }
  const BinMapper slow = BinMapper::Find(not_zero, values.size(), options);
  const BinMapper fast = BinMapper::Find(std::span<const float>(values), options);
  ASSERT_EQ(fast.bins(), slow.bins());
  EXPECT_EQ(fast.Info(), slow.Info());
  EXPECT_EQ(fast.missing(), slow.missing());
  EXPECT_EQ(fast.frequent_bin(), slow.frequent_bin());
  EXPECT_EQ(fast.zero_bin(), slow.zero_bin());
  for (uint32_t bin = 0; bin < slow.bins(); ++bin) {
    EXPECT_EQ(fast.count(bin), slow.count(bin));
    if (std::isnan(slow.upper_bound(bin))) continue;
    EXPECT_EQ(fast.upper_bound(bin), slow.upper_bound(bin));
  }
  std::vector<uint8_t> bins(values.size());
  fast.BinsOf(values, bins.data());
  for (size_t i = 0; i < values.size(); ++i) ASSERT_EQ(bins[i], slow.BinOf(wide[i])) << wide[i];
}

TEST(BinMapperTest, FloatsAreBinnedAsDoubles) {
  for (const size_t rows : {1U, 2U, 50U, 1023U, 1024U, 3000U}) {
    for (uint64_t kind = 0; kind < 16; ++kind) {
      for (const int max_bin : {2, 15, 255, 256}) {
        BinOptions options;
        options.max_bin = max_bin;
        options.zero_as_missing = kind % 3 == 1;
        options.use_missing = kind % 5 != 2;
        options.min_split_rows = static_cast<int>(kind);
        SCOPED_TRACE(testing::Message() << rows << " rows, kind " << kind << ", " << max_bin);
        ExpectFloatsAreBinnedAsDoubles(FloatColumn(rows, kind), options);
      }
    }
  }
}

TEST(BinMapperTest, PartsMakeTheSameMapper) {
  BinOptions options;
  options.min_split_rows = 5;
  for (uint64_t kind = 0; kind < 16; ++kind) {
    const BinMapper found =
        BinMapper::Find(std::span<const float>(FloatColumn(500, kind)), options);
    std::vector<double> bounds;
    std::vector<int> counts;
    for (uint32_t bin = 0; bin < found.bins(); ++bin) {
      bounds.push_back(found.upper_bound(bin));
      counts.push_back(found.count(bin));
    }
    const BinMapper made =
        BinMapper::FromParts(bounds, counts, found.missing(), found.min(), found.max(), 5);
    EXPECT_EQ(made.Info(), found.Info());
    EXPECT_EQ(made.is_useless(), found.is_useless());
    EXPECT_EQ(made.frequent_bin(), found.frequent_bin());
  }
}

TEST(BinMapperTest, CategoriesByFallingFrequency) {
  BinOptions options;
  options.is_categorical = true;
  options.min_data_in_bin = 1;
  const BinMapper mapper = BinMapper::Find({7, 7, 7, 2, 2, 2, 2, 5}, 10, options);
  EXPECT_EQ(mapper.Info(), "-1:2:7:0:5");
  EXPECT_EQ(mapper.BinOf(2), 1U);
  EXPECT_EQ(mapper.BinOf(7.9), 2U);
  EXPECT_EQ(mapper.BinOf(0), 3U);
  for (const double other : {-1.0, 3.0, kNan, kInfinity, 1e300}) EXPECT_EQ(mapper.BinOf(other), 0U);
  EXPECT_EQ(mapper.missing(), Missing::kNone);
}

TEST(BinMapperTest, UselessIfNoCutLeavesEnoughRows) {
  BinOptions options;
  options.min_split_rows = 3;
  EXPECT_TRUE(BinMapper::Find({1, 1}, 10, options).is_useless());
  EXPECT_EQ(BinMapper::Find({1, 1}, 10, options).Info(), "none");
  EXPECT_FALSE(BinMapper::Find({1, 1, 1}, 10, options).is_useless());
  options.min_split_rows = 0;
  EXPECT_FALSE(BinMapper::Find({1, 1, 1}, 10, options).is_useless());
  EXPECT_TRUE(BinMapper::Find({}, 10, options).is_useless());
}

}  // namespace
}  // namespace almanac
