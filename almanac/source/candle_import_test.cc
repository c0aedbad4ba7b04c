#include "almanac/source/candle_import.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/base/text.h"
#include "almanac/source/test_files.h"

namespace almanac {
namespace {

using test::MemoryLake;
using test::TemporaryFolder;
using testing::HasSubstr;

constexpr TimeMs kStart = 1704067200000;  // 2024-01-01

// Imports files written into a folder of their own.
class CandleImport : public testing::Test {
 protected:
  ImportReport Import(const std::string& name, std::string_view content) {
    return ImportCandles(lake_.opener(), {folder_.Write(name, content)}, options_, NoProgress());
  }
  // The message, without the folder.
  std::string ErrorOf(const std::string& name, std::string_view content) {
    try {
      Import(name, content);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadData) << error.what();
      EXPECT_TRUE(lake_.series.empty()) << "something was written";
      std::string text = error.what();
      const std::string prefix = folder_.path().string() + "/";
      if (text.starts_with(prefix)) text.erase(0, prefix.size());
      return text;
    }
    return "no error";
  }
  std::vector<TimeMs> Times(const std::string& symbol) const {
    std::vector<TimeMs> times;
    for (const auto& [time, bar] : lake_.Of(symbol)) times.push_back(time);
    return times;
  }

  TemporaryFolder folder_;
  MemoryLake lake_;
  ImportOptions options_;
};

constexpr const char* kThreeHours =
    "timestamp,open,high,low,close,volume\n"
    "1704067200000,1.5,2,1,1.25,10\n"
    "1704070800000,1.25,3,1,2,0\n"
    "1704074400000,2,2.5,1.5,2.25,7.125\n";

TEST_F(CandleImport, ReadsAPlainTable) {
  const ImportReport report = Import("BTCUSDT.csv", kThreeHours);
  ASSERT_EQ(report.series.size(), 1u);
  EXPECT_EQ(ToString(report.series[0].key), "import BTCUSDT 1h");
  EXPECT_EQ(report.series[0].bars, 3);
  EXPECT_EQ(report.series[0].stats.added, 3);
  EXPECT_EQ(report.series[0].from, kStart);
  EXPECT_EQ(report.series[0].to, kStart + 2 * kMsPerHour);
  EXPECT_EQ(report.bad_line_count, 0);
  EXPECT_EQ(report.files[0].form, "CSV");
  const Candle bar = lake_.Of("BTCUSDT").at(kStart);
  EXPECT_EQ(bar.open, 1.5);
  EXPECT_EQ(bar.high, 2);
  EXPECT_EQ(bar.low, 1);
  EXPECT_EQ(bar.close, 1.25);
  EXPECT_EQ(bar.volume, 10);
  EXPECT_TRUE(std::isnan(bar.trade_count));
  EXPECT_TRUE(std::isnan(bar.vwap));
}

TEST_F(CandleImport, ReadsTheSameBarsHoweverTheyAreWritten) {
  const std::vector<std::pair<std::string, std::string>> forms = {
      {"tabs",
       "Date\tOpen\tHigh\tLow\tClose\tVolume\n2024-01-01 00:00\t1.5\t2\t1\t1.25\t10\n"
       "2024-01-01 01:00\t1.25\t3\t1\t2\t0\n2024-01-01 02:00\t2\t2.5\t1.5\t2.25\t7.125\n"},
      {"semicolons, quotes, CRLF, BOM",
       "\xef\xbb\xbf\"Open time\";\"O\";\"H\";\"L\";\"C\";\"Vol\"\r\n"
       "\"2024-01-01T00:00:00Z\";\"1.5\";\"2\";\"1\";\"1.25\";\"10\"\r\n"
       "2024-01-01T01:00:00Z;1.25;3;1;2;0\r\n2024-01-01T02:00:00Z;2;2.5;1.5;2.25;7.125\r\n"},
      {"other order, more columns, seconds, no last line end",
       "Close,junk,volume,low,high,open,unix\n1.25,x,10,1,2,1.5,1704067200\n"
       "2,,0,1,3,1.25,1704070800\n2.25,\"a,b\",7.125,1.5,2.5,2,1704074400"},
      {"blanks and blank lines",
       "\n time , open , high , low , close , volume \n\n"
       "1704067200000000, 1.5 ,2 , 1,1.25,10\n  \n"
       "1704070800000000,1.25,3,1,2,0\n1704074400000000,2,2.5,1.5,2.25,7.125\n\n"},
      {"nanoseconds, newest first",
       "window_start|open|high|low|close|volume\n1704074400000000000|2|2.5|1.5|2.25|7.125\n"
       "1704070800000000000|1.25|3|1|2|0\n1704067200000000000|1.5|2|1|1.25|10\n"},
      {"JSON arrays of six",
       "[[1704067200000,1.5,2,1,1.25,10],\n[1704070800000,1.25,3,1,2,0],"
       "[1704074400000,2,2.5,1.5,2.25,7.125]]"},
      {"JSON objects",
       R"([{"t":"2024-01-01T00:00:00Z","o":1.5,"h":2,"l":1,"c":1.25,"v":10},)"
       R"({"v":0,"c":2,"l":1,"h":3,"o":1.25,"t":"2024-01-01T01:00:00Z","x":[{"]":1}]},)"
       R"({"t":"2024-01-01T02:00:00Z","o":"2","h":2.5,"l":1.5,"c":2.25,"v":7.125}])"},
      {"Binance klines as JSON",
       R"([[1704067200000,"1.50000000","2.0","1.0","1.25","10.0",1704070799999,"1","5","1","1","0"],)"
       R"([1704070800000,"1.25","3.0","1.0","2.0","0.0",1704074399999,"0",0,"0","0","0"],)"
       R"([1704074400000,"2.0","2.5","1.5","2.25","7.125",1704077999999,"1",3,"1","1","0"]])"},
      {"Binance dump without header, microseconds",
       "1704067200000000,1.5,2,1,1.25,10,1704070799999999,1,5,1,1,0\n"
       "1704070800000000,1.25,3,1,2,0,1704074399999999,0,0,0,0,0\n"
       "1704074400000000,2,2.5,1.5,2.25,7.125,1704077999999999,1,3,1,1,0\n"}};
  Import("plain.csv", kThreeHours);
  const auto expected = lake_.Of("plain");
  for (const auto& [form, content] : forms) {
    lake_.series.clear();
    options_.symbol = "X";
    const ImportReport report = Import("file", content);
    EXPECT_EQ(report.bad_line_count, 0) << form;
    const auto& bars = lake_.Of("X");
    ASSERT_EQ(bars.size(), 3u) << form;
    for (const auto& [time, bar] : expected) {
      ASSERT_TRUE(bars.contains(time)) << form;
      const Candle& found = bars.at(time);
      EXPECT_EQ(found.open, bar.open) << form;
      EXPECT_EQ(found.high, bar.high) << form;
      EXPECT_EQ(found.low, bar.low) << form;
      EXPECT_EQ(found.close, bar.close) << form;
      EXPECT_EQ(found.volume, bar.volume) << form;
    }
  }
}

