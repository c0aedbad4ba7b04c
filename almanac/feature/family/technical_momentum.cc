// Speed of the price: differences of averages, and gains against losses.
#include <algorithm>
#include <cmath>

#include "almanac/feature/family/technical.h"

namespace almanac::technical {
namespace {

using Node = KernelGraph::Node;
using Values = std::span<const int64_t>;

// How many bars in a row closed higher (positive) or lower (negative); 0 where unchanged.
struct StreakCell {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  double before = kUnknown;
  double streak = 0;

  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    if (in[0] > before) {
      streak = streak > 0 ? streak + 1 : 1;
    } else if (in[0] < before) {
      streak = streak < 0 ? streak - 1 : -1;
    } else {
      streak = 0;
    }
    before = in[0];
    out[0] = streak;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(before, streak);
  }
};

// Which share of the n values before is smaller, in percent.
struct PercentRankCell {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  std::vector<double> ring;
  uint64_t position = 0;

  explicit PercentRankCell(int64_t length) : ring(static_cast<size_t>(length), kUnknown) {}
  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    int64_t smaller = 0;
    bool known = !std::isnan(in[0]);
    for (const double value : ring) {
      known = known && !std::isnan(value);
      if (value < in[0]) ++smaller;
    }
    out[0] =
        known ? 100 * static_cast<double>(smaller) / static_cast<double>(ring.size()) : kUnknown;
    ring[position] = in[0];
    if (++position == ring.size()) position = 0;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(ring, position);
  }
};

// TA-Lib begins both averages at bar `slow`: the fast one leaves out the bars before its seed.
Signal MacdLine(KernelGraph& graph, int64_t fast, int64_t slow) {
  return Difference(graph, ExponentialMean(graph, Close(graph), fast, slow - fast),
                    ExponentialMean(graph, Close(graph), slow));
}

Signal MacdSignal(KernelGraph& graph, Values v) {
  return ExponentialMean(graph, MacdLine(graph, v[0], v[1]), v[2]);
}

Node AddMacdLine(KernelGraph& graph, Values v) {
  return Ratio(graph, MacdLine(graph, v[0], v[1]), Close(graph)).node;
}

Node AddMacdSignal(KernelGraph& graph, Values v) {
  return Ratio(graph, MacdSignal(graph, v), Close(graph)).node;
}

Node AddMacdHistogram(KernelGraph& graph, Values v) {
  const Signal line = MacdLine(graph, v[0], v[1]);
  return Ratio(graph, Difference(graph, line, MacdSignal(graph, v)), Close(graph)).node;
}

Signal SimpleOscillator(KernelGraph& graph, Values v) {
  return Difference(graph, SimpleMean(graph, Close(graph), v[0]),
                    SimpleMean(graph, Close(graph), v[1]));
}

Node AddApo(KernelGraph& graph, Values v) {
  return Ratio(graph, SimpleOscillator(graph, v), Close(graph)).node;
}

Node AddPpo(KernelGraph& graph, Values v) {
  return Ratio(graph, SimpleOscillator(graph, v), SimpleMean(graph, Close(graph), v[1]), 100).node;
}

Node AddTrix(KernelGraph& graph, Values v) {
  Signal smooth = Close(graph);
  for (int pass = 0; pass < 3; ++pass) smooth = ExponentialMean(graph, smooth, v[0]);
  const Signal before = Lag(graph, smooth, 1);
  return Ratio(graph, Difference(graph, smooth, before), before, 100).node;
}

Node AddRsi(KernelGraph& graph, int64_t n) { return Rsi(graph, Close(graph), n).node; }

Node AddCmo(KernelGraph& graph, int64_t n) {
  const Signal change = Change(graph, Close(graph));
  return Ratio(graph, RollingSum(graph, change, n), RollingSum(graph, Size(graph, change), n), 100)
      .node;
}

Node AddConnorsRsi(KernelGraph& graph, Values v) {
  const Signal streak = AddCell(graph, "streak", {Close(graph)}, {}, StreakCell{})[0];
  const Signal before = Lag(graph, Close(graph), 1);
  const Signal change = Ratio(graph, Difference(graph, Close(graph), before), before);
  const Signal rank = AddCell(graph, "percent rank", {change}, {static_cast<double>(v[2])},
                              PercentRankCell(v[2]))[0];
  return Map<3>(graph, "connors rsi",
                {Rsi(graph, Close(graph), v[0]), Rsi(graph, streak, v[1]), rank},
                [](const std::array<double, 3>& in) { return (in[0] + in[1] + in[2]) / 3; })
      .node;
}

