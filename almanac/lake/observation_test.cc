#include "almanac/lake/observation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <thread>

#include "almanac/base/error.h"
#include "almanac/lake/database.h"
#include "almanac/lake/lake_for_test.h"

namespace almanac {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;

TimeMs At(std::string_view text) { return ParseTime(text).value(); }

Observation Surprise(TimeMs timestamp, double value, TimeMs known) {
  return {timestamp, value, "float", known, "AAPL", "surprise", "event"};
}

class ObservationTest : public ::testing::Test {
 protected:
  std::vector<Observation> Read(TimeMs as_of = kMaxTime) const {
    return store_.Read("surprise", "event", "AAPL", kMinTime, kMaxTime, as_of);
  }
  std::map<std::string, std::string> Files() const { return FilesBelow(home_.home().lake()); }

  TemporaryHome home_;
  ObservationStore store_{home_.home()};
  const TimeMs day_ = At("2023-12-31");
};

TEST_F(ObservationTest, KeepsEveryFieldInAFileAYear) {
  const std::vector<Observation> rows = {
      {day_, -1.5, "float", day_ + 7, "BRK/B", "surprise", "event"},
      {day_ + kMsPerDay, 1, "bool", day_ + kMsPerDay, "BRK/B", "surprise", "event"},
      {day_ + 2 * kMsPerDay, 3, "category", day_, "BRK/B", "surprise", "event"}};
  EXPECT_EQ(store_.Upsert(rows).added, 3);
  EXPECT_THAT(
      Files(),
      ElementsAre(
          Key("observations/feature=surprise/time_frame=event/symbol=BRK%2FB/2023.parquet"),
          Key("observations/feature=surprise/time_frame=event/symbol=BRK%2FB/2024.parquet")));
  EXPECT_EQ(store_.Read("surprise", "event", "BRK/B"), rows);
  EXPECT_EQ(store_.Read("surprise", "event", "BRK/B", day_ + 1, day_ + 2 * kMsPerDay),
            std::vector<Observation>{rows[1]});
  EXPECT_THAT(store_.Read("surprise", "event", "BRK/B", 5, 5), IsEmpty());
  EXPECT_THAT(store_.Read("surprise", "1d", "BRK/B"), IsEmpty());
}

TEST_F(ObservationTest, ARestatementDoesNotEraseWhatWasKnown) {
  store_.Upsert({Surprise(day_, 1, day_ + 10), Surprise(day_ + 1, 5, day_ + 20)});
  const UpsertStats stats = store_.Upsert({Surprise(day_, 2, day_ + 100)});
  EXPECT_EQ(stats.added, 1);
  EXPECT_EQ(stats.replaced, 0);
  EXPECT_THAT(Read(), ElementsAre(Surprise(day_, 2, day_ + 100), Surprise(day_ + 1, 5, day_ + 20)));
  EXPECT_THAT(Read(day_ + 99),
              ElementsAre(Surprise(day_, 1, day_ + 10), Surprise(day_ + 1, 5, day_ + 20)));
  EXPECT_THAT(Read(day_ + 100),
              ElementsAre(Surprise(day_, 2, day_ + 100), Surprise(day_ + 1, 5, day_ + 20)));
  EXPECT_THAT(Read(day_ + 10), ElementsAre(Surprise(day_, 1, day_ + 10)));
  EXPECT_THAT(Read(day_ + 9), IsEmpty());
  EXPECT_THAT(store_.ReadVersions("surprise", "event", "AAPL"),
              ElementsAre(Surprise(day_, 1, day_ + 10), Surprise(day_, 2, day_ + 100),
                          Surprise(day_ + 1, 5, day_ + 20)));
}

TEST_F(ObservationTest, IdempotentInAnyOrderAndTheLastOfEqualKeysWins) {
  std::vector<Observation> rows;
  for (int i = 0; i < 50; ++i) {
    for (int version = 0; version < 3; ++version) {
      rows.push_back(Surprise(day_ + i * kMsPerHour, i + version, day_ + version));
    }
  }
  EXPECT_EQ(store_.Upsert(rows).added, 150);
  const auto files = Files();
  EXPECT_EQ(store_.Upsert(rows).unchanged, 150);
  EXPECT_EQ(Files(), files);

  const TemporaryHome other;
  ObservationStore shuffled(other.home());
  Random random(1);
  std::vector<Observation> wrong(rows.begin(), rows.begin() + 20);
  for (Observation& row : wrong) row.value = -1;
  EXPECT_EQ(shuffled.Upsert(wrong).added, 20);
  for (size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random.Below(i)]);
  std::vector<Observation> both = wrong;
  both.insert(both.end(), rows.begin(), rows.end());
  const UpsertStats stats = shuffled.Upsert(both);
  EXPECT_EQ(stats.added, 130);
  EXPECT_EQ(stats.replaced, 20);
  EXPECT_EQ(FilesBelow(other.home().lake()), files);
}