TEST_F(CandleImport, ReadsBinanceDumps) {
  const std::string lines =
      "1704067200000,1.5,2,1,1.25,10,1704067259999,14,5,1,1,0\n"
      "1704067260000,1.25,3,1,2,0,1704067319999,0,0,0,0,0\n";
  EXPECT_EQ(Import("BTCUSDT-1m-2024-01.csv", lines).files[0].form, "Binance dump");
  EXPECT_EQ(lake_.Of("BTCUSDT").at(kStart).trade_count, 5);
  lake_.series.clear();
  const ImportReport report =
      Import("BTCUSDT-1m-2024-02.csv",
             "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
             "taker_buy_volume,taker_buy_quote_volume,ignore\n" +
                 lines);
  EXPECT_EQ(report.files[0].form, "Binance dump");
  EXPECT_EQ(report.files[0].ignored_columns.size(), 5u);
  EXPECT_EQ(lake_.Of("BTCUSDT").at(kStart).trade_count, 5);
  EXPECT_EQ(ToString(report.series[0].key), "import BTCUSDT 1m");
}

TEST_F(CandleImport, KeepsOptionalFieldsWhereAnyFileHasThem) {
  const auto with =
      folder_.Write("A-1h-1.csv",
                    "time,open,high,low,close,volume,trades,vwap\n1704067200000,1,1,1,1,1,9,1.5\n"
                    "1704070800000,1,1,1,1,1,,\n");
  const auto without =
      folder_.Write("A-1h-2.csv", "time,open,high,low,close,volume\n1704074400000,1,1,1,1,1\n");
  ImportCandles(lake_.opener(), {with, without}, options_, NoProgress());
  const auto& bars = lake_.Of("A");
  ASSERT_EQ(bars.size(), 3u);
  EXPECT_EQ(bars.at(kStart).trade_count, 9);
  EXPECT_EQ(bars.at(kStart).vwap, 1.5);
  EXPECT_TRUE(std::isnan(bars.at(kStart + kMsPerHour).trade_count));
  EXPECT_TRUE(std::isnan(bars.at(kStart + 2 * kMsPerHour).vwap));
}

