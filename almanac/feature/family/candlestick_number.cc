// Bodies, shadows and gaps as numbers free of the price level, and the means that patterns are
// judged by.
#include "almanac/feature/family/candlestick.h"
#include "almanac/feature/family/technical.h"

namespace almanac::candlestick {
namespace {

using Node = KernelGraph::Node;
using Values = std::span<const int64_t>;
using technical::Close;
using technical::High;
using technical::Low;
using technical::Map;
using technical::Open;
using technical::Ratio;
using technical::Signal;
using technical::Signals;

constexpr int64_t kLongPeriod = 10, kNearPeriod = 5;

// The mean of the `n` values before the one that is pushed.
struct MeanBefore {
  FoldWindow<Sum> window;
  double mean = kUnknown;

  explicit MeanBefore(int64_t n) : window(n) {}
  double Push(double value, int64_t n) {
    const double before = mean;
    const double sum = window.Push(value);
    mean = window.full() ? sum / static_cast<double>(n) : kUnknown;
    return before;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(window, mean);
  }
};

// Series from kBodyMean on.
struct CandleMeansCell {
  static constexpr size_t kInputs = 4, kOutputs = kSeries - kBodyMean;
  MeanBefore body{kLongPeriod}, range{kLongPeriod}, shadows{kLongPeriod}, near_range{kNearPeriod};
  double known = 0;

  void Step(const std::array<double, kInputs>& in, std::array<double, kOutputs>& out) {
    const double high_low = in[kHigh] - in[kLow];
    const double upper = in[kHigh] - std::max(in[kOpen], in[kClose]);
    const double lower = std::min(in[kOpen], in[kClose]) - in[kLow];
    out[0] = body.Push(std::abs(in[kClose] - in[kOpen]), kLongPeriod);
    out[1] = range.Push(high_low, kLongPeriod);
    out[2] = shadows.Push(upper + lower, kLongPeriod);
    out[3] = near_range.Push(high_low, kNearPeriod);
    known = std::isnan(in[kOpen] + in[kHigh] + in[kLow] + in[kClose]) ? 0 : known + 1;
    out[4] = known;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(body, range, shadows, near_range, known);
  }
};

Signal Body(KernelGraph& graph) {
  return Map<2>(graph, "candle body", {Open(graph), Close(graph)},
                [](const std::array<double, 2>& in) { return std::abs(in[1] - in[0]); });
}

Signal Range(KernelGraph& graph) { return technical::Difference(graph, High(graph), Low(graph)); }

Signal UpperShadow(KernelGraph& graph) {
  return Map<3>(graph, "upper shadow", {Open(graph), High(graph), Close(graph)},
                [](const std::array<double, 3>& in) { return in[1] - std::max(in[0], in[2]); });
}

Signal LowerShadow(KernelGraph& graph) {
  return Map<3>(graph, "lower shadow", {Open(graph), Low(graph), Close(graph)},
                [](const std::array<double, 3>& in) { return std::min(in[0], in[2]) - in[1]; });
}

template <Signal (*kPart)(KernelGraph&)>
Node AddOfClose(KernelGraph& graph, Values) {
  return Ratio(graph, kPart(graph), Close(graph)).node;
}

template <Signal (*kPart)(KernelGraph&)>
Node AddOfRange(KernelGraph& graph, Values) {
  return Ratio(graph, kPart(graph), Range(graph)).node;
}

// Against the mean of the n bars before.
template <Signal (*kPart)(KernelGraph&)>
Node AddOfMean(KernelGraph& graph, int64_t n) {
  const Signal part = kPart(graph);
  return Ratio(graph, part, technical::Lag(graph, technical::SimpleMean(graph, part, n), 1)).node;
}

Node AddSignedBody(KernelGraph& graph, Values) {
  return technical::Distance(graph, Open(graph)).node;
}

Node AddGap(KernelGraph& graph, Values) {
  return Map<2>(
             graph, "gap", {Open(graph), technical::Lag(graph, Close(graph), 1)},
             [](const std::array<double, 2>& in) { return technical::Share(in[0] - in[1], in[1]); })
      .node;
}

// From [low, high] of the bar before to that of this bar, 0 where they meet.
Node AddGapBetween(KernelGraph& graph, const Signal& high, const Signal& low) {
  return Map<5>(graph, "gap between",
                {high, low, technical::Lag(graph, high, 1), technical::Lag(graph, low, 1),
                 Close(graph)},
                [](const std::array<double, 5>& in) {
                  if (std::isnan(in[2])) return kUnknown;
                  const double up = std::max(in[1] - in[2], 0.0);
                  const double down = std::min(in[0] - in[3], 0.0);
                  return technical::Share(up + down, in[4]);
                })
      .node;
}

Node AddBodyGap(KernelGraph& graph, Values) {
  const Signals<2> ends = {
      Map<2>(graph, "body top", {Open(graph), Close(graph)},
             [](const std::array<double, 2>& in) { return std::max(in[0], in[1]); }),
      Map<2>(graph, "body bottom", {Open(graph), Close(graph)},
             [](const std::array<double, 2>& in) { return std::min(in[0], in[1]); })};
  return AddGapBetween(graph, ends[0], ends[1]);
}

Node AddRangeGap(KernelGraph& graph, Values) {
  return AddGapBetween(graph, High(graph), Low(graph));
}

// Candles of one colour in a row, negative for black ones.
struct ColorRunCell {
  static constexpr size_t kInputs = 2, kOutputs = 1;
  double run = 0;

