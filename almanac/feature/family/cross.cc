// A symbol against another: its returns, how closely the two go together, which one leads, and how
// far the one stands from where the other puts it.
//
// These families are of the bars that both symbols have (frame.h), so that r and q, the one-bar log
// returns of the symbol and of the other, span the same time.
#include <fmt/format.h>

#include <cmath>

#include "almanac/feature/cell/average.h"
#include "almanac/feature/cell/joint.h"
#include "almanac/feature/family.h"

namespace almanac {
namespace {

using Node = KernelGraph::Node;
using Values = std::span<const int64_t>;

struct LogChangeCell {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  LagWindow values;

  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    const double before = values.Push(in[0]);
    out[0] = std::log1p((in[0] - before) / before);
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(values);
  }
};

// Of y (the symbol) on x (the other) over a window: the slope, and what this bar's y is above the
// line in standard deviations of the residuals.
struct RegressionCell {
  static constexpr size_t kInputs = 2, kOutputs = 2;
  // Below this share of y's variance, residuals are rounding errors.
  static constexpr double kLeastRest = 1e-12;
  FoldWindow<JointMoments> window;

  void Step(const std::array<double, 2>& in, std::array<double, 2>& out) {
    const JointMoments::Value fold = window.Push(JointMoments::Of(in[0], in[1]));
    out = {kUnknown, kUnknown};
    if (!window.full() || !(fold.xx > 0)) return;
    const double slope = fold.xy / fold.xx;
    out[0] = slope;
    const double rest = fold.yy - slope * fold.xy;
    if (!(rest > kLeastRest * fold.yy)) return;
    const double residual = (in[1] - fold.mean_y) - slope * (in[0] - fold.mean_x);
    out[1] = residual / std::sqrt(rest / (fold.count - 2));
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(window);
  }
};

Node AddReturn(KernelGraph& graph, int64_t n) {
  return graph.Add(fmt::format("cross return {}", n), {graph.Field(BarField::kClose)},
                   [&] { return MakeKernel(LogChangeCell{LagWindow(n)}); });
}

Node AddOtherReturn(KernelGraph& graph, int64_t n) {
  return graph.Add(fmt::format("other return {}", n), {graph.OtherField(BarField::kClose)},
                   [&] { return MakeKernel(LogChangeCell{LagWindow(n)}); });
}

template <typename Function>
Node AddMap(KernelGraph& graph, const std::string& key, const std::array<Node, 2>& inputs,
            Function function) {
  return graph.Add(key, {inputs.begin(), inputs.end()},
                   [&] { return MakeKernel(MapCell<2, Function>{function}); });
}

Node AddRelativeStrength(KernelGraph& graph, int64_t n) {
  return AddMap(graph, fmt::format("relative strength {}", n),
                {AddReturn(graph, n), AddOtherReturn(graph, n)},
                [](const std::array<double, 2>& in) { return in[0] - in[1]; });
}

Node AddCorrelation(KernelGraph& graph, int64_t n) {
  return graph.Add(fmt::format("cross correlation {}", n),
                   {AddReturn(graph, 1), AddOtherReturn(graph, 1)},
                   [&] { return MakeKernel(CorrelationCell{FoldWindow<JointMoments>(n)}); });
}

Node AddLeadLag(KernelGraph& graph, Values v) {
  const Node earlier =
      graph.Add(fmt::format("other return before {}", v[1]), {AddOtherReturn(graph, 1)},
                [&] { return MakeKernel(LagCell{LagWindow(v[1])}); });
  return graph.Add(fmt::format("lead-lag {} {}", v[0], v[1]), {AddReturn(graph, 1), earlier},
                   [&] { return MakeKernel(CorrelationCell{FoldWindow<JointMoments>(v[0])}); });
}

// The regression of r on q.
Node AddReturnRegression(KernelGraph& graph, int64_t n) {
  return graph.Add(fmt::format("cross regression {}", n),
                   {AddOtherReturn(graph, 1), AddReturn(graph, 1)},
                   [&] { return MakeKernel(RegressionCell{FoldWindow<JointMoments>(n)}); });
}

Node AddResidualReturn(KernelGraph& graph, int64_t n) { return AddReturnRegression(graph, n) + 1; }

Node AddLogClose(KernelGraph& graph, const std::string& key, Node close) {
  const auto log = [](const std::array<double, 1>& in) { return std::log(in[0]); };
  return graph.Add(key, {close}, [&] { return MakeKernel(MapCell<1, decltype(log)>{log}); });
}

Node AddSpread(KernelGraph& graph, int64_t n) {
  const Node other = AddLogClose(graph, "other log close", graph.OtherField(BarField::kClose));
  const Node own = AddLogClose(graph, "cross log close", graph.Field(BarField::kClose));
  return 1 + graph.Add(fmt::format("spread {}", n), {other, own},
                       [&] { return MakeKernel(RegressionCell{FoldWindow<JointMoments>(n)}); });
}

Family Cross(FamilyInfo info, int64_t bars_before,
             Node (*add)(KernelGraph& graph, int64_t window)) {
  Family family;
  family.info = std::move(info);
  family.info.two_symbols = true;
  family.bars_before = bars_before;
  family.add = add;
  return family;
}

Family LeadLag() {
  Family family;
  family.info = {
      "lead_lag",
      "correlation of r[i] with q[i-shift] over the n common bars i up to t: high where the other "
      "symbol leads by shift bars; NaN where either does not vary",
      "ratio",
      "[-1, 1]",
      "n + shift + 1 common bars",
      1,
      "Lo and MacKinlay 1990, Review of Financial Studies 3",
      {{"window", 2}, {"shift", 1, 10'000}}};
  family.info.two_symbols = true;
  family.add_all = AddLeadLag;
  family.look_back = [](Values v) { return v[0] + v[1] + 1; };
  return family;
}

}  // namespace

std::vector<Family> CrossFamilies() {
  return {
      Cross({"other_return", "ln(o[t] / o[t-n]), o the other symbol's closes at common bars",
             "log ratio", "(-inf, inf)", "n + 1 common bars", 1, "docs/features.md"},
            1, AddOtherReturn),
      Cross(
          {"relative_strength",
           "ln(close[t] / close[t-n]) - ln(o[t] / o[t-n]), o the other symbol's closes at common "
           "bars",
           "log ratio", "(-inf, inf)", "n + 1 common bars", 1, "Levy 1967, Journal of Finance 22"},
          1, AddRelativeStrength),
      Cross({"cross_correlation",
             "Pearson's correlation of r and q over n common bars; NaN where either does not vary",
             "ratio", "[-1, 1]", "n + 1 common bars", 2, "pandas: rolling(n).corr"},
            1, AddCorrelation),
      Cross({"cross_beta", "cov(r, q) / var(q) over n common bars; NaN where q does not vary",
             "ratio", "(-inf, inf)", "n + 1 common bars", 2, "Sharpe 1963, Management Science 9"},
            1, AddReturnRegression),
      Cross({"residual_return",
             "what r[t] is above the least-squares line of r on q over n common bars, in standard "
             "deviations of its residuals (divisor n - 2); NaN where they are 0",
             "standard deviations", "(-inf, inf)", "n + 1 common bars", 3,
             "Blitz, Huij and Martens 2011, Journal of Empirical Finance 18"},
            1, AddResidualReturn),
      Cross(
          {"spread_zscore",
           "what ln(close[t]) is above the least-squares line of ln(close) on ln(o) over n common "
           "bars, in standard deviations of its residuals (divisor n - 2), o the other symbol's "
           "closes; NaN where they are 0",
           "standard deviations", "(-inf, inf)", "n common bars", 3,
           "Gatev, Goetzmann and Rouwenhorst 2006, Review of Financial Studies 19"},
          0, AddSpread),
      LeadLag(),
  };
}

}  // namespace almanac
