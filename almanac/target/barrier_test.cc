// Direction, price change, triple barrier and volatility against slow, obvious computations.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "almanac/base/error_for_test.h"
#include "almanac/target/any_target.h"
#include "almanac/target/walk_for_test.h"

namespace almanac {
namespace {

using ::testing::HasSubstr;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// The price's way through a bar as the policy imagines it, point by point.
std::vector<double> Way(const CandleSeries& s, size_t i, const Levels& levels, SameBar policy) {
  const bool upper_first =
      policy == SameBar::kUpper ||
      (policy == SameBar::kNearestToOpen && levels.upper - s.open[i] < s.open[i] - levels.lower);
  if (upper_first) return {s.open[i], s.high[i], s.low[i]};
  return {s.open[i], s.low[i], s.high[i]};
}

struct SlowLabel {
  double side = 0;  // 1 upper, -1 lower, 0 neither
  size_t bar = 0;
};

SlowLabel WalkTo(const CandleSeries& s, size_t first, size_t last, const Levels& levels,
                 SameBar policy) {
  for (size_t i = first; i <= last; ++i) {
    for (const double price : Way(s, i, levels, policy)) {
      if (price >= levels.upper) return {1, i};
      if (price <= levels.lower) return {-1, i};
    }
  }
  return {0, last};
}

bool HasWindow(const CandleSeries& s, size_t i, size_t horizon, bool drop_gaps) {
  if (i + horizon >= s.size()) return false;
  for (size_t k = i; drop_gaps && k < i + horizon; ++k) {
    if (s.open_time[k + 1] - s.open_time[k] != s.key.timeframe.duration()) return false;
  }
  return true;
}

TEST(FirstTouch, OrdersLevelsWithinABar) {
  CandleSeries s = WalkForTest(1, 1);
  const auto touch = [&](double open, double high, double low, SameBar policy) {
    s.open[0] = open, s.high[0] = high, s.low[0] = low;
    return FirstTouch(s, 0, 0, {110, 95}, policy);
  };
  EXPECT_EQ(touch(100, 109, 96, SameBar::kUpper).touched, Touched::kNeither);
  EXPECT_EQ(touch(100, 110, 96, SameBar::kLower).touched, Touched::kUpper);
  EXPECT_EQ(touch(100, 109, 95, SameBar::kUpper).touched, Touched::kLower);
  EXPECT_EQ(touch(111, 112, 90, SameBar::kLower).touched, Touched::kUpper);  // opens beyond
  EXPECT_FALSE(touch(111, 112, 90, SameBar::kLower).ambiguous);
  EXPECT_EQ(touch(94, 112, 90, SameBar::kUpper).touched, Touched::kLower);
  EXPECT_EQ(touch(100, 112, 90, SameBar::kUpper).touched, Touched::kUpper);
  EXPECT_EQ(touch(100, 112, 90, SameBar::kLower).touched, Touched::kLower);
  EXPECT_EQ(touch(100, 112, 90, SameBar::kUnlabelled).touched, Touched::kUnknown);
  EXPECT_EQ(touch(104, 112, 90, SameBar::kNearestToOpen).touched, Touched::kUpper);
  EXPECT_EQ(touch(102.5, 112, 90, SameBar::kNearestToOpen).touched, Touched::kLower);
  EXPECT_TRUE(touch(102.5, 112, 90, SameBar::kNearestToOpen).ambiguous);
}

TEST(Direction, IsTheClassOfTheReturn) {
  const CandleSeries s = WalkForTest(500, 2, true);
  for (const bool drop_gaps : {false, true}) {
    const Labels labels = BuildLabels(DirectionSpec{3, 0.01, drop_gaps}, s);
    EXPECT_THAT(labels.classes, testing::ElementsAre("down", "flat", "up"));
    std::vector<size_t> count(3);
    for (size_t i = 0; i < s.size(); ++i) {
      ASSERT_EQ(std::isnan(labels.value[i]), !HasWindow(s, i, 3, drop_gaps)) << i;
      if (std::isnan(labels.value[i])) continue;
      const double change = s.close[i + 3] / s.close[i] - 1;
      if (std::abs(std::abs(change) - 0.01) > 1e-12) {
        ASSERT_EQ(labels.value[i], change > 0.01 ? 2 : change < -0.01 ? 0 : 1) << i;
      }
      ASSERT_EQ(labels.t1[i], s.KnownAt(i + 3));
      ++count[static_cast<size_t>(labels.value[i])];
    }
    for (const size_t n : count) EXPECT_GT(n, 50U);
    EXPECT_EQ(labels.past_end, 3U);
    EXPECT_EQ(labels.dropped_gap > 0, drop_gaps);
  }
}

TEST(Direction, ThresholdItselfIsFlat) {
  CandleSeries s = WalkForTest(3, 3);
  s.close = {100, 125, 93.75};
  const Labels labels = BuildLabels(DirectionSpec{1, 0.25, false}, s);
  EXPECT_EQ(labels.value[0], 1);
  EXPECT_EQ(labels.value[1], 1);
  EXPECT_EQ(BuildLabels(DirectionSpec{1, 0.2499, false}, s).value[0], 2);
}

TEST(PriceChange, EqualsWalkingThroughEveryBar) {
  for (const SameBar policy : {SameBar::kNearestToOpen, SameBar::kUpper, SameBar::kLower}) {
    const CandleSeries s = WalkForTest(2000, 4, true);
    const PriceChangeSpec spec{0.012, 0.01, 6, policy, true};
    const Labels labels = BuildLabels(spec, s);
    EXPECT_GT(labels.ambiguous, 20U);
    for (size_t i = 0; i < s.size(); ++i) {
      ASSERT_EQ(std::isnan(labels.value[i]), !HasWindow(s, i, 6, true)) << i;
      if (std::isnan(labels.value[i])) continue;
      const Levels levels{s.close[i] * (1 + spec.up), s.close[i] * (1 - spec.down)};
      const SlowLabel slow = WalkTo(s, i + 1, i + 6, levels, policy);
      ASSERT_EQ(labels.value[i], slow.side + 1) << i;
      ASSERT_EQ(labels.t1[i], s.KnownAt(slow.bar)) << i;
    }
  }
}

TEST(PriceChange, UnlabelledLeavesOutWhatIsAmbiguous) {
  const CandleSeries s = WalkForTest(2000, 4);
  const Labels all = BuildLabels(PriceChangeSpec{0.01, 0.01, 6, SameBar::kUpper, false}, s);
  const Labels some = BuildLabels(PriceChangeSpec{0.01, 0.01, 6, SameBar::kUnlabelled, false}, s);
  size_t left_out = 0;
  for (size_t i = 0; i + 6 < s.size(); ++i) {
    if (std::isnan(some.value[i])) {
      ++left_out;
      EXPECT_EQ(some.t1[i], some.t0[i]);
    } else {
      EXPECT_EQ(some.value[i], all.value[i]);
    }
  }
  EXPECT_EQ(left_out, some.ambiguous);
  EXPECT_EQ(all.ambiguous, some.ambiguous);
  EXPECT_GT(left_out, 20U);
}

// pandas 1.5.3: Series([0.01, -0.02, 0.015, 0.003, -0.007]).ewm(span=3).std()
TEST(ReturnVolatility, EqualsPandas) {
  CandleSeries s = WalkForTest(6, 5);
  s.close = {100, 101, 98.98, 100.4647, 100.7660941, 100.0607314413};
  const std::vector<double> sigma = ReturnVolatility(s, 3);
  const std::vector<double> expected = {0.020441554316077408, 0.013406821291523848,
                                        0.011286017612443598};
  for (size_t i = 0; i < 3; ++i) EXPECT_TRUE(std::isnan(sigma[i]));
  for (size_t i = 3; i < 6; ++i) EXPECT_NEAR(sigma[i], expected[i - 3], 1e-12);
}

double SlowSigma(const CandleSeries& s, size_t i, double span) {
  const double keep = 1 - 2 / (span + 1);
  double weights = 0, squares = 0, sum = 0, scatter = 0;
  for (size_t j = 1; j <= i; ++j) {
    const double weight = std::pow(keep, static_cast<double>(i - j));
    weights += weight;
    squares += weight * weight;
    sum += weight * (s.close[j] / s.close[j - 1] - 1);
  }
  for (size_t j = 1; j <= i; ++j) {
    const double distance = s.close[j] / s.close[j - 1] - 1 - sum / weights;
    scatter += std::pow(keep, static_cast<double>(i - j)) * distance * distance;
  }
  return std::sqrt(scatter / weights / (1 - squares / weights / weights));
}

TEST(TripleBarrier, EqualsWalkingThroughEveryBar) {
  const CandleSeries s = WalkForTest(600, 6, true);
  TripleBarrierSpec spec;
  spec.upper = 1.5;
  spec.lower = 1;
  spec.horizon = 5;
  spec.volatility_span = 20;
  for (const bool sign : {false, true}) {
    spec.at_vertical =
        sign ? TripleBarrierSpec::AtVertical::kSign : TripleBarrierSpec::AtVertical::kNeither;
    const Labels labels = BuildLabels(spec, s);
    std::vector<size_t> count(3);
    for (size_t i = 0; i < s.size(); ++i) {
      ASSERT_EQ(std::isnan(labels.value[i]), i < 20 || !HasWindow(s, i, 5, false)) << i;
      if (std::isnan(labels.value[i])) continue;
      const double sigma = SlowSigma(s, i, 20);
      const Levels levels{s.close[i] * (1 + 1.5 * sigma), s.close[i] * (1 - sigma)};
      SlowLabel slow = WalkTo(s, i + 1, i + 5, levels, spec.same_bar);
      ASSERT_EQ(labels.t1[i], s.KnownAt(slow.bar)) << i;
      if (sign && slow.side == 0) {
        slow.side = s.close[i + 5] > s.close[i] ? 1 : s.close[i + 5] < s.close[i] ? -1 : 0;
      }
      ASSERT_EQ(labels.value[i], slow.side + 1) << i;
      ++count[static_cast<size_t>(labels.value[i])];
    }
    EXPECT_GT(count[0], 50U);
    EXPECT_GT(count[2], 50U);
  }
}

TEST(TripleBarrier, ZeroTurnsABarrierOffAndClosesCanTouchAlone) {
  const CandleSeries s = WalkForTest(400, 7);
  TripleBarrierSpec spec;
  spec.lower = 0;
  spec.horizon = 8;
  spec.volatility_span = 10;
  spec.touch = TripleBarrierSpec::TouchBy::kClose;
  const Labels labels = BuildLabels(spec, s);
  size_t up = 0;
  for (size_t i = 10; i + 8 < s.size(); ++i) {
    const double level = s.close[i] * (1 + SlowSigma(s, i, 10));
    size_t bar = i + 1;
    while (bar < i + 8 && s.close[bar] < level) ++bar;
    ASSERT_EQ(labels.value[i], s.close[bar] >= level ? 2 : 1) << i;
    ASSERT_EQ(labels.t1[i], s.KnownAt(bar));
    up += labels.value[i] == 2;
  }
  EXPECT_GT(up, 100U);
  EXPECT_EQ(labels.ambiguous, 0U);
  EXPECT_EQ(FirstTouchByClose(s, 1, 5, {kInfinity, -kInfinity}).touched, Touched::kNeither);
}

TEST(ForwardVolatility, ItsNaiveForecastIsThatOfTheLastEquallyLongTime) {
  const CandleSeries s = WalkForTest(300, 5, true);
  const Labels labels = BuildLabels(VolatilitySpec{7}, s);
  EXPECT_TRUE(labels.is_level);
  const std::vector<double> last = LastEnded(labels.t0, labels.t1, labels.value);
  ASSERT_EQ(last.size(), s.size());
  for (size_t i = 0; i < s.size(); ++i) {
    if (i < 7) {
      EXPECT_TRUE(std::isnan(last[i])) << i;
      continue;
    }
    double sum = 0;
    for (size_t k = i - 6; k <= i; ++k) sum += std::pow(std::log(s.close[k] / s.close[k - 1]), 2);
    EXPECT_NEAR(last[i], std::sqrt(sum), 1e-12) << i;
  }
}

TEST(LastEnded, IsNoneWhereNoLabelEndsAndIgnoresWhatIsNotKnown) {
  const double none = std::nan("");
  const std::vector<TimeMs> t0 = {10, 20, 30, 40}, t1 = {30, 40, 30, 40};
  const std::vector<double> last = LastEnded(t0, t1, std::vector<double>{1.5, none, none, none});
  EXPECT_TRUE(std::isnan(last[0]));
  EXPECT_TRUE(std::isnan(last[1]));
  EXPECT_EQ(last[2], 1.5);
  EXPECT_TRUE(std::isnan(last[3]));  // of the row at 20, which has no label
  EXPECT_TRUE(LastEnded({}, {}, {}).empty());
}

TEST(ForwardVolatility, IsTheRootOfSummedSquares) {
  const CandleSeries s = WalkForTest(300, 8, true);
  const Labels labels = BuildLabels(VolatilitySpec{7, true}, s);
  for (size_t i = 0; i < s.size(); ++i) {
    ASSERT_EQ(std::isnan(labels.value[i]), !HasWindow(s, i, 7, true));
    if (std::isnan(labels.value[i])) continue;
    double sum = 0;
    for (size_t k = 1; k <= 7; ++k)
      sum += std::pow(std::log(s.close[i + k] / s.close[i + k - 1]), 2);
    ASSERT_NEAR(labels.value[i], std::sqrt(sum), 1e-13);
  }
}

std::vector<AnyTarget> OneOfEachKind() {
  SwingSpec swing;
  swing.look_back = 2;
  swing.std_dev = 0;
  swing.horizon = 10;
  swing.side = SwingSide::kLow;
  TripleBarrierSpec barrier;
  barrier.volatility_span = 20;
  return {TargetSpec{TargetKind::kForwardLogReturn, 4, false, true},
          DirectionSpec{5, 0.004, false},
          PriceChangeSpec{0.01, 0.02, 12, SameBar::kLower, false},
          barrier,
          VolatilitySpec{6, false},
          swing};
}

// What [t0, t1] promises: bars that are known after t1 do not change a label.
TEST(AnyTarget, LabelsDoNotLookBeyondTheirInterval) {
  const CandleSeries s = WalkForTest(1000, 9);
  CandleSeries other = s;
  const CandleSeries later = WalkForTest(1000, 10);
  constexpr size_t kCut = 700;
  for (size_t i = kCut; i < s.size(); ++i) {
    other.open[i] = later.open[i], other.high[i] = later.high[i];
    other.low[i] = later.low[i], other.close[i] = later.close[i];
  }
  for (const AnyTarget& target : OneOfEachKind()) {
    const Labels a = BuildLabels(target, s), b = BuildLabels(target, other);
    size_t compared = 0;
    for (size_t i = 0; i < std::min(a.rows(), b.rows()); ++i) {
      ASSERT_GE(a.t1[i], a.t0[i]);
      if (a.t1[i] > s.KnownAt(kCut - 1) || std::isnan(a.value[i])) continue;
      ASSERT_EQ(a.t0[i], b.t0[i]) << a.name;
      ASSERT_EQ(a.value[i], b.value[i]) << a.name << " row " << i;
      ASSERT_EQ(a.t1[i], b.t1[i]) << a.name;
      ++compared;
    }
    EXPECT_GT(compared, 50U) << a.name;
  }
}

TEST(AnyTarget, SaysWhatItsLabelsAre) {
  const CandleSeries series = WalkForTest(2000, 5);
  for (const AnyTarget& target : OneOfEachKind()) {
    const Labels labels = BuildLabels(target, series);
    EXPECT_EQ(ClassesOf(target), labels.classes) << labels.name;
    EXPECT_EQ(HorizonOf(target), ToJson(target).at("horizon").get<int64_t>());
  }
}

TEST(AnyTarget, IsReadAndWrittenBack) {
  for (const AnyTarget& target : OneOfEachKind()) {
    EXPECT_EQ(AnyTargetFromJson(ToJson(target)), target) << ToJson(target).dump();
    const std::string yaml = ToJson(target).dump() + "\n";  // JSON is YAML
    const ConfigDocument document = ConfigDocument::Parse(yaml, "r.yaml");
    EXPECT_EQ(AnyTargetFromConfig(document.root()), target);
    document.RefuseUnknownKeys();
    EXPECT_EQ(BuildLabels(target, WalkForTest(100, 1)).name, ColumnName(target));
  }
  EXPECT_EQ(TargetKindNames().size(), 8U);
}

TEST(AnyTarget, RefusesWhatCannotBe) {
  const auto read = [](const std::string& yaml) {
    return MessageOf([&] {
      const ConfigDocument document = ConfigDocument::Parse(yaml, "r.yaml");
      AnyTargetFromConfig(document.root());
    });
  };
  EXPECT_THAT(read("kind: tripple_barrier\n"), HasSubstr("triple_barrier"));
  EXPECT_THAT(read("kind: price_change\nup: -1\n"), HasSubstr("r.yaml:2"));
  EXPECT_THAT(read("kind: swing\nside: middle\n"), HasSubstr("high"));
  EXPECT_THAT(MessageOf([] {
                BuildLabels(DirectionSpec{0, 0, false}, WalkForTest(9, 1));
              }),
              HasSubstr("target direction: horizon is 0"));
  EXPECT_THAT(MessageOf([] {
                BuildLabels(DirectionSpec{1, -1, false}, WalkForTest(9, 1));
              }),
              HasSubstr("threshold is -1"));
  const auto from_json = [](const char* text) {
    return MessageOf([&] { AnyTargetFromJson(Json::parse(text)); });
  };
  EXPECT_THAT(from_json(R"({"kind": "swing"})"), HasSubstr("side"));
  EXPECT_THAT(from_json(R"({"kind": "nothing"})"), HasSubstr("unknown kind"));
  EXPECT_THAT(from_json(R"({"kind": "forward_volatility", "horizon": 0, "drop_gaps": false})"),
              HasSubstr("horizon is 0"));
  CandleSeries bad = WalkForTest(40, 1);
  bad.low[7] = -1;
  EXPECT_THAT(MessageOf([&] { BuildLabels(PriceChangeSpec{}, bad); }), HasSubstr("low is -1"));
  bad.low[7] = bad.high[7] + 1;
  EXPECT_THAT(MessageOf([&] { BuildLabels(SwingSpec{}, bad); }), HasSubstr("is below low"));
}

}  // namespace
}  // namespace almanac
