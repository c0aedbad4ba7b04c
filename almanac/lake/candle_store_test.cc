#include "almanac/lake/candle_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <thread>

#include "almanac/base/cancel.h"
#include "almanac/base/error.h"
#include "almanac/lake/database.h"
#include "almanac/lake/lake_for_test.h"
#include "almanac/lake/object_store.h"

namespace almanac {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;

constexpr size_t kHoursOf2023 = 8760;

TimeMs At(std::string_view text) { return ParseTime(text).value(); }

template <typename Body>
std::string MessageOf(ErrorCode code, const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

class CandleStoreTest : public ::testing::Test {
 protected:
  std::map<std::string, std::string> Files() const { return FilesBelow(home_.home().lake()); }

  TemporaryHome home_;
  CandleStore store_{home_.home()};
};

TEST_F(CandleStoreTest, KeepsEveryValueInAFileAYear) {
  const CandleSeries bars = WalkSeries(TestKey(), At("2022-12-31T20:00Z"), kHoursOf2023 + 8, 1);
  const UpsertStats stats = store_.Upsert(bars);
  EXPECT_EQ(stats.added, static_cast<int64_t>(bars.size()));
  EXPECT_EQ(stats.replaced + stats.unchanged, 0);
  EXPECT_THAT(
      Files(),
      ElementsAre(Key("candles/market=test-spot/time_frame=1h/symbol=BTCUSDT/2022.parquet"),
                  Key("candles/market=test-spot/time_frame=1h/symbol=BTCUSDT/2023.parquet"),
                  Key("candles/market=test-spot/time_frame=1h/symbol=BTCUSDT/2024.parquet")));
  const CandleSeries read = store_.Read(TestKey());
  EXPECT_EQ(read.key, bars.key);
  EXPECT_TRUE(SameBars(read, bars));
}

TEST_F(CandleStoreTest, KeepsOddValuesAndFieldsThatAreNotGiven) {
  CandleSeries bars = WalkSeries(TestKey(), 0, 5, 1);
  bars.trade_count.clear();
  bars.vwap.clear();
  bars.open[0] = std::nan("");
  bars.high[1] = INFINITY;
  bars.low[2] = -0.0;
  bars.close[3] = 5e-324;
  bars.volume[4] = 1.7976931348623157e308;
  store_.Upsert(bars);
  const CandleSeries read = store_.Read(TestKey());
  EXPECT_TRUE(SameBars(read, bars));
  EXPECT_TRUE(std::signbit(read.low[2]));
  EXPECT_THAT(read.trade_count, IsEmpty());
  EXPECT_EQ(store_.Upsert(bars).unchanged, 5);
}

TEST_F(CandleStoreTest, TimesBefore1970) {
  const CandleSeries bars = WalkSeries(TestKey("X", "1d"), At("1899-12-25"), 20, 1);
  store_.Upsert(bars);
  EXPECT_TRUE(SameBars(store_.Read(bars.key), bars));
  EXPECT_EQ(store_.Find(bars.key)->from, At("1899-12-25"));
}

TEST_F(CandleStoreTest, UpsertingAgainWritesNothing) {
  const CandleSeries bars = WalkSeries(TestKey(), At("2023-12-01"), 2000, 1);
  store_.Upsert(bars);
  const auto file =
      home_.home().lake() / "candles/market=test-spot/time_frame=1h/symbol=BTCUSDT/2023.parquet";
  const auto before = std::filesystem::last_write_time(file);
  const auto content = Files();
  const UpsertStats stats = store_.Upsert(bars);
  EXPECT_EQ(stats.unchanged, 2000);
  EXPECT_EQ(stats.added + stats.replaced, 0);
  EXPECT_EQ(std::filesystem::last_write_time(file), before);
  EXPECT_EQ(Files(), content);
}

TEST_F(CandleStoreTest, OnlyYearsThatChangeAreWritten) {
  const CandleSeries bars = WalkSeries(TestKey(), At("2023-12-01"), 2000, 1);
  store_.Upsert(bars);
  const auto before = Files();
  CandleSeries change = bars.Slice(1500, 1502);
  change.close[0] += 1;
  const UpsertStats stats = store_.Upsert(change);
  EXPECT_EQ(stats.replaced, 1);
  EXPECT_EQ(stats.unchanged, 1);
  const auto after = Files();
  const std::string folder = "candles/market=test-spot/time_frame=1h/symbol=BTCUSDT/";
  EXPECT_EQ(after.at(folder + "2023.parquet"), before.at(folder + "2023.parquet"));
  EXPECT_NE(after.at(folder + "2024.parquet"), before.at(folder + "2024.parquet"));
  CandleSeries expected = bars;
  expected.close[1500] += 1;
  EXPECT_TRUE(SameBars(store_.Read(TestKey()), expected));
}

// Whatever the order and the pieces in which bars come, and whatever was there before: equal bars,
// equal bytes.
TEST_F(CandleStoreTest, EqualBarsGiveEqualBytes) {
  const CandleSeries bars = WalkSeries(TestKey("BTCUSDT", "1m"), At("2023-12-10"), 60'000, 1);
  store_.Upsert(bars);
  const auto expected = Files();
  for (uint64_t seed = 0; seed < 3; ++seed) {
    const TemporaryHome other;
    CandleStore store(other.home(), MakeLocalObjectStore(other.home().lake()),
                      {.writer_memory = seed == 1 ? int64_t{1} << 20 : int64_t{64} << 20});
    Random random(seed);
    std::vector<size_t> cuts = {0, bars.size()};
    for (int i = 0; i < 20; ++i) cuts.push_back(random.Below(bars.size()));
    std::ranges::sort(cuts);
    std::vector<size_t> pieces(cuts.size() - 1);
    std::iota(pieces.begin(), pieces.end(), size_t{0});
    for (size_t i = pieces.size(); i > 1; --i) std::swap(pieces[i - 1], pieces[random.Below(i)]);
    // The first piece is committed with other values before.
    CandleSeries wrong = bars.Slice(cuts[pieces[0]], cuts[pieces[0] + 1]);
    for (double& value : wrong.close) value *= 2;
    store.Upsert(wrong);
    const auto writer = store.OpenWriter(bars.key);
    for (const size_t piece : pieces) {
      CandleSeries part = bars.Slice(cuts[piece], cuts[piece + 1]);
      writer->Append(wrong);  // again and again: what is given later wins
      writer->Append(part);
      if (seed == 2) break;
    }
    writer->Append(bars);
    const UpsertStats stats = writer->Commit();
    EXPECT_EQ(stats.added + stats.replaced, static_cast<int64_t>(bars.size()));
    EXPECT_EQ(FilesBelow(other.home().lake()), expected) << seed;
    EXPECT_THAT(FilesBelow(other.home().temporary()), IsEmpty());
  }
}

TEST_F(CandleStoreTest, OfRepeatedTimesTheLastWins) {
  CandleSeries bars = WalkSeries(TestKey(), 0, 3, 1);
  CandleSeries both = bars;
  for (size_t i = 0; i < 3; ++i) {
    Candle again = bars.At(2 - i);
    again.close = static_cast<double>(i);
    both.Append(again);
  }
  const UpsertStats stats = store_.Upsert(both);
  EXPECT_EQ(stats.added, 3);
  EXPECT_THAT(store_.Read(TestKey()).close, ElementsAre(2, 1, 0));
}

TEST_F(CandleStoreTest, ReadsRangesAsSliced) {
  const CandleSeries bars = WalkSeries(TestKey("BTCUSDT", "1m"), At("2023-09-30"), 200'000, 1);
  store_.Upsert(bars);
  Random random(7);
  for (int i = 0; i < 12; ++i) {
    const TimeMs minute = kMsPerMinute;
    const TimeMs from = bars.open_time[0] + static_cast<TimeMs>(random.Below(210'000)) * minute -
                        5000 * minute + static_cast<TimeMs>(random.Below(2));
    const TimeMs to = from + static_cast<TimeMs>(random.Below(150'000)) * minute;
    ASSERT_TRUE(SameBars(store_.Read(bars.key, from, to), bars.Between(from, to))) << from;
  }
  EXPECT_TRUE(store_.Read(bars.key, At("2030-01-01"), kMaxTime).empty());
  EXPECT_TRUE(store_.Read(bars.key, At("2023-02-01"), At("2023-01-01")).empty());
  EXPECT_TRUE(store_.Read(bars.key, kMinTime, kMinTime).empty());
  EXPECT_TRUE(SameBars(store_.Read(bars.key, kMinTime, kMaxTime), bars));
}

TEST_F(CandleStoreTest, AReadTouchesOnlyFilesOfItsYears) {
  const CandleSeries bars = WalkSeries(TestKey(), At("2022-12-31"), kHoursOf2023 + 48, 1);
  store_.Upsert(bars);
  const auto folder = home_.home().lake() / "candles/market=test-spot/time_frame=1h/symbol=BTCUSDT";
  WriteFileAtomic(folder / "2022.parquet", "broken");
  EXPECT_EQ(store_.Read(TestKey(), At("2023-01-01"), At("2024-01-01")).size(), kHoursOf2023);
  const std::string message = MessageOf(ErrorCode::kBadData, [&] { store_.Read(TestKey()); });
  EXPECT_THAT(message, HasSubstr("symbol=BTCUSDT/2022.parquet"));
  EXPECT_THAT(message, ::testing::Not(HasSubstr("/proc/")));
}

TEST_F(CandleStoreTest, FilesThatAreNotOursAreNamed) {
  store_.Upsert(WalkSeries(TestKey(), At("2023-05-01"), 10, 1));
  const auto file =
      home_.home().lake() / "candles/market=test-spot/time_frame=1h/symbol=BTCUSDT/2023.parquet";
  const Database database;
  const auto message = [&](const std::string& select) {
    database.Query("COPY (" + select + ") TO " + SqlText(file.string()) + " (FORMAT parquet)");
    return MessageOf(ErrorCode::kBadData, [&] { store_.Read(TestKey()); });
  };
  const std::string rest =
      ", 1.0::DOUBLE AS open, 1.0::DOUBLE AS high, 1.0::DOUBLE AS low, 1.0::DOUBLE AS close, "
      "1.0::DOUBLE AS volume, 1.0::DOUBLE AS trade_count, 1.0::DOUBLE AS vwap";
  const std::string name = "symbol=BTCUSDT/2023.parquet: ";
  EXPECT_THAT(message("SELECT 5 AS x"), HasSubstr(name + "Binder Error"));
  EXPECT_THAT(message("SELECT 'x' AS timestamp" + rest), HasSubstr(name));
  EXPECT_THAT(
      message("SELECT TIMESTAMP '2023-05-01' AS timestamp, 1.0::DOUBLE AS open"
              ", 2 AS high, 3 AS low, 4 AS close, 5 AS volume, 6 AS trade_count, 7 AS vwap"),
      HasSubstr(name + "its column high is of another type"));
  EXPECT_THAT(message("SELECT NULL::TIMESTAMP AS timestamp" + rest),
              HasSubstr(name + "has a row without a timestamp"));
  EXPECT_THAT(
      message("SELECT unnest([TIMESTAMP '2023-05-02', TIMESTAMP '2023-05-01']) AS timestamp" +
              rest),
      HasSubstr(name + "rows are not in the order of time at 2023-05-02"));
}

TEST_F(CandleStoreTest, ListsFindsAndRemoves) {
  EXPECT_THAT(store_.List(), IsEmpty());
  store_.Upsert(WalkSeries(TestKey("ETHUSDT"), At("2023-12-31T22:00Z"), 5, 1));
  store_.Upsert(WalkSeries(TestKey("BTC/USD", "1d"), At("2024-01-01"), 3, 2));
  store_.Upsert(WalkSeries({"another", "X", Timeframe::Parse("1h")}, 0, 2, 3));
  const std::vector<SeriesInfo> series = store_.List();
  ASSERT_EQ(series.size(), 3u);
  EXPECT_EQ(series[0].key.market, "another");
  EXPECT_EQ(series[1].key, TestKey("BTC/USD", "1d"));
  EXPECT_EQ(series[2].key, TestKey("ETHUSDT"));
  EXPECT_EQ(series[2].bars, 5);
  EXPECT_EQ(series[2].from, At("2023-12-31T22:00Z"));
  EXPECT_EQ(series[2].to, At("2024-01-01T02:00Z"));
  const auto found = store_.Find(TestKey("BTC/USD", "1d"));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->bars, 3);
  int64_t bytes = 0;
  for (const auto& [name, content] : Files()) {
    if (name.find("ETHUSDT") != std::string::npos) bytes += static_cast<int64_t>(content.size());
  }
  EXPECT_EQ(series[2].bytes, bytes);

  store_.Remove(TestKey("ETHUSDT"));
  EXPECT_FALSE(store_.Find(TestKey("ETHUSDT")));
  EXPECT_EQ(store_.List().size(), 2u);
  store_.Remove(TestKey("ETHUSDT"));
  EXPECT_THROW(store_.Read(TestKey("ETHUSDT")), Error);
  EXPECT_EQ(store_.Upsert(WalkSeries(TestKey("ETHUSDT"), 0, 5, 1)).added, 5);
}

TEST_F(CandleStoreTest, WhatIsMissingIsNamedWithWhatIsThere) {
  const auto message = [&](const SeriesKey& key) {
    return MessageOf(ErrorCode::kBadData, [&] { store_.Read(key); });
  };
  EXPECT_THAT(message(TestKey()), HasSubstr("test-spot BTCUSDT 1h: is not in the lake; the lake "
                                            "has no candles yet"));
  store_.Upsert(WalkSeries(TestKey("BTCUSDT", "30m"), 0, 2, 1));
  store_.Upsert(WalkSeries(TestKey("ETHUSDT", "30m"), 0, 2, 1));
  EXPECT_THAT(message(TestKey("BTCUSDT", "1d")), HasSubstr("BTCUSDT has the timeframes 30m"));
  EXPECT_THAT(message(TestKey("BTCUSDC", "30m")), HasSubstr("did you mean BTCUSDT?"));
  EXPECT_THAT(message(TestKey("ZZZ", "30m")), HasSubstr("has the symbols BTCUSDT, ETHUSDT"));
  EXPECT_THAT(message({"test-perp", "ETHUSDT", Timeframe::Parse("30m")}),
              HasSubstr("there is test-spot ETHUSDT 30m"));
  EXPECT_THAT(message({"tset-spot", "X", Timeframe::Parse("30m")}),
              HasSubstr("did you mean the market test-spot?"));
}

TEST_F(CandleStoreTest, RefusesWrongKeysAndBars) {
  const auto usage = [&](const SeriesKey& key) {
    return MessageOf(ErrorCode::kUsage, [&] { store_.Upsert(WalkSeries(key, 0, 1, 1)); });
  };
  EXPECT_THAT(usage({"Binance Spot", "X", {}}), HasSubstr("\"Binance Spot\""));
  EXPECT_THAT(usage({"", "X", {}}), HasSubstr("market \"\""));
  EXPECT_THAT(usage({"test", "", {}}), HasSubstr("is empty"));
  EXPECT_THAT(usage({"test", "A\nB", {}}), HasSubstr("control character"));

  CandleSeries bars = WalkSeries(TestKey(), At("2024-01-01"), 3, 1);
  bars.open_time[1] += 1000;
  const std::string message = MessageOf(ErrorCode::kBadData, [&] { store_.Upsert(bars); });
  EXPECT_THAT(message, HasSubstr("test-spot BTCUSDT 1h 2024-01-01T01:00:01Z: is not the open time "
                                 "of a 1h bar; the bar that contains it opens at "
                                 "2024-01-01T01:00:00Z"));
  bars = WalkSeries(TestKey(), 0, 3, 1);
  bars.vwap.pop_back();
  EXPECT_THAT(MessageOf(ErrorCode::kBadData, [&] { store_.Upsert(bars); }),
              HasSubstr("vwap has 2 values for 3 bars"));
  bars = WalkSeries(TestKey("X", "1d"), 0, 1, 1);
  bars.open_time[0] = kMaxTime;
  EXPECT_THAT(MessageOf(ErrorCode::kBadData, [&] { store_.Upsert(bars); }),
              HasSubstr("0001 to 9999"));
  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(CandleStoreTest, DailyBarsMayOpenAtAnyTimeOfDay) {
  CandleSeries bars = WalkSeries(TestKey("X", "1d"), At("2024-01-01T05:00Z"), 3, 1);
  store_.Upsert(bars);
  EXPECT_TRUE(SameBars(store_.Read(bars.key), bars));
}

TEST_F(CandleStoreTest, AWriterThatIsNotCommittedLeavesNothing) {
  {
    CandleStore store(home_.home(), MakeLocalObjectStore(home_.home().lake()),
                      {.writer_memory = 1 << 20});
    const auto writer = store.OpenWriter(TestKey("BTCUSDT", "1m"));
    writer->Append(WalkSeries(TestKey("BTCUSDT", "1m"), 0, 100'000, 1));
    EXPECT_FALSE(FilesBelow(home_.home().temporary()).empty());
  }
  EXPECT_THAT(Files(), IsEmpty());
  EXPECT_THAT(FilesBelow(home_.home().temporary()), IsEmpty());
  const auto writer = store_.OpenWriter(TestKey());
  EXPECT_EQ(writer->Commit().added, 0);
  EXPECT_THROW(writer->Commit(), Error);
  EXPECT_THAT(Files(), IsEmpty());
}

TEST_F(CandleStoreTest, ACommitIsFinishedThoughAStopWasAskedFor) {
  const CandleSeries bars = WalkSeries(TestKey(), At("2022-12-31"), kHoursOf2023 + 48, 1);
  const auto writer = store_.OpenWriter(bars.key);
  writer->Append(bars);
  RequestCancel();
  const UpsertStats stats = writer->Commit();
  ResetCancel();
  EXPECT_EQ(stats.added, static_cast<int64_t>(bars.size()));
  EXPECT_TRUE(SameBars(store_.Read(bars.key), bars));
}

TEST_F(CandleStoreTest, ThreadsWriteAndReadAtOnce) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const SeriesKey key = TestKey(t % 2 == 0 ? "A" : "B");
      for (int i = 0; i < 4; ++i) {
        store_.Upsert(WalkSeries(key, At("2023-12-31"), 100, 5));
        EXPECT_EQ(store_.Read(key).size(), 100u);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store_.List().size(), 2u);
}

// What other tools see: DuckDB itself, with the partitions' names and escaped symbols.
TEST_F(CandleStoreTest, DuckdbReadsTheFolderAsItLies) {
  const CandleSeries bars = WalkSeries(TestKey("BTC/USD"), At("2023-12-31T12:00Z"), 24, 1);
  store_.Upsert(bars);
  const Database database;
  const std::string table = "read_parquet(" +
                            SqlText(home_.home().lake().string() + "/candles/*/*/*/*.parquet") +
                            ", hive_partitioning=true)";
  const ResultTable columns = database.Query(
      "SELECT column_name || ' ' || column_type AS c FROM (DESCRIBE FROM " + table + ")");
  EXPECT_THAT(
      columns.Column("c", ColumnType::kText).texts,
      ElementsAre("timestamp TIMESTAMP", "close_time TIMESTAMP", "open DOUBLE", "high DOUBLE",
                  "low DOUBLE", "close DOUBLE", "volume DOUBLE", "trade_count DOUBLE",
                  "vwap DOUBLE", "market VARCHAR", "symbol VARCHAR", "time_frame VARCHAR"));
  const ResultTable row = database.Query(
      "SELECT count(*) AS bars, count(trade_count) AS counted, max(close_time) AS last, "
      "min(symbol) AS symbol, sum(close) AS sum FROM " +
      table);
  EXPECT_EQ(row.Column("bars", ColumnType::kInt64).integers[0], 24);
  EXPECT_EQ(row.Column("counted", ColumnType::kInt64).integers[0], 22);
  EXPECT_EQ(row.Column("last", ColumnType::kTimestampMs).integers[0], At("2024-01-01T12:00Z") - 1);
  EXPECT_EQ(row.Column("symbol", ColumnType::kText).texts[0], "BTC/USD");
  EXPECT_NEAR(row.Column("sum", ColumnType::kDouble).doubles[0],
              std::accumulate(bars.close.begin(), bars.close.end(), 0.0), 1e-9);
}

TEST(ContentHashTest, DependsOnKeyAndBarsAlone) {
  const CandleSeries bars = WalkSeries(TestKey(), 0, 10, 1);
  const std::string hash = CandleStore::ContentHash(bars);
  EXPECT_EQ(hash.size(), 64u);
  CandleSeries other = bars;
  other.key = TestKey("ETHUSDT");
  EXPECT_NE(CandleStore::ContentHash(other), hash);
  other = bars;
  other.close[9] = std::nextafter(other.close[9], 0);
  EXPECT_NE(CandleStore::ContentHash(other), hash);
  EXPECT_NE(CandleStore::ContentHash(bars.Slice(0, 9)), hash);

  CandleSeries none = bars, nan = bars;
  none.vwap.clear();
  nan.vwap.assign(10, -Candle::kNotGiven);
  EXPECT_EQ(CandleStore::ContentHash(none), CandleStore::ContentHash(nan));
  EXPECT_NE(CandleStore::ContentHash(none), hash);
}

}  // namespace
}  // namespace almanac
