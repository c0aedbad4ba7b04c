#include "almanac/pipeline/data_section.h"

#include <gtest/gtest.h>

#include <set>

#include "almanac/base/error.h"

namespace almanac {
namespace {

DataSection Read(const std::string& yaml) {
  const ConfigDocument document = ConfigDocument::Parse(yaml, "recipe.yaml");
  DataSection data = ReadDataSection(document.root(), "home");
  document.RefuseUnknownKeys();
  return data;
}

std::string Refusal(const std::string& yaml) {
  try {
    Read(yaml);
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return error.what();
  }
}

const std::string kLake = "source: lake\nsymbols: [BTCUSDT]\ntimeframe: 30m\n";
const std::string kSimulator =
    "source: simulator\nsymbols: [AAA]\ntimeframe: 1h\nfrom: 2023-01-01\nto: 2023-02-01\n";

TEST(DataSectionTest, TheLakeNeedsNoRangeAndIsTheMarketOfImports) {
  const DataSection data = Read(kLake);
  EXPECT_EQ(data.market, "import");
  EXPECT_EQ(Read("symbols: [BTCUSDT]\ntimeframe: 30m\n").source, "lake") << "the default";
  EXPECT_EQ(data.from, kMinTime);
  EXPECT_EQ(data.to, kMaxTime);
  EXPECT_EQ(data.fill, FillPolicy::kNone);
  EXPECT_TRUE(data.refuse_unsound);
  ASSERT_EQ(data.Keys().size(), 1u);
  EXPECT_EQ(ToString(data.Keys()[0]), "import BTCUSDT 30m");
  EXPECT_EQ(Read(kLake + "market: binance-spot\n").market, "binance-spot");
  EXPECT_FALSE(Read(kLake + "on_unsound: warn\n").refuse_unsound);
}

TEST(DataSectionTest, TheCalendarFollowsTheMarketUnlessGiven) {
  EXPECT_EQ(Read(kLake).calendar->name(), "24/7");
  EXPECT_EQ(Read(kLake + "market: us-stocks\n").calendar->name(), "us-equities");
  EXPECT_EQ(Read(kLake + "market: us-stocks\ncalendar: 24/7\n").calendar->name(), "24/7");
}

// Two simulated markets must never share a series.
TEST(DataSectionTest, EveryParameterOfASimulatedMarketGivesItAnotherName) {
  const std::string market = Read(kSimulator).market;
  EXPECT_EQ(market.rfind("simulator-", 0), 0u);
  EXPECT_EQ(Read(kSimulator + "simulator: {seed: 1}\n").market, market) << "the default";
  std::set<std::string> names = {market};
  for (const char* parameter :
       {"seed: 2", "annual_volatility: 0.9", "annual_drift: 0.3", "correlation: 0.1",
        "predictability: 0.2", "volatility_of_volatility: 0.9", "jumps_per_year: 3",
        "seasonality: 0.11", "regimes: false"}) {
    const std::string name = Read(kSimulator + "simulator: {" + parameter + "}\n").market;
    EXPECT_TRUE(names.insert(name).second) << parameter;
  }
}

// A longer range of the same market is the same market: its bars are the same.
TEST(DataSectionTest, TheRangeDoesNotNameTheMarket) {
  const std::string longer =
      "source: simulator\nsymbols: [AAA, BBB]\ntimeframe: 1h\nfrom: 2022-01-01\nto: 2024-02-01\n";
  EXPECT_EQ(Read(longer).market, Read(kSimulator).market);
}

TEST(DataSectionTest, SymbolsAreOfTheKindThatCanNameAFolder) {
  for (const char* good : {"BTCUSDT", "BTC/USD", "X:BTCUSD", "BRK.B", "^GSPC", "EURUSD=X"}) {
    EXPECT_EQ(Read("source: lake\ntimeframe: 1h\nsymbols: ['" + std::string(good) + "']\n")
                  .symbols.front(),
              good);
  }
  for (const char* bad : {"", " ", "a b", "..", ".hidden", "a\\b", "Ä", "a,b", "a%2Fb"}) {
    const std::string refusal =
        Refusal("source: lake\ntimeframe: 1h\nsymbols: ['" + std::string(bad) + "']\n");
    EXPECT_NE(refusal.find("recipe.yaml:3 (symbols): \"" + std::string(bad) + "\" is no symbol"),
              std::string::npos)
        << bad << ": " << refusal;
  }
}

TEST(DataSectionTest, RefusesWhatCannotBe) {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"source: lake\nsymbols: [A]\n", "timeframe"},
      {"source: lake\nsymbols: [A]\ntimeframe: 7m\n", "the timeframes are 1m 3m 5m"},
      {"source: lake\ntimeframe: 1h\n", "symbols"},
      {kLake + "from: 2024-01-01\nto: 2024-01-01\n", "is not after from"},
      {kLake + "fill: linear\n", "one of none, forward"},
      {"source: simulator\nsymbols: [A]\ntimeframe: 1h\nfrom: 2023-01-01\n", "lacks from or to"},
      {"source: binance\nsymbols: [A]\ntimeframe: 1h\nto: 2023-01-01\n", "lacks from or to"},
      {"source: simulator\nsymbols: [A]\ntimeframe: 1h\nfrom: 2019-12-31\nto: 2023-01-01\n",
       "it began on 2020-01-01"},
      {kSimulator + "market: nyse\n", "cannot be chosen for the simulator"},
      {kSimulator + "simulator: {correlation: 1}\n", "correlation"},
      {kSimulator + "simulator: {jumps_per_year: -1}\n", "at least 0"},
      {kLake + "simulator: {sed: 1}\n", "did you mean \"seed\"?"},
      {kLake + "requests_per_minute: 0\n", "from 1 to 100000"},
  };
  for (const auto& [yaml, says] : rows) {
    const std::string refusal = Refusal(yaml);
    EXPECT_NE(refusal.find(says), std::string::npos) << yaml << refusal;
    EXPECT_EQ(refusal.rfind("recipe.yaml", 0), 0u) << refusal;
  }
}

}  // namespace
}  // namespace almanac
