#include "almanac/source/import_time.h"

#include <gtest/gtest.h>

#include "almanac/base/error.h"

namespace almanac {
namespace {

constexpr TimeMs kNewYear2025 = 1735689600000;

std::optional<TimeMs> ReadOne(const std::string& text, std::optional<TimeUnit> unit = {}) {
  const auto reader = TimeReader::Detect({text}, unit);
  return reader ? reader->Read(text) : std::nullopt;
}

TEST(ImportTime, TellsTheUnitFromTheMagnitude) {
  EXPECT_EQ(ReadOne("1735689600"), kNewYear2025);
  EXPECT_EQ(ReadOne("1735689600000"), kNewYear2025);
  EXPECT_EQ(ReadOne("1735689600000000"), kNewYear2025);
  EXPECT_EQ(ReadOne("1735689600000000000"), kNewYear2025);
  EXPECT_EQ(ReadOne("1735689600.0"), kNewYear2025);
  EXPECT_EQ(ReadOne("1735689600.250"), kNewYear2025 + 250);
  EXPECT_EQ(ReadOne("1735689600000.0"), kNewYear2025);
}

TEST(ImportTime, ReadsIsoTimesAndCompactDates) {
  EXPECT_EQ(ReadOne("2025-01-01"), kNewYear2025);
  EXPECT_EQ(ReadOne("2025-01-01T00:00:00Z"), kNewYear2025);
  EXPECT_EQ(ReadOne("2025-01-01 00:00"), kNewYear2025);
  EXPECT_EQ(ReadOne("2025-01-01 00:00:00+00:00"), kNewYear2025);
  EXPECT_EQ(ReadOne("2024-12-31 19:00:00-05:00"), kNewYear2025);
  EXPECT_EQ(ReadOne("2025-01-01 00:00:00 UTC"), kNewYear2025);
  EXPECT_EQ(ReadOne("20250101"), kNewYear2025);
}

TEST(ImportTime, AGivenUnitTakesAnyMagnitude) {
  EXPECT_EQ(ReadOne("0", TimeUnit::kSeconds), 0);
  EXPECT_EQ(ReadOne("-86400", TimeUnit::kSeconds), -86400000);
  EXPECT_EQ(ReadOne("20250101", TimeUnit::kSeconds), 20250101000);
  EXPECT_EQ(ReadOne("5000000", TimeUnit::kMicroseconds), 5000);
}

TEST(ImportTime, IsNotATime) {
  for (const char* text :
       {"", "0", "17", "99999999", "abc", "2025-13-01", "2025-02-30", "01/02/2025", "1.7e12",
        "1735689600,5", "12:30", "9999999999999999999", "99999999999999999999999", "20251301x"}) {
    EXPECT_EQ(ReadOne(text), std::nullopt) << text;
  }
}

TEST(ImportTime, TheMostCommonFormOfTheFirstTimesIsTheFiles) {
  const auto reader =
      TimeReader::Detect({"oops", "1735689600000000", "1735689600", "1735689660"}, {});
  ASSERT_TRUE(reader);
  EXPECT_EQ(reader->name(), "seconds");
  EXPECT_EQ(reader->Read("1735689600000000"), std::nullopt);
  EXPECT_EQ(reader->WhyNot("1735689600000000"),
            "the time '1735689600000000' is written as microseconds, the file's first ones as "
            "seconds");
  EXPECT_EQ(reader->WhyNot("2025-01-01"),
            "the time '2025-01-01' is written as ISO 8601, the file's first ones as seconds");
  EXPECT_EQ(reader->WhyNot("abc"), "'abc' is not a time");
  EXPECT_EQ(reader->WhyNot(""), "the time is missing");
  EXPECT_EQ(reader->WhyNot("5"), "the time 5 is too small to tell its unit");
}

TEST(ImportTime, RefusesFractionsOfAMillisecondAndFarYears) {
  const auto micro = TimeReader::Detect({"1735689600000000"}, {});
  EXPECT_EQ(micro->Read("1735689600000001"), std::nullopt);
  EXPECT_EQ(micro->WhyNot("1735689600000001"),
            "the time 1735689600000001 has a fraction of a millisecond");
  EXPECT_EQ(ReadOne("1735689600.0005"), std::nullopt);
  EXPECT_EQ(ReadOne("9900000000"), std::nullopt);  // the year 2283
  EXPECT_EQ(ReadOne("2300-01-01"), std::nullopt);
  EXPECT_EQ(ReadOne("1899-12-31"), std::nullopt);
  EXPECT_EQ(ReadOne("1900-01-01"), StartOfDate({1900, 1, 1}));
}

TEST(ImportTime, KnowsADateFromATime) {
  const auto iso = TimeReader::Detect({"2025-01-01"}, {});
  EXPECT_TRUE(iso->IsDateOnly("2025-01-01"));
  EXPECT_FALSE(iso->IsDateOnly("2025-01-01T16:05:00Z"));
}

TEST(ImportTime, UnitsHaveNames) {
  EXPECT_EQ(ParseTimeUnit("us"), TimeUnit::kMicroseconds);
  EXPECT_EQ(ParseTimeUnit("s"), TimeUnit::kSeconds);
  EXPECT_THROW(ParseTimeUnit("minutes"), Error);
}

}  // namespace
}  // namespace almanac
