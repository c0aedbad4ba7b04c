// Volatility per bar, from closes and from ranges: the root of a rolling mean of a bar's variance.
#include <cmath>
#include <numbers>

#include "almanac/feature/family.h"
#include "almanac/feature/window.h"

namespace almanac {
namespace {

using Node = KernelGraph::Node;

struct SquaredReturn {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) { out[0] = in[0] * in[0]; }
  template <typename Archive>
  void Visit(Archive&) {}
};

struct ParkinsonVariance {
  static constexpr size_t kInputs = 2, kOutputs = 1;  // high, low
  void Step(const std::array<double, 2>& in, std::array<double, 1>& out) {
    const double range = std::log1p((in[0] - in[1]) / in[1]);
    out[0] = range * range / (4 * std::numbers::ln2);
  }
  template <typename Archive>
  void Visit(Archive&) {}
};

struct GarmanKlassVariance {
  static constexpr size_t kInputs = 4, kOutputs = 1;  // open, high, low, close
  void Step(const std::array<double, 4>& in, std::array<double, 1>& out) {
    const double range = std::log1p((in[1] - in[2]) / in[2]);
    const double body = std::log1p((in[3] - in[0]) / in[0]);
    out[0] = range * range / 2 - (2 * std::numbers::ln2 - 1) * (body * body);
  }
  template <typename Archive>
  void Visit(Archive&) {}
};

struct RootOfMean {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  FoldWindow<Sum> variances;
  double length;

  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    const double sum = variances.Push(in[0]);
    out[0] = variances.full() ? std::sqrt(sum / length) : kUnknown;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(variances);
  }
};

Node AddRootOfMean(KernelGraph& graph, const std::string& name, Node variance, int64_t window) {
  return graph.Add(name + " " + std::to_string(window), {variance}, [&] {
    return MakeKernel(RootOfMean{FoldWindow<Sum>(window), static_cast<double>(window)});
  });
}

Node AddRealised(KernelGraph& graph, int64_t window) {
  const Node variance = graph.Add("squared log return", {AddOneBarLogReturn(graph)},
                                  [] { return MakeKernel(SquaredReturn{}); });
  return AddRootOfMean(graph, "realised volatility", variance, window);
}

Node AddParkinson(KernelGraph& graph, int64_t window) {
  const Node variance =
      graph.Add("parkinson variance", {graph.Field(BarField::kHigh), graph.Field(BarField::kLow)},
                [] { return MakeKernel(ParkinsonVariance{}); });
  return AddRootOfMean(graph, "parkinson volatility", variance, window);
}

Node AddGarmanKlass(KernelGraph& graph, int64_t window) {
  const Node variance = graph.Add("garman klass variance",
                                  {graph.Field(BarField::kOpen), graph.Field(BarField::kHigh),
                                   graph.Field(BarField::kLow), graph.Field(BarField::kClose)},
                                  [] { return MakeKernel(GarmanKlassVariance{}); });
  return AddRootOfMean(graph, "garman klass volatility", variance, window);
}

}  // namespace

std::vector<Family> VolatilityFamilies() {
  return {
      {{"realised_volatility",
        "sqrt(mean of r[i]^2, i = t-n+1..t), r[i] = ln(close[i] / close[i-1])",
        "log ratio per sqrt(bar)", "[0, inf)", "n + 1 bars", 1,
        "Andersen and Bollerslev 1998, International Economic Review 39"},
       1,
       false,
       AddRealised},
      {{"parkinson_volatility", "sqrt(mean of ln(high[i] / low[i])^2 / (4 ln 2), i = t-n+1..t)",
        "log ratio per sqrt(bar)", "[0, inf)", "n bars", 1,
        "Parkinson 1980, Journal of Business 53"},
       0,
       false,
       AddParkinson},
      {{"garman_klass_volatility",
        "sqrt(mean of ln(high[i] / low[i])^2 / 2 - (2 ln 2 - 1) ln(close[i] / open[i])^2, "
        "i = t-n+1..t)",
        "log ratio per sqrt(bar)", "[0, inf)", "n bars", 1,
        "Garman and Klass 1980, Journal of Business 53"},
       0,
       false,
       AddGarmanKlass},
  };
}

}  // namespace almanac