TEST_F(CandleImport, SeparatesTheSymbolsOfAColumn) {
  const ImportReport report = Import("all.csv",
                                     "symbol,date,open,high,low,close,volume\n"
                                     "AAA,2024-01-01,1,1,1,1,1\nBBB,2024-01-01,2,2,2,2,2\n"
                                     "AAA,2024-01-02,3,3,3,3,3\nBBB,2024-01-02,4,4,4,4,4\n"
                                     "BRK.B,2024-01-02,5,5,5,5,5\n");
  ASSERT_EQ(report.series.size(), 3u);
  EXPECT_EQ(ToString(report.series[2].key), "import BRK.B 1d");
  EXPECT_EQ(lake_.Of("AAA").at(kStart + kMsPerDay).close, 3);
  EXPECT_EQ(lake_.Of("BBB").at(kStart).close, 2);
}

TEST_F(CandleImport, AdjustedCloseIsNotTheClose) {
  const ImportReport report =
      Import("A.csv",
             "Date,Open,High,Low,Close,Adj Close,Volume\n2024-01-01,1,1,1,1,0.5,1\n"
             "2024-01-02,1,1,1,1,0.5,1\n");
  EXPECT_EQ(lake_.Of("A").at(kStart).close, 1);
  EXPECT_EQ(report.files[0].ignored_columns, std::vector<std::string>{"Adj Close"});
}

TEST_F(CandleImport, TakesColumnsThatTheUserNames) {
  options_.columns = {{"close", "Adj Close"}, {"volume", "none"}};
  Import("A.csv",
         "Date,Open,High,Low,Close,Adj Close\n2024-01-01,1,1,1,1,0.5\n"
         "2024-01-02,1,1,1,1,0.5\n");
  EXPECT_EQ(lake_.Of("A").at(kStart).close, 0.5);
  EXPECT_EQ(lake_.Of("A").at(kStart).volume, 0);
  lake_.series.clear();
  options_.columns = {{"time", "#6"}, {"open", "#1"},  {"high", "#2"},
                      {"low", "#3"},  {"close", "#4"}, {"volume", "#5"}};
  Import("B.csv", "1,2,0.5,1.5,9,1704067200\n1,2,0.5,1.5,9,1704070800\n");
  EXPECT_EQ(lake_.Of("B").at(kStart).close, 1.5);
}

