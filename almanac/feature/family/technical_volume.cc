// Price and volume together: where in the bar, and in which bars, the volume was.
#include <cmath>

#include "almanac/feature/family/technical.h"

namespace almanac::technical {
namespace {

using Node = KernelGraph::Node;
using Values = std::span<const int64_t>;

// ema(A, fast) - ema(A, slow) of the accumulation/distribution line A, both begun with A's first
// value. Instead of A, whose rounding errors would add up for ever, the distances of A from its two
// averages are kept: a[t] = (1 - weight) (a[t-1] + flow[t]).
struct ChaikinCell {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  int64_t length;
  double fast_keep, slow_keep;
  int64_t seen = 0;  // counted up to length
  double from_fast = 0, from_slow = 0;

  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    // The averages begin at the line's first value: no distance.
    if (seen > 0) {
      from_fast = fast_keep * (from_fast + in[0]);
      from_slow = slow_keep * (from_slow + in[0]);
    }
    if (seen < length) ++seen;
    out[0] = seen == length ? from_slow - from_fast : kUnknown;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(seen, from_fast, from_slow);
  }
};

// Klinger's volume force. The trend is that of high + low + close (as before where unchanged); cm
// adds up the ranges of the bars since the trend turned, the bar before the turn included.
struct VolumeForceCell {
  static constexpr size_t kInputs = 4, kOutputs = 1;  // high, low, close, volume
  double level = kUnknown;
  double range = 0;
  double cumulated = 0;
  double trend = 0;

  void Step(const std::array<double, 4>& in, std::array<double, 1>& out) {
    const double now = in[0] + in[1] + in[2];
    const double span = in[0] - in[1];
    out[0] = kUnknown;
    if (!std::isnan(level)) {
      double turned = trend;
      if (now > level) turned = 1;
      if (now < level) turned = -1;
      cumulated = (turned == trend ? cumulated : range) + span;
      trend = turned;
      out[0] = cumulated > 0 ? in[3] * std::abs(2 * span / cumulated - 1) * trend : 0;
    }
    level = now;
    range = span;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(level, range, cumulated, trend);
  }
};

// Volume times where in its range the bar closed (-1 lowest, 1 highest, 0 without a range).
Signal MoneyFlow(KernelGraph& graph) {
  return Map<4>(graph, "money flow", {High(graph), Low(graph), Close(graph), Volume(graph)},
                [](const std::array<double, 4>& in) {
                  const double range = in[0] - in[1];
                  if (!(range > 0)) return 0.0;
                  return ((in[2] - in[1]) - (in[0] - in[2])) / range * in[3];
                });
}

// `of` with the sign that `price` changed with, 0 where it did not.
Signal Signed(KernelGraph& graph, const Signal& price, const Signal& of) {
  return Map<3>(graph, "signed", {price, Lag(graph, price, 1), of},
                [](const std::array<double, 3>& in) {
                  if (std::isnan(in[1])) return kUnknown;
                  if (in[0] == in[1]) return 0.0;
                  return in[0] > in[1] ? in[2] : -in[2];
                });
}

Node AddMfi(KernelGraph& graph, int64_t n) {
  const Signal price = TypicalPrice(graph);
  const Signal flow = Map<2>(graph, "product", {price, Volume(graph)},
                             [](const std::array<double, 2>& in) { return in[0] * in[1]; });
  const Signal change = Signed(graph, price, flow);
  const Signal in = Map<1>(graph, "gain", {change},
                           [](const std::array<double, 1>& x) { return x[0] < 0 ? 0 : x[0]; });
  const Signal out = Map<1>(graph, "loss", {change},
                            [](const std::array<double, 1>& x) { return x[0] > 0 ? 0 : -x[0]; });
  return Map<2>(graph, "rsi", {RollingSum(graph, in, n), RollingSum(graph, out, n)},
                [](const std::array<double, 2>& x) { return 100 * Share(x[0], x[0] + x[1]); })
      .node;
}

Node AddObvChange(KernelGraph& graph, int64_t n) {
  const Signal change = RollingSum(graph, Signed(graph, Close(graph), Volume(graph)), n);
  return Ratio(graph, change, RollingSum(graph, Volume(graph), n)).node;
}

Node AddChaikinMoneyFlow(KernelGraph& graph, int64_t n) {
  return Ratio(graph, RollingSum(graph, MoneyFlow(graph), n), RollingSum(graph, Volume(graph), n))
      .node;
}

Node AddChaikinOscillator(KernelGraph& graph, Values v) {
  const auto fast = static_cast<double>(v[0]);
  const auto slow = static_cast<double>(v[1]);
  const Signal oscillator = AddCell(graph, "chaikin", {MoneyFlow(graph)}, {fast, slow},
                                    ChaikinCell{v[1], 1 - 2 / (fast + 1), 1 - 2 / (slow + 1)})[0];
  return Ratio(graph, oscillator, SimpleMean(graph, Volume(graph), v[1])).node;
}

Node AddVwapDistance(KernelGraph& graph, int64_t n) {
  const Signal worth = Map<2>(graph, "product", {TypicalPrice(graph), Volume(graph)},
                              [](const std::array<double, 2>& in) { return in[0] * in[1]; });
  return Distance(graph,
                  Ratio(graph, RollingSum(graph, worth, n), RollingSum(graph, Volume(graph), n)))
      .node;
}

Signal Klinger(KernelGraph& graph, Values v) {
  const Signal force =
      AddCell(graph, "volume force", {High(graph), Low(graph), Close(graph), Volume(graph)}, {},
              VolumeForceCell{})[0];
  return Difference(graph, ExponentialMean(graph, force, v[0]),
                    ExponentialMean(graph, force, v[1]));
}

Node AddKlinger(KernelGraph& graph, Values v) {
  return Ratio(graph, Klinger(graph, v), SimpleMean(graph, Volume(graph), v[1])).node;
}

Node AddKlingerSignal(KernelGraph& graph, Values v) {
  return Ratio(graph, ExponentialMean(graph, Klinger(graph, v), v[2]),
               SimpleMean(graph, Volume(graph), v[1]))
      .node;
}

}  // namespace

