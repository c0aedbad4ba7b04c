#include "almanac/target/swing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "almanac/base/error_for_test.h"
#include "almanac/market/real_data_for_test.h"
#include "almanac/target/swing_grid.h"
#include "almanac/target/walk_for_test.h"

namespace almanac {
namespace {

using ::testing::HasSubstr;

// The drawn example of docs/targets.md.
TEST(Swing, DrawnExample) {
  CandleSeries s;
  s.key = {"test", "X", Timeframe::Parse("1h")};
  const double highs[] = {101, 103, 106, 104, 103, 103, 105, 108};
  const double lows[] = {99, 101, 102, 101, 100, 101, 103, 104};
  const double closes[] = {100, 102, 104, 103, 102, 103, 104, 107};
  for (size_t i = 0; i < 8; ++i) {
    Candle bar;
    bar.open_time = static_cast<TimeMs>(i) * kMsPerHour;
    bar.open = bar.close = closes[i];
    bar.high = highs[i];
    bar.low = lows[i];
    s.Append(bar);
  }
  SwingSpec spec;
  spec.look_back = 2;
  spec.deviation_window = 3;
  spec.std_dev = 1;
  spec.threshold = 1;
  spec.horizon = 3;
  const std::vector<SwingEvent> events = FindSwings(spec, s);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].swing, 2U);
  EXPECT_EQ(events[0].confirmed, 4U);
  EXPECT_EQ(events[0].mean, 102);
  EXPECT_DOUBLE_EQ(events[0].deviation, std::sqrt(8.0 / 3));
  EXPECT_DOUBLE_EQ(events[0].distance, 4 / std::sqrt(8.0 / 3));
  const Labels labels = BuildLabels(spec, s);
  ASSERT_EQ(labels.rows(), 1U);
  EXPECT_EQ(labels.t0[0], 5 * kMsPerHour);  // confirmed, two hours after the swing's own close
  EXPECT_EQ(labels.t1[0], 8 * kMsPerHour);
  EXPECT_EQ(labels.classes[static_cast<size_t>(labels.value[0])], "high_breakout");
  spec.threshold = 2;  // 109.27 and 98.73: neither
  EXPECT_EQ(BuildLabels(spec, s).value[0], 0);
  spec.std_dev = 2.5;
  EXPECT_EQ(BuildLabels(spec, s).rows(), 0U);
}

struct SlowRow {
  size_t confirmed, last;
  double value;
};

// Straight from the definition, with the low side written out instead of mirrored.
std::vector<SlowRow> SlowSwings(const SwingSpec& spec, const CandleSeries& s) {
  std::vector<SlowRow> rows;
  const auto L = static_cast<long>(spec.look_back), n = static_cast<long>(s.size());
  const auto W = static_cast<long>(spec.deviation_window), h = static_cast<long>(spec.horizon);
  const bool high = spec.side == SwingSide::kHigh;
  for (long c = 0; c < n; ++c) {
    const long b = c - L;
    bool swing = b - L >= 0 && b - W + 1 >= 0;
    for (long k = b - L; swing && k <= c; ++k) {
      const auto at = static_cast<size_t>(k), it = static_cast<size_t>(b);
      if (k < b) swing = high ? s.high[at] < s.high[it] : s.low[at] > s.low[it];
      if (k > b) swing = high ? s.high[at] <= s.high[it] : s.low[at] >= s.low[it];
    }
    if (!swing || c + h >= n) continue;
    const auto bar = static_cast<size_t>(b), confirmed = static_cast<size_t>(c);
    double sum = 0, squares = 0;
    for (long k = b - W + 1; k <= b; ++k) sum += s.close[static_cast<size_t>(k)];
    const double mean = sum / static_cast<double>(W);
    for (long k = b - W + 1; k <= b; ++k) {
      squares += std::pow(s.close[static_cast<size_t>(k)] - mean, 2);
    }
    const double D = std::sqrt(squares / static_cast<double>(W));
    const double z = high ? (s.high[bar] - mean) / D : (mean - s.low[bar]) / D;
    if (D == 0 || z < spec.std_dev) continue;
    SlowRow row{confirmed, confirmed + static_cast<size_t>(h), 0};
    for (size_t k = confirmed + 1; k <= confirmed + static_cast<size_t>(h) && row.value == 0; ++k) {
      const double up =
          high ? s.high[bar] + spec.threshold * D : s.close[confirmed] + spec.threshold * D;
      const double down =
          high ? s.close[confirmed] - spec.threshold * D : s.low[bar] - spec.threshold * D;
      const bool goes_up = s.high[k] >= up, goes_down = s.low[k] <= down;
      if (!goes_up && !goes_down) continue;
      bool upper = goes_up;
      if (goes_up && goes_down) {
        upper = s.open[k] >= up || (s.open[k] > down && up - s.open[k] < s.open[k] - down);
      }
      row.value = upper == high ? 1 : 2;
      row.last = k;
    }
    rows.push_back(row);
  }
  return rows;
}

