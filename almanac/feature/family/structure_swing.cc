// Swings, what the price has done to them, breakouts, and the levels that swings mark out.
#include <algorithm>
#include <cmath>

#include "almanac/feature/cell/swing.h"
#include "almanac/feature/family/technical.h"

namespace almanac::structure {
namespace {

using technical::AddCell;
using technical::Close;
using technical::Distance;
using technical::High;
using technical::Lag;
using technical::Low;
using technical::Map;
using technical::RollingMaximum;
using technical::RollingMinimum;
using technical::Share;
using technical::Signal;
using technical::Signals;
using Node = KernelGraph::Node;
using Values = std::span<const int64_t>;

enum SwingOutput { kPrice, kAge, kRun };

template <bool kHigh, SwingRule kRule>
Signals<3> Swing(KernelGraph& graph, int64_t k) {
  const std::string name =
      std::string(kRule == SwingRule::kStrict ? "fractal " : "swing ") + (kHigh ? "high" : "low");
  return AddCell(graph, name, {kHigh ? High(graph) : Low(graph)}, {static_cast<double>(k)},
                 SwingCell<kHigh, kRule>(k));
}
template <bool kHigh>
Signals<3> Swing(KernelGraph& graph, int64_t k) {
  return Swing<kHigh, SwingRule::kFirstOfEquals>(graph, k);
}

template <bool kHigh>
Node AddSwingDistance(KernelGraph& graph, Values v) {
  return Distance(graph, Swing<kHigh>(graph, v[0])[kPrice]).node;
}
template <bool kHigh>
Node AddSwingAge(KernelGraph& graph, Values v) {
  return Swing<kHigh>(graph, v[0])[kAge].node;
}
template <bool kHigh>
Node AddSwingRun(KernelGraph& graph, Values v) {
  return Swing<kHigh>(graph, v[0])[kRun].node;
}

constexpr int64_t kFractalBars = 2;

template <bool kHigh>
Node AddFractalDistance(KernelGraph& graph, Values) {
  return Distance(graph, Swing<kHigh, SwingRule::kStrict>(graph, kFractalBars)[kPrice]).node;
}
template <bool kHigh>
Node AddFractalAge(KernelGraph& graph, Values) {
  return Swing<kHigh, SwingRule::kStrict>(graph, kFractalBars)[kAge].node;
}

Node AddSwingPosition(KernelGraph& graph, Values v) {
  return Map<3>(graph, "swing position",
                {Close(graph), Swing<true>(graph, v[0])[kPrice], Swing<false>(graph, v[0])[kPrice]},
                [](const std::array<double, 3>& in) { return Share(in[0] - in[2], in[1] - in[2]); })
      .node;
}

// 1 where the close crossed above `top`, -1 where it crossed below `bottom`, else 0.
Signal Crossing(KernelGraph& graph, const Signal& top, const Signal& bottom) {
  return Map<4>(graph, "crossing", {Close(graph), Lag(graph, Close(graph), 1), top, bottom},
                [](const std::array<double, 4>& in) -> double {
                  const auto [close, before, upper, lower] = in;
                  if (std::isnan(before) || std::isnan(upper) || std::isnan(lower)) return kUnknown;
                  if (close > upper && before <= upper) return 1;
                  return close < lower && before >= lower ? -1 : 0;
                });
}

Node AddSwingBreak(KernelGraph& graph, Values v) {
  return Crossing(graph, Swing<true>(graph, v[0])[kPrice], Swing<false>(graph, v[0])[kPrice]).node;
}

// 1 where the close is above the n bars before, -1 where it is below them, else 0.
Signal Breakout(KernelGraph& graph, int64_t n) {
  return Map<3>(graph, "breakout",
                {Close(graph), Lag(graph, RollingMaximum(graph, High(graph), n), 1),
                 Lag(graph, RollingMinimum(graph, Low(graph), n), 1)},
                [](const std::array<double, 3>& in) -> double {
                  if (std::isnan(in[1])) return kUnknown;
                  return in[0] > in[1] ? 1 : in[0] < in[2] ? -1 : 0;
                });
}

// Bars since the input was last `sign`; NaN before.
struct AgeOfCell {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  double sign;
  double age = kUnknown;

  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    age = in[0] == sign ? 0 : age + 1;
    out[0] = age;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(age);
  }
};

template <int kSign>
Node AddBreakoutAge(KernelGraph& graph, int64_t n) {
  return AddCell(graph, "age of", {Breakout(graph, n)}, {kSign}, AgeOfCell{kSign})[0].node;
}

Node AddDrawdown(KernelGraph& graph, int64_t n) {
  return Distance(graph, RollingMaximum(graph, High(graph), n)).node;
}
Node AddRunUp(KernelGraph& graph, int64_t n) {
  return Distance(graph, RollingMinimum(graph, Low(graph), n)).node;
}

// Levels that swings of both sides mark out. A swing within `tolerance` of a level touches the
// nearest such level, whose price is the mean of its touches; another begins a level. A level is
// forgotten when it was not touched for more than `memory` bars, and, when there are kMost, the one
// whose last touch is the oldest makes room.
struct LevelsCell {
  static constexpr size_t kInputs = 5, kOutputs = 4;  // high, its age, low, its age, close
  static constexpr size_t kMost = 32;
  struct Level {
    double sum = 0, touches = 0;
    int64_t last = 0;
    double price() const { return sum / touches; }
  };
  int64_t look_back;
  double tolerance;
  int64_t memory;
  std::array<Level, kMost> levels{};
  uint64_t count = 0;
  int64_t bar = 0;