TEST_F(CandleImport, TheTimeframeComesFromNameOrSpacing) {
  const auto timeframe = [&](const std::string& name, const std::string& times) {
    std::string text = "time,open,high,low,close,volume\n";
    for (const std::string_view time : Split(times, ' '))
      text += std::string(time) + ",1,1,1,1,1\n";
    lake_.series.clear();
    return Import(name, text).series.at(0).key.timeframe.name();
  };
  EXPECT_EQ(timeframe("A.csv", "2024-01-01T00:00Z 2024-01-01T00:05Z"), "5m");
  EXPECT_EQ(timeframe("A.csv", "2024-01-01T00:00Z 2024-01-01T00:05Z 2024-01-01T01:05Z"), "5m");
  EXPECT_EQ(timeframe("A.csv", "2024-01-05 2024-01-08 2024-01-09 2024-01-10"), "1d");
  EXPECT_EQ(timeframe("A.csv", "2024-01-01 2024-01-08 2024-01-15"), "1w");
  EXPECT_EQ(timeframe("A-4h.csv", "2024-01-01T04:00Z"), "4h");
  EXPECT_EQ(timeframe("5m/A.csv", "2024-01-01T00:00Z 2024-01-01T00:15Z"), "5m");
  options_.timeframe = Timeframe::Parse("15m");
  EXPECT_EQ(timeframe("5m/A.csv", "2024-01-01T00:00Z 2024-01-01T00:15Z"), "15m");
}

std::string Bars(const std::string& header, TimeMs step, int count) {
  std::string text = header;
  for (int i = 0; i < count; ++i) text += std::to_string(kStart + i * step) + ",1,1,1,1,1\n";
  return text;
}

TEST_F(CandleImport, ATimeframeThatContradictsTheTimesIsRefused) {
  const std::string half_hours = Bars("time,open,high,low,close,volume\n", 30 * kMsPerMinute, 20);
  EXPECT_EQ(ErrorOf("A-1h.csv", half_hours),
            "A-1h.csv: the name 'A-1h.csv' says 1h bars, but its bars are mostly 30m apart; say "
            "the right one by --timeframe; nothing was imported; mend the files, or leave such "
            "lines out by --on-bad skip");
  EXPECT_THAT(ErrorOf("A-15m.csv", half_hours), HasSubstr("says 15m bars"));
  EXPECT_THAT(ErrorOf("1h/A.csv", half_hours), HasSubstr("the name '1h/' says 1h bars"));
  options_.timeframe = Timeframe::Parse("5m");
  EXPECT_THAT(ErrorOf("A.csv", half_hours), HasSubstr("--timeframe says 5m bars"));
}

