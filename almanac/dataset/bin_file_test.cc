#include "almanac/dataset/bin_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/error_for_test.h"
#include "almanac/base/file.h"
#include "almanac/base/hash.h"
#include "almanac/base/parallel.h"
#include "almanac/base/random.h"
#include "almanac/base/test_folder.h"

namespace almanac {
namespace {

using testing::HasSubstr;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

struct Columns {
  std::vector<TimeMs> times;
  std::vector<BinColumn> columns;
  std::vector<std::vector<uint8_t>> bins;

  void Add(const std::string& name, const std::vector<float>& values, const BinOptions& options) {
    columns.push_back({name, "ratio", BinMapper::Find(std::span<const float>(values), options)});
    bins.emplace_back(values.size());
    columns.back().mapper.BinsOf(values, bins.back().data());
  }
  void Write(const std::filesystem::path& path, const Json& description) const {
    BinFileWriter writer(path, times);
    for (size_t c = 0; c < columns.size(); ++c) writer.Add(columns[c], bins[c]);
    writer.Finish(description);
  }
};

// The worked example of docs/datasets.md.
Columns Example() {
  Columns example;
  example.times = {1704067500000, 1704067800000, 1704068100000};
  BinOptions options;
  options.min_data_in_bin = 1;
  example.Add("up", {0.5F, -1.0F, 0.5F}, options);
  example.Add("gap", {kNan, 2.0F, 0.0F}, options);
  return example;
}

Columns Random40(size_t rows) {
  Columns table;
  Random random(3);
  for (size_t i = 0; i < rows; ++i) table.times.push_back(static_cast<TimeMs>(1000 * i));
  for (size_t c = 0; c < 40; ++c) {
    std::vector<float> values(rows);
    for (float& value : values) {
      value = random.Below(20) == 0 && c % 3 == 0 ? kNan : static_cast<float>(random.Normal());
    }
    table.Add("x" + std::to_string(c), values, {});
  }
  return table;
}

template <typename T>
T At(const std::string& bytes, size_t place) {
  T value;
  std::memcpy(&value, bytes.data() + place, sizeof value);
  return value;
}

TEST(BinFileTest, IsWrittenAsSpecified) {
  const TestFolder folder;
  Example().Write(folder.path() / "a.bins", {{"made_by", "test"}});
  const std::string bytes = ReadFile(folder.path() / "a.bins");
  EXPECT_EQ(bytes.substr(0, 8), "ALMBINS\n");
  EXPECT_EQ(At<uint32_t>(bytes, 8), 1U);
  EXPECT_EQ(At<uint32_t>(bytes, 12), 16U);
  const uint64_t numbers[] = {3, 2, 4096, 64, 4160, 4184, 4360, 4424, 4442};
  for (size_t i = 0; i < 9; ++i) EXPECT_EQ(At<uint64_t>(bytes, 16 + 8 * i), numbers[i]) << i;
  EXPECT_EQ(bytes.size(), 4442U);
  EXPECT_EQ(bytes.substr(88, 64), Sha256(bytes.substr(4160)));
  EXPECT_EQ(bytes.substr(152, 64), Sha256(bytes.substr(0, 152)));
  EXPECT_EQ(bytes.substr(216, 4096 - 216), std::string(4096 - 216, '\0'));
  std::string tile(64, '\0');
  tile[0] = 2, tile[1] = 2, tile[16] = 0, tile[17] = 1, tile[32] = 2, tile[33] = 0;
  EXPECT_EQ(bytes.substr(4096, 64), tile);
  EXPECT_EQ(At<int64_t>(bytes, 4168), 1704067800000);
  EXPECT_EQ(At<uint32_t>(bytes, 4184), 88U);  // of "up": 40 + 3 * 12 + 2 + 5, rounded up
  EXPECT_EQ(At<uint32_t>(bytes, 4188), 3U);
  EXPECT_EQ(At<double>(bytes, 4208), -1);
  EXPECT_EQ(At<double>(bytes, 4216), 0.5);
  EXPECT_EQ(At<double>(bytes, 4224), -1.0000000180025095e-35);
  EXPECT_EQ(bytes.substr(4360, 64), Sha256(tile));
  EXPECT_EQ(bytes.substr(4424), R"({"made_by":"test"})");
}

TEST(BinFileTest, GivesBackWhatWasWritten) {
  const TestFolder folder;
  const Columns table = Random40(300);
  table.Write(folder.path() / "a.bins", {{"x", 1}});
  const BinFile file(folder.path() / "a.bins");
  file.Verify();
  EXPECT_EQ(file.rows(), 300U);
  EXPECT_EQ(file.tiles(), 3U);
  EXPECT_EQ(file.description().dump(), R"({"x":1})");
  ASSERT_EQ(file.columns(), 40U);
  for (size_t c = 0; c < 40; ++c) {
    EXPECT_EQ(file.column(c).name, table.columns[c].name);
    EXPECT_EQ(EncodeBinColumn(file.column(c)), EncodeBinColumn(table.columns[c]));
    for (size_t row = 0; row < 300; ++row) ASSERT_EQ(file.bin(c, row), table.bins[c][row]);
  }
  EXPECT_FALSE(file.column(0).mapper.is_useless());
  EXPECT_TRUE(file.MapperFor(0, 200).is_useless());
  table.Write(folder.path() / "b.bins", {{"x", 1}});
  EXPECT_EQ(ReadFile(folder.path() / "a.bins"), ReadFile(folder.path() / "b.bins"));
}

std::string Refusal(const std::filesystem::path& path) {
  try {
    BinFile(path).Verify();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing";
}

TEST(BinFileTest, WhatIsDamagedIsRefusedByPlace) {
  const TestFolder folder;
  const std::filesystem::path path = folder.path() / "a.bins";
  Random40(300).Write(path, {{"x", 1}});
  const std::string whole = ReadFile(path);
  const auto damaged = [&](size_t place) {
    std::string bytes = whole;
    bytes[place] = static_cast<char>(bytes[place] ^ 1);
    WriteFileAtomic(path, bytes);
    return Refusal(path);
  };
  EXPECT_THAT(damaged(0), HasSubstr("does not begin as a file of bins"));
  EXPECT_THAT(damaged(8), HasSubstr("is of version 0, this program reads 1"));
  EXPECT_THAT(damaged(17), HasSubstr("damaged in its first 216 bytes"));
  EXPECT_THAT(damaged(4096 + 4800 + 7),
              HasSubstr("tile 1 is damaged: bytes 8896 to 13695, columns x16 to x31"));
  EXPECT_THAT(damaged(whole.size() - 1), HasSubstr("is damaged after byte 18496"));
  for (const size_t size : {size_t{0}, size_t{100}, size_t{5000}, whole.size() - 1}) {
    WriteFileAtomic(path, whole.substr(0, size));
    EXPECT_THAT(Refusal(path), HasSubstr(std::to_string(size) + " bytes where"));
  }
  WriteFileAtomic(path, whole);
  EXPECT_EQ(Refusal(path), "nothing");
}

TEST(BinFileTest, RecordsThatCannotBeAreRefused) {
  const Columns table = Random40(300);
  const std::string whole = EncodeBinColumn(table.columns[0]);
  const auto refuse = [&](size_t place, uint8_t value) -> std::string {
    std::string bytes = whole;
    bytes[place] = static_cast<char>(value);
    std::string_view view = bytes;
    try {
      DecodeBinColumn(&view);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "nothing";
  };
  EXPECT_THAT(refuse(4, 7), HasSubstr("wrong size"));
  EXPECT_THAT(refuse(8, 3), HasSubstr("no known way"));
  EXPECT_THAT(refuse(8, 0), HasSubstr("decrease"));  // its last bound is NaN
  EXPECT_THAT(refuse(40 + 7, 0x7F), HasSubstr("decrease"));
  std::string_view cut = std::string_view(whole).substr(0, 20);
  EXPECT_THROW(DecodeBinColumn(&cut), std::invalid_argument);
}

TEST(BinFileTest, AllColumnsAtOnceGiveTheSameBytesForAnyNumberOfThreads) {
  const TestFolder folder;
  for (const size_t count : {1, 16, 37}) {
    Columns columns;
    Random random(count);
    for (TimeMs at = 0; at < 1000; ++at) columns.times.push_back(at);
    for (size_t c = 0; c < count; ++c) {
      std::vector<float> values;
      for (size_t row = 0; row < 1000; ++row) values.push_back(static_cast<float>(random.Normal()));
      columns.Add("x" + std::to_string(c), values, {});
    }
    columns.Write(folder.path() / "a.bins", {{"k", 1}});
    const int threads = ThreadCount();
    for (const int used : {1, 3}) {
      SetThreadCount(used);
      BinFileWriter writer(folder.path() / "b.bins", columns.times);
      writer.AddAll(columns.columns, [&](size_t first, size_t n, std::span<uint8_t> bins) {
        ASSERT_EQ(bins.size(), n * 1000);
        for (size_t c = 0; c < n; ++c) {
          std::copy(columns.bins[first + c].begin(), columns.bins[first + c].end(),
                    bins.begin() + static_cast<std::ptrdiff_t>(1000 * c));
        }
      });
      writer.Finish({{"k", 1}});
      EXPECT_EQ(ReadFile(folder.path() / "a.bins"), ReadFile(folder.path() / "b.bins")) << count;
    }
    SetThreadCount(threads);
  }
}

TEST(BinFileTest, AllColumnsAtOnceAreAllThereAre) {
  const TestFolder folder;
  const Columns example = Example();
  const auto read = [&](size_t, size_t, std::span<uint8_t>) {};
  BinFileWriter writer(folder.path() / "a.bins", example.times);
  writer.Add(example.columns[0], example.bins[0]);
  EXPECT_THAT(MessageOf([&] { writer.AddAll(example.columns, read); }),
              HasSubstr("comes after other columns"));
  BinFileWriter whole(folder.path() / "b.bins", example.times);
  whole.AddAll(example.columns, read);
  EXPECT_THAT(MessageOf([&] { whole.Add(example.columns[0], example.bins[0]); }),
              HasSubstr("after all columns were added"));
}

TEST(BinFileTest, WrongUse) {
  const TestFolder folder;
  const std::filesystem::path path = folder.path() / "a.bins";
  const Columns example = Example();
  EXPECT_THROW(BinFileWriter(path, {}), Error);
  EXPECT_THROW(BinFileWriter(path, {2, 2}), Error);
  {
    BinFileWriter writer(path, example.times);
    EXPECT_THROW(writer.Add(example.columns[0], std::vector<uint8_t>(2)), Error);
    BinOptions categorical;
    categorical.is_categorical = true;
    const BinColumn column{"c", "", BinMapper::Find({1, 2, 2}, 3, categorical)};
    EXPECT_THROW(writer.Add(column, example.bins[0]), Error);
    EXPECT_THROW(writer.Finish({}), Error);  // no columns
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace almanac
