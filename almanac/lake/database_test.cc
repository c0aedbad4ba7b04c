#include "almanac/lake/database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>
#include <thread>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/lake/lake_for_test.h"

namespace almanac {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DatabaseTest : public ::testing::Test {
 protected:
  Database database_{DatabaseOptions{.threads = 1}};
};

TEST_F(DatabaseTest, ReadsEveryTypeAndNull) {
  const ResultTable table = database_.Query(
      "SELECT * FROM (VALUES "
      "(7::TINYINT, true, 1.5::FLOAT, 'it''s a text longer than twelve', "
      "TIMESTAMP '1970-01-01 00:00:02.3456', TIMESTAMP_NS '1969-12-31 23:59:59.9999', "
      "TIMESTAMP_S '2024-01-01', 9223372036854775807::BIGINT), "
      "(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)) t(a, b, c, d, e, f, g, h)");
  ASSERT_EQ(table.rows, 2u);
  EXPECT_THAT(table.Column("a", ColumnType::kInt64).integers, ElementsAre(7, 0));
  EXPECT_EQ(table.Column("a", ColumnType::kInt64).nulls, 1);
  EXPECT_THAT(table.Column("b", ColumnType::kInt64).integers, ElementsAre(1, 0));
  EXPECT_EQ(table.Column("c", ColumnType::kDouble).doubles[0], 1.5);
  EXPECT_TRUE(std::isnan(table.Column("c", ColumnType::kDouble).doubles[1]));
  EXPECT_THAT(table.Column("d", ColumnType::kText).texts,
              ElementsAre("it's a text longer than twelve", ""));
  EXPECT_THAT(table.Column("e", ColumnType::kTimestampMs).integers, ElementsAre(2345, 0));
  EXPECT_THAT(table.Column("f", ColumnType::kTimestampMs).integers, ElementsAre(-1, 0));
  EXPECT_THAT(table.Column("g", ColumnType::kTimestampMs).integers, ElementsAre(1704067200000, 0));
  EXPECT_THAT(table.Column("h", ColumnType::kInt64).integers,
              ElementsAre(std::numeric_limits<int64_t>::max(), 0));
  EXPECT_THROW(table.Column("a", ColumnType::kText), Error);
  EXPECT_THROW(table.Column("x", ColumnType::kInt64), Error);
  EXPECT_THROW(database_.Query("SELECT [1, 2]"), Error);
}

TEST_F(DatabaseTest, AWrongQueryNamesWhatItWasFor) {
  try {
    database_.Query("SELECT * FROM nowhere", "the list of series");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("the list of series: Catalog Error"));
    EXPECT_THAT(error.what(), HasSubstr("nowhere"));
  }
  EXPECT_THROW(Database(DatabaseOptions{.memory_limit = "plenty"}), Error);
}

TEST_F(DatabaseTest, ExtensionsAreNeverFetched) {
  EXPECT_THROW(database_.Query("SELECT * FROM read_parquet('https://localhost:1/x.parquet')"),
               Error);
  const ResultTable table = database_.Query(
      "SELECT value FROM duckdb_settings() WHERE name IN ('autoinstall_known_extensions', "
      "'autoload_known_extensions', 'enable_external_file_cache', 'threads') ORDER BY name");
  EXPECT_THAT(table.columns[0].texts, ElementsAre("false", "false", "false", "1"));
}

TEST_F(DatabaseTest, ReadsArraysOverManyChunks) {
  constexpr size_t kRows = 5000;  // two chunks of 2048 and a part
  std::vector<TimeMs> times;
  std::vector<double> values;
  std::vector<std::string> texts;
  for (size_t i = 0; i < kRows; ++i) {
    times.push_back(static_cast<TimeMs>(i) * 1001 - 100);
    values.push_back(i % 3 == 0 ? -std::numeric_limits<double>::quiet_NaN()
                                : static_cast<double>(i));
    texts.push_back("text number " + std::to_string(i));
  }
  const ResultTable table =
      database_.QueryWith("FROM mine", "mine",
                          {{"t", ColumnType::kTimestampMs, times.data()},
                           {"n", ColumnType::kInt64, times.data()},
                           {"plain", ColumnType::kDouble, values.data()},
                           {"nulls", ColumnType::kDouble, values.data(), true},
                           {"absent", ColumnType::kDouble},
                           {"s", ColumnType::kText, texts.data()}},
                          kRows);
  ASSERT_EQ(table.rows, kRows);
  EXPECT_EQ(table.Column("t", ColumnType::kTimestampMs).integers, times);
  EXPECT_EQ(table.Column("n", ColumnType::kInt64).integers, times);
  EXPECT_EQ(table.Column("s", ColumnType::kText).texts, texts);
  EXPECT_EQ(table.Column("plain", ColumnType::kDouble).nulls, 0);
  EXPECT_EQ(table.Column("nulls", ColumnType::kDouble).nulls, 1667);
  EXPECT_EQ(table.Column("absent", ColumnType::kDouble).nulls, 5000);
  const std::vector<double>& plain = table.Column("plain", ColumnType::kDouble).doubles;
  EXPECT_TRUE(SameOrBothNan(plain, values));
  EXPECT_FALSE(std::signbit(plain[0]));
  EXPECT_TRUE(SameOrBothNan(table.Column("nulls", ColumnType::kDouble).doubles, values));
}

TEST_F(DatabaseTest, ThreadsQueryAtOnceEachWithItsArrays) {
  std::vector<std::thread> threads;
  std::vector<int64_t> sums(4);
  for (size_t i = 0; i < sums.size(); ++i) {
    threads.emplace_back([&, i] {
      const std::vector<int64_t> ones(100'000 * (i + 1), 1);
      const ResultTable table =
          database_.QueryWith("SELECT sum(x)::BIGINT AS n FROM input", "input",
                              {{"x", ColumnType::kInt64, ones.data()}}, ones.size());
      sums[i] = table.columns[0].integers[0];
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(sums, ElementsAre(100'000, 200'000, 300'000, 400'000));
}

TEST_F(DatabaseTest, ParquetIsTheSameBytesForTheSameRows) {
  const TemporaryHome home;
  std::vector<double> values(300'000);
  Random random(1);
  for (double& value : values) value = random.Normal();
  std::string first;
  for (int i = 0; i < 3; ++i) {
    const auto file = home.home().root / ("it's " + std::to_string(i) + ".parquet");
    WriteParquet(database_, file, {{"x", ColumnType::kDouble, values.data()}}, values.size());
    const std::string content = ReadFile(file);
    if (i == 0) first = content;
    EXPECT_TRUE(content == first);
  }
}

TEST(SqlTextTest, DoublesQuotes) { EXPECT_EQ(SqlText("it's"), "'it''s'"); }

// The name begins so because such tests run first: the library is loaded once a process.
TEST(DuckdbApiDeathTest, AGivenLibraryThatIsNotThereIsNamed) {
  EXPECT_EXIT(
      {
        setenv("ALMANAC_DUCKDB", "/nowhere/libduckdb.so", 1);
        try {
          const Database database;
        } catch (const Error& error) {
          fputs(error.what(), stderr);
          _exit(7);
        }
        _exit(0);
      },
      ::testing::ExitedWithCode(7), "/nowhere/libduckdb.so.*set ALMANAC_DUCKDB");
}

}  // namespace
}  // namespace almanac