std::vector<Family> VolumeFamilies() {
  return {
      {{"mfi",
        "100 u / (u + d), u and d the sums over n bars of p * volume where p = (high + low + "
        "close) / 3 rose and where it fell; NaN where both are 0",
        "percent", "[0, 100]", "n + 1 bars", 1,
        "Quong and Soudack 1989, Stocks and Commodities 7; TA-Lib: MFI"},
       1,
       false,
       AddMfi},
      {{"obv_change",
        "(obv[t] - obv[t-n]) / sum of the n volumes, obv adding the volume of bars that closed "
        "higher and taking away that of bars that closed lower; NaN where all volumes are 0",
        "ratio", "[-1, 1]", "n + 1 bars", 1,
        "Granville 1963, New Key to Stock Market Profits; TA-Lib: OBV"},
       1,
       false,
       AddObvChange},
      {{"chaikin_money_flow",
        "sum of f / sum of volume over n bars, f = volume ((close - low) - (high - close)) / (high "
        "- low), 0 where high = low: the change of the accumulation/distribution line; NaN where "
        "all volumes are 0",
        "ratio", "[-1, 1]", "n bars", 1, "Chaikin; TA-Lib: AD"},
       0,
       false,
       AddChaikinMoneyFlow},
      {{"chaikin_oscillator",
        "(ema(A, fast) - ema(A, slow)) / mean volume of slow bars, A the accumulation/distribution "
        "line, both averages begun with its first value; NaN where all volumes are 0",
        "mean volumes",
        "(-inf, inf)",
        "slow bars, older ones with falling weight",
        1,
        "Chaikin; TA-Lib: ADOSC",
        {{"fast"}, {.name = "slow", .above_previous = true}}},
       0,
       true,
       nullptr,
       AddChaikinOscillator,
       [](Values v) { return v[1]; }},
      {{"vwap_distance",
        "close[t] / (sum of p * volume / sum of volume) - 1 over n bars, p = (high + low + close) "
        "/ 3; NaN where all volumes are 0",
        "ratio", "(-1, inf)", "n bars", 1,
        "Berkowitz, Logue and Noser 1988, Journal of Finance 43"},
       0,
       false,
       AddVwapDistance},
      {{"klinger_oscillator",
        "(ema(f, fast) - ema(f, slow)) / mean volume of slow bars, f = volume |2 r / c - 1| trend, "
        "r = high - low, trend the sign of the change of high + low + close (the last one's where "
        "unchanged), c the sum of r since the bar before the trend turned; f = 0 where c = 0",
        "mean volumes",
        "(-inf, inf)",
        "slow + 1 bars, older ones with falling weight",
        1,
        "Klinger 1997, Stocks and Commodities 15",
        {{"fast"}, {.name = "slow", .above_previous = true}}},
       0,
       true,
       nullptr,
       AddKlinger,
       [](Values v) { return v[1] + 1; }},
      {{"klinger_signal",
        "ema(k, signal) / mean volume of slow bars, k = ema(f, fast) - ema(f, slow), f as for "
        "klinger_oscillator",
        "mean volumes",
        "(-inf, inf)",
        "slow + signal bars, older ones with falling weight",
        1,
        "Klinger 1997, Stocks and Commodities 15",
        {{"fast"}, {.name = "slow", .above_previous = true}, {"signal"}}},
       0,
       true,
       nullptr,
       AddKlingerSignal,
       [](Values v) { return v[1] + v[2]; }},
  };
}

}  // namespace almanac::technical
