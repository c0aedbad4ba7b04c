#include "almanac/lake/matrix.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/hash.h"
#include "almanac/base/places_for_test.h"
#include "almanac/lake/lake_for_test.h"
#include "almanac/lake/npy.h"

namespace almanac {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// What testdata/make_npy.py writes with NumPy.
const std::vector<TimeMs> kIndex = {-1, 0, 1704067200000};
const std::vector<std::vector<float>> kColumns = {{1.5F, NAN, 0x1p-149F}, {-0.0F, 3.0e38F, -7.25F}};
const std::vector<MatrixColumn> kNames = {{"return_1", "ratio"}, {"close", "price"}};

fs::path TestData(const std::string& name) {
  return SourceFolder() / "almanac/lake/testdata" / name;
}

bool SameBits(std::span<const float> a, const std::vector<float>& b) {
  return std::ranges::equal(a, b, [](float x, float y) {
    return std::bit_cast<uint32_t>(x) == std::bit_cast<uint32_t>(y);
  });
}

class MatrixTest : public ::testing::Test {
 protected:
  MatrixTest() { WriteMatrix(folder_, kIndex, kNames, kColumns, Json{{"windows", {1, 5}}}); }

  void ExpectContent() const {
    const Matrix matrix(folder_);
    ASSERT_EQ(matrix.rows(), 3u);
    ASSERT_EQ(matrix.columns(), 2u);
    EXPECT_THAT(matrix.index(), ElementsAre(-1, 0, 1704067200000));
    EXPECT_TRUE(SameBits(matrix.column(0), kColumns[0]));
    EXPECT_TRUE(SameBits(matrix.column(1), kColumns[1]));
  }
  std::string OpenError() const {
    try {
      const Matrix matrix(folder_);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadData);
      return error.what();
    }
    return "no error";
  }
  std::string WithManifest(const std::string& from, const std::string& to) {
    const std::string text = ReadFile(folder_ / "manifest.json");
    std::string changed = text;
    EXPECT_NE(changed.find(from), std::string::npos);
    changed.replace(changed.find(from), from.size(), to);
    WriteFileAtomic(folder_ / "manifest.json", changed);
    const std::string message = OpenError();
    WriteFileAtomic(folder_ / "manifest.json", text);
    return message;
  }

  TemporaryHome home_;
  fs::path folder_ = home_.home().root;
};

TEST_F(MatrixTest, MapsWhatWasWritten) {
  ExpectContent();
  const Matrix matrix(folder_);
  EXPECT_EQ(matrix.names()[1].name, "close");
  EXPECT_EQ(matrix.names()[1].unit, "price");
  EXPECT_EQ(matrix.ColumnIndex("close"), 1u);
  EXPECT_EQ(matrix.manifest().at("configuration"), (Json{{"windows", {1, 5}}}));
  EXPECT_EQ(reinterpret_cast<uintptr_t>(matrix.column(0).data()) % 64, 0u);
  VerifyMatrix(folder_);
}

TEST_F(MatrixTest, TheLayoutIsAsDocumented) {
  const std::string values = ReadFile(folder_ / "values.npy");
  EXPECT_EQ(values.size(), 128u + 24u);
  EXPECT_EQ(values.substr(0, 10), std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  EXPECT_EQ(values.substr(10, 59), "{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2), } ");
  EXPECT_EQ(values[127], '\n');
  const std::string index = ReadFile(folder_ / "index.npy");
  EXPECT_EQ(index.substr(10, 58), "{'descr': '<i8', 'fortran_order': False, 'shape': (3,), } ");
  EXPECT_EQ(ReadFile(folder_ / "manifest.json"),
            "{\n  \"format\": 1,\n  \"rows\": 3,\n  \"columns\": [\n    {\n      \"name\": "
            "\"return_1\",\n      \"unit\": \"ratio\"\n    },\n    {\n      \"name\": \"close\",\n "
            "     \"unit\": \"price\"\n    }\n  ],\n  \"sha256\": {\n    \"values.npy\": \"" +
                Sha256(values) + "\",\n    \"index.npy\": \"" + Sha256(index) +
                "\"\n  },\n  \"configuration\": {\n    \"windows\": [\n      1,\n      5\n    "
                "]\n  }\n}\n");
}

TEST_F(MatrixTest, OpensWhatNumpyWrote) {
  for (const char* values : {"values.npy", "values_v2.npy"}) {
    fs::copy_file(TestData(values), folder_ / "values.npy", fs::copy_options::overwrite_existing);
    fs::copy_file(TestData("index.npy"), folder_ / "index.npy",
                  fs::copy_options::overwrite_existing);
    ExpectContent();
  }
}

TEST_F(MatrixTest, EmptyMatrices) {
  WriteMatrix(folder_, {}, kNames, {{}, {}}, Json::object());
  EXPECT_EQ(Matrix(folder_).rows(), 0u);
  EXPECT_TRUE(Matrix(folder_).column(1).empty());
  WriteMatrix(folder_, kIndex, {}, {}, Json::object());
  EXPECT_EQ(Matrix(folder_).rows(), 3u);
  EXPECT_EQ(Matrix(folder_).columns(), 0u);
}

TEST_F(MatrixTest, RefusesFilesThatDisagree) {
  EXPECT_THAT(WithManifest("\"rows\": 3", "\"rows\": 4"),
              HasSubstr("values.npy: is {'descr': '<f4', 'fortran_order': True, 'shape': (3, 2), } "
                        "where the manifest asks for"));
  EXPECT_THAT(WithManifest("\"rows\": 3", "\"rows\": -3"), HasSubstr("no whole number of rows"));
  EXPECT_THAT(WithManifest("\"rows\": 3", "\"rows\": 3.5"), HasSubstr("no whole number of rows"));
  EXPECT_THAT(WithManifest("\"format\": 1", "\"format\": 2"), HasSubstr("is of another format"));
  EXPECT_THAT(WithManifest("\"unit\": \"price\"", "\"u\": 1"), HasSubstr("not the manifest"));
  EXPECT_THAT(WithManifest("\"sha256\"", "\"sha\""), HasSubstr("not the manifest"));
  EXPECT_THAT(WithManifest("{", "["), HasSubstr("is not a JSON object"));

  const std::string values = ReadFile(folder_ / "values.npy");
  const auto with = [&](const std::string& content) {
    WriteFileAtomic(folder_ / "values.npy", content);
    return OpenError();
  };
  EXPECT_THAT(with(values.substr(0, values.size() - 1)),
              HasSubstr("has 23 bytes of values where 24 are needed"));
  EXPECT_THAT(with(values + "x"), HasSubstr("has 25 bytes"));
  EXPECT_THAT(with(values.substr(0, 60)), HasSubstr("ends within its header"));
  EXPECT_THAT(with("PK"), HasSubstr("is not an .npy file"));
  EXPECT_THAT(with(""), HasSubstr("is not an .npy file"));
  fs::copy_file(TestData("values_c_order.npy"), folder_ / "values.npy",
                fs::copy_options::overwrite_existing);
  EXPECT_THAT(OpenError(), HasSubstr("'fortran_order': False"));
  fs::remove(folder_ / "values.npy");
  EXPECT_THROW(Matrix{folder_}, Error);
}

TEST_F(MatrixTest, VerifyFindsAChangedByte) {
  std::string values = ReadFile(folder_ / "values.npy");
  values.back() ^= 1;
  WriteFileAtomic(folder_ / "values.npy", values);
  EXPECT_EQ(OpenError(), "no error");
  try {
    VerifyMatrix(folder_);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("values.npy: has the hash"));
  }
}

