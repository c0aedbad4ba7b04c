#include "almanac/base/error.h"

#include <gtest/gtest.h>

namespace almanac {
namespace {

TEST(ErrorTest, MessageLeavesOutWhatWasNotGiven) {
  EXPECT_STREQ(Error(ErrorCode::kUsage, "a.yaml:3", "is 7", "at most 5 is needed").what(),
               "a.yaml:3: is 7; at most 5 is needed");
  EXPECT_STREQ(Error(ErrorCode::kUsage, "a.yaml:3", "is 7").what(), "a.yaml:3: is 7");
  EXPECT_STREQ(Error(ErrorCode::kUsage, "", "is 7", "less").what(), "is 7; less");
  EXPECT_STREQ(Error(ErrorCode::kUsage, "", "is 7").what(), "is 7");
}

TEST(ErrorTest, TheCodeIsTheExitStatus) {
  EXPECT_EQ(Error(ErrorCode::kFailed, "", "x").exit_status(), 1);
  EXPECT_EQ(Error(ErrorCode::kUsage, "", "x").exit_status(), 2);
  EXPECT_EQ(Error(ErrorCode::kBadData, "", "x").exit_status(), 3);
  EXPECT_EQ(Error(ErrorCode::kUnavailable, "", "x").exit_status(), 4);
  EXPECT_EQ(Error(ErrorCode::kInterrupted, "", "x").exit_status(), 130);
}

TEST(ErrorTest, WithinPutsAnOuterPlaceBefore) {
  const Error inner(ErrorCode::kBadData, "line 4", "has 5 fields", "6 are needed");
  const Error outer = inner.Within("btc.csv");
  EXPECT_STREQ(outer.what(), "btc.csv: line 4: has 5 fields; 6 are needed");
  EXPECT_EQ(outer.code(), ErrorCode::kBadData);
  EXPECT_EQ(outer.where(), "btc.csv: line 4");
  EXPECT_EQ(outer.problem(), inner.problem());
  EXPECT_EQ(outer.remedy(), inner.remedy());
  EXPECT_STREQ(Error(ErrorCode::kFailed, "", "x").Within("here").what(), "here: x");
}

}  // namespace
}  // namespace almanac
