#include "almanac/report/pictures.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/report/gnuplot.h"
#include "almanac/report/sample_report.h"

namespace almanac {
namespace {

namespace fs = std::filesystem;

using testing::HasSubstr;

class PicturesTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  // An executable script that stands for gnuplot.
  fs::path FakeGnuplot(const std::string& body) const {
    fs::path path = folder_ / "fake";
    WriteFileAtomic(path, "#!/bin/sh\n" + body);
    fs::permissions(path, fs::perms::owner_all);
    return path;
  }

  // What WritePictures says when it uses that program.
  std::string Failure(const PictureOptions& options) const {
    try {
      WritePictures(MakeSampleReport(400), folder_ / "pictures", options);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kFailed);
      return error.what();
    }
    ADD_FAILURE() << "it did not fail";
    return "";
  }

  size_t EntriesOf(const fs::path& folder) const {
    if (!fs::exists(folder)) return 0;
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder), {}));
  }

  fs::path folder_;
};

// Width and height from the header of a PNG; fails if it is none.
std::pair<unsigned, unsigned> SizeOfPng(const std::string& bytes) {
  EXPECT_TRUE(bytes.starts_with("\x89PNG\r\n\x1a\n"));
  EXPECT_GT(bytes.size(), 10'000U) << "nothing seems to be drawn";
  const auto number = [&](size_t at) {
    unsigned value = 0;
    for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
    return value;
  };
  return {number(16), number(20)};
}

TEST_F(PicturesTest, DrawsEveryPicture) {
  if (!HasGnuplot()) GTEST_SKIP() << "gnuplot is not installed";
  PictureOptions options;
  options.width = 900;
  const auto paths = WritePictures(MakeSampleReport(), folder_ / "new" / "pictures", options);
  std::vector<std::string> names;
  for (const fs::path& path : paths) {
    names.push_back(path.filename());
    EXPECT_EQ(SizeOfPng(ReadFile(path)).first, 900U) << path;
  }
  EXPECT_THAT(names, testing::ElementsAre("forecast_vs_actual.png", "candles.png",
                                          "error_distribution.png", "equity.png"));
  EXPECT_EQ(EntriesOf(folder_ / "new" / "pictures"), 4U) << "nothing else is left behind";
}

TEST_F(PicturesTest, TheSameDataGivesTheSameBytes) {
  if (!HasGnuplot()) GTEST_SKIP() << "gnuplot is not installed";
  const ReportData data = MakeSampleReport(400);
  const auto first = WritePictures(data, folder_ / "a");
  const auto second = WritePictures(data, folder_ / "b");
  ASSERT_EQ(first.size(), second.size());
  for (size_t i = 0; i < first.size(); ++i) EXPECT_EQ(ReadFile(first[i]), ReadFile(second[i]));
}

TEST_F(PicturesTest, DrawsOnlyWhatThereIsDataFor) {
  if (!HasGnuplot()) GTEST_SKIP() << "gnuplot is not installed";
  EXPECT_TRUE(WritePictures({}, folder_ / "none").empty());
  ReportData data = MakeSampleReport(400);
  data.errors.clear();
  data.equity = {};
  data.markets[0].forecasts.clear();
  const auto paths = WritePictures(data, folder_);
  ASSERT_EQ(paths.size(), 1U);
  EXPECT_EQ(paths[0].filename(), "candles.png");
}

TEST_F(PicturesTest, SeveralMarketsHaveFilesOfTheirOwn) {
  if (!HasGnuplot()) GTEST_SKIP() << "gnuplot is not installed";
  ReportData data = MakeSampleReport(400);
  data.errors.clear();
  data.equity = {};
  data.markets.resize(4, data.markets[0]);
  data.markets[1].bars.key.symbol = "BRK.B";
  data.markets[2].bars.key.symbol = "../x y";
  PictureOptions options;
  options.max_markets = 3;
  std::vector<std::string> names;
  for (const fs::path& path : WritePictures(data, folder_, options)) {
    EXPECT_EQ(path.parent_path(), folder_);
    names.push_back(path.filename());
  }
  EXPECT_THAT(names, testing::ElementsAre("forecast_vs_actual_BTCUSDT.png", "candles_BTCUSDT.png",
                                          "forecast_vs_actual_BRK.B.png", "candles_BRK.B.png",
                                          "forecast_vs_actual_.._x_y.png", "candles_.._x_y.png"));
}

TEST_F(PicturesTest, NamesAreOnlyText) {
  if (!HasGnuplot()) GTEST_SKIP() << "gnuplot is not installed";
  ReportData data = MakeSampleReport(400);
  const std::string nasty =
      "it's `touch " + (folder_ / "broken").string() + "` \"_{x}\\\n' ; exit 1";
  data.markets[0].bars.key.symbol = data.markets[0].currency = data.equity.currency = nasty;
  for (ReportForecast& forecast : data.markets[0].forecasts) forecast.model = nasty;
  for (ReportErrors& errors : data.errors) errors.model = nasty;
  for (ReportCurve& curve : data.equity.curves) curve.name = nasty;
  EXPECT_EQ(WritePictures(data, folder_).size(), 4U);
  EXPECT_FALSE(fs::exists(folder_ / "broken"));
}

TEST_F(PicturesTest, ErrorsThatDoNotVaryCanBeDrawn) {
  if (!HasGnuplot()) GTEST_SKIP() << "gnuplot is not installed";
  ReportData data;
  data.errors = {{"perfect", false, std::vector<double>(50, 0.0), NumberFormat::kPercent},
                 {"one", false, {0.1}, NumberFormat::kPercent}};
  EXPECT_EQ(WritePictures(data, folder_).size(), 1U);
}

TEST_F(PicturesTest, MissingProgramNamesTheRemedy) {
  PictureOptions options;
  options.gnuplot = "no-such-gnuplot";
  EXPECT_FALSE(HasGnuplot(options));
  const std::string message = Failure(options);
  EXPECT_THAT(message, HasSubstr("'no-such-gnuplot' was not found"));
  EXPECT_THAT(message, HasSubstr("apt-get install gnuplot-nox"));
  EXPECT_EQ(EntriesOf(folder_ / "pictures"), 0U);
}

TEST_F(PicturesTest, FailureCarriesTheProgramsWords) {
  PictureOptions options;
  options.gnuplot = FakeGnuplot("echo 'line 3: undefined variable: x' >&2\nexit 7\n");
  const std::string message = Failure(options);
  EXPECT_THAT(message, HasSubstr("ended with status 7"));
  EXPECT_THAT(message, HasSubstr("line 3: undefined variable: x"));
  EXPECT_EQ(EntriesOf(folder_ / "pictures"), 0U);
}

TEST_F(PicturesTest, DeathBySignalAndMissingPicturesAreFailures) {
  PictureOptions options;
  options.gnuplot = FakeGnuplot("kill -9 $$\n");
  EXPECT_THAT(Failure(options), HasSubstr("died of signal 9: it wrote nothing"));
  options.gnuplot = FakeGnuplot("exit 0\n");
  EXPECT_THAT(Failure(options), HasSubstr("did not draw forecast_vs_actual.png"));
}

TEST_F(PicturesTest, AProgramThatHangsIsEnded) {
  PictureOptions options;
  options.gnuplot = FakeGnuplot("exec sleep 60\n");
  options.time_limit = 50;
  EXPECT_THAT(Failure(options), HasSubstr("ran longer than 50ms"));
}

TEST(GnuplotTest, QuotesStrings) {
  EXPECT_EQ(GnuplotString("it's \"x\" `y` \n z"), "'it''s \"x\" `y`   z'");
}

TEST(GnuplotTest, FindsPrograms) {
  EXPECT_TRUE(FindProgram("sh").has_value());
  EXPECT_TRUE(FindProgram("/bin/sh").has_value());
  EXPECT_FALSE(FindProgram("/bin").has_value());
  EXPECT_FALSE(FindProgram("").has_value());
}

TEST_F(PicturesTest, GnuplotsOwnErrorsAreReported) {
  if (!HasGnuplot()) GTEST_SKIP() << "gnuplot is not installed";
  try {
    RunGnuplot("gnuplot", folder_, "plot sin(\n", kMsPerMinute);
    FAIL() << "a broken script was accepted";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("script.gp"));
    EXPECT_THAT(error.what(), HasSubstr("line 1"));
  }
}

}  // namespace
}  // namespace almanac