TEST_F(CandleImport, ATimeframeContradictedFurtherDownIsRefusedToo) {
  std::string text = Bars("time,open,high,low,close,volume\n", kMsPerMinute, 40'000);
  for (int i = 0; i < 80'000; ++i) {
    text += std::to_string(kStart + (i + 40'000) * 60 * kMsPerMinute) + ",1,1,1,1,1\n";
  }
  options_.timeframe = Timeframe::Parse("1m");
  Import("A.csv", text);  // a third of the distances are minutes: a market that sleeps
  lake_.series.clear();
  for (int i = 0; i < 900'000; ++i) {
    text += std::to_string(kStart + (i + 120'000) * 60 * kMsPerMinute) + ",1,1,1,1,1\n";
  }
  options_.on_bad = OnBadLine::kSkip;
  EXPECT_THAT(ErrorOf("A.csv", text),
              HasSubstr("over the whole file its bars are mostly 1h apart"));
}

TEST_F(CandleImport, NeitherNameNorSpacingTellsTheTimeframe) {
  EXPECT_THAT(ErrorOf("A.csv", Bars("time,open,high,low,close,volume\n", 0, 1)),
              HasSubstr("one bar does not tell its length; say it by --timeframe"));
  EXPECT_THAT(ErrorOf("A.csv", Bars("time,open,high,low,close,volume\n", 7 * kMsPerMinute, 9)),
              HasSubstr("the bars are mostly 7m apart, which is no length of bars"));
  EXPECT_THAT(ErrorOf("A-1M.csv", Bars("time,open,high,low,close,volume\n", kMsPerMinute, 9)),
              HasSubstr("the name says bars of length 1M, which Almanac does not have"));
}

TEST_F(CandleImport, BadLinesAreNamedByFileAndLine) {
  const std::string header = "time,open,high,low,close,volume\n1704067200000,1,1,1,1,1\n";
  const std::string tail = "1704074400000,1,1,1,1,1\n";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"1704070800000,1,1,1,1\n", "5 fields where 6 are due"},
      {"1704070800000,1,1,1,1,1,1\n", "7 fields where 6 are due"},
      {"1704070800000,x,1,1,1,1\n", "the open 'x' is not a finite number"},
      {"1704070800000,1,nan,1,1,1\n", "the high 'nan' is not a finite number"},
      {"1704070800000,1,1,inf,1,1\n", "the low 'inf' is not a finite number"},
      {"1704070800000,1,1,1,,1\n", "the close is missing"},
      {"1704070800000,1,1,1,0,1\n", "the close 0 is not above 0"},
      {"1704070800000,-1,1,1,1,1\n", "the open -1 is not above 0"},
      {"1704070800000,1,1,1,1,-2\n", "the volume -2 is negative"},
      {"1704070800000,1,1,1,1,1e999\n", "the volume '1e999' is not a finite number"},
      {"yesterday,1,1,1,1,1\n", "'yesterday' is not a time"},
      {",1,1,1,1,1\n", "the time is missing"},
      {"1704070800,1,1,1,1,1\n",
       "the time '1704070800' is written as seconds, the file's first ones as milliseconds"},
      {"1704070800001,1,1,1,1,1\n",
       "the time 2024-01-01T01:00:00.001Z is not on the grid of 1h bars"},
      {"1704067200000,1,1,1,2,1\n", "A 2024-01-01T00:00:00Z has other values than on line 2"},
      {"\"1704070800000,1,1,1,1,1\n", "a quote is opened and not closed"},
      {"\"1\"704070800000,1,1,1,1,1\n", "text follows a closing quote"},
      {std::string("1704070800000,1\0,1,1,1,1\n", 25), "the open '1?' is not a finite number"},
  };
  for (const auto& [line, reason] : cases) {
    options_.timeframe = Timeframe::Parse("1h");
    options_.on_bad = OnBadLine::kRefuse;
    EXPECT_EQ(ErrorOf("A.csv", header + line + tail),
              "A.csv:3: " + reason +
                  "; nothing was imported; mend the files, or leave such lines "
                  "out by --on-bad skip");
    options_.on_bad = OnBadLine::kSkip;
    const ImportReport report = Import("A.csv", header + line + tail);
    EXPECT_EQ(report.bad_line_count, 1) << line;
    ASSERT_EQ(report.bad_lines.size(), 1u);
    EXPECT_EQ(report.bad_lines[0].line, 3);
    EXPECT_EQ(report.bad_lines[0].reason, reason);
    EXPECT_EQ(Times("A"), (std::vector<TimeMs>{kStart, kStart + 2 * kMsPerHour})) << line;
    EXPECT_EQ(lake_.Of("A").at(kStart).close, 1);
    lake_.series.clear();
  }
}

TEST_F(CandleImport, FilesThatCannotBeUsedAtAll) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "A.csv: the file is empty"},
      {"\n\n", "A.csv: the file is empty"},
      {"time,open,high,low,volume\n1,2,3,4,5\n",
       "A.csv:1: the header has no column for close; its columns are 'time', 'open', 'high', "
       "'low', 'volume'"},
      {"alpha,beta\nx,y\n",
       "A.csv:1: the header has no column for time, open, high, low, close, volume; its columns "
       "are 'alpha', 'beta'"},
      {"time,open,close,high,low,close,volume\n", "A.csv:1: two columns are named 'close'"},
      {"1704067200000,1,1,1,1,1\n",
       "A.csv:1: there is no header, and 6 columns are not a Binance dump's 12"},
      {"time,open,high,low,close,volume\nx,1,1,1,1,1\n", "A.csv:2: 'x' is not a time"},
      {"timestamp_ms,open,high,low,close,volume\n1704067200,1,1,1,1,1\n",
       "A.csv:2: the times look like seconds, but their column's name says milliseconds"},
      {"\xff\xfet\0i\0", "A.csv: the text is UTF-16, which is not read; save it as UTF-8"},
      {"PK\x03\x04", "A.csv: this is a zip archive, which is not read; unzip it first"},
      {"{\"bars\":[]}", "A.csv:1: the JSON text must be one array of bars"},
      {"[1704067200000,1,1,1,1,1]", "A.csv:1: every element of the JSON array must be"},
      {"[[1704067200000,1,1]]", "A.csv:1: bars of 3 values are not known"},
      {"[{\"t\":1}]", "A.csv:1: the header has no column for open, high, low, close, volume"},
      {"[", "A.csv:1: the JSON array is not closed"},
      {std::string(2'000'000, 'x'), "A.csv:1: a line is longer than"},
      {"[[" + std::string(2'000'000, ' '), "A.csv:1: a bar is longer than"},
  };
  for (const auto& [content, message] : cases) {
    EXPECT_THAT(ErrorOf("A.csv", content), testing::StartsWith(message));
  }
  EXPECT_THAT(ErrorOf("data.csv", kThreeHours), HasSubstr("whose bars are these?"));
  options_.symbol = "B";
  EXPECT_THAT(
      ErrorOf("all.csv", "symbol,date,open,high,low,close,volume\nA,2024-01-01,1,1,1,1,1\n"),
      HasSubstr("the file has its symbols in the column 'symbol'"));
}

