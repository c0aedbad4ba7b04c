#include "almanac/source/earnings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "almanac/base/error.h"
#include "almanac/base/places_for_test.h"
#include "almanac/source/test_files.h"

namespace almanac {
namespace {

using test::TemporaryFolder;
using testing::HasSubstr;

TimeMs At(const char* text) { return *ParseTime(text); }

EarningsImport Read(const std::string& text, const ImportOptions& options = {}) {
  const TemporaryFolder folder;
  return ReadEarnings({folder.Write("earnings.csv", text)}, options, NoProgress());
}

std::string ErrorOf(const std::string& text) {
  try {
    Read(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadData);
    return error.what();
  }
  return "no error";
}

TEST(Earnings, ADateIsKnownFromTheEndOfThatDayInNewYork) {
  const auto known = [](const char* date) {
    return FormatTime(AnnouncementKnownAt({"A", At(date), true, {}, {}}));
  };
  EXPECT_EQ(known("2021-01-27"), "2021-01-28T05:00:00Z");  // standard time
  EXPECT_EQ(known("2021-07-27"), "2021-07-28T04:00:00Z");  // daylight saving time
  // The clocks changed on 2021-03-14 and 2021-11-07 at 02:00.
  EXPECT_EQ(known("2021-03-13"), "2021-03-14T05:00:00Z");
  EXPECT_EQ(known("2021-03-14"), "2021-03-15T04:00:00Z");
  EXPECT_EQ(known("2021-11-06"), "2021-11-07T04:00:00Z");
  EXPECT_EQ(known("2021-11-07"), "2021-11-08T05:00:00Z");
  EXPECT_EQ(FormatTime(AnnouncementKnownAt({"A", At("2021-01-27T21:05:00Z"), false, {}, {}})),
            "2021-01-27T21:05:00Z");
}

TEST(Earnings, BecomeObservations) {
  const EarningsImport import =
      Read("symbol,date,eps_estimate,eps_actual\r\nAAPL,2015-01-27,0.65,0.77\r\n");
  const TimeMs day = At("2015-01-27"), known = At("2015-01-28T05:00:00Z");
  const std::vector<Observation> due = {
      {day, 1, "bool", known, "AAPL", "is_earnings_day", "event"},
      {day, 0.65, "float", known, "AAPL", "eps_estimate", "event"},
      {day, 0.77, "float", known, "AAPL", "eps_actual", "event"},
      {day, 0.77 - 0.65, "float", known, "AAPL", "surprise", "event"}};
  EXPECT_EQ(import.observations, due);
  EXPECT_EQ(import.report.announcements, 1);
  EXPECT_EQ(import.report.observations, 4);
}

TEST(Earnings, WithoutEstimateOrActualThereIsOnlyTheDay) {
  const EarningsImport import = Read(
      "Ticker;Report Date;Actual;Estimate\nA;2020-01-02;;1\nA;2020-04-02;1;\nA;2020-07-02;;\n"
      "A;2020-10-02;-1;-2.5\n");
  std::vector<std::string> features;
  for (const Observation& observation : import.observations)
    features.push_back(observation.feature);
  EXPECT_EQ(features, (std::vector<std::string>{"is_earnings_day", "is_earnings_day",
                                                "is_earnings_day", "is_earnings_day",
                                                "eps_estimate", "eps_actual", "surprise"}));
  EXPECT_EQ(import.observations.back().value, 1.5);
}

TEST(Earnings, AnHourIsTakenAtItsWordAndMidnightIsNone) {
  const EarningsImport import = Read(
      "symbol,datetime,eps_estimate,eps_actual\n"
      "A,2021-01-27 16:05:00-05:00,1,2\nB,2021-01-27 00:00:00-05:00,1,2\n"
      "C,2021-01-27 00:00:00,1,2\n");
  const auto known = [&](size_t row) {
    return FormatTime(import.observations[4 * row].updated_timestamp);
  };
  EXPECT_EQ(known(0), "2021-01-27T21:05:00Z");
  EXPECT_EQ(known(1), "2021-01-28T05:00:00Z");
  EXPECT_EQ(known(2), "2021-01-28T05:00:00Z");
  EXPECT_EQ(import.observations[0].timestamp, At("2021-01-27T21:05:00Z"));
  EXPECT_EQ(import.observations[4].timestamp, At("2021-01-27"));
}

TEST(Earnings, BadLinesAreRefusedOrSkipped) {
  const std::string text =
      "symbol,date,eps_estimate,eps_actual\nA,2020-01-02,1,1\nA,2020-01-02,1,1\n"
      "A,2020-01-02,1,2\n,2020-01-02,1,1\nA,soon,1,1\nA,2020-01-03,N/A,1\nA,2020-01-03,1\n";
  EXPECT_THAT(ErrorOf(text),
              HasSubstr("earnings.csv:4: A 2020-01-02 has other values than on line 2; "
                        "nothing was imported, there are 5 bad lines"));
  ImportOptions options;
  options.on_bad = OnBadLine::kSkip;
  const EarningsImport import = Read(text, options);
  EXPECT_EQ(import.report.bad_line_count, 5);
  EXPECT_EQ(import.report.files[0].duplicates, 1);
  EXPECT_EQ(import.report.announcements, 1);
  EXPECT_EQ(import.report.bad_lines[1].reason, "the symbol is missing");
  EXPECT_EQ(import.report.bad_lines[2].reason, "'soon' is not a time");
  EXPECT_EQ(import.report.bad_lines[3].reason, "the eps_estimate 'N/A' is not a finite number");
  EXPECT_EQ(import.report.bad_lines[4].reason, "3 field(s) where 4 are due");
}

TEST(Earnings, FilesThatAreNone) {
  EXPECT_THAT(ErrorOf(""), HasSubstr("earnings.csv: the file is empty"));
  EXPECT_THAT(
      ErrorOf("symbol,date,eps\n"),
      HasSubstr("earnings.csv:1: the header has no column for eps_estimate; its columns are "
                "'symbol', 'date', 'eps'"));
  EXPECT_THAT(ErrorOf("[]"), HasSubstr("earnings are read from CSV, this is JSON"));
}

// 205 companies: no NaN, nothing known before the day is over.
TEST(Earnings, ReadsRealAnnouncements) {
  const std::filesystem::path file =
      SourceFolder() / "../shared/data/equities/earnings_2015_2021.csv.zst";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "the shared data folder is not there";
  const EarningsImport import = ReadEarnings({file}, {}, NoProgress());
  EXPECT_EQ(import.report.announcements, 5714);
  EXPECT_EQ(import.report.bad_line_count, 0);
  int64_t surprises = 0;
  std::set<std::string> symbols;
  for (const Observation& observation : import.observations) {
    ASSERT_TRUE(std::isfinite(observation.value));
    ASSERT_GE(observation.updated_timestamp, observation.timestamp + 28 * kMsPerHour);
    surprises += observation.feature == "surprise";
    symbols.insert(observation.symbol);
  }
  EXPECT_EQ(surprises, 5714 - 14);  // 14 lines lack the estimate or the actual value
  EXPECT_EQ(symbols.size(), 205u);
}

}  // namespace
}  // namespace almanac
