#include "almanac/base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "almanac/base/random.h"

namespace almanac {
namespace {

using testing::ElementsAre;

TEST(FormatCountTest, PutsACommaBeforeEveryThirdDigit) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(1000), "1,000");
  EXPECT_EQ(FormatCount(87602), "87,602");
  EXPECT_EQ(FormatCount(-100), "-100");
  EXPECT_EQ(FormatCount(-1234567), "-1,234,567");
  EXPECT_EQ(FormatCount(std::numeric_limits<int64_t>::min()), "-9,223,372,036,854,775,808");
}

TEST(FormatBytesTest, PicksTheUnitAfterRounding) {
  EXPECT_EQ(FormatBytes(0), "0 B");
  EXPECT_EQ(FormatBytes(999), "999 B");
  EXPECT_EQ(FormatBytes(1000), "1.0 kB");
  EXPECT_EQ(FormatBytes(1549), "1.5 kB");
  EXPECT_EQ(FormatBytes(999'949), "999.9 kB");
  EXPECT_EQ(FormatBytes(999'950), "1.0 MB");
  EXPECT_EQ(FormatBytes(-3'000'000'000), "-3.0 GB");
  EXPECT_EQ(FormatBytes(std::numeric_limits<int64_t>::max()), "9.2 EB");
}

TEST(SplitTest, KeepsEmptyParts) {
  EXPECT_THAT(Split("a,b", ','), ElementsAre("a", "b"));
  EXPECT_THAT(Split("a,,b,", ','), ElementsAre("a", "", "b", ""));
  EXPECT_THAT(Split("", ','), ElementsAre(""));
  EXPECT_THAT(Split(",", ','), ElementsAre("", ""));
}

TEST(JoinTest, UndoesSplit) {
  EXPECT_EQ(Join({}, ", "), "");
  EXPECT_EQ(Join({"a"}, ", "), "a");
  EXPECT_EQ(Join({"a", "", "b"}, ", "), "a, , b");
}

TEST(TrimTest, TakesBlanksOffBothEnds) {
  EXPECT_EQ(Trim(""), "");
  EXPECT_EQ(Trim(" \t\r\n"), "");
  EXPECT_EQ(Trim("\ta b\r\n"), "a b");
}

TEST(CaseTest, ChangesAsciiOnly) {
  EXPECT_EQ(ToLower("AbZ_9\xC3\x84"), "abz_9\xC3\x84");
  EXPECT_EQ(ToUpper("aBz_9\xC3\xA4"), "ABZ_9\xC3\xA4");
}

TEST(ParseDoubleTest, ReadsDecimalNumbers) {
  EXPECT_EQ(ParseDouble("0"), 0.0);
  EXPECT_EQ(ParseDouble("-0.5"), -0.5);
  EXPECT_EQ(ParseDouble("+2e-3"), 0.002);
  EXPECT_EQ(ParseDouble(".5"), 0.5);
  EXPECT_EQ(ParseDouble("5."), 5.0);
  EXPECT_EQ(ParseDouble("1E3"), 1000.0);
  EXPECT_EQ(ParseDouble("1.7976931348623157e308"), std::numeric_limits<double>::max());
  EXPECT_EQ(ParseDouble("5e-324"), std::numeric_limits<double>::denorm_min());
}

TEST(ParseDoubleTest, RoundsCorrectly) {
  // Halfway cases: 2^53 + 1 ties to even; one more digit decides upwards.
  EXPECT_EQ(ParseDouble("9007199254740993"), 9007199254740992.0);
  EXPECT_EQ(ParseDouble("9007199254740993.00000000000000000000000000001"), 9007199254740994.0);
  // The text that once hung PHP and Java.
  EXPECT_EQ(ParseDouble("2.2250738585072012e-308"), 0x1p-1022);
}

TEST(ParseDoubleTest, RefusesEverythingElse) {
  for (const char* text : {"",    "+",    "-",        ".",      "e5",    "1e",     "1 ",   " 1",
                           "1x",  "0x10", "1,5",      "+-1",    "--1",   "++1",    "inf",  "-inf",
                           "nan", "NaN",  "infinity", "nan(1)", "1e400", "1e-400", "1_000"}) {
    EXPECT_EQ(ParseDouble(text), std::nullopt) << text;
  }
}

TEST(ParseInt64Test, ReadsTheWholeRange) {
  EXPECT_EQ(ParseInt64("0"), 0);
  EXPECT_EQ(ParseInt64("+7"), 7);
  EXPECT_EQ(ParseInt64("-12"), -12);
  EXPECT_EQ(ParseInt64("010"), 10);
  EXPECT_EQ(ParseInt64("9223372036854775807"), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(ParseInt64("-9223372036854775808"), std::numeric_limits<int64_t>::min());
}

TEST(ParseInt64Test, RefusesEverythingElse) {
  for (const char* text : {"", "+", "-", "1e3", "1.0", "0x10", " 1", "1 ", "+-1", "1_000",
                           "9223372036854775808", "-9223372036854775809"}) {
    EXPECT_EQ(ParseInt64(text), std::nullopt) << text;
  }
}

TEST(ParseInt64Test, RoundTripsRandomNumbers) {
  Random random(11);
  for (int i = 0; i < 2000; ++i) {
    const auto value = static_cast<int64_t>(random.Next() >> random.Below(64));
    EXPECT_EQ(ParseInt64(std::to_string(value)), value);
  }
}

}  // namespace
}  // namespace almanac