TEST_F(CandleImport, FilesThatCannotBeUsedAreSkippedWithACount) {
  options_.on_bad = OnBadLine::kSkip;
  const auto good = folder_.Write("A.csv", kThreeHours);
  const auto empty = folder_.Write("B.csv", "");
  const auto zip = folder_.Write("C.csv", "PK\x03\x04");
  const ImportReport report =
      ImportCandles(lake_.opener(), {empty, good, zip}, options_, NoProgress());
  ASSERT_EQ(report.files.size(), 3u);
  EXPECT_TRUE(report.files[0].skipped);
  EXPECT_FALSE(report.files[1].skipped);
  EXPECT_TRUE(report.files[2].skipped);
  EXPECT_EQ(report.bad_line_count, 2);
  EXPECT_EQ(report.bad_lines[0].line, 0);
  EXPECT_EQ(report.bad_lines[0].reason, "the file is empty");
  EXPECT_EQ(lake_.Of("A").size(), 3u);
}

TEST_F(CandleImport, NothingGoodAtAllIsAnErrorEvenWhereBadLinesAreSkipped) {
  options_.on_bad = OnBadLine::kSkip;
  EXPECT_THAT(ErrorOf("A.csv", ""), HasSubstr("nothing was left to import"));
}

TEST_F(CandleImport, FilesWithoutBarsAreNoError) {
  EXPECT_EQ(Import("A.json", "[]").bars, 0);
  EXPECT_EQ(Import("A.json", " [ \n ] \n").bars, 0);
  EXPECT_EQ(Import("A.csv", "time,open,high,low,close,volume\n").bars, 0);
}

