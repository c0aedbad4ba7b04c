#include "almanac/lake/ddl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/base/text.h"
#include "almanac/lake/candle_store.h"
#include "almanac/lake/database.h"
#include "almanac/lake/lake_for_test.h"
#include "almanac/lake/observation.h"

namespace almanac {
namespace {

using ::testing::HasSubstr;

// "timestamp timestamp", "open double", ... of one CREATE statement.
std::vector<std::string> ColumnsOf(const std::string& ddl, const std::string& table) {
  const size_t start = ddl.find("(\n", ddl.find("EXISTS " + table + " ("));
  std::vector<std::string> columns;
  const std::string body = ddl.substr(start + 2, ddl.find("\n)", start) - start - 2);
  for (const std::string_view line : Split(body, '\n')) {
    std::string column(Trim(line));
    std::erase(column, '`');
    std::erase(column, ',');
    columns.push_back(column);
  }
  return columns;
}

// The columns of a file as DuckDB names them, types in Athena's words.
std::vector<std::string> ColumnsOfFile(const std::filesystem::path& file) {
  const Database database;
  return database
      .Query(
          "SELECT column_name || ' ' || replace(lower(column_type), 'varchar', 'string') AS c FROM "
          "(DESCRIBE FROM read_parquet(" +
          SqlText(file.string()) + ", hive_partitioning=false))")
      .Column("c", ColumnType::kText)
      .texts;
}

TEST(AthenaDdlTest, NamesTheColumnsThatTheFilesHave) {
  const TemporaryHome home;
  CandleStore(home.home()).Upsert(WalkSeries(TestKey(), 0, 3, 1));
  ObservationStore(home.home()).Upsert({{0, 1, "float", 0, "S", "f", "event"}});
  const auto lake = home.home().lake();
  const std::string ddl = AthenaDdl("s3://bucket/lake");
  EXPECT_EQ(
      ColumnsOf(ddl, "candles"),
      ColumnsOfFile(lake / "candles/market=test-spot/time_frame=1h/symbol=BTCUSDT/1970.parquet"));
  EXPECT_EQ(ColumnsOf(ddl, "observations"),
            ColumnsOfFile(lake / "observations/feature=f/time_frame=event/symbol=S/1970.parquet"));
}

TEST(AthenaDdlTest, PlacesTheTablesBelowTheLocation) {
  for (const char* location : {"s3://bucket/a/lake", "s3://bucket/a/lake/"}) {
    const std::string ddl = AthenaDdl(location);
    EXPECT_THAT(ddl, HasSubstr("LOCATION 's3://bucket/a/lake/candles/';"));
    EXPECT_THAT(ddl, HasSubstr("LOCATION 's3://bucket/a/lake/observations/';"));
    EXPECT_THAT(ddl, HasSubstr("PARTITIONED BY (market string, time_frame string, symbol string)"));
    EXPECT_THAT(ddl, HasSubstr("MSCK REPAIR TABLE observations;"));
  }
}

TEST(AthenaDdlTest, RefusesOtherLocations) {
  for (const char* wrong :
       {"", "/lake", "s3://", "s3:///lake", "https://x", "s3://a'b", "s3://a b", "s3://a\nb"}) {
    try {
      AthenaDdl(wrong);
      ADD_FAILURE() << wrong;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
    }
  }
}

}  // namespace
}  // namespace almanac
