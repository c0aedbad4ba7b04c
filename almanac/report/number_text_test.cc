#include "almanac/report/number_text.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace almanac {
namespace {

TEST(NumberTextTest, FormatsByKind) {
  EXPECT_EQ(FormatNumber(0.0012346, NumberFormat::kPlain), "0.001235");
  EXPECT_EQ(FormatNumber(12345.6, NumberFormat::kPlain), "12,346");
  EXPECT_EQ(FormatNumber(1.2345, NumberFormat::kRatio), "1.23");
  EXPECT_EQ(FormatNumber(0.12345, NumberFormat::kPercent), "12.35%");
  EXPECT_EQ(FormatNumber(0.0018123, NumberFormat::kPercent), "0.181%");
  EXPECT_EQ(FormatNumber(0.05, NumberFormat::kSignedPercent), "+5.00%");
  EXPECT_EQ(FormatNumber(-0.05, NumberFormat::kSignedPercent), "-5.00%");
  EXPECT_EQ(FormatNumber(64312.5, NumberFormat::kPrice), "64,312.50");
  EXPECT_EQ(FormatNumber(0.42131, NumberFormat::kPrice), "0.42131");
  EXPECT_EQ(FormatNumber(1234567, NumberFormat::kCount), "1,234,567");
  EXPECT_EQ(FormatNumber(0.0004, NumberFormat::kProbability), "<0.001");
  EXPECT_EQ(FormatNumber(0.051, NumberFormat::kProbability), "0.051");
}

TEST(NumberTextTest, ShowsWhatIsNotANumber) {
  EXPECT_EQ(FormatNumber(kNotANumber, NumberFormat::kPercent), kNoNumber);
  EXPECT_EQ(FormatNumber(std::numeric_limits<double>::infinity(), NumberFormat::kRatio), "∞");
  EXPECT_EQ(FormatNumber(-std::numeric_limits<double>::infinity(), NumberFormat::kRatio), "-∞");
}

TEST(NumberTextTest, ZeroHasNoSign) {
  EXPECT_EQ(FormatNumber(-0.0, NumberFormat::kRatio), "0.00");
  EXPECT_EQ(FormatNumber(-0.001, NumberStyle{NumberFormat::kRatio, 2}), "0.00");
  EXPECT_EQ(FormatNumber(0.00001, NumberStyle{NumberFormat::kSignedPercent, 2}), "0.00%");
}

TEST(NumberTextTest, OneColumnHasOneNumberOfDecimals) {
  const std::array values = {112.4, 0.02, kNotANumber};
  const NumberStyle style = StyleFor(NumberFormat::kPlain, values);
  EXPECT_EQ(FormatNumber(values[0], style), "112.4");
  EXPECT_EQ(FormatNumber(values[1], style), "0.0");
}

TEST(NumberTextTest, ComparedNumbersReadDifferently) {
  const std::array close = {0.0018123, 0.0018119};
  const NumberStyle style = DistinctStyleFor(NumberFormat::kPercent, close);
  EXPECT_EQ(FormatNumber(close[0], style), "0.18123%");
  EXPECT_EQ(FormatNumber(close[1], style), "0.18119%");
  // Equal numbers, and numbers that differ too little to matter, get no endless digits.
  EXPECT_EQ(DistinctStyleFor(NumberFormat::kPercent, std::array{0.5, 0.5}).decimals, 2);
  EXPECT_EQ(DistinctStyleFor(NumberFormat::kPercent, std::array{0.5, 0.5 + 1e-12}).decimals, 5);
}

TEST(NumberTextTest, JsonNumbersAreValidJson) {
  EXPECT_EQ(JsonNumber(0.1), "0.1");
  EXPECT_EQ(JsonNumber(64312.123456), "64312.123");
  EXPECT_EQ(JsonNumber(1e-12), "1e-12");
  EXPECT_EQ(JsonNumber(kNotANumber), "null");
  EXPECT_EQ(JsonNumber(std::numeric_limits<double>::infinity()), "null");
}

TEST(NumberTextTest, MinutesAreUtc) {
  EXPECT_EQ(FormatMinute(StartOfDate({2024, 2, 29}) + 13 * kMsPerHour + 5 * kMsPerMinute + 999),
            "2024-02-29 13:05");
}

}  // namespace
}  // namespace almanac