  void Step(const std::array<double, 5>& in, std::array<double, 4>& out) {
    const auto enters = static_cast<double>(look_back);
    if (in[1] == enters) Touch(in[0]);
    if (in[3] == enters) Touch(in[2]);
    Forget();
    const Level* above = nullptr;
    const Level* below = nullptr;
    for (size_t i = 0; i < count; ++i) {
      const Level& level = levels[i];
      if (level.price() > in[4]) {
        if (above == nullptr || level.price() < above->price()) above = &level;
      } else if (below == nullptr || level.price() > below->price()) {
        below = &level;
      }
    }
    out[0] = above == nullptr ? kUnknown : (above->price() - in[4]) / in[4];
    out[1] = above == nullptr ? kUnknown : above->touches;
    out[2] = below == nullptr ? kUnknown : (below->price() - in[4]) / in[4];
    out[3] = below == nullptr ? kUnknown : below->touches;
    ++bar;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(levels, count, bar);
  }

 private:
  void Touch(double price) {
    Level* nearest = nullptr;
    double least = tolerance;
    for (size_t i = 0; i < count; ++i) {
      const double distance = std::abs(price - levels[i].price()) / levels[i].price();
      const bool nearer = nearest == nullptr ? distance <= least : distance < least;
      if (!nearer) continue;
      nearest = &levels[i];
      least = distance;
    }
    if (nearest == nullptr) nearest = &NewLevel();
    nearest->sum += price;
    nearest->touches += 1;
    nearest->last = bar;
  }
  Level& NewLevel() {
    if (count < kMost) return levels[count++] = Level{};
    const auto oldest =
        std::min_element(levels.begin(), levels.end(),
                         [](const Level& a, const Level& b) { return a.last < b.last; });
    return *oldest = Level{};
  }
  void Forget() {
    const auto end =
        std::remove_if(levels.begin(), levels.begin() + static_cast<int64_t>(count),
                       [this](const Level& level) { return bar - level.last > memory; });
    count = static_cast<uint64_t>(end - levels.begin());
  }
};

constexpr double kBasisPoint = 1e-4;

template <size_t kOutput>
Node AddLevel(KernelGraph& graph, Values v) {
  const Signals<3> high = Swing<true>(graph, v[0]);
  const Signals<3> low = Swing<false>(graph, v[0]);
  const double tolerance = kBasisPoint * static_cast<double>(v[1]);
  return AddCell(graph, "levels", {high[kPrice], high[kAge], low[kPrice], low[kAge], Close(graph)},
                 {tolerance, static_cast<double>(v[2])}, LevelsCell{v[0], tolerance, v[2]})[kOutput]
      .node;
}

constexpr char kDefinition[] = "the swings of the targets, docs/targets.md";
constexpr char kAny[] = "(-inf, inf)";
constexpr char kAbove[] = "(-1, inf)";
constexpr int64_t kLongestSwing = 100'000;  // the targets'

int64_t SwingLookBack(Values v) { return 2 * v[0] + 1; }

struct Text {
  const char* name;
  const char* formula;
  const char* unit;
  const char* range;
};

Family OfSwing(const Text& text, Node (*add)(KernelGraph&, Values)) {
  return {.info = {text.name,
                   text.formula,
                   text.unit,
                   text.range,
                   "2 look_back + 1 bars, then since the swing",
                   0,
                   kDefinition,
                   {{.name = "look_back", .largest = kLongestSwing}}},
          .unbounded_memory = true,
          .add_all = add,
          .look_back = SwingLookBack};
}

Family OfLevels(const Text& text, Node (*add)(KernelGraph&, Values)) {
  Family family = OfSwing(text, add);
  family.info.parameters.push_back({.name = "tolerance", .largest = 1000});
  family.info.parameters.push_back({"memory"});
  family.info.source = "touch clustering, docs/features-structure.md";
  return family;
}

Family OfFractal(const Text& text, Node (*add)(KernelGraph&, Values)) {
  return {.info = {text.name, text.formula, text.unit, text.range, "5 bars, then since the fractal",
                   0, "Williams 1995, Trading Chaos"},
          .unbounded_memory = true,
          .add_all = add,
          .look_back = [](Values) { return 2 * kFractalBars + 1; }};
}

std::vector<Family> OfSwings() {
  return {
      OfSwing({"swing_high_distance",
               "close[t] / high of the last confirmed swing high - 1: bar s, higher than each of "
               "the look_back bars before and not lower than each of those after it, known from "
               "s + look_back on",
               "ratio", kAbove},
              AddSwingDistance<true>),
      OfSwing({"swing_low_distance", "close[t] / low of the last confirmed swing low - 1", "ratio",
               kAbove},
              AddSwingDistance<false>),
      OfSwing({"swing_high_age", "bars since the last confirmed swing high", "bars",
               "[look_back, inf)"},
              AddSwingAge<true>),
      OfSwing(
          {"swing_low_age", "bars since the last confirmed swing low", "bars", "[look_back, inf)"},
          AddSwingAge<false>),
      OfSwing({"swing_high_run",
               "number of confirmed swing highs in a row that were each above the one before; "
               "negative: below; 0 at the first and at an equal one",
               "swings", kAny},
              AddSwingRun<true>),
      OfSwing({"swing_low_run",
               "number of confirmed swing lows in a row that were each above the one before; "
               "negative: below; 0 at the first and at an equal one",
               "swings", kAny},
              AddSwingRun<false>),
      OfSwing({"swing_position",
               "(close[t] - l) / (h - l), h and l the last confirmed swing high and low; NaN where "
               "h is not above l",
               "ratio", kAny},
              AddSwingPosition),
      OfSwing({"swing_break",
               "1 where the close crossed above the last confirmed swing high, -1 where it crossed "
               "below the last swing low, else 0",
               "indicator", "-1, 0 or 1"},
              AddSwingBreak),
  };
}

std::vector<Family> OfLevelsAndFractals() {
  return {
      OfLevels({"resistance_distance",
                "nearest level above the close / close[t] - 1; NaN where there is none. Levels: "
                "swings within tolerance / 10000 of a level touch it (its price is their mean), "
                "others begin one; 32 at most, forgotten memory bars after the last touch",
                "ratio", "(0, inf)"},
               AddLevel<0>),
      OfLevels({"resistance_touches", "touches of the nearest level above the close", "touches",
                "[1, inf)"},
               AddLevel<1>),
      OfLevels({"support_distance", "nearest level at or below the close / close[t] - 1", "ratio",
                "(-1, 0]"},
               AddLevel<2>),
      OfLevels({"support_touches", "touches of the nearest level at or below the close", "touches",
                "[1, inf)"},
               AddLevel<3>),
      OfFractal(
          {"fractal_high_distance",
           "close[t] / high of the last fractal - 1: a bar higher than the two before and the "
           "two after it, known two bars later",
           "ratio", kAbove},
          AddFractalDistance<true>),
      OfFractal({"fractal_low_distance",
                 "close[t] / low of the last fractal - 1: a bar lower than the two before and the "
                 "two after it, known two bars later",
                 "ratio", kAbove},
                AddFractalDistance<false>),
      OfFractal({"fractal_high_age", "bars since the last fractal high", "bars", "[2, inf)"},
                AddFractalAge<true>),
      OfFractal({"fractal_low_age", "bars since the last fractal low", "bars", "[2, inf)"},
                AddFractalAge<false>),
  };
}

}  // namespace

