#include "almanac/market/timeframe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "almanac/base/error.h"

namespace almanac {
namespace {

TimeMs At(std::string_view text) { return ParseTime(text).value(); }

TEST(TimeframeTest, NamesRoundTripAndAscend) {
  std::vector<std::string> names;
  for (const Timeframe timeframe : Timeframe::All()) {
    names.push_back(timeframe.name());
    EXPECT_EQ(Timeframe::Parse(timeframe.name()), timeframe);
    EXPECT_EQ(Timeframe::FromDuration(timeframe.duration()), timeframe);
  }
  EXPECT_THAT(names, testing::ElementsAre("1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h",
                                          "8h", "12h", "1d", "1w"));
  EXPECT_TRUE(std::ranges::is_sorted(Timeframe::All()));
  EXPECT_EQ(Timeframe().name(), "1m");
  EXPECT_EQ(Timeframe::FromDuration(7 * kMsPerMinute), std::nullopt);
}

TEST(TimeframeTest, UnknownNamesAreRefusedWithTheKnownOnes) {
  for (const char* name : {"", "1M", "60m", "1 h", "1hour", "h1", "1D"}) {
    EXPECT_EQ(Timeframe::TryParse(name), std::nullopt) << name;
    try {
      Timeframe::Parse(name);
      FAIL() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      EXPECT_THAT(error.what(), testing::HasSubstr("1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 1w"));
    }
  }
}

TEST(TimeframeTest, FloorGivesTheBarThatContainsATime) {
  struct Case {
    const char* timeframe;
    const char* time;
    const char* open;
  };
  const Case cases[] = {
      {"1m", "2024-02-29T13:05:59.999Z", "2024-02-29T13:05:00Z"},
      {"3m", "2024-02-29T13:05:00Z", "2024-02-29T13:03:00Z"},
      {"4h", "2024-02-29T23:59:59Z", "2024-02-29T20:00:00Z"},
      {"1d", "2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"},
      {"1d", "1969-12-31T23:59:59Z", "1969-12-31T00:00:00Z"},
      {"1w", "2024-02-29T13:05:00Z", "2024-02-26T00:00:00Z"},
      {"1w", "2024-03-04T00:00:00Z", "2024-03-04T00:00:00Z"},
      {"1w", "2024-03-03T23:59:59.999Z", "2024-02-26T00:00:00Z"},
      {"1w", "1970-01-01T00:00:00Z", "1969-12-29T00:00:00Z"},
      {"1w", "1969-12-28T23:00:00Z", "1969-12-22T00:00:00Z"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(FormatTime(Timeframe::Parse(c.timeframe).Floor(At(c.time))), c.open)
        << c.timeframe << " " << c.time;
  }
}

TEST(TimeframeTest, EveryFloorIsAtMostOneBarBackAndOnTheGrid) {
  for (const Timeframe timeframe : Timeframe::All()) {
    for (TimeMs time = -10 * kMsPerDay; time < 10 * kMsPerDay; time += 7919 * 1000 + 13) {
      const TimeMs open = timeframe.Floor(time);
      EXPECT_LE(open, time);
      EXPECT_LT(time - open, timeframe.duration());
      EXPECT_EQ(timeframe.Floor(open), open);
      EXPECT_EQ(timeframe.Floor(open - 1), open - timeframe.duration());
    }
  }
}

TEST(TimeframeTest, MultiplesAreUnionsOfWholeBars) {
  const auto multiple = [](const char* coarse, const char* fine) {
    return Timeframe::Parse(coarse).IsMultipleOf(Timeframe::Parse(fine));
  };
  EXPECT_TRUE(multiple("1h", "30m"));
  EXPECT_TRUE(multiple("1h", "1h"));
  EXPECT_TRUE(multiple("1w", "1d"));
  EXPECT_TRUE(multiple("12h", "4h"));
  EXPECT_FALSE(multiple("5m", "3m"));
  EXPECT_FALSE(multiple("12h", "8h"));
  EXPECT_FALSE(multiple("6h", "4h"));
  EXPECT_FALSE(multiple("1m", "1h"));
}

}  // namespace
}  // namespace almanac
