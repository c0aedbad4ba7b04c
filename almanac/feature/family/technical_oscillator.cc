// The close within the range of its recent past.
#include <algorithm>
#include <cmath>

#include "almanac/feature/family/technical.h"

namespace almanac::technical {
namespace {

using Node = KernelGraph::Node;
using Values = std::span<const int64_t>;

// Ehlers' transform of the position (0 to 1) of the median price in its range. A bar without a
// position is passed over.
struct FisherCell {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  double smooth = 0;
  double fisher = 0;

  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    out[0] = kUnknown;
    if (std::isnan(in[0])) return;
    constexpr double kBound = 0.999;
    smooth = std::clamp(0.66 * (in[0] - 0.5) + 0.67 * smooth, -kBound, kBound);
    fisher = 0.5 * std::log((1 + smooth) / (1 - smooth)) + 0.5 * fisher;
    out[0] = fisher;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(smooth, fisher);
  }
};

// 100 * (value - lowest) / (highest - lowest), NaN where they are equal.
Signal Position(KernelGraph& graph, const Signal& value, const Signal& highest,
                const Signal& lowest) {
  return Map<3>(graph, "position", {value, highest, lowest}, [](const std::array<double, 3>& in) {
    return 100 * Share(in[0] - in[2], in[1] - in[2]);
  });
}

Signal FastK(KernelGraph& graph, int64_t n) {
  return Position(graph, Close(graph), RollingMaximum(graph, High(graph), n),
                  RollingMinimum(graph, Low(graph), n));
}

Signal StochRsiK(KernelGraph& graph, int64_t rsi, int64_t k) {
  const Signal of = Rsi(graph, Close(graph), rsi);
  return Position(graph, of, RollingMaximum(graph, of, k), RollingMinimum(graph, of, k));
}

Node AddStochasticK(KernelGraph& graph, Values v) {
  return SimpleMean(graph, FastK(graph, v[0]), v[1]).node;
}

Node AddStochasticD(KernelGraph& graph, Values v) {
  return SimpleMean(graph, SimpleMean(graph, FastK(graph, v[0]), v[1]), v[2]).node;
}

Node AddStochRsiD(KernelGraph& graph, Values v) {
  return SimpleMean(graph, StochRsiK(graph, v[0], v[1]), v[2]).node;
}

Node AddWilliamsR(KernelGraph& graph, int64_t n) {
  return Map<3>(graph, "williams r",
                {Close(graph), RollingMaximum(graph, High(graph), n),
                 RollingMinimum(graph, Low(graph), n)},
                [](const std::array<double, 3>& in) {
                  return 100 * Share(in[0] - in[1], in[1] - in[2]);
                })
      .node;
}

Node AddCci(KernelGraph& graph, int64_t n) {
  const Signal price = TypicalPrice(graph);
  const Signals<2> mean = MeanAndDistance(graph, price, n);
  return Map<3>(graph, "cci", {price, mean[0], mean[1]},
                [](const std::array<double, 3>& in) {
                  constexpr double kLambert = 0.015;
                  return Share(in[0] - in[1], kLambert * in[2]);
                })
      .node;
}

Node AddUltimate(KernelGraph& graph, Values v) {
  const Signal pressure =
      Map<3>(graph, "buying pressure", {Low(graph), Close(graph), Lag(graph, Close(graph), 1)},
             [](const std::array<double, 3>& in) {
               return std::isnan(in[2]) ? kUnknown : in[1] - std::min(in[0], in[2]);
             });
  Signals<3> parts;
  for (size_t i = 0; i < 3; ++i) {
    parts[i] =
        Ratio(graph, RollingSum(graph, pressure, v[i]), RollingSum(graph, TrueRange(graph), v[i]));
  }
  return Map<3>(graph, "ultimate", parts,
                [](const std::array<double, 3>& in) {
                  return 100 * (4 * in[0] + 2 * in[1] + in[2]) / 7;
                })
      .node;
}

Node AddIntradayMomentum(KernelGraph& graph, int64_t n) {
  const Signal change = Difference(graph, Close(graph), Open(graph));
  const Signal gain = Map<1>(graph, "gain", {change},
                             [](const std::array<double, 1>& in) { return in[0] < 0 ? 0 : in[0]; });
  const Signal size = Map<1>(graph, "size", {change},
                             [](const std::array<double, 1>& in) { return std::abs(in[0]); });
  return Ratio(graph, RollingSum(graph, gain, n), RollingSum(graph, size, n), 100).node;
}

Node AddBalanceOfPower(KernelGraph& graph, Values) {
  return Map<4>(graph, "balance of power", {Open(graph), High(graph), Low(graph), Close(graph)},
                [](const std::array<double, 4>& in) { return Share(in[3] - in[0], in[1] - in[2]); })
      .node;
}

Node AddFisher(KernelGraph& graph, int64_t n) {
  const Signal price = MedianPrice(graph);
  const Signal position =
      Map<3>(graph, "share of range",
             {price, RollingMaximum(graph, price, n), RollingMinimum(graph, price, n)},
             [](const std::array<double, 3>& in) { return Share(in[0] - in[2], in[1] - in[2]); });
  return AddCell(graph, "fisher", {position}, {}, FisherCell{})[0].node;
}

}  // namespace

