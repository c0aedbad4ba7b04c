#include "almanac/source/collect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <nlohmann/json.hpp>

#include "almanac/source/vendor_test_server.h"

namespace almanac {
namespace {

using testing::HasSubstr;

const TimeMs kNow = *ParseTime("2021-06-10T12:30:00Z");

std::vector<CollectEntry> Read(const std::string& yaml) {
  const ConfigDocument document = ConfigDocument::Parse(yaml, "home.yaml");
  std::vector<CollectEntry> entries = ReadCollectConfig(document.root());
  document.RefuseUnknownKeys();
  return entries;
}

constexpr char kOffline[] = R"(
collect:
  - source: simulator
    symbols: [SIM1, SIM2]
    timeframes: [1h, 1d]
    from: 2021-05-01
    seed: 7
)";

class CollectTest : public testing::Test {
 protected:
  CollectReport Run(const std::vector<CollectEntry>& entries) {
    const Home home{folder_.path()};
    CandleStore store(home);
    SourceOptions options;
    options.clock = &clock_;
    return Collect(entries, options, store, home, NoProgress());
  }
  CandleSeries Stored(const std::string& symbol, const char* timeframe) {
    return CandleStore(Home{folder_.path()})
        .Read({kSimulatorMarket, symbol, Timeframe::Parse(timeframe)});
  }

  FakeClock clock_{kNow};
  TemporaryFolder folder_;
};

TEST_F(CollectTest, ReadsEveryKey) {
  const std::vector<CollectEntry> entries = Read(R"(
collect:
  - source: alpaca
    market: us-big
    symbols: [AAPL, MSFT]
    timeframes: [1d, 1h]
    from: 2020-01-01
    feed: sip
    adjustment: raw
    base_url: https://data.sandbox.alpaca.markets
    requests_per_minute: 100
  - {source: simulator, symbols: SIM, timeframes: 5m, from: 2021-01-01, seed: 7}
)");
  ASSERT_EQ(entries.size(), 2u);
  EXPECT_EQ(entries[0].source, "alpaca");
  EXPECT_EQ(entries[0].market, "us-big");
  EXPECT_EQ(entries[0].symbols, (std::vector<std::string>{"AAPL", "MSFT"}));
  EXPECT_EQ(entries[0].timeframes[1], Timeframe::Parse("1h"));
  EXPECT_EQ(entries[0].from, *ParseTime("2020-01-01"));
  EXPECT_EQ(entries[0].feed, "sip");
  EXPECT_EQ(entries[0].adjustment, "raw");
  EXPECT_EQ(entries[0].base_url, "https://data.sandbox.alpaca.markets");
  EXPECT_EQ(entries[0].requests_per_minute, 100);
  EXPECT_EQ(entries[1].seed, 7u);
}

TEST_F(CollectTest, WrongConfigurationsNameTheirPlace) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"other: 1", "there is nothing to collect"},
      {"collect: [{source: binanse, symbols: A, timeframes: 1h, from: 2020-01-01}]", "binance"},
      {"collect: [{source: binance, symbols: [], timeframes: 1h, from: 2020-01-01}]", "empty"},
      {"collect: [{source: binance, symbols: A, timeframes: 7h, from: 2020-01-01}]", "7h"},
      {"collect: [{source: binance, symbols: A, timeframes: [], from: 2020-01-01}]", "empty"},
      {"collect: [{source: binance, symbols: A, timeframes: 1h}]", "from"},
      {"collect: [{source: binance, symbols: A, timeframes: 1h, from: 2020-01-01, seed: 1}]",
       "has no seed"},
      {"collect: [{source: binance, symbols: A, timeframes: 1h, from: 2020-01-01, feeds: x}]",
       "feed"},
  };
  for (const auto& [yaml, says] : cases) {
    EXPECT_THAT(MessageOf([&, text = yaml] { Read(text); }),
                testing::AllOf(HasSubstr("home.yaml"), HasSubstr(says)))
        << yaml;
  }
}

TEST_F(CollectTest, BringsEverySeriesUpToNow) {
  const std::vector<CollectEntry> entries = Read(kOffline);
  const CollectReport report = Run(entries);
  EXPECT_EQ(report.exit_status(), 0);
  ASSERT_EQ(report.parts.size(), 2u);
  EXPECT_EQ(Stored("SIM1", "1h").size(), 40u * 24 + 12);
  EXPECT_EQ(Stored("SIM2", "1d").size(), 40u);

  // A week later it brings what is new, and the old bars stay as they are.
  const CandleSeries before = Stored("SIM1", "1h");
  clock_.Set(kNow + 7 * kMsPerDay);
  const CollectReport later = Run(entries);
  EXPECT_EQ(later.parts[0].backfill.outcomes[0].stats.added, 7 * 24);
  EXPECT_EQ(later.parts[0].backfill.outcomes[0].stats.unchanged, 0);
  const CandleSeries after = Stored("SIM1", "1h");
  EXPECT_EQ(CandleStore::ContentHash(after.Slice(0, before.size())),
            CandleStore::ContentHash(before));

  SimulatorOptions simulator;
  simulator.seed = 7;
  simulator.symbols.resize(1);
  simulator.symbols[0].name = "SIM1";
  simulator.timeframe = Timeframe::Parse("1h");
  simulator.from = *ParseTime("2021-05-01");
  simulator.to = simulator.timeframe.Floor(clock_.Now());
  EXPECT_EQ(after.close, Simulate(simulator).at(0).close) << "resumed equals unbroken";
}

TEST_F(CollectTest, AnotherSeedIsAnotherMarket) {
  std::vector<CollectEntry> entries = Read(kOffline);
  Run(entries);
  entries[0].seed = 8;
  const CollectReport report = Run(entries);
  EXPECT_EQ(report.exit_status(), 2);
  EXPECT_THAT(report.parts[0].backfill.outcomes[0].error->what(), HasSubstr("seed 8"));
}

TEST_F(CollectTest, EntriesFailOnTheirOwn) {
  unsetenv("POLYGON_API_KEY");
  std::vector<CollectEntry> entries = Read(std::string(kOffline) + R"(
  - {source: polygon, symbols: AAPL, timeframes: 1d, from: 2021-01-01}
)");
  std::swap(entries[0], entries[1]);
  const CollectReport report = Run(entries);
  EXPECT_EQ(report.exit_status(), 2);
  ASSERT_EQ(report.parts.size(), 3u);
  EXPECT_THAT(report.parts[0].error->what(), HasSubstr("POLYGON_API_KEY"));
  EXPECT_FALSE(report.parts[1].error);
  EXPECT_EQ(Stored("SIM2", "1d").size(), 40u);
  const Json json = ToJson(report);
  EXPECT_THAT(json[0]["error"].get<std::string>(), HasSubstr("home.yaml:"));
  EXPECT_EQ(json[1]["backfill"]["series"][0]["symbol"], "SIM1");
}

}  // namespace
}  // namespace almanac
