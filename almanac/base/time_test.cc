#include "almanac/base/time.h"

#include <gtest/gtest.h>

#include <ctime>

#include "almanac/base/random.h"

namespace almanac {
namespace {

constexpr TimeMs kNewYear2024 = 1704067200000;

TEST(TimeTest, WeekdaysOfKnownDates) {
  struct Known {
    CivilDate date;
    int weekday;
  };
  // The moon landing, the Wall Street crash of 1929, the Unix epoch, a leap day, Gauss's birth.
  for (const Known& known :
       {Known{{1969, 7, 20}, 6}, Known{{1929, 10, 29}, 1}, Known{{1970, 1, 1}, 3},
        Known{{2024, 2, 29}, 3}, Known{{1777, 4, 30}, 2}, Known{{2000, 1, 1}, 5}}) {
    EXPECT_EQ(Weekday(StartOfDate(known.date)), known.weekday) << known.date.year;
    EXPECT_EQ(Weekday(StartOfDate(known.date) + kMsPerDay - 1), known.weekday);
  }
}

TEST(TimeTest, DatesAgreeWithTheCLibrary) {
  Random random(1);
  for (int i = 0; i < 20'000; ++i) {
    // The years -2000 to 6000, milliseconds included.
    const TimeMs time =
        static_cast<TimeMs>(random.Below(uint64_t{252'460'800'000'000})) - 125'000'000'000'000;
    std::time_t seconds = static_cast<std::time_t>(time / 1000 - (time % 1000 < 0));
    std::tm civil{};
    gmtime_r(&seconds, &civil);
    const CivilDate expected{civil.tm_year + 1900, civil.tm_mon + 1, civil.tm_mday};
    ASSERT_EQ(DateOf(time), expected) << time;
    ASSERT_EQ(Weekday(time), (civil.tm_wday + 6) % 7) << time;
    ASSERT_EQ(DaysFromCivil(expected), StartOfDate(expected) / kMsPerDay);
    ASSERT_LE(StartOfDate(expected), time);
    ASSERT_LT(time - StartOfDate(expected), kMsPerDay);
  }
}

TEST(TimeTest, EveryDayOfFourCenturiesRoundTrips) {
  CivilDate before = CivilFromDays(-1);
  for (int64_t day = 0; day < 146097; ++day) {
    const CivilDate date = CivilFromDays(day);
    ASSERT_EQ(DaysFromCivil(date), day);
    ASSERT_TRUE(IsValidDate(date));
    // The calendar goes on by one day at a time.
    const bool same_month = date.month == before.month && date.day == before.day + 1;
    ASSERT_TRUE(same_month || date.day == 1);
    before = date;
  }
  EXPECT_EQ(CivilFromDays(146097), (CivilDate{2370, 1, 1}));
}

TEST(TimeTest, KnowsWhichDatesExist) {
  EXPECT_TRUE(IsValidDate({2024, 2, 29}));
  EXPECT_TRUE(IsValidDate({2000, 2, 29}));
  EXPECT_FALSE(IsValidDate({2023, 2, 29}));
  EXPECT_FALSE(IsValidDate({1900, 2, 29}));
  EXPECT_FALSE(IsValidDate({2024, 4, 31}));
  EXPECT_FALSE(IsValidDate({2024, 0, 1}));
  EXPECT_FALSE(IsValidDate({2024, 13, 1}));
  EXPECT_FALSE(IsValidDate({2024, 1, 0}));
}

TEST(TimeTest, FormatsInstants) {
  EXPECT_EQ(FormatTime(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(FormatTime(-1), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(FormatTime(kNewYear2024 + 7), "2024-01-01T00:00:00.007Z");
  EXPECT_EQ(FormatDate(kNewYear2024 - 1), "2023-12-31");
  // The ends of 64 bits are formatted too: they stand in messages about open ranges.
  EXPECT_EQ(FormatTime(kMaxTime), "292278994-08-17T07:12:55.807Z");
  EXPECT_EQ(FormatTime(kMinTime), "-292275055-05-16T16:47:04.192Z");
}

TEST(TimeTest, TextRoundTrips) {
  Random random(2);
  for (int i = 0; i < 20'000; ++i) {
    const TimeMs time = static_cast<TimeMs>(random.Below(uint64_t{253'402'300'800'000}));
    ASSERT_EQ(ParseTime(FormatTime(time)), time);
  }
}

TEST(TimeTest, ReadsIsoTimes) {
  EXPECT_EQ(ParseTime("2024-01-01"), kNewYear2024);
  EXPECT_EQ(ParseTime("2024-01-01T00:00"), kNewYear2024);
  EXPECT_EQ(ParseTime("2024-01-01 00:00:01"), kNewYear2024 + 1000);
  EXPECT_EQ(ParseTime("2024-01-01T00:00:00.5Z"), kNewYear2024 + 500);
  EXPECT_EQ(ParseTime("2024-01-01T00:00:00.123999Z"), kNewYear2024 + 123);
  EXPECT_EQ(ParseTime("2024-01-01T05:30:00+05:30"), kNewYear2024);
  EXPECT_EQ(ParseTime("2023-12-31T19:00:00-0500"), kNewYear2024);
  EXPECT_EQ(ParseTime("2023-12-31T19:00:00-05"), kNewYear2024);
}

TEST(TimeTest, RefusesEverythingElse) {
  for (const char* text : {"",
                           "2024",
                           "2024-1-1",
                           "24-01-01",
                           "2024-02-30",
                           "2024-13-01",
                           "2024/01/01",
                           "01.02.2024",
                           "2024-01-01T",
                           "2024-01-01T24:00",
                           "2024-01-01T00:60",
                           "2024-01-01T00:00:60",
                           "2024-01-01T00:00:00.",
                           "2024-01-01T00:00:00.Z",
                           "2024-01-01T00",
                           "2024-01-01T00:00:00ZZ",
                           "2024-01-01T00:00:00+",
                           "2024-01-01T00:00:00+5",
                           "2024-01-01T00:00:00+24:00",
                           "2024-01-01T00:00:00+05:60",
                           "2024-01-01x",
                           " 2024-01-01",
                           "2024-01-01 ",
                           "now",
                           "1704067200000",
                           "+024-01-01"}) {
    EXPECT_EQ(ParseTime(text), std::nullopt) << text;
  }
}

TEST(TimeTest, RandomTextNeverCrashesTheParsers) {
  constexpr std::string_view kLetters = "0123456789-:.TZ+ smhdw";
  Random random(4);
  for (int i = 0; i < 50'000; ++i) {
    std::string text = i % 2 == 0 ? "2024-01-01T00:00:00.000+00:00" : "";
    for (int change = 0; change < 4; ++change) {
      const size_t at = random.Below(text.size() + 1);
      const char letter = kLetters[random.Below(kLetters.size())];
      if (at < text.size()) {
        text[at] = letter;
      } else {
        text += letter;
      }
    }
    if (const auto time = ParseTime(text)) {
      ASSERT_EQ(ParseTime(FormatTime(*time)), *time) << text;
    }
    if (const auto duration = ParseDuration(text)) {
      ASSERT_GE(*duration, 0) << text;
    }
  }
}

TEST(DurationTest, ReadsANumberAndAUnit) {
  EXPECT_EQ(ParseDuration("250ms"), 250);
  EXPECT_EQ(ParseDuration("90s"), 90'000);
  EXPECT_EQ(ParseDuration("5m"), 300'000);
  EXPECT_EQ(ParseDuration("1h"), kMsPerHour);
  EXPECT_EQ(ParseDuration("7d"), 7 * kMsPerDay);
  EXPECT_EQ(ParseDuration("2w"), 14 * kMsPerDay);
  EXPECT_EQ(ParseDuration("0s"), 0);
  for (const char* text : {"", "5", "m", "-5m", "+5m", "5 m", "5M", "1.5h", "1h30m", "5min",
                           "9223372036854775807w", "99999999999999999999s"}) {
    EXPECT_EQ(ParseDuration(text), std::nullopt) << text;
  }
}

TEST(DurationTest, FormatsTheTwoLargestUnits) {
  EXPECT_EQ(FormatDuration(0), "0s");
  EXPECT_EQ(FormatDuration(250), "250ms");
  EXPECT_EQ(FormatDuration(12'345), "12s");
  EXPECT_EQ(FormatDuration(35 * kMsPerMinute), "35m");
  EXPECT_EQ(FormatDuration(kMsPerDay + 4 * kMsPerHour + 59 * kMsPerMinute), "1d 4h");
  EXPECT_EQ(FormatDuration(kMsPerHour + 5 * kMsPerSecond), "1h");
  EXPECT_EQ(FormatDuration(-90'000), "-1m 30s");
  EXPECT_EQ(FormatDuration(kMinTime), "-106751991167d 7h");
}

TEST(TimeTest, NowIsBetweenTwoReadingsOfTheClock) {
  const std::time_t before = std::time(nullptr);
  const TimeMs now = Now();
  const std::time_t after = std::time(nullptr);
  EXPECT_GE(now, (before - 1) * 1000);
  EXPECT_LE(now, (after + 1) * 1000);
}

}  // namespace
}  // namespace almanac
