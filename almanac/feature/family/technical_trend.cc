// Whether there is a trend and which: directional movement, Aroon, Vortex.
#include <cmath>

#include "almanac/feature/family/technical.h"

namespace almanac::technical {
namespace {

using Node = KernelGraph::Node;
using Values = std::span<const int64_t>;

// Wilder's directional movement of one bar: up, down; at most one is not 0.
struct MovementCell {
  static constexpr size_t kInputs = 2, kOutputs = 2;  // high, low
  double high = kUnknown;
  double low = kUnknown;

  void Step(const std::array<double, 2>& in, std::array<double, 2>& out) {
    const double up = in[0] - high;
    const double down = low - in[1];
    out[0] = std::isnan(up) || (up > 0 && up > down) ? up : 0;
    out[1] = std::isnan(down) || (down > 0 && down > up) ? down : 0;
    high = in[0];
    low = in[1];
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(high, low);
  }
};

struct WilderSums {
  Signal up, down, range;
};

WilderSums Directional(KernelGraph& graph, int64_t n) {
  const Signals<2> movement =
      AddCell(graph, "directional movement", {High(graph), Low(graph)}, {}, MovementCell{});
  const auto sum = [&](const Signal& of) {
    return AddCell(graph, "wilder sum", {of}, {static_cast<double>(n)}, WilderSumCell{n})[0];
  };
  return {sum(movement[0]), sum(movement[1]), sum(TrueRange(graph))};
}

Signal Index(KernelGraph& graph, int64_t n) {
  const WilderSums sums = Directional(graph, n);
  return Map<2>(graph, "dx", {sums.up, sums.down}, [](const std::array<double, 2>& in) {
    return 100 * Share(std::abs(in[0] - in[1]), in[0] + in[1]);
  });
}

Node AddPlus(KernelGraph& graph, int64_t n) {
  const WilderSums sums = Directional(graph, n);
  return Ratio(graph, sums.up, sums.range, 100).node;
}

Node AddMinus(KernelGraph& graph, int64_t n) {
  const WilderSums sums = Directional(graph, n);
  return Ratio(graph, sums.down, sums.range, 100).node;
}

// 100 (n - bars since the extreme of n + 1 bars) / n
Node AddRating(KernelGraph& graph, Values v) {
  const Signal adx = WilderMean(graph, Index(graph, v[0]), v[0]);
  return Map<2>(graph, "half", {adx, Lag(graph, adx, v[0] - 1)},
                [](const std::array<double, 2>& in) { return (in[0] + in[1]) / 2; })
      .node;
}

template <bool kLargest>
Signal Aroon(KernelGraph& graph, int64_t n) {
  const auto span = static_cast<double>(n);
  return Map<1>(
      graph, "aroon",
      {ExtremeAge<kLargest, Equals::kNewest>(graph, kLargest ? High(graph) : Low(graph), n + 1)},
      [span](const std::array<double, 1>& in) { return 100 * (span - in[0]) / span; }, {span});
}

Node AddAroonOscillator(KernelGraph& graph, int64_t n) {
  return Difference(graph, Aroon<true>(graph, n), Aroon<false>(graph, n)).node;
}

Node AddVortex(KernelGraph& graph, const Signal& end, const Signal& before, int64_t n) {
  const Signal movement =
      Map<2>(graph, "vortex movement", {end, Lag(graph, before, 1)},
             [](const std::array<double, 2>& in) { return std::abs(in[0] - in[1]); });
  return Ratio(graph, RollingSum(graph, movement, n), RollingSum(graph, TrueRange(graph), n)).node;
}

}  // namespace

std::vector<Family> TrendFamilies() {
  const std::string wilder =
      "; s(x)[t] = s[t-1] - s[t-1] / n + x[t], begun with the plain sum of n - 1 values";
  return {
      {{"plus_di",
        "100 s(u) / s(true range), u = high - high[t-1] where that is positive and above low[t-1] "
        "- low, else 0" +
            wilder,
        "percent", "[0, 100]", "n + 1 bars, older ones with falling weight", 2,
        "Wilder 1978, New Concepts in Technical Trading Systems; TA-Lib: PLUS_DI"},
       1,
       true,
       AddPlus},
      {{"minus_di",
        "100 s(d) / s(true range), d = low[t-1] - low where that is positive and above high - "
        "high[t-1], else 0" +
            wilder,
        "percent", "[0, 100]", "n + 1 bars, older ones with falling weight", 2,
        "Wilder 1978, New Concepts in Technical Trading Systems; TA-Lib: MINUS_DI"},
       1,
       true,
       AddMinus},
      {{"dx", "100 |plus_di - minus_di| / (plus_di + minus_di); NaN where both are 0", "percent",
        "[0, 100]", "n + 1 bars, older ones with falling weight", 2,
        "Wilder 1978, New Concepts in Technical Trading Systems; TA-Lib: DX"},
       1,
       true,
       [](KernelGraph& graph, int64_t n) { return Index(graph, n).node; }},
      {{"adx",
        "Wilder's mean of dx over n, begun with the plain mean of its first n values",
        "percent",
        "[0, 100]",
        "2n bars, older ones with falling weight",
        2,
        "Wilder 1978, New Concepts in Technical Trading Systems; TA-Lib: ADX",
        {{.name = "window", .smallest = 2}}},
       0,
       true,
       nullptr,
       [](KernelGraph& graph, Values v) {
         return WilderMean(graph, Index(graph, v[0]), v[0]).node;
       },
       [](Values v) { return 2 * v[0]; }},
      {{"adxr",
        "(adx[t] + adx[t-n+1]) / 2",
        "percent",
        "[0, 100]",
        "3n - 1 bars, older ones with falling weight",
        2,
        "Wilder 1978, New Concepts in Technical Trading Systems; TA-Lib: ADXR",
        {{.name = "window", .smallest = 2}}},
       0,
       true,
       nullptr,
       AddRating,
       [](Values v) { return 3 * v[0] - 1; }},
      {{"plus_dm", "s(u) / close[t], u of plus_di" + wilder, "ratio", "[0, inf)",
        "n + 1 bars, older ones with falling weight", 2,
        "Wilder 1978, New Concepts in Technical Trading Systems; TA-Lib: PLUS_DM / close"},
       1,
       true,
       [](KernelGraph& graph, int64_t n) {
         return Ratio(graph, Directional(graph, n).up, Close(graph)).node;
       }},
      {{"minus_dm", "s(d) / close[t], d of minus_di" + wilder, "ratio", "[0, inf)",
        "n + 1 bars, older ones with falling weight", 2,
        "Wilder 1978, New Concepts in Technical Trading Systems; TA-Lib: MINUS_DM / close"},
       1,
       true,
       [](KernelGraph& graph, int64_t n) {
         return Ratio(graph, Directional(graph, n).down, Close(graph)).node;
       }},
      {{"aroon_up", "100 (n - bars since the highest high of n + 1 bars, the newest of equals) / n",
        "percent", "[0, 100]", "n + 1 bars", 1,
        "Chande 1995, Stocks and Commodities 13; TA-Lib: AROON"},
       1,
       false,
       [](KernelGraph& graph, int64_t n) { return Aroon<true>(graph, n).node; }},
      {{"aroon_down", "100 (n - bars since the lowest low of n + 1 bars, the newest of equals) / n",
        "percent", "[0, 100]", "n + 1 bars", 1,
        "Chande 1995, Stocks and Commodities 13; TA-Lib: AROON"},
       1,
       false,
       [](KernelGraph& graph, int64_t n) { return Aroon<false>(graph, n).node; }},
      {{"aroon_oscillator", "aroon_up - aroon_down", "percent", "[-100, 100]", "n + 1 bars", 1,
        "Chande 1995, Stocks and Commodities 13; TA-Lib: AROONOSC"},
       1,
       false,
       AddAroonOscillator},
      {{"vortex_plus", "sum of |high - low[t-1]| / sum of the true range over n bars", "ratio",
        "[0, inf)", "n + 1 bars", 1, "Botes and Siepman 2010, Stocks and Commodities 28"},
       1,
       false,
       [](KernelGraph& graph, int64_t n) { return AddVortex(graph, High(graph), Low(graph), n); }},
      {{"vortex_minus", "sum of |low - high[t-1]| / sum of the true range over n bars", "ratio",
        "[0, inf)", "n + 1 bars", 1, "Botes and Siepman 2010, Stocks and Commodities 28"},
       1,
       false,
       [](KernelGraph& graph, int64_t n) { return AddVortex(graph, Low(graph), High(graph), n); }},
  };
}

}  // namespace almanac::technical
