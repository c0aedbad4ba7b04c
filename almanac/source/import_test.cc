// The whole way: files into a lake on disk and out of it again.
#include "almanac/source/import.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "almanac/base/error.h"
#include "almanac/source/import_paths.h"
#include "almanac/source/test_files.h"

namespace almanac {
namespace {

using test::TemporaryFolder;
using testing::HasSubstr;

constexpr TimeMs kStart = 1704067200000;  // 2024-01-01
constexpr const char* kHours =
    "time,open,high,low,close,volume\n2024-01-01T00:00Z,1,1,1,1,1\n2024-01-01T01:00Z,2,2,2,2,2\n";

class Import : public testing::Test {
 protected:
  ImportReport Run(const std::vector<std::filesystem::path>& paths) {
    return ImportFiles(candles_, observations_, paths, options_, NoProgress());
  }
  std::string ErrorOf(const std::vector<std::filesystem::path>& paths, ErrorCode code) {
    try {
      Run(paths);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code);
      return error.what();
    }
    return "no error";
  }

  TemporaryFolder folder_;
  Home home_{folder_.path() / "home"};
  CandleStore candles_{home_};
  ObservationStore observations_{home_};
  ImportOptions options_;
};

TEST_F(Import, BringsBarsIntoTheLakeOnce) {
  options_.market = "binance-spot";
  const auto file = folder_.Write("in/A.csv", kHours);
  EXPECT_EQ(Run({file}).series.at(0).stats.added, 2);
  const CandleSeries series = candles_.Read({"binance-spot", "A", Timeframe::Parse("1h")});
  EXPECT_EQ(series.open_time, (std::vector<TimeMs>{kStart, kStart + kMsPerHour}));
  EXPECT_EQ(series.close, (std::vector<double>{1, 2}));
  const ImportReport again = Run({file});
  EXPECT_EQ(again.series.at(0).stats.added, 0);
  EXPECT_EQ(again.series.at(0).stats.unchanged, 2);
}

TEST_F(Import, ARefusedImportWritesNothingOfAnyFile) {
  folder_.Write("in/A.csv", kHours);
  folder_.Write("in/B.csv", std::string(kHours) + "broken\n");
  EXPECT_THAT(ErrorOf({folder_.path() / "in"}, ErrorCode::kBadData),
              HasSubstr("in/B.csv:4: 1 field"));
  EXPECT_TRUE(candles_.List().empty());
  options_.on_bad = OnBadLine::kSkip;
  const ImportReport report = Run({folder_.path() / "in"});
  EXPECT_EQ(report.bad_line_count, 1);
  EXPECT_EQ(candles_.List().size(), 2u);
}

TEST_F(Import, FoldersAreReadInOrderAndWhatIsNoDataIsNoted) {
  folder_.Write("in/b/B-1h.csv.gz", test::Gzip(kHours));
  folder_.Write("in/a/A-1h.json", "[[1704067200,1,1,1,1,1]]");
  folder_.Write("in/README.md", "notes");
  folder_.Write("in/.hidden/C.csv", "x");
  folder_.Write("in/C-1h.csv.zst", test::Zstd(kHours));
  folder_.Write("in/dump.zip", "PK");
  const ImportReport report = Run({folder_.path() / "in", folder_.path() / "in/C-1h.csv.zst"});
  std::vector<std::string> files, ignored;
  for (const auto& file : report.files) files.push_back(file.path);
  for (const auto& path : report.ignored) ignored.push_back(path.path + ": " + path.reason);
  const std::string in = (folder_.path() / "in").string();
  EXPECT_EQ(files, (std::vector<std::string>{in + "/C-1h.csv.zst", in + "/a/A-1h.json",
                                             in + "/b/B-1h.csv.gz"}));
  EXPECT_EQ(ignored, (std::vector<std::string>{in + "/.hidden: hidden",
                                               in + "/README.md: not a .csv, .tsv or .json file",
                                               in + "/dump.zip: not a .csv, .tsv or .json file",
                                               in + "/C-1h.csv.zst: named twice"}));
}

TEST_F(Import, WrongUse) {
  EXPECT_THAT(ErrorOf({}, ErrorCode::kUsage), HasSubstr("no file was named"));
  EXPECT_THAT(ErrorOf({"/nowhere/at-all.csv"}, ErrorCode::kUsage),
              HasSubstr("/nowhere/at-all.csv: there is no such file or folder"));
  std::filesystem::create_directories(folder_.path() / "empty");
  EXPECT_THAT(ErrorOf({folder_.path() / "empty"}, ErrorCode::kBadData),
              HasSubstr("the folder is empty"));
  const auto note = folder_.Write("notes/README.md", "x");
  EXPECT_THAT(ErrorOf({note.parent_path()}, ErrorCode::kBadData),
              HasSubstr("the folder has no .csv, .tsv or .json file"));
  const auto file = folder_.Write("A.csv", kHours);
  options_.market = "Binance Spot";
  EXPECT_THAT(ErrorOf({file}, ErrorCode::kUsage),
              HasSubstr("'Binance Spot' is no name of a market"));
  options_ = {};
  options_.symbol = "A B";
  EXPECT_THAT(ErrorOf({file}, ErrorCode::kUsage), HasSubstr("'A B' is no symbol"));
  options_ = {};
  options_.columns = {{"price", "Close"}};
  EXPECT_THAT(ErrorOf({file}, ErrorCode::kUsage), HasSubstr("there is no field 'price'"));
  options_.columns = {{"close", "Last"}};
  EXPECT_THAT(ErrorOf({file}, ErrorCode::kBadData),
              HasSubstr("there is no column 'Last' for the close"));
  options_.columns = {{"close", "#9"}};
  EXPECT_THAT(ErrorOf({file}, ErrorCode::kBadData), HasSubstr("the file has 6 columns"));
}

TEST_F(Import, EarningsBecomeObservationsInTheLake) {
  options_.kind = ImportKind::kEarnings;
  const auto file = folder_.Write("earnings.csv",
                                  "symbol,date,eps_estimate,eps_actual\nA,2020-01-02,1,1.5\n"
                                  "A,2020-04-02,,1\n");
  const ImportReport report = Run({file});
  EXPECT_EQ(report.announcements, 2);
  EXPECT_EQ(report.observation_stats.added, 5);
  const auto surprises = observations_.Read("surprise", "event", "A");
  ASSERT_EQ(surprises.size(), 1u);
  EXPECT_EQ(surprises[0].value, 0.5);
  EXPECT_EQ(FormatTime(surprises[0].updated_timestamp), "2020-01-03T05:00:00Z");
  EXPECT_EQ(observations_.Read("is_earnings_day", "event", "A").size(), 2u);
  EXPECT_EQ(Run({file}).observation_stats.unchanged, 5);
}

}  // namespace
}  // namespace almanac