std::vector<Family> SwingFamilies() {
  std::vector<Family> all = OfSwings();
  for (Family& family : OfLevelsAndFractals()) all.push_back(std::move(family));
  const std::string donchian = "Donchian 1960, the four-week rule";
  all.push_back({.info = {"breakout",
                          "1 where the close is above the highs of the n bars before, -1 where it "
                          "is below their lows, else 0",
                          "indicator", "-1, 0 or 1", "n + 1 bars", 1, donchian},
                 .bars_before = 1,
                 .add = [](KernelGraph& graph, int64_t n) { return Breakout(graph, n).node; }});
  all.push_back({.info = {"breakout_up_age", "bars since breakout was 1; NaN before the first",
                          "bars", "[0, inf)", "n + 1 bars, then since the breakout", 1, donchian},
                 .bars_before = 1,
                 .unbounded_memory = true,
                 .add = AddBreakoutAge<1>});
  all.push_back({.info = {"breakout_down_age", "bars since breakout was -1; NaN before the first",
                          "bars", "[0, inf)", "n + 1 bars, then since the breakout", 1, donchian},
                 .bars_before = 1,
                 .unbounded_memory = true,
                 .add = AddBreakoutAge<-1>});
  all.push_back({.info = {"drawdown", "close[t] / highest high of n bars - 1", "ratio", "(-1, 0]",
                          "n bars", 1, "pandas: rolling(n).max"},
                 .add = AddDrawdown});
  all.push_back({.info = {"run_up", "close[t] / lowest low of n bars - 1", "ratio", "[0, inf)",
                          "n bars", 1, "pandas: rolling(n).min"},
                 .add = AddRunUp});
  return all;
}

}  // namespace almanac::structure