TEST(Swing, EqualsTheDefinitionOnRandomWalks) {
  size_t seen[3] = {0, 0, 0};
  for (uint64_t seed = 0; seed < 6; ++seed) {
    const CandleSeries s = WalkForTest(1500, seed, true);
    for (const int64_t look_back : {1, 2, 5, 20}) {
      for (const double std_dev : {0.0, 1.0, 2.0}) {
        SwingSpec spec;
        spec.side = seed % 2 == 0 ? SwingSide::kHigh : SwingSide::kLow;
        spec.look_back = look_back;
        spec.std_dev = std_dev;
        spec.threshold = 0.5 + 0.25 * static_cast<double>(seed);
        spec.horizon = 12;
        spec.deviation_window = 10;
        const Labels labels = BuildLabels(spec, s);
        const std::vector<SlowRow> slow = SlowSwings(spec, s);
        ASSERT_EQ(labels.rows(), slow.size()) << spec.ColumnName();
        for (size_t i = 0; i < slow.size(); ++i) {
          ASSERT_EQ(labels.t0[i], s.KnownAt(slow[i].confirmed)) << spec.ColumnName();
          ASSERT_EQ(labels.t1[i], s.KnownAt(slow[i].last)) << spec.ColumnName();
          ASSERT_EQ(labels.value[i], slow[i].value) << spec.ColumnName() << " row " << i;
          ++seen[static_cast<size_t>(labels.value[i])];
        }
      }
    }
  }
  for (const size_t count : seen) EXPECT_GT(count, 100U);
}

// An event is known at its confirmation: history that ends there gives it, and no bar more is
// needed.
TEST(Swing, EventsAreKnownAtTheirConfirmation) {
  const CandleSeries s = WalkForTest(400, 3);
  for (const SwingSide side : {SwingSide::kHigh, SwingSide::kLow}) {
    SwingSpec spec;
    spec.side = side;
    spec.look_back = 3;
    const std::vector<SwingEvent> all = FindSwings(spec, s);
    ASSERT_GT(all.size(), 10U);
    size_t events = 0;
    for (size_t bars = 0; bars <= s.size(); ++bars) {
      while (events < all.size() && all[events].confirmed < bars) ++events;
      const std::vector<SwingEvent> now = FindSwings(spec, s.Slice(0, bars));
      ASSERT_EQ(now.size(), events) << bars;
      if (events == 0) continue;
      ASSERT_EQ(now.back().swing, all[events - 1].swing);
      ASSERT_EQ(now.back().distance, all[events - 1].distance);
    }
  }
}

TEST(Swing, OfEqualHighsTheFirstCountsAndFlatClosesGiveNone) {
  CandleSeries s = WalkForTest(9, 1);
  s.open = s.close = {10, 11, 10, 11, 10, 11, 10, 11, 10};
  s.high = {12, 12, 12, 15, 15, 15, 12, 12, 12};
  s.low.assign(9, 9);
  SwingSpec spec;
  spec.look_back = 2;
  spec.deviation_window = 2;
  spec.horizon = 1;
  ASSERT_EQ(FindSwings(spec, s).size(), 1U);
  EXPECT_EQ(FindSwings(spec, s)[0].swing, 3U);
  s.close.assign(9, 10.1);
  EXPECT_TRUE(FindSwings(spec, s).empty());
}

