// Spread of the close, its line's angle, and how two series of the bar move together.
#include <cmath>
#include <numbers>

#include "almanac/feature/cell/distance.h"
#include "almanac/feature/cell/joint.h"
#include "almanac/feature/family/technical.h"

namespace almanac::technical {
namespace {

using Node = KernelGraph::Node;
using Values = std::span<const int64_t>;

// The mean of a window and the mean distance from it. Needs every value of the window again at each
// bar, so it takes the bars of a block together; one bar is a block like any other.
class MeanDistance final : public Kernel {
 public:
  explicit MeanDistance(int64_t n) : window_(n), last_(static_cast<size_t>(n), kUnknown) {}

  size_t inputs() const override { return 1; }
  size_t outputs() const override { return 2; }

  void Run(const KernelBlock& block) override {
    const auto length = static_cast<double>(last_.size());
    const double* values = block.inputs[0];
    double *means = block.outputs[0], *distances = block.outputs[1];
    for (size_t row = 0; row < block.rows; ++row) {
      const double sum = window_.Push(values[row]);
      means[row] = window_.full() ? sum / length : kUnknown;
    }
    last_.insert(last_.end(), values, values + block.rows);
    SumDistances(last_.data() + 1, last_.size() - block.rows, means, block.rows, distances);
    for (size_t row = 0; row < block.rows; ++row) {
      distances[row] = std::isnan(means[row]) ? kUnknown : distances[row] / length;
    }
    last_.erase(last_.begin(), last_.begin() + static_cast<std::ptrdiff_t>(block.rows));
  }

  void SaveState(StateWriter& writer) const override {
    const_cast<MeanDistance&>(*this).Visit(writer);  // the writer changes nothing
  }
  void LoadState(StateReader& reader) override { Visit(reader); }

 private:
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(window_, last_);
  }

  FoldWindow<Sum> window_;
  std::vector<double> last_;  // the values of the window, the oldest first
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
  const std::string key = KeyOf("mean and distance", {signal}, {static_cast<double>(window)});
  const Node mean =
      graph.Add(key, {signal.node}, [&] { return std::make_unique<MeanDistance>(window); });
  return {{{key, mean}, {key + "#1", mean + 1}}};
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
