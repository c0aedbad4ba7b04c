#include "almanac/market/london.h"

#include <gtest/gtest.h>

#include <string>

namespace almanac {
namespace {

TimeMs At(const std::string& text) { return ParseTime(text).value(); }

// The changes of the tz database's Europe/London (2022g).
TEST(London, ChangesItsClocksAtTheseInstants) {
  struct Year {
    const char* start;
    const char* end;
  };
  for (const Year& year : {Year{"1972-03-19T02:00Z", "1972-10-29T02:00Z"},
                           {"1976-03-21T02:00Z", "1976-10-24T02:00Z"},
                           {"1980-03-16T02:00Z", "1980-10-26T02:00Z"},
                           {"1981-03-29T01:00Z", "1981-10-25T01:00Z"},
                           {"1988-03-27T01:00Z", "1988-10-23T01:00Z"},
                           {"1989-03-26T01:00Z", "1989-10-29T01:00Z"},
                           {"1994-03-27T01:00Z", "1994-10-23T01:00Z"},
                           {"1995-03-26T01:00Z", "1995-10-22T01:00Z"},
                           {"1996-03-31T01:00Z", "1996-10-27T01:00Z"},
                           {"2024-03-31T01:00Z", "2024-10-27T01:00Z"}}) {
    EXPECT_EQ(LondonOffset(At(year.start) - 1), 0) << year.start;
    EXPECT_EQ(LondonOffset(At(year.start)), kMsPerHour) << year.start;
    EXPECT_EQ(LondonOffset(At(year.end) - 1), kMsPerHour) << year.end;
    EXPECT_EQ(LondonOffset(At(year.end)), 0) << year.end;
  }
  EXPECT_EQ(LondonOffset(At("1970-01-01T00:00Z")), kMsPerHour);
  EXPECT_EQ(LondonOffset(At("1971-10-31T02:00Z") - 1), kMsPerHour);
  EXPECT_EQ(LondonOffset(At("1971-10-31T02:00Z")), 0);
}

}  // namespace
}  // namespace almanac
