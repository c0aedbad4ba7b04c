#include "almanac/evaluate/p_value.h"

#include <gtest/gtest.h>

#include <cmath>

namespace almanac {
namespace {

TEST(FormatPValue, ShowsOnWhichSideOfFivePercentItLies) {
  EXPECT_EQ(FormatPValue(0.412), "p = 0.41");
  EXPECT_EQ(FormatPValue(0.0004), "p < 0.001");
  EXPECT_EQ(FormatPValue(0.0032), "p = 0.003");
  EXPECT_EQ(FormatPValue(0.0496), "p = 0.0496");
  EXPECT_EQ(FormatPValue(0.0512), "p = 0.0512");
  EXPECT_EQ(FormatPValue(1), "p > 0.99");
  EXPECT_EQ(FormatPValue(NAN), "p not defined");
}

}  // namespace
}  // namespace almanac
