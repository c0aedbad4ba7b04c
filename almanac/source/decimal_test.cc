#include "almanac/source/decimal.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <string>

#include "almanac/base/random.h"

namespace almanac {
namespace {

TEST(Decimal, ReadsEveryFormOfANumber) {
  EXPECT_EQ(ParseDecimal("0"), 0.0);
  EXPECT_EQ(ParseDecimal("11080.64"), 11080.64);
  EXPECT_EQ(ParseDecimal("16843.00000000"), 16843.0);
  EXPECT_EQ(ParseDecimal("-0.5"), -0.5);
  EXPECT_EQ(ParseDecimal("+7"), 7.0);
  EXPECT_EQ(ParseDecimal(".5"), 0.5);
  EXPECT_EQ(ParseDecimal("5."), 5.0);
  EXPECT_EQ(ParseDecimal("1e3"), 1000.0);
  EXPECT_EQ(ParseDecimal("2.5E-7"), 2.5e-7);
  EXPECT_EQ(ParseDecimal("0.00000000000000000000001"), 1e-23);
  EXPECT_EQ(ParseDecimal("123456789012345678901234567890"), 123456789012345678901234567890.0);
  EXPECT_TRUE(std::signbit(*ParseDecimal("-0")));
}

TEST(Decimal, RefusesWhatIsNone) {
  for (const char* text :
       {"",      " ",   "-",     "+",     ".",      "-.",   "e5",       "1e",   "1e+",
        "1.2.3", "1,5", "0x10",  "nan",   "inf",    "-inf", "infinity", "1 ",   " 1",
        "--1",   "+-1", "1_000", "1e400", "-1e999", "abc",  "1a",       "\0001"}) {
    EXPECT_EQ(ParseDecimal(text), std::nullopt) << "'" << text << "'";
  }
  EXPECT_EQ(ParseDecimal(std::string_view("1\0", 2)), std::nullopt);
}

// strtod of the C library rounds correctly: the reference for random digits around every limit of
// the fast path (2^53, 19 digits, 22 decimal places).
TEST(Decimal, RoundsCorrectlyAsTheCLibraryDoes) {
  Random random(20240131);
  for (int i = 0; i < 200'000; ++i) {
    std::string text(random.Below(2) == 0 ? "" : "-");
    const uint64_t digits = 1 + random.Below(24);
    for (uint64_t d = 0; d < digits; ++d) text += static_cast<char>('0' + random.Below(10));
    if (random.Below(4) != 0) {
      text.insert(text.size() - random.Below(digits + 1), ".");
      if (text.back() == '.' || text.front() == '.') text += '0';
    }
    if (random.Below(8) == 0) text += fmt::format("e{}", static_cast<int>(random.Below(60)) - 30);
    const auto value = ParseDecimal(text);
    ASSERT_TRUE(value) << text;
    ASSERT_EQ(*value, std::strtod(text.c_str(), nullptr)) << text;
  }
  for (const char* text :
       {"9007199254740991", "9007199254740992", "9007199254740993", "900719925474.0993",
        "9.007199254740993", "0.3", "0.1", "2.2250738585072014e-308"}) {
    EXPECT_EQ(ParseDecimal(text), std::strtod(text, nullptr)) << text;
  }
}

TEST(Decimal, ShortestTextOfADoubleComesBackAsThatDouble) {
  Random random(7);
  for (int i = 0; i < 100'000; ++i) {
    const double value = std::exp(30 * random.Normal());
    ASSERT_EQ(ParseDecimal(fmt::format("{}", value)), value);
  }
}

}  // namespace
}  // namespace almanac
