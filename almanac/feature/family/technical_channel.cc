// The close within bands around it: deviations, ranges, breakouts and trailing stops.
#include <algorithm>
#include <cmath>

#include "almanac/feature/family/technical.h"

namespace almanac::technical {
namespace {

using Node = KernelGraph::Node;
using Values = std::span<const int64_t>;

// A stop that trails the price at some true ranges: above it while the trend is down, below while
// it is up. Begins down, as on TradingView.
struct SuperTrendCell {
  static constexpr size_t kInputs = 3, kOutputs = 1;  // median price, close, average true range
  double multiplier;
  double close_before = kUnknown;
  double upper = kUnknown;
  double lower = kUnknown;
  bool up = false;

  void Step(const std::array<double, 3>& in, std::array<double, 1>& out) {
    const auto [median, close, range] = in;
    out[0] = kUnknown;
    if (!std::isnan(range)) {
      const double top = median + multiplier * range;
      const double bottom = median - multiplier * range;
      const bool first = std::isnan(upper);
      // A band moves only towards the price, unless the price has closed beyond it.
      if (first || top < upper || close_before > upper) upper = top;
      if (first || bottom > lower || close_before < lower) lower = bottom;
      up = !first && (up ? close >= lower : close > upper);
      out[0] = up ? lower : upper;
    }
    close_before = close;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(close_before, upper, lower, up);
  }
};

Node AddBollingerPosition(KernelGraph& graph, Values v) {
  const Signals<2> fold = MeanAndDeviation(graph, Close(graph), v[0]);
  const auto width = static_cast<double>(v[1]);
  return Map<3>(graph, "bollinger position", {Close(graph), fold[0], fold[1]},
                [width](const std::array<double, 3>& in) {
                  return Share(in[0] - in[1] + width * in[2], 2 * width * in[2]);
                },
                {width})
      .node;
}

Node AddBollingerBandwidth(KernelGraph& graph, Values v) {
  const Signals<2> fold = MeanAndDeviation(graph, Close(graph), v[0]);
  return Ratio(graph, fold[1], fold[0], 2 * static_cast<double>(v[1])).node;
}

Node AddKeltnerPosition(KernelGraph& graph, Values v) {
  const auto width = static_cast<double>(v[2]);
  return Map<3>(graph, "keltner position",
                {Close(graph), ExponentialMean(graph, Close(graph), v[0]),
                 AverageTrueRange(graph, v[1])},
                [width](const std::array<double, 3>& in) {
                  return Share(in[0] - in[1] + width * in[2], 2 * width * in[2]);
                },
                {width})
      .node;
}

Node AddDonchianPosition(KernelGraph& graph, int64_t n) {
  return Map<3>(graph, "donchian position",
                {Close(graph), Lag(graph, RollingMaximum(graph, High(graph), n), 1),
                 Lag(graph, RollingMinimum(graph, Low(graph), n), 1)},
                [](const std::array<double, 3>& in) { return Share(in[0] - in[2], in[1] - in[2]); })
      .node;
}

Node AddTrueRange(KernelGraph& graph, Values) {
  return Ratio(graph, TrueRange(graph), Close(graph)).node;
}

Node AddNatr(KernelGraph& graph, int64_t n) {
  return Ratio(graph, AverageTrueRange(graph, n), Close(graph), 100).node;
}

Node AddSuperTrend(KernelGraph& graph, Values v) {
  const auto width = static_cast<double>(v[1]);
  return Distance(graph, AddCell(graph, "supertrend",
                                 {MedianPrice(graph), Close(graph), AverageTrueRange(graph, v[0])},
                                 {width}, SuperTrendCell{width})[0])
      .node;
}

constexpr int64_t kWidest = 20;

}  // namespace

std::vector<Family> ChannelFamilies() {
  const ParameterInfo deviations = {.name = "deviations", .largest = kWidest};
  const ParameterInfo multiplier = {.name = "multiplier", .largest = kWidest};
  return {
      {{"bollinger_percent_b",
        "(close[t] - (m - d s)) / (2 d s), m and s mean and standard deviation (divisor n) of n "
        "closes, d = deviations; NaN where s is 0",
        "ratio",
        "(-inf, inf)",
        "n bars",
        2,
        "Bollinger 2001, Bollinger on Bollinger Bands; TA-Lib: BBANDS",
        {{.name = "window", .smallest = 2}, deviations}},
       0,
       false,
       nullptr,
       AddBollingerPosition,
       [](Values v) { return v[0]; }},
      {{"bollinger_bandwidth",
        "2 d s / m, m and s mean and standard deviation (divisor n) of n closes, d = deviations",
        "ratio",
        "[0, inf)",
        "n bars",
        2,
        "Bollinger 2001, Bollinger on Bollinger Bands; TA-Lib: BBANDS",
        {{.name = "window", .smallest = 2}, deviations}},
       0,
       false,
       nullptr,
       AddBollingerBandwidth,
       [](Values v) { return v[0]; }},
      {{"keltner_position",
        "(close[t] - (e - k a)) / (2 k a), e = ema(close, n), a Wilder's average true range over "
        "range bars, k = multiplier; NaN where a is 0",
        "ratio",
        "(-inf, inf)",
        "max(n, range + 1) bars, older ones with falling weight",
        1,
        "Keltner 1960, as changed by Raschke",
        {{"window"}, {"range"}, multiplier}},
       0,
       true,
       nullptr,
       AddKeltnerPosition,
       [](Values v) { return std::max(v[0], v[1] + 1); }},
      {{"donchian_position",
        "(close[t] - L) / (H - L), H the highest high and L the lowest low of the n bars before t "
        "(above 1 or below 0: a breakout); NaN where H = L",
        "ratio", "(-inf, inf)", "n + 1 bars", 1, "Donchian 1960, the four-week rule"},
       1,
       false,
       AddDonchianPosition},
      {{"true_range", "(max(high, close[t-1]) - min(low, close[t-1])) / close[t]", "ratio",
        "[0, inf)", "2 bars", 0, "Wilder 1978; TA-Lib: TRANGE / close"},
       0,
       false,
       nullptr,
       AddTrueRange,
       [](Values) { return int64_t{2}; }},
      {{"natr",
        "100 a / close[t], a Wilder's mean of the true range, begun with the plain mean of the "
        "first n true ranges",
        "percent", "[0, inf)", "n + 1 bars, older ones with falling weight", 1,
        "Wilder 1978, New Concepts in Technical Trading Systems; TA-Lib: NATR"},
       1,
       true,
       AddNatr},
      {{"supertrend_distance",
        "close[t] / line - 1; bands (high + low) / 2 +- k a, a Wilder's average true range over n "
        "bars, k = multiplier, each moving only towards the price unless the bar before closed "
        "beyond it; the line is the lower band in an uptrend (until a close below it), else the "
        "upper (until a close above it); begins as a downtrend",
        "ratio",
        "(-1, inf)",
        "n + 1 bars, older ones with falling weight",
        1,
        "Seban 2009; TradingView: ta.supertrend",
        {{"window"}, multiplier}},
       0,
       true,
       nullptr,
       AddSuperTrend,
       [](Values v) { return v[0] + 1; }},
  };
}

}  // namespace almanac::technical
