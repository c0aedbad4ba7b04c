// Spread of the close, its line's angle, and how two series of the bar move together.
#include <cmath>
#include <numbers>

#include "almanac/feature/cell/joint.h"
#include "almanac/feature/family/technical.h"

namespace almanac::technical {
namespace {

using Node = KernelGraph::Node;
using Values = std::span<const int64_t>;

// Needs every value of the window again at each bar, in four sums so that an addition need not wait
// for the one before.
struct MeanDistanceCell {
  static constexpr size_t kInputs = 1, kOutputs = 2;
  FoldWindow<Sum> window;
  std::vector<double> ring;
  uint64_t position = 0;

  explicit MeanDistanceCell(int64_t n) : window(n), ring(static_cast<size_t>(n), kUnknown) {}
  void Step(const std::array<double, 1>& in, std::array<double, 2>& out) {
    const auto length = static_cast<double>(ring.size());
    const double mean = window.Push(in[0]) / length;
    ring[position] = in[0];
    if (++position == ring.size()) position = 0;
    out.fill(kUnknown);
    if (window.full()) out = {mean, Distances(mean) / length};
  }
  double Distances(double mean) const {
    std::array<double, 4> parts{};
    size_t i = 0;
    for (; i + 4 <= ring.size(); i += 4) {
      for (size_t p = 0; p < 4; ++p) parts[p] += std::abs(ring[i + p] - mean);
    }
    for (; i < ring.size(); ++i) parts[0] += std::abs(ring[i] - mean);
    return (parts[0] + parts[1]) + (parts[2] + parts[3]);
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(window, ring, position);
  }
};

// The sums xx, xy and yy of a window.
struct SumsCell {
  static constexpr size_t kInputs = 2, kOutputs = 3;
  FoldWindow<JointMoments> window;

  void Step(const std::array<double, 2>& in, std::array<double, 3>& out) {
    const JointMoments::Value fold = window.Push(JointMoments::Of(in[0], in[1]));
    out.fill(kUnknown);
    if (window.full()) out = {fold.xx, fold.xy, fold.yy};
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(window);
  }
};

Signals<3> Pair(KernelGraph& graph, const Signal& x, const Signal& y, int64_t n) {
  return AddCell(graph, "pair", {x, y}, {static_cast<double>(n)},
                 SumsCell{FoldWindow<JointMoments>(n)});
}

Node AddCorrelation(KernelGraph& graph, const Signal& x, const Signal& y, int64_t n) {
  return Map<3>(graph, "correlation", Pair(graph, x, y, n),
                [](const std::array<double, 3>& in) {
                  // Never beyond 1 by rounding.
                  const double value = Share(in[1], std::sqrt(in[0]) * std::sqrt(in[2]));
                  return value > 1 ? 1 : value < -1 ? -1 : value;
                })
      .node;
}

Signal RelativeChange(KernelGraph& graph, const Signal& price) {
  const Signal before = Lag(graph, price, 1);
  return Ratio(graph, Difference(graph, price, before), before);
}

Node AddBeta(KernelGraph& graph, int64_t n) {
  const Signals<3> sums =
      Pair(graph, RelativeChange(graph, High(graph)), RelativeChange(graph, Low(graph)), n);
  return Ratio(graph, sums[1], sums[0]).node;
}

Signal Deviation(KernelGraph& graph, int64_t n) {
  return Ratio(graph, MeanAndDeviation(graph, Close(graph), n)[1], Close(graph));
}

Node AddVariance(KernelGraph& graph, int64_t n) {
  return Map<1>(graph, "square", {Deviation(graph, n)},
                [](const std::array<double, 1>& in) { return in[0] * in[0]; })
      .node;
}

Node AddAverageDeviation(KernelGraph& graph, int64_t n) {
  return Ratio(graph, MeanAndDistance(graph, Close(graph), n)[1], Close(graph)).node;
}

Node AddAngle(KernelGraph& graph, int64_t n) {
  const auto length = static_cast<double>(n);
  const double factor = 100 * 12 / (length * (length * length - 1));
  return Map<1>(graph, "degrees",
                {Ratio(graph, Line(graph, Close(graph), n)[1], Close(graph), factor)},
                [](const std::array<double, 1>& in) {
                  return std::atan(in[0]) * (180 / std::numbers::pi);
                })
      .node;
}

}  // namespace

Signals<2> MeanAndDistance(KernelGraph& graph, const Signal& signal, int64_t window) {
  return AddCell(graph, "mean and distance", {signal}, {static_cast<double>(window)},
                 MeanDistanceCell(window));
}

std::vector<Family> StatisticFamilies() {
  return {
      {{"close_deviation", "standard deviation (divisor n) of n closes / close[t]", "ratio",
        "[0, inf)", "n bars", 1, "TA-Lib: STDDEV / close"},
       0,
       false,
       [](KernelGraph& graph, int64_t n) { return Deviation(graph, n).node; }},
      {{"close_variance", "variance (divisor n) of n closes / close[t]^2", "ratio", "[0, inf)",
        "n bars", 1, "TA-Lib: VAR / close^2"},
       0,
       false,
       AddVariance},
      {{"close_average_deviation", "mean of |close - mean(close)| over n bars / close[t]", "ratio",
        "[0, inf)", "n bars", 1, "TA-Lib: AVGDEV / close"},
       0,
       false,
       AddAverageDeviation},
      {{"linreg_angle",
        "arc tangent of 100 linreg_slope: of the least-squares line through n closes in percent of "
        "the close a bar",
        "degrees", "(-90, 90)", "n bars", 2, "TA-Lib: LINEARREG_ANGLE of 100 closes / close[t]"},
       0,
       false,
       AddAngle},
      {{"high_low_beta",
        "cov(h, l) / var(h) over n bars, h and l the changes of high and low in a bar / their "
        "values "
        "before; NaN where var(h) is 0",
        "ratio", "(-inf, inf)", "n + 1 bars", 2, "TA-Lib: BETA of high and low"},
       1,
       false,
       AddBeta},
      {{"high_low_correlation",
        "correlation of high and low over n bars; NaN where either is constant", "ratio", "[-1, 1]",
        "n bars", 2, "TA-Lib: CORREL of high and low"},
       0,
       false,
       [](KernelGraph& graph, int64_t n) {
         return AddCorrelation(graph, High(graph), Low(graph), n);
       }},
      {{"close_volume_correlation",
        "correlation of close and volume over n bars; NaN where either is constant", "ratio",
        "[-1, 1]", "n bars", 2, "TA-Lib: CORREL of close and volume"},
       0,
       false,
       [](KernelGraph& graph, int64_t n) {
         return AddCorrelation(graph, Close(graph), Volume(graph), n);
       }},
  };
}

}  // namespace almanac::technical