std::vector<Family> OscillatorFamilies() {
  return {
      {{"stochastic_k",
        "mean of K over smooth bars, K = 100 (close - L) / (H - L), H the highest high and L the "
        "lowest low of n bars; NaN where H = L",
        "percent",
        "[0, 100]",
        "n + smooth - 1 bars",
        1,
        "Lane 1984, Stocks and Commodities 2; TA-Lib: STOCH's slow %K, STOCHF's fast %D",
        {{"window"}, {"smooth"}}},
       0,
       false,
       nullptr,
       AddStochasticK,
       [](Values v) { return v[0] + v[1] - 1; }},
      {{"stochastic_d",
        "mean of stochastic_k(n, smooth) over signal bars",
        "percent",
        "[0, 100]",
        "n + smooth + signal - 2 bars",
        1,
        "Lane 1984, Stocks and Commodities 2; TA-Lib: STOCH's slow %D",
        {{"window"}, {"smooth"}, {"signal"}}},
       0,
       false,
       nullptr,
       AddStochasticD,
       [](Values v) { return v[0] + v[1] + v[2] - 2; }},
      {{"stochrsi_k",
        "100 (R - L) / (H - L), R = rsi(close, rsi), H and L its highest and lowest of n bars; NaN "
        "where H = L",
        "percent",
        "[0, 100]",
        "rsi + n bars, older ones with falling weight",
        2,
        "Chande and Kroll 1994, The New Technical Trader; TA-Lib: STOCHRSI's fast %K",
        {{"rsi"}, {.name = "window", .smallest = 2}}},
       0,
       true,
       nullptr,
       [](KernelGraph& graph, Values v) { return StochRsiK(graph, v[0], v[1]).node; },
       [](Values v) { return v[0] + v[1]; }},
      {{"stochrsi_d",
        "mean of stochrsi_k(rsi, n) over signal bars",
        "percent",
        "[0, 100]",
        "rsi + n + signal - 1 bars, older ones with falling weight",
        2,
        "Chande and Kroll 1994, The New Technical Trader; TA-Lib: STOCHRSI's fast %D",
        {{"rsi"}, {.name = "window", .smallest = 2}, {"signal"}}},
       0,
       true,
       nullptr,
       AddStochRsiD,
       [](Values v) { return v[0] + v[1] + v[2] - 1; }},
      {{"williams_r",
        "100 (close - H) / (H - L), H the highest high and L the lowest low of n bars; NaN where "
        "H = L",
        "percent", "[-100, 0]", "n bars", 1,
        "Williams 1979, How I Made One Million Dollars; TA-Lib: WILLR"},
       0,
       false,
       AddWilliamsR},
      {{"cci",
        "(p - mean(p)) / (0.015 mean(|p - mean(p)|)) over n bars, p = (high + low + close) / 3; "
        "NaN where the divisor is 0",
        "mean deviations / 0.015", "(-inf, inf)", "n bars", 2,
        "Lambert 1980, Commodities magazine; TA-Lib: CCI"},
       0,
       false,
       AddCci},
      {{"ultimate_oscillator",
        "100 (4 a(short) + 2 a(medium) + a(long)) / 7, a(n) = sum of close - min(low, close[t-1]) "
        "/ sum of the true range over n bars; NaN where a sum of ranges is 0",
        "percent",
        "[0, 100]",
        "long + 1 bars",
        1,
        "Williams 1985, Stocks and Commodities 3; TA-Lib: ULTOSC",
        {{"short"},
         {.name = "medium", .above_previous = true},
         {.name = "long", .above_previous = true}}},
       0,
       false,
       nullptr,
       AddUltimate,
       [](Values v) { return v[2] + 1; }},
      {{"imi",
        "100 sum(max(close - open, 0)) / sum(|close - open|) over n bars; NaN where all are 0",
        "percent", "[0, 100]", "n bars", 1,
        "Chande and Kroll 1994, The New Technical Trader; TA-Lib: IMI"},
       0,
       false,
       AddIntradayMomentum},
      {{"balance_of_power", "(close - open) / (high - low); NaN where high = low", "ratio",
        "[-1, 1]", "1 bar", 0, "Livshin 2001, Stocks and Commodities 19; TA-Lib: BOP"},
       0,
       false,
       nullptr,
       AddBalanceOfPower,
       [](Values) { return int64_t{1}; }},
      {{"fisher_transform",
        "f[t] = ln((1 + x) / (1 - x)) / 2 + f[t-1] / 2, x[t] = 0.66 (q - 0.5) + 0.67 x[t-1] held "
        "in [-0.999, 0.999], q the position (0 to 1) of (high + low) / 2 in its range of n bars; "
        "f and x begin with 0",
        "none", "(-7.6, 7.6)", "n bars, older ones with falling weight", 2,
        "Ehlers 2002, Stocks and Commodities 20"},
       0,
       true,
       AddFisher},
  };
}

}  // namespace almanac::technical
