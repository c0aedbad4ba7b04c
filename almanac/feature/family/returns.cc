// Returns over a window and how unusual they are.
#include <cmath>

#include "almanac/feature/family.h"
#include "almanac/feature/window.h"

namespace almanac {
namespace {

using Node = KernelGraph::Node;

struct SimpleReturn {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  LagWindow closes;

  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    const double before = closes.Push(in[0]);
    // The difference of two near prices is exact, which their quotient minus one would not be.
    out[0] = (in[0] - before) / before;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(closes);
  }
};

struct LogReturn {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  LagWindow closes;

  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    const double before = closes.Push(in[0]);
    out[0] = std::log1p((in[0] - before) / before);
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(closes);
  }
};

struct MomentumZScore {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  FoldWindow<Moments> returns;
  double root_length;

  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    const Moments::Value window = returns.Push(Moments::Of(in[0]));
    const double deviation = window.SampleDeviation();
    out[0] = returns.full() && deviation > 0 ? window.mean / deviation * root_length : kUnknown;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(returns);
  }
};

Node AddSimpleReturn(KernelGraph& graph, int64_t window) {
  return graph.Add("return " + std::to_string(window), {graph.Field(BarField::kClose)},
                   [&] { return MakeKernel(SimpleReturn{LagWindow(window)}); });
}

Node AddLogReturn(KernelGraph& graph, int64_t window) {
  return graph.Add("log return " + std::to_string(window), {graph.Field(BarField::kClose)},
                   [&] { return MakeKernel(LogReturn{LagWindow(window)}); });
}

Node AddMomentumZScore(KernelGraph& graph, int64_t window) {
  return graph.Add("momentum z-score " + std::to_string(window), {AddOneBarLogReturn(graph)}, [&] {
    return MakeKernel(
        MomentumZScore{FoldWindow<Moments>(window), std::sqrt(static_cast<double>(window))});
  });
}

}  // namespace

Node AddOneBarLogReturn(KernelGraph& graph) { return AddLogReturn(graph, 1); }

std::vector<Family> ReturnFamilies() {
  return {
      {{"simple_return", "close[t] / close[t-n] - 1", "ratio", "(-1, inf)", "n + 1 bars", 1,
        "pandas: close.pct_change(n)"},
       1,
       false,
       AddSimpleReturn},
      {{"log_return", "ln(close[t] / close[t-n])", "log ratio", "(-inf, inf)", "n + 1 bars", 1,
        "Campbell, Lo and MacKinlay 1997, The Econometrics of Financial Markets, 1.4"},
       1,
       false,
       AddLogReturn},
      {{"momentum_zscore",
        "mean(r) / std(r) * sqrt(n) over the n log returns r[t-n+1..t] of one bar; std with "
        "divisor n - 1, NaN where it is 0",
        "standard errors", "(-inf, inf)", "n + 1 bars", 2,
        "Student's t statistic of the mean return"},
       1,
       false,
       AddMomentumZScore},
  };
}

}  // namespace almanac
