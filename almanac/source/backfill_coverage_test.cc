#include "almanac/source/backfill_coverage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "almanac/base/file.h"
#include "almanac/base/random.h"
#include "almanac/source/vendor_test_server.h"

namespace almanac {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(IntervalSet, JoinsWhatTouchesAndCutsWhatIsRemoved) {
  IntervalSet set;
  set.Add({10, 20});
  set.Add({30, 40});
  EXPECT_THAT(set.intervals(), ElementsAre(TimeInterval{10, 20}, TimeInterval{30, 40}));
  set.Add({20, 30});
  EXPECT_THAT(set.intervals(), ElementsAre(TimeInterval{10, 40}));
  set.Subtract({15, 18});
  EXPECT_THAT(set.intervals(), ElementsAre(TimeInterval{10, 15}, TimeInterval{18, 40}));
  set.Add({5, 5});
  set.Subtract({12, 12});
  EXPECT_THAT(set.intervals(), ElementsAre(TimeInterval{10, 15}, TimeInterval{18, 40}));
  set.Subtract({kMinTime, kMaxTime});
  EXPECT_TRUE(set.empty());
}

// Against one flag for each instant.
TEST(IntervalSet, AgreesWithASlowSet) {
  Random random(5);
  constexpr size_t kInstants = 60;
  for (int round = 0; round < 200; ++round) {
    IntervalSet set;
    std::vector<bool> slow(kInstants, false);
    for (int step = 0; step < 15; ++step) {
      const size_t a = random.Below(kInstants + 1), b = random.Below(kInstants + 1);
      const TimeInterval interval{static_cast<TimeMs>(std::min(a, b)),
                                  static_cast<TimeMs>(std::max(a, b))};
      const bool add = random.Below(2) == 0;
      if (add) set.Add(interval);
      if (!add) set.Subtract(interval);
      for (size_t i = std::min(a, b); i < std::max(a, b); ++i) slow[i] = add;
    }
    std::vector<bool> flags(kInstants, false);
    TimeMs previous_end = -1;
    for (const TimeInterval& each : set.intervals()) {
      EXPECT_LT(previous_end, each.from);
      EXPECT_LT(each.from, each.to);
      previous_end = each.to;
      for (TimeMs i = each.from; i < each.to; ++i) flags[static_cast<size_t>(i)] = true;
    }
    EXPECT_EQ(flags, slow);
  }
}

TEST(Coverage, SurvivesTheRoundTripAndNamesBrokenFiles) {
  const TemporaryFolder folder;
  const Home home{folder.path()};
  const SeriesKey key{"alpaca-crypto", "BTC/USD", Timeframe::Parse("1h")};
  EXPECT_TRUE(LoadCoverage(home, key).answered.empty());
  UpdateCoverage(home, key, [](Coverage& state) {
    state.source = "alpaca-crypto";
    state.answered.Add({0, kMsPerHour});
    state.stale.Add({kMsPerDay, 2 * kMsPerDay});
  });
  UpdateCoverage(home, key, [](Coverage& state) {
    state.answered.Add({kMsPerHour, 2 * kMsPerHour});
  });
  const Coverage read = LoadCoverage(home, key);
  EXPECT_EQ(read.source, "alpaca-crypto");
  EXPECT_THAT(read.answered.intervals(), ElementsAre(TimeInterval{0, 2 * kMsPerHour}));
  EXPECT_THAT(read.stale.intervals(), ElementsAre(TimeInterval{kMsPerDay, 2 * kMsPerDay}));
  EXPECT_EQ(CoveragePath(home, key), home.lake() / "coverage/alpaca-crypto/1h/BTC%2FUSD.json");

  for (const char* broken : {"", "{", "[]", R"({"format":2})",
                             R"({"format":1,"source":"x","answered":[["a","b"]],"stale":[]})",
                             R"({"format":1,"source":"x","answered":5,"stale":[]})",
                             R"({"format":1,"source":"x","answered":[[1,2]],"stale":[]})"}) {
    WriteFileAtomic(CoveragePath(home, key), broken);
    EXPECT_THAT(MessageOf([&] { LoadCoverage(home, key); }), HasSubstr("delete the file"));
  }
}

}  // namespace
}  // namespace almanac
