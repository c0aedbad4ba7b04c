#include "almanac/dataset/column_scaler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "almanac/base/error_for_test.h"
#include "almanac/base/file.h"
#include "almanac/base/random.h"

namespace almanac {
namespace {

using ::testing::HasSubstr;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// 10 rows, of which the first 8 are training rows; column b has a missing value and a repeated one.
Dataset Ten() {
  FeatureTable table;
  for (TimeMs t = 1; t <= 10; ++t) table.index.push_back(t);
  table.names = {{"a", "ratio"}, {"b", "ratio"}, {"flat", "ratio"}};
  table.columns = {{4, 1, 3, 2, 8, 6, 5, 7, 100, -100},
                   {kNaN, 2, 2, 2, 2, 2, 2, 10, 3, 3},
                   {5, 5, 5, 5, 5, 5, 5, 5, 6, 5}};
  return Dataset::Unlabelled("X", std::move(table));
}

TrainingRows FirstEight(const Dataset& data) {
  SplitSpec spec;
  spec.validation_share = 0;
  spec.test_share = 0.2;
  return data.SplitRows(spec).training();
}

TEST(ColumnScaler, MinMaxAndRobustAreFittedOnTrainingRowsAlone) {
  const Dataset data = Ten();
  const ColumnScaler range = ColumnScaler::Fit(ScalerKind::kMinMax, data, FirstEight(data));
  EXPECT_EQ(range.Transform(0, 1), 0);
  EXPECT_EQ(range.Transform(0, 8), 1);
  EXPECT_DOUBLE_EQ(range.Transform(0, 100), 99.0 / 7);
  EXPECT_EQ(range.Transform(2, 5), 0);
  EXPECT_TRUE(std::isnan(range.Transform(1, kNaN)));
  // numpy.percentile(range(1, 9), [25, 50, 75]) = 2.75, 4.5, 6.25
  const ColumnScaler robust = ColumnScaler::Fit(ScalerKind::kRobust, data, FirstEight(data));
  EXPECT_DOUBLE_EQ(robust.Transform(0, 8), 1);
  EXPECT_DOUBLE_EQ(robust.Transform(0, 1), -1);
  // The quartiles of b are equal: its range, 8, takes their place.
  EXPECT_DOUBLE_EQ(robust.Transform(1, 10), 1);
  EXPECT_EQ(robust.Transform(2, 6), 1);
}

TEST(ColumnScaler, QuantileGivesShares) {
  const Dataset data = Ten();
  const ColumnScaler scaler = ColumnScaler::Fit(ScalerKind::kQuantile, data, FirstEight(data), 8);
  for (int k = 1; k <= 8; ++k) EXPECT_DOUBLE_EQ(scaler.Transform(0, k), (k - 1) / 7.0);
  EXPECT_DOUBLE_EQ(scaler.Transform(0, 2.5), 1.5 / 7);
  EXPECT_EQ(scaler.Transform(0, 1000), 1);
  EXPECT_EQ(scaler.Transform(0, -1000), 0);
  EXPECT_DOUBLE_EQ(scaler.Inverse(0, 1.5 / 7), 2.5);
  EXPECT_EQ(scaler.Inverse(0, 7), 8);
  EXPECT_TRUE(std::isnan(scaler.Transform(0, kNaN)));
  // Equal values share the middle of their shares, and come back.
  EXPECT_EQ(scaler.Inverse(1, scaler.Transform(1, 2)), 2);
  EXPECT_GT(scaler.Transform(1, 2), 0.2);
  EXPECT_LT(scaler.Transform(1, 2), 0.6);
}

TEST(ColumnScaler, InverseUndoesTransform) {
  Random random(5);
  FeatureTable table;
  table.names = {{"a", "ratio"}, {"b", "price"}};
  table.columns.resize(2);
  for (TimeMs t = 0; t < 500; ++t) {
    table.index.push_back(t);
    table.columns[0].push_back(static_cast<float>(1e-3 * random.Normal()));
    table.columns[1].push_back(static_cast<float>(60000 + 5000 * random.Normal()));
  }
  const Dataset data = Dataset::Unlabelled("X", std::move(table));
  for (const ScalerKind kind : {ScalerKind::kMinMax, ScalerKind::kRobust, ScalerKind::kQuantile}) {
    const TrainingRows training = data.SplitRows({}).training();
    const ColumnScaler scaler = ColumnScaler::Fit(kind, data, training, 50);
    for (size_t c = 0; c < 2; ++c) {
      for (const uint32_t row : training.rows()) {
        const float value = data.feature(c)[row];
        ASSERT_EQ(static_cast<float>(scaler.Inverse(c, scaler.Transform(c, value))), value)
            << Name(kind);
      }
    }
  }
  for (int i = 0; i < 1000; ++i) {
    const double price = 100 * std::exp(random.Normal()), close = 100 * std::exp(random.Normal());
    const double back =
        RelativeToLastClose::Inverse(RelativeToLastClose::Transform(price, close), close);
    ASSERT_NEAR(back, price, 1e-15 * (price + close));
  }
}

TEST(ColumnScaler, SavesAndLoads) {
  const Dataset data = Ten();
  const std::filesystem::path file =
      std::filesystem::path(testing::TempDir()) / "almanac_column_scaler.json";
  for (const ScalerKind kind : {ScalerKind::kMinMax, ScalerKind::kRobust, ScalerKind::kQuantile}) {
    const ColumnScaler scaler = ColumnScaler::Fit(kind, data, FirstEight(data), 5);
    scaler.Save(file);
    const ColumnScaler loaded = ColumnScaler::Load(file);
    EXPECT_EQ(loaded.ToJson(), scaler.ToJson());
    EXPECT_EQ(loaded.Transform(0, 3.3), scaler.Transform(0, 3.3));
  }
  WriteFileAtomic(file,
                  "{\"kind\": \"robust\", \"columns\": [{\"name\": \"a\", \"center\": 1, "
                  "\"scale\": 0}]}");
  EXPECT_THAT(MessageOf([&] { ColumnScaler::Load(file); }), HasSubstr("scaler column a"));
  WriteFileAtomic(file, "{\"kind\": \"standard\", \"columns\": []}");
  EXPECT_THAT(MessageOf([&] { ColumnScaler::Load(file); }), HasSubstr("its kind is"));
  WriteFileAtomic(file, "{");
  EXPECT_THAT(MessageOf([&] { ColumnScaler::Load(file); }), HasSubstr(file.string()));
  std::filesystem::remove(file);
}

TEST(ColumnScaler, RefusesColumnsWithoutValues) {
  FeatureTable table;
  for (TimeMs t = 1; t <= 10; ++t) table.index.push_back(t);
  table.names = {{"empty", "ratio"}};
  table.columns = {{kNaN, kNaN, kNaN, kNaN, kNaN, kNaN, kNaN, 1, 2, 3}};
  const Dataset data = Dataset::Unlabelled("X", std::move(table));
  EXPECT_THAT(MessageOf([&] { ColumnScaler::Fit(ScalerKind::kMinMax, data, FirstEight(data)); }),
              HasSubstr("feature empty has 1 finite training values"));
  EXPECT_THAT(
      MessageOf([&] { ColumnScaler::Fit(ScalerKind::kQuantile, data, FirstEight(data), 1); }),
      HasSubstr("1 quantiles"));
}

}  // namespace
}  // namespace almanac