TEST_F(MatrixTest, RefusesWrongArguments) {
  const Json none = Json::object();
  EXPECT_THROW(WriteMatrix(folder_, kIndex, kNames, {kColumns[0]}, none), Error);
  EXPECT_THROW(WriteMatrix(folder_, {1, 2}, kNames, kColumns, none), Error);
  EXPECT_THROW(WriteMatrix(folder_, kIndex, {kNames[0], kNames[0]}, kColumns, none), Error);
  EXPECT_THROW(WriteMatrix(folder_ / "absent", kIndex, kNames, kColumns, none), Error);
  try {
    Matrix(folder_).ColumnIndex("colse");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("did you mean \"close\"?"));
  }
}

TEST(NpyTest, ParsesDictionariesAsPythonWritesThem) {
  const auto parse = [](const std::string& dictionary) {
    std::string content("\x93NUMPY\x01\x00", 8);
    content += static_cast<char>(dictionary.size());
    content += '\0';
    return ParseNpy(content + dictionary).header;
  };
  const NpyHeader expected = {"<f4", true, {3, 2}};
  EXPECT_EQ(parse("{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2), }\n"), expected);
  EXPECT_EQ(parse("{\"shape\":(3,2,),'fortran_order':True,'descr':'<f4'}"), expected);
  EXPECT_EQ(parse("{'descr': '|u1', 'fortran_order': False, 'shape': (), }").shape.size(), 0u);
  for (const char* wrong :
       {"", "{}", "{'descr': '<f4'}", "{'descr': '<f4', 'fortran_order': 1, 'shape': ()}",
        "{'descr': '<f4', 'fortran_order': True, 'shape': (-1,)}",
        "{'descr': '<f4', 'fortran_order': True, 'shape': (1,), 'x': 1}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': True, 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': True, 'shape': (1,)} x",
        "{'descr': '<f4 , 'fortran_order': True", "{'descr': [('a', '<f4')], 'shape': (1,)}",
        "{'descr': '<f4', 'fortran_order': True, 'shape': (99999999999999999999,)}"}) {
    EXPECT_THROW(parse(wrong), std::invalid_argument) << wrong;
  }
  EXPECT_THROW(ParseNpy(std::string("\x93NUMPY\x03\x00\x00\x00\x00\x00", 12)),
               std::invalid_argument);
}

TEST(NpyTest, RandomDamageIsAnErrorAndNeverACrash) {
  const std::string whole = NpyPreamble({"<f4", true, {3, 2}});
  Random random(5);
  for (int i = 0; i < 20'000; ++i) {
    std::string damaged = whole.substr(0, random.Below(whole.size() + 1));
    for (uint64_t k = random.Below(4); k > 0 && !damaged.empty(); --k) {
      damaged[random.Below(damaged.size())] = static_cast<char>(random.Below(256));
    }
    try {
      EXPECT_LE(ParseNpy(damaged).data_at, damaged.size());
    } catch (const std::invalid_argument&) {
    }
  }
}

}  // namespace
}  // namespace almanac
