#include "almanac/source/import_columns.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "almanac/base/error.h"

namespace almanac {
namespace {

// Time, open, high, low, close and volume beside the given columns.
std::vector<int> Map(const std::vector<std::string>& header,
                     const std::map<std::string, std::string>& given = {}) {
  return MapColumns(CandleFields(), header, given).column;
}

TEST(ImportColumns, NamesAreComparedWithoutCaseAndPunctuation) {
  EXPECT_EQ(NormalisedName(" Open  Time "), "open_time");
  EXPECT_EQ(NormalisedName("Adj. Close"), "adj_close");
  EXPECT_EQ(NormalisedName("__x__"), "x");
  EXPECT_EQ(Map({"Open Time", "OPEN", "High", "low", "CLOSE", "Volume"}),
            (std::vector<int>{0, 1, 2, 3, 4, 5, -1, -1, -1}));
  EXPECT_EQ(Map({"openTime", "openPrice", "highPrice", "lowPrice", "closePrice", "baseVolume",
                 "numberOfTrades"}),
            (std::vector<int>{0, 1, 2, 3, 4, 5, 6, -1, -1}));
}

TEST(ImportColumns, TheBetterOfTwoNamesWins) {
  // "date" beside "unix", "vol" beside "volume": the first of the list of names.
  const ColumnMap map =
      MapColumns(CandleFields(),
                 {"unix", "date", "symbol", "open", "high", "low", "close", "vol", "volume"}, {});
  EXPECT_EQ(map.column, (std::vector<int>{0, 3, 4, 5, 6, 8, -1, -1, 2}));
  EXPECT_EQ(map.ignored, (std::vector<std::string>{"date", "vol"}));
}

TEST(ImportColumns, AUnitMayStandInTheNameOfTheTime) {
  const auto unit = [](const char* name) {
    return MapColumns(CandleFields(), {name, "o", "h", "l", "c", "v"}, {}).time_unit;
  };
  EXPECT_EQ(unit("timestamp_ms"), TimeUnit::kMilliseconds);
  EXPECT_EQ(unit("Open Time (us)"), TimeUnit::kMicroseconds);
  EXPECT_EQ(unit("ts_ns"), TimeUnit::kNanoseconds);
  EXPECT_EQ(unit("time_s"), TimeUnit::kSeconds);
  EXPECT_EQ(unit("timestamp"), std::nullopt);
  EXPECT_EQ(unit("ts"), std::nullopt);
}

TEST(ImportColumns, PolygonsFlatFiles) {
  EXPECT_EQ(
      Map({"ticker", "volume", "open", "close", "high", "low", "window_start", "transactions"}),
      (std::vector<int>{6, 2, 4, 5, 3, 1, 7, -1, 0}));
}

TEST(ImportColumns, TheIndexOfPandasWithoutAName) {
  EXPECT_EQ(Map({"", "open", "high", "low", "close", "volume"})[0], 0);
  EXPECT_EQ(Map({"Unnamed: 0", "date", "open", "high", "low", "close", "volume"})[0], 1);
}

TEST(ImportColumns, NoNameStandsForTwoFields) {
  std::set<std::string> seen;
  for (const FieldNames& field : CandleFields()) {
    for (const std::string_view name : field.names) {
      EXPECT_TRUE(seen.insert(std::string(name)).second) << name;
    }
  }
}

TEST(ImportColumns, ALongHeaderIsNotPrintedWhole) {
  std::vector<std::string> header(500, std::string(1000, 'x'));
  for (size_t i = 0; i < header.size(); ++i) header[i] += std::to_string(i);
  try {
    Map(header);
    FAIL();
  } catch (const Error& error) {
    EXPECT_LT(std::string(error.what()).size(), 2000u);
    EXPECT_NE(std::string(error.what()).find("and 480 more"), std::string::npos);
  }
}

}  // namespace
}  // namespace almanac
