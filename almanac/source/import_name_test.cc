#include "almanac/source/import_name.h"

#include <gtest/gtest.h>

namespace almanac {
namespace {

// "SYMBOL TIMEFRAME", '-' for what the name does not say.
std::string Facts(const std::string& path) {
  const NameFacts facts = ReadName("/nowhere/" + path);
  return facts.symbol.value_or("-") + " " + (facts.timeframe ? facts.timeframe->name() : "-");
}

TEST(ImportName, ReadsSymbolAndTimeframeFromTheFile) {
  EXPECT_EQ(Facts("BTCUSDT.csv"), "BTCUSDT -");
  EXPECT_EQ(Facts("BTCUSDT.csv.zst"), "BTCUSDT -");
  EXPECT_EQ(Facts("BTCUSDT.CSV.GZ"), "BTCUSDT -");
  EXPECT_EQ(Facts("BTCUSDT-1h-2024-01.csv"), "BTCUSDT 1h");
  EXPECT_EQ(Facts("BTCUSDT-1m-2024-01-31.csv"), "BTCUSDT 1m");
  EXPECT_EQ(Facts("BTC_USDT-5m.json"), "BTC_USDT 5m");
  EXPECT_EQ(Facts("BTC_USDT_USDT-5m-futures.json"), "BTC_USDT_USDT 5m");
  EXPECT_EQ(Facts("AAPL_1min_20200101.csv"), "AAPL 1m");
  EXPECT_EQ(Facts("AAPL_1H.csv"), "AAPL 1h");
  EXPECT_EQ(Facts("BRK.B.csv"), "BRK.B -");
  EXPECT_EQ(Facts("BF-B.csv"), "BF-B -");
  EXPECT_EQ(Facts("SPY_2020_2021.csv"), "SPY -");
  EXPECT_EQ(Facts("btcusdt.csv"), "btcusdt -");
  EXPECT_EQ(Facts("1INCHUSDT-1d.csv"), "1INCHUSDT 1d");
}

TEST(ImportName, AsksTheFoldersForWhatTheFileDoesNotSay) {
  EXPECT_EQ(Facts("spot_30m/BTCUSDT.csv.zst"), "BTCUSDT 30m");
  EXPECT_EQ(Facts("BTCUSDT/1h/2025-01-01.json.zst"), "BTCUSDT 1h");
  EXPECT_EQ(Facts("klines/BTCUSDT/1m/BTCUSDT-1m-2024-01.csv"), "BTCUSDT 1m");
  EXPECT_EQ(Facts("4h/BTCUSDT-1m.csv"), "BTCUSDT 1m");
  EXPECT_EQ(Facts("ETHUSDT/2024/01/31.csv"), "ETHUSDT -");
}

TEST(ImportName, WordsThatAreNoSymbols) {
  EXPECT_EQ(Facts("data.csv"), "- -");
  EXPECT_EQ(Facts("prices-1h.csv"), "- 1h");
  EXPECT_EQ(Facts("daily_2018_2021.csv.zst"), "- 1d");
  EXPECT_EQ(Facts("some words.csv"), "- -");
  EXPECT_EQ(Facts("equities/2020.csv"), "- -");
  // The folders of Binance's site say how the dumps are cut, not how long bars are.
  EXPECT_EQ(Facts("daily/klines/BTCUSDT.csv"), "BTCUSDT -");
}

TEST(ImportName, LengthsThatAlmanacDoesNotHave) {
  EXPECT_EQ(ReadName("BTCUSDT-1M-2024.csv").unknown_length, "1M");
  EXPECT_EQ(ReadName("BTCUSDT-3d.csv").unknown_length, "3d");
  EXPECT_EQ(ReadName("BTCUSDT-1s-2024-01-01.csv").unknown_length, "1s");
  EXPECT_EQ(ReadName("BTCUSDT-1m.csv").unknown_length, "");
  EXPECT_EQ(ReadName("BTCUSDT-1M-2024.csv").symbol, "BTCUSDT");
}

TEST(ImportName, DataExtensions) {
  EXPECT_EQ(DataExtension("a.csv"), "csv");
  EXPECT_EQ(DataExtension("a.JSON.zst"), "json");
  EXPECT_EQ(DataExtension("a.tsv.gz"), "tsv");
  EXPECT_EQ(DataExtension("a.zip"), "");
  EXPECT_EQ(DataExtension("csv"), "");
  EXPECT_EQ(DataExtension("a.csv.zip"), "");
}

TEST(ImportName, Symbols) {
  for (const char* good :
       {"BTCUSDT", "BRK.B", "BTC/USDT", "BTC/USDT:USDT", "^GSPC", "EURUSD=X", "A"}) {
    EXPECT_TRUE(IsSymbol(good)) << good;
  }
  for (const char* bad : {"", "..", ".hidden", "A B", "A\"B", "A,B", "\xc3\xa9", "A\nB"}) {
    EXPECT_FALSE(IsSymbol(bad)) << bad;
  }
  EXPECT_FALSE(IsSymbol(std::string(65, 'A')));
}

}  // namespace
}  // namespace almanac