TEST_F(CandleImport, TruncatedFilesKeepTheirWholeLinesWhereBadLinesAreSkipped) {
  const std::string text = Bars("time,open,high,low,close,volume\n", kMsPerMinute, 100'000);
  for (const std::string& packed : {test::Gzip(text), test::Zstd(text)}) {
    const std::string cut = packed.substr(0, packed.size() - 10);
    options_.on_bad = OnBadLine::kRefuse;
    EXPECT_THAT(ErrorOf("A.csv.gz", cut), HasSubstr("data ends too early; nothing was imported"));
    options_.on_bad = OnBadLine::kSkip;
    const ImportReport report = Import("A.csv.gz", cut);
    EXPECT_EQ(report.bad_line_count, 1);
    EXPECT_GT(report.bars, 1000);
    EXPECT_EQ(report.bad_lines[0].line,
              report.bars + 2);  // the header, and the line after the last
    EXPECT_EQ(lake_.Of("A").size(), static_cast<size_t>(report.bars));
    lake_.series.clear();
  }
}

TEST_F(CandleImport, BrokenJson) {
  const std::string bar = "[1704067200000,1,1,1,1,1]";
  const std::string next = "[1704070800000,1,1,1,1,1]";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"[" + bar + "\n" + next + "]", "A.json:2: a ',' or ']' must follow an element"},
      {"[" + bar + ",\n" + next, "A.json:2: the JSON array is not closed"},
      {"[" + bar + ",\n" + next + ",]", "A.json:2: every element of the JSON array must be"},
      {"[" + bar + "]\n\n,", "A.json:3: text follows the end of the JSON array"},
      {"[" + bar + ",\n[1704070800000,1,1,1,1],\n" + next + "]",
       "A.json:2: element 2: 5 values where 6 are due"},
      {"[" + bar + ",\n[1704070800000,1,,1,1,1]]", "A.json:2: element 2: this is not well-formed"},
      {"[" + bar + ",\n[1704070800000,1,one,1,1,1]]", "A.json:2: element 2: this is not well"},
      {"[" + bar + ",\n[1704070800000,1,\"1,1,1,1]]", "A.json:2: the JSON array is not closed"},
      {"[" + bar + ",\n{\"t\":1704070800000}]", "A.json:2: element 2: an object where arrays"},
      {"[" + bar + ",\n[1704070800000,1,1,1,1}]", "A.json:2: element 2: this is not well-formed"},
      {"[" + bar + ",\n[1704070800000,null,1,1,1,1]]", "A.json:2: element 2: the open is missing"},
      {"[" + bar + ",\n[1704070800000,[1],1,1,1,1]]",
       "A.json:2: element 2: the open '[1]' is not a finite number"},
      {"[" + bar + ",\n[1704070800000,true,1,1,1,1]]",
       "A.json:2: element 2: the open 'true' is not a finite number"}};
  options_.timeframe = Timeframe::Parse("1h");
  for (const auto& [content, message] : cases) {
    EXPECT_THAT(ErrorOf("A.json", content), testing::StartsWith(message)) << content;
  }
}

TEST_F(CandleImport, EqualRepeatsAreLeftOutAndCounted) {
  const std::string lines = "1704067200000,1,1,1,1,1\n1704070800000,2,2,2,2,2\n";
  const ImportReport report =
      Import("A.csv", "time,open,high,low,close,volume\n" + lines + lines + lines);
  EXPECT_EQ(report.files[0].duplicates, 4);
  EXPECT_EQ(report.files[0].bars, 2);
  EXPECT_EQ(report.series[0].bars, 2);
  EXPECT_EQ(report.bad_line_count, 0);
  EXPECT_EQ(lake_.Of("A").size(), 2u);
}

TEST_F(CandleImport, OfFilesThatOverlapTheLastWins) {
  const auto first = folder_.Write("A-1h-1.csv", kThreeHours);
  const auto second =
      folder_.Write("A-1h-2.csv", "time,open,high,low,close,volume\n1704074400000,9,9,9,9,9\n");
  const ImportReport report =
      ImportCandles(lake_.opener(), {first, second}, options_, NoProgress());
  EXPECT_EQ(report.series[0].bars, 4);
  EXPECT_EQ(report.series[0].files, 2);
  EXPECT_EQ(report.series[0].stats.added, 3);
  EXPECT_EQ(lake_.Of("A").at(kStart + 2 * kMsPerHour).close, 9);
}

TEST_F(CandleImport, PricesThatContradictEachOtherAreKeptAndCounted) {
  const ImportReport report = Import("A.csv",
                                     "time,open,high,low,close,volume\n"
                                     "1704067200000,5,4,1,2,1\n1704070800000,5,6,5.5,5,1\n"
                                     "1704074400000,5,6,4,5,1\n");
  EXPECT_EQ(report.files[0].contradictions, 2);
  EXPECT_EQ(lake_.Of("A").size(), 3u);
}

TEST_F(CandleImport, DailyBarsOpenWhenTheyLike) {
  Import("A-1d.csv",
         "time,open,high,low,close,volume\n2024-01-02T05:00Z,1,1,1,1,1\n"
         "2024-06-03T04:00Z,1,1,1,1,1\n");
  EXPECT_EQ(lake_.Of("A").size(), 2u);
}