  void Step(const std::array<double, 2>& in, std::array<double, 1>& out) {
    if (std::isnan(in[0] + in[1])) {
      run = 0;
    } else if (in[1] >= in[0]) {
      run = std::max(run, 0.0) + 1;
    } else {
      run = std::min(run, 0.0) - 1;
    }
    out[0] = run == 0 ? kUnknown : run;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(run);
  }
};

Node AddColorRun(KernelGraph& graph, Values) {
  return technical::AddCell(graph, "color run", {Open(graph), Close(graph)}, {}, ColorRunCell{})[0]
      .node;
}

Family OfOneBar(const std::string& name, const std::string& formula, const std::string& unit,
                const std::string& range, Node (*add)(KernelGraph&, Values)) {
  return {{"candle_" + name, formula, unit, range, "1 bar", 0,
           "Nison 1991, Japanese Candlestick "
           "Charting Techniques"},
          0,
          false,
          nullptr,
          add,
          [](Values) -> int64_t { return 1; }};
}

Family Gap(const std::string& name, const std::string& formula, Node (*add)(KernelGraph&, Values)) {
  Family family = OfOneBar(name, formula, "ratio", "(-inf, inf)", add);
  family.info.look_back = "2 bars";
  family.look_back = [](Values) -> int64_t { return 2; };
  return family;
}

Family OfMean(const std::string& name, const std::string& what,
              Node (*add)(KernelGraph&, int64_t)) {
  return {
      {"candle_relative_" + name, what + " / its mean over the n bars before; NaN where that is 0",
       "ratio", "[0, inf)", "n + 1 bars", 1, "TA-Lib's candle settings as a number"},
      1,
      false,
      add};
}

std::vector<Family> Numbers() {
  Family run =
      OfOneBar("color_run", "white candles in a row, this one included; negative: black ones",
               "bars", "(-inf, inf)", AddColorRun);
  run.unbounded_memory = true;
  return {
      OfOneBar("body", "close / open - 1", "ratio", "(-1, inf)", AddSignedBody),
      OfOneBar("range", "(high - low) / close", "ratio", "[0, inf)", AddOfClose<Range>),
      OfOneBar("upper_shadow", "(high - max(open, close)) / close", "ratio", "[0, inf)",
               AddOfClose<UpperShadow>),
      OfOneBar("lower_shadow", "(min(open, close) - low) / close", "ratio", "[0, 1)",
               AddOfClose<LowerShadow>),
      OfOneBar("body_share", "|close - open| / (high - low); NaN where high = low", "ratio",
               "[0, 1]", AddOfRange<Body>),
      OfOneBar("upper_shadow_share",
               "(high - max(open, close)) / (high - low); NaN where high = low", "ratio", "[0, 1]",
               AddOfRange<UpperShadow>),
      OfOneBar("lower_shadow_share",
               "(min(open, close) - low) / (high - low); NaN where high = low", "ratio", "[0, 1]",
               AddOfRange<LowerShadow>),
      OfMean("body", "|close - open|", AddOfMean<Body>),
      OfMean("range", "(high - low)", AddOfMean<Range>),
      OfMean("upper_shadow", "(high - max(open, close))", AddOfMean<UpperShadow>),
      OfMean("lower_shadow", "(min(open, close) - low)", AddOfMean<LowerShadow>),
      Gap("gap", "open / close[t-1] - 1", AddGap),
      Gap("body_gap",
          "between the bodies of t-1 and t: distance / close, negative downwards, 0 where they "
          "meet",
          AddBodyGap),
      Gap("range_gap",
          "between the ranges of t-1 and t: distance / close, negative downwards, 0 where they "
          "meet",
          AddRangeGap),
      run,
  };
}

}  // namespace

std::vector<Node> AddSeries(KernelGraph& graph) {
  const Signals<4> bar = {Open(graph), High(graph), Low(graph), Close(graph)};
  const auto means =
      technical::AddCell(graph, "candle means", {bar.begin(), bar.end()}, {}, CandleMeansCell{});
  std::vector<Node> nodes;
  for (const Signal& signal : bar) nodes.push_back(signal.node);
  for (const Signal& signal : means) nodes.push_back(signal.node);
  return nodes;
}

std::vector<Family> CandlestickFamilies() {
  std::vector<Family> all;
  for (const auto& families : {Numbers(), SingleCandlePatterns(), TwoCandlePatterns(),
                               ThreeCandlePatterns(), LongerPatterns()}) {
    all.insert(all.end(), families.begin(), families.end());
  }
  return all;
}

}  // namespace almanac::candlestick