const std::vector<ParameterInfo> kFastSlow = {{"fast"}, {.name = "slow", .above_previous = true}};
const std::vector<ParameterInfo> kFastSlowSignal = {
    {"fast"}, {.name = "slow", .above_previous = true}, {"signal"}};

}  // namespace

std::vector<Family> MomentumFamilies() {
  return {
      {{"rsi",
        "100 g / (g + l), g and l Wilder's means of max(d, 0) and max(-d, 0), d[t] = close[t] - "
        "close[t-1], begun with the plain means of the first n; NaN where both are 0",
        "percent", "[0, 100]", "n + 1 bars, older ones with falling weight", 1,
        "Wilder 1978, New Concepts in Technical Trading Systems; TA-Lib: RSI"},
       1,
       true,
       AddRsi},
      {{"cmo",
        "100 * sum(d) / sum(|d|) over n bars, d[t] = close[t] - close[t-1]; NaN where all are 0",
        "percent", "[-100, 100]", "n + 1 bars", 1,
        "Chande and Kroll 1994, The New Technical Trader (TA-Lib's CMO is 2 rsi - 100)"},
       1,
       false,
       AddCmo},
      {{"macd_line", "(ema(close, fast) - ema(close, slow)) / close[t], both begun at bar slow",
        "ratio", "(-inf, inf)", "slow bars, older ones with falling weight", 1,
        "Appel 1979; TA-Lib: MACD / close", kFastSlow},
       0,
       true,
       nullptr,
       AddMacdLine,
       [](Values v) { return v[1]; }},
      {{"macd_signal", "ema(m, signal) / close[t], m = ema(close, fast) - ema(close, slow)",
        "ratio", "(-inf, inf)", "slow + signal - 1 bars, older ones with falling weight", 1,
        "Appel 1979; TA-Lib: MACD / close", kFastSlowSignal},
       0,
       true,
       nullptr,
       AddMacdSignal,
       [](Values v) { return v[1] + v[2] - 1; }},
      {{"macd_histogram",
        "(m - ema(m, signal)) / close[t], m = ema(close, fast) - ema(close, slow)", "ratio",
        "(-inf, inf)", "slow + signal - 1 bars, older ones with falling weight", 1,
        "Appel 1979; TA-Lib: MACD / close", kFastSlowSignal},
       0,
       true,
       nullptr,
       AddMacdHistogram,
       [](Values v) { return v[1] + v[2] - 1; }},
      {{"apo", "(sma(close, fast) - sma(close, slow)) / close[t]", "ratio", "(-inf, inf)",
        "slow bars", 1, "TA-Lib: APO (its default, simple averages) / close", kFastSlow},
       0,
       false,
       nullptr,
       AddApo,
       [](Values v) { return v[1]; }},
      {{"ppo", "100 * (sma(close, fast) - sma(close, slow)) / sma(close, slow)", "percent",
        "(-100, inf)", "slow bars", 1, "TA-Lib: PPO (its default, simple averages)", kFastSlow},
       0,
       false,
       nullptr,
       AddPpo,
       [](Values v) { return v[1]; }},
      {{"trix",
        "100 * (e3[t] / e3[t-1] - 1), e3 = ema(ema(ema(close, n), n), n)",
        "percent",
        "(-100, inf)",
        "3n - 1 bars, older ones with falling weight",
        1,
        "Hutson 1983, Stocks and Commodities 1; TA-Lib: TRIX",
        {{"window"}}},
       0,
       true,
       nullptr,
       AddTrix,
       [](Values v) { return 3 * v[0] - 1; }},
      {{"connors_rsi",
        "(rsi(close, rsi) + rsi(s, streak) + p) / 3, s the number of bars in a row that closed "
        "higher (negative: lower), p the percentage of the rank returns before that are less than "
        "the last one",
        "percent",
        "[0, 100]",
        "max(rsi + 1, streak + 1, rank + 2) bars, older ones with falling "
        "weight",
        1,
        "Connors and Alvarez 2012, An Introduction to ConnorsRSI",
        {{"rsi"}, {"streak"}, {.name = "rank", .largest = 10'000}}},
       0,
       true,
       nullptr,
       AddConnorsRsi,
       [](Values v) {
         return std::max({v[0] + 1, v[1] + 1, v[2] + 2});
       }},
  };
}

}  // namespace almanac::technical
