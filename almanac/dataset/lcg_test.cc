#include "almanac/dataset/lcg.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace almanac {
namespace {

// 214013 * 1 + 2531011 = 2745024, and so on by hand.
TEST(LcgTest, FollowsItsRecurrence) {
  EXPECT_EQ(Lcg(1).Draw31(), 2745024U);
  EXPECT_EQ(Lcg(1).Draw16(), 41U);
  EXPECT_EQ(Lcg(1).DrawFloat(), 41.0F / 32768.0F);
  Lcg random(1);
  random.Draw16();
  EXPECT_EQ(random.Draw31(), (214013U * 2745024U + 2531011U) & 0x7FFFFFFFU);
}

TEST(LcgTest, SamplesAscendingWithoutRepetition) {
  for (const uint32_t count : {0U, 1U, 7U, 60U, 100U, 400U}) {
    Lcg random(9);
    const std::vector<uint32_t> sample = random.Sample(100, count);
    EXPECT_EQ(sample.size(), std::min(count, 100U));
    EXPECT_TRUE(std::is_sorted(sample.begin(), sample.end()));
    EXPECT_EQ(std::adjacent_find(sample.begin(), sample.end()), sample.end());
    EXPECT_TRUE(sample.empty() || sample.back() < 100);
  }
}

TEST(LcgTest, TakingAllDrawsNothing) {
  Lcg random(5), untouched(5);
  random.Sample(10, 10);
  EXPECT_EQ(random.Draw31(), untouched.Draw31());
}

}  // namespace
}  // namespace almanac