TEST(Swing, CountsWhatTheEndAndGapsTake) {
  const CandleSeries s = WalkForTest(2000, 5, true);
  SwingSpec spec;
  spec.look_back = 2;
  spec.horizon = 30;
  const size_t events = FindSwings(spec, s).size();
  const Labels all = BuildLabels(spec, s);
  spec.drop_gaps = true;
  const Labels whole = BuildLabels(spec, s);
  EXPECT_EQ(all.rows() + all.past_end, events);
  EXPECT_EQ(whole.rows() + whole.past_end + whole.dropped_gap, events);
  EXPECT_GT(whole.dropped_gap, 5U);
  EXPECT_GT(whole.rows(), 20U);
}

SwingGridSpec ThreeCoins() {
  const ConfigDocument document = ConfigDocument::Parse(
      "{symbols: [BTCUSDT, ETHUSDT, SOLUSDT], variants: 2160, groups: 36}\n", "grid.yaml");
  SwingGridSpec spec = SwingGridSpec::FromConfig(document.root());
  document.RefuseUnknownKeys();
  return spec;
}

TEST(SwingGrid, ThreeCoinsGive2160VariantsIn36Groups) {
  const SwingGrid grid = ExpandSwingGrid(ThreeCoins());
  EXPECT_EQ(grid.variants.size(), 2160U);
  EXPECT_EQ(grid.groups.size(), 36U);
  std::set<std::string> names;
  std::vector<size_t> members(36);
  for (const SwingVariant& variant : grid.variants) {
    names.insert(variant.Name());
    ++members[variant.group];
    EXPECT_EQ(variant.Name().rfind(grid.groups[variant.group] + "_", 0), 0U);
  }
  EXPECT_EQ(names.size(), 2160U);
  for (const size_t count : members) EXPECT_EQ(count, 60U);
  EXPECT_EQ(grid.variants.front().Name(), "BTCUSDT_swing_high_2_1_0.5_6");
  EXPECT_EQ(grid.groups.back(), "SOLUSDT_swing_low_50");
}

TEST(SwingGrid, RefusesWhatDoesNotAddUp) {
  const auto read = [](const std::string& yaml) {
    return MessageOf([&] {
      const ConfigDocument document = ConfigDocument::Parse(yaml, "grid.yaml");
      SwingGridSpec::FromConfig(document.root());
    });
  };
  EXPECT_THAT(read("{symbols: [A], variants: 2160}"), HasSubstr("give 720 variants, not 2160"));
  EXPECT_THAT(read("{symbols: [A], groups: 5}"), HasSubstr("give 12 groups, not 5"));
  EXPECT_THAT(read("{symbols: [A, A]}"), HasSubstr("symbols has A twice"));
  EXPECT_THAT(read("{symbols: []}"), HasSubstr("symbols"));
  EXPECT_THAT(read("{symbols: [A], horizons: [0]}"), HasSubstr("horizons"));
  EXPECT_THAT(read("{symbols: [A], sides: [middle]}"), HasSubstr("a side is \"middle\""));
}

TEST(SwingGrid, RealDataHasEventsOfEveryGroup) {
  ALMANAC_NEEDS_REAL_DATA("crypto/spot_5m");
  const CandleSeries s = ReadRealCandles("spot_5m", "BTCUSDT", "5m");
  for (const int64_t look_back : {2, 10, 50}) {
    for (const SwingSide side : {SwingSide::kHigh, SwingSide::kLow}) {
      SwingSpec spec;
      spec.side = side;
      spec.look_back = look_back;
      const Labels labels = BuildLabels(spec, s);
      size_t count[3] = {0, 0, 0};
      for (const double value : labels.value) ++count[static_cast<size_t>(value)];
      RecordProperty(spec.ColumnName(), static_cast<int>(labels.rows()));
      for (const size_t n : count) EXPECT_GT(n, 10U) << spec.ColumnName();
      EXPECT_LT(static_cast<double>(labels.ambiguous), 0.02 * static_cast<double>(labels.rows()));
    }
  }
}

}  // namespace
}  // namespace almanac
