#include "almanac/gbdt/binned_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/test_folder.h"
#include "almanac/gbdt/toy_data_for_test.h"
#include "almanac/gbdt/train.h"

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

// 40 columns of floats, of which two have no useful cut at the default min_data_in_leaf.
ToyData FloatData(size_t rows) {
  ToyData toy(rows, 40, 11);
  for (auto& column : toy.columns) {
    for (double& value : column) value = static_cast<float>(value);
  }
  for (const size_t rare : {3U, 20U}) {
    for (size_t row = 0; row < rows; ++row) toy.columns[rare][row] = row % 400 == 0 ? 1 : 0;
  }
  return toy;
}

void WriteBins(const ToyData& toy, const std::filesystem::path& path) {
  const BinningFacts facts{{}, toy.label.size(), toy.label.size()};
  std::vector<TimeMs> times;
  for (size_t row = 0; row < toy.label.size(); ++row) times.push_back(static_cast<TimeMs>(row));
  BinFileWriter writer(path, times);
  for (size_t c = 0; c < toy.columns.size(); ++c) {
    const std::vector<float> values(toy.columns[c].begin(), toy.columns[c].end());
    const BinColumn column{"x" + std::to_string(c), "",
                           BinMapper::Find(std::span<const float>(values), facts.options)};
    std::vector<uint8_t> bins(values.size());
    column.mapper.BinsOf(values, bins.data());
    writer.Add(column, bins);
  }
  writer.Finish({{"binning", facts.ToJson()}});
}

TEST(BinnedDataTest, TrainsStraightFromAFile) {
  const TestFolder folder;
  const ToyData toy = FloatData(2000);
  WriteBins(toy, folder.path() / "a.bins");
  const auto file = std::make_shared<const BinFile>(folder.path() / "a.bins");
  for (const bool exact : {true, false}) {
    Params params = Params::Parse({{"num_iterations", "5"}, {"feature_fraction", "0.6"}}, "test");
    params.exact = exact;
    const BinnedData memory = BinnedData::Make(toy.Source(), params);
    const BinnedData mapped = BinnedData::FromFile(file, params, 0, 2000);
    ASSERT_EQ(mapped.features(), 38U);
    EXPECT_EQ(mapped.tiles(), 3U);
    EXPECT_EQ(Train(params, mapped, {toy.label, {}}).model.ToText(),
              Train(params, memory, {toy.label, {}}).model.ToText());
  }
}

TEST(BinnedDataTest, PartsOfAFile) {
  const TestFolder folder;
  const ToyData toy = FloatData(1000);
  WriteBins(toy, folder.path() / "a.bins");
  const auto file = std::make_shared<const BinFile>(folder.path() / "a.bins");
  const Params params = Params::Parse({}, "test");
  const BinnedData part = BinnedData::FromFile(file, params, 600, 400);
  EXPECT_EQ(part.rows(), 400U);
  for (size_t f = 0; f < part.features(); ++f) {
    for (size_t row = 0; row < 400; ++row) {
      ASSERT_EQ(part.bin(f, row), file->bin(part.column(f), 600 + row));
    }
  }
  EXPECT_THROW(BinnedData::FromFile(file, params, 600, 401), Error);
  EXPECT_THROW(BinnedData::FromFile(file, params, 0, 0), Error);
  const auto refuse = [&](const char* key, const char* value) {
    return [&file, key, value] {
      BinnedData::FromFile(file, Params::Parse({{key, value}}, "test"), 0, 10);
    };
  };
  EXPECT_THAT(refuse("max_bin", "63"),
              testing::ThrowsMessage<Error>(testing::HasSubstr("max_bin is 63 where its bins")));
  EXPECT_THROW(refuse("zero_as_missing", "true")(), Error);
  EXPECT_THROW(refuse("categorical_feature", "1")(), Error);
}

}  // namespace
}  // namespace almanac::gbdt
