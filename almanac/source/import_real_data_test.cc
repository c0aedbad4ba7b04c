// Imports the real data of the shared folder: counts and values are those of an independent reading
// (awk and tail over the unpacked files).

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "almanac/base/places_for_test.h"
#include "almanac/base/text.h"
#include "almanac/source/import_paths.h"
#include "almanac/source/test_files.h"

namespace almanac {
namespace {

namespace fs = std::filesystem;
using test::MemoryLake;

const fs::path kData = SourceFolder() / "../shared/data";

class RealData : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(kData / "crypto")) GTEST_SKIP() << "the shared data folder is not there";
  }
  ImportReport Import(const std::string& path) {
    lake_.series.clear();
    const ImportPaths paths = ExpandImportPaths({kData / path});
    return ImportCandles(lake_.opener(), paths.files, {}, NoProgress());
  }
  MemoryLake lake_;
};

TEST_F(RealData, Spot30m) {
  const ImportReport report = Import("crypto/spot_30m");
  ASSERT_EQ(report.series.size(), 5u);
  EXPECT_EQ(report.bad_line_count, 0);
  for (const ImportedSeries& series : report.series) {
    EXPECT_EQ(series.bars, 87'602);
    EXPECT_EQ(series.key.timeframe.name(), "30m");
  }
  EXPECT_EQ(ToString(report.series[1].key), "import BTCUSDT 30m");
  EXPECT_EQ(report.series[1].from, 1600560000000);
  EXPECT_EQ(report.series[1].to, 1758322800000);
  EXPECT_EQ(lake_.Of("BTCUSDT").at(1758322800000).close, 115468.5);
  EXPECT_EQ(lake_.Of("BTCUSDT").at(1600560000000).volume, 720.862188);
}

TEST_F(RealData, PerpetualsByMinute) {
  const ImportReport report = Import("crypto/perp_1m");
  ASSERT_EQ(report.series.size(), 3u);
  EXPECT_EQ(report.series[0].bars, 43'199);
  EXPECT_EQ(ToString(report.series[1].key), "import ETHUSDT 1m");
  EXPECT_EQ(report.series[1].bars, 60'191);
  EXPECT_EQ(lake_.Of("ETHUSDT").at(1749984180000).volume, 1248.976);
}

TEST_F(RealData, Spot5mAndSpot1h) {
  EXPECT_EQ(Import("crypto/spot_5m").bars, 3 * 96'480);
  EXPECT_EQ(Import("crypto/spot_1h").bars, 5 * 43'803);
}

// Raw answers of the exchange, symbol and timeframe in the names of their folders.
TEST_F(RealData, BinanceAnswers) {
  const ImportReport report = Import("crypto/binance_rest");
  EXPECT_EQ(report.bad_line_count, 0);
  std::vector<std::string> found;
  for (const ImportedSeries& series : report.series) {
    found.push_back(ToString(series.key) + " " + std::to_string(series.bars));
  }
  EXPECT_EQ(found,
            (std::vector<std::string>{
                "import BTCUSDT 15m 24192", "import BTCUSDT 1h 5832", "import BTCUSDT 1d 2328",
                "import ETHUSDT 15m 24192", "import ETHUSDT 1h 5832", "import ETHUSDT 1d 2328",
                "import SOLUSDT 15m 24192", "import SOLUSDT 1h 5832", "import SOLUSDT 1d 1238"}));
  for (const ImportedFile& file : report.files) EXPECT_EQ(file.form, "JSON") << file.path;
  const SeriesKey daily{"import", "ETHUSDT", Timeframe::Parse("1d")};
  const Candle bar = lake_.series.at(daily).at(1577836800000);
  EXPECT_EQ(bar.close, 130.77);
  EXPECT_EQ(bar.volume, 144770.52197);
  EXPECT_EQ(bar.trade_count, 75888);
}

TEST_F(RealData, DailyBarsOf351Companies) {
  const ImportReport report = Import("equities/daily_2018_2021.csv.zst");
  EXPECT_EQ(report.series.size(), 351u);
  EXPECT_EQ(report.bars, 351'614);
  EXPECT_EQ(report.bad_line_count, 0);
  EXPECT_EQ(report.files[0].contradictions, 0);
  EXPECT_EQ(report.series.front().key.timeframe.name(), "1d");
  EXPECT_EQ(lake_.Of("ZTS").at(*ParseTime("2021-12-31")).close, 244.03);
}

}  // namespace
}  // namespace almanac