TEST_F(CandleImport, WhatDoesNotFitIntoMemoryIsPutAside) {
  std::vector<std::filesystem::path> files;
  for (const char* symbol : {"A", "B", "C"}) {
    for (int part = 0; part < 3; ++part) {
      std::string text = symbol[0] == 'B' && part == 1 ? "time,open,high,low,close,volume,trades\n"
                                                       : "time,open,high,low,close,volume\n";
      for (int i = 0; i < 5'000; ++i) {
        text += fmt::format("{},1,9,1,{}.5,{}{}\n", kStart + (part * 5'000 + i) * kMsPerMinute,
                            1 + i % 7, i, symbol[0] == 'B' && part == 1 ? ",3" : "");
      }
      files.push_back(folder_.Write(fmt::format("{}-1m-{}.csv", symbol, part), text));
    }
  }
  const ImportReport whole = ImportCandles(lake_.opener(), files, options_, NoProgress());
  const auto expected = lake_.series;
  lake_.series.clear();
  const ImportReport spilled = ImportCandles(lake_.opener(), files, options_, NoProgress(), 7'000);
  EXPECT_EQ(spilled.bars, 45'000);
  EXPECT_EQ(whole.bars, 45'000);
  ASSERT_EQ(lake_.series.size(), 3u);
  for (const auto& [key, bars] : expected) {
    const auto& found = lake_.series.at(key);
    ASSERT_EQ(found.size(), 15'000u);
    for (const auto& [time, bar] : bars) {
      ASSERT_EQ(found.at(time).close, bar.close);
      ASSERT_EQ(found.at(time).volume, bar.volume);
      ASSERT_EQ(std::isnan(found.at(time).trade_count), std::isnan(bar.trade_count));
    }
  }
  EXPECT_EQ(lake_.Of("B").at(kStart + 5'000 * kMsPerMinute).trade_count, 3);
}

// A file of many pieces: line numbers must be exact in all of them, whatever the number of threads,
// and the first bad lines are those that come first.
TEST_F(CandleImport, LineNumbersAreExactInLargeFiles) {
  std::string text = "time,open,high,low,close,volume\n";
  constexpr int kBars = 200'000;
  std::vector<int64_t> bad;
  for (int i = 0; i < kBars; ++i) {
    const bool is_bad = i % 9'973 == 5'000;
    if (is_bad) bad.push_back(i + 2);
    text += std::to_string(kStart + i * kMsPerMinute) + (is_bad ? ",1,1,1,?,1\n" : ",1,1,1,1,1\n");
  }
  options_.on_bad = OnBadLine::kSkip;
  const int threads = ThreadCount();
  for (const int count : {1, 2, 5}) {
    SetThreadCount(count);
    const ImportReport report = Import("A.csv", text);
    EXPECT_EQ(report.bad_line_count, static_cast<int64_t>(bad.size()));
    std::vector<int64_t> lines;
    for (const BadLine& line : report.bad_lines) lines.push_back(line.line);
    EXPECT_EQ(lines, bad);
    EXPECT_EQ(report.bars, kBars - static_cast<int64_t>(bad.size()));
  }
  SetThreadCount(threads);
}

TEST_F(CandleImport, OnlyTheFirstBadLinesAreListed) {
  std::string text = "time,open,high,low,close,volume\n1704067200000,1,1,1,1,1\n";
  for (int i = 0; i < 1000; ++i) text += "bad\n";
  // Found last, though it stands before most of the others.
  text.insert(text.find("bad"), "bad\n1704067200000,1,1,1,7,1\n");
  try {
    options_.timeframe = Timeframe::Parse("1h");
    Import("A.csv", text);
    FAIL();
  } catch (const ImportRefused& refused) {
    EXPECT_EQ(refused.report().bad_line_count, 1002);
    ASSERT_EQ(refused.report().bad_lines.size(), ImportReport::kMaxBadLines);
    EXPECT_EQ(refused.report().bad_lines[0].line, 3);
    EXPECT_THAT(refused.report().bad_lines[1].reason, HasSubstr("other values than on line 2"));
    EXPECT_THAT(refused.what(), HasSubstr("there are 1,002 bad lines"));
  }
}

}  // namespace
}  // namespace almanac