TEST_F(ObservationTest, ManyPartitionsAtOnceAndTheirList) {
  std::vector<Observation> rows;
  for (const char* symbol : {"B", "A"}) {
    for (const char* feature : {"surprise", "is_earnings_day"}) {
      for (int i = 0; i < 3; ++i) {
        rows.push_back({day_ + i * kMsPerDay, 1, "float", day_, symbol, feature, "event"});
      }
    }
  }
  rows.push_back(rows[0]);
  rows.back().updated_timestamp += 1;
  EXPECT_EQ(store_.Upsert(rows).added, 13);
  const auto list = store_.List();
  ASSERT_EQ(list.size(), 4u);
  EXPECT_EQ(list[0].feature, "is_earnings_day");
  EXPECT_EQ(list[0].symbol, "A");
  EXPECT_EQ(list[3].symbol, "B");
  EXPECT_EQ(list[3].rows, 4);
  EXPECT_EQ(list[3].from, day_);
  EXPECT_EQ(list[3].to, day_ + 2 * kMsPerDay);
}

TEST_F(ObservationTest, RefusesWrongRowsBeforeAnythingIsWritten) {
  const auto message = [&](auto change) -> std::string {
    Observation wrong = Surprise(day_ + 5, 1, day_);
    change(wrong);
    try {
      store_.Upsert({Surprise(day_, 1, day_), wrong});
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(message([](Observation& o) { o.value = std::nan(""); }),
              HasSubstr("surprise AAPL 2023-12-31T00:00:00.005Z: has a value that is not finite"));
  EXPECT_THAT(message([](Observation& o) { o.type = "double"; }),
              HasSubstr("has the type \"double\"; the types are float, bool and category"));
  EXPECT_THAT(message([](Observation& o) { o.symbol = ""; }), HasSubstr("symbol \"\": is empty"));
  EXPECT_THAT(message([](Observation& o) { o.feature = "a\n"; }), HasSubstr("feature"));
  EXPECT_THAT(message([](Observation& o) { o.time_frame = " "; }), HasSubstr("time_frame"));
  EXPECT_THAT(message([](Observation& o) { o.timestamp = kMaxTime; }), HasSubstr("0001 to 9999"));
  EXPECT_THAT(Files(), IsEmpty());
  EXPECT_EQ(store_.Upsert({}).added, 0);
}

TEST_F(ObservationTest, DuckdbReadsTheColumnsOfTheDesign) {
  store_.Upsert({Surprise(At("2024-02-29T23:59:59.999Z"), 2.5, day_), Surprise(-1, 1, 0)});
  const Database database;
  const ResultTable table = database.Query(
      "SELECT timestamp, value, type, updated_timestamp, date::VARCHAR AS date, symbol, feature, "
      "time_frame FROM read_parquet(" +
      SqlText(home_.home().lake().string() + "/observations/*/*/*/*.parquet") +
      ", hive_partitioning=true) ORDER BY timestamp");
  ASSERT_EQ(table.rows, 2u);
  EXPECT_THAT(table.Column("date", ColumnType::kText).texts,
              ElementsAre("1969-12-31", "2024-02-29"));
  EXPECT_EQ(table.Column("symbol", ColumnType::kText).texts[0], "AAPL");
  EXPECT_EQ(table.Column("feature", ColumnType::kText).texts[0], "surprise");
  EXPECT_EQ(table.Column("time_frame", ColumnType::kText).texts[0], "event");
  EXPECT_EQ(table.Column("value", ColumnType::kDouble).doubles[1], 2.5);
}

TEST_F(ObservationTest, ThreadsWriteAtOnce) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 3; ++i) store_.Upsert({Surprise(day_ + t, i, day_ + i)});
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store_.ReadVersions("surprise", "event", "AAPL").size(), 9u);
}

}  // namespace
}  // namespace almanac
