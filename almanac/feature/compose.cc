#include "almanac/feature/compose.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "almanac/base/error.h"
#include "almanac/base/text.h"
#include "almanac/feature/cell/average.h"
#include "almanac/feature/cell/difference.h"
#include "almanac/feature/cell/moments.h"
#include "almanac/feature/cell/order.h"
#include "almanac/feature/family.h"
#include "almanac/feature/window.h"

namespace almanac {
namespace {

using Node = KernelGraph::Node;

struct MeanCell {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  FoldWindow<Sum> window;
  double length;

  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    const double sum = window.Push(in[0]);
    out[0] = window.full() ? sum / length : kUnknown;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(window);
  }
};

struct PositionCell {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  FoldWindow<Minimum> lowest;
  FoldWindow<Maximum> highest;

  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    const double low = lowest.Push(in[0]);
    const double high = highest.Push(in[0]);
    out[0] = lowest.full() && high > low ? (in[0] - low) / (high - low) : kUnknown;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(lowest, highest);
  }
};

struct ChangeCell {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  LagWindow values;

  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    const double before = values.Push(in[0]);
    out[0] = before != 0 ? (in[0] - before) / std::abs(before) : kUnknown;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(values);
  }
};

template <typename Cell>
Node AddWith(KernelGraph& graph, const std::string& key, Node value, const Cell& cell) {
  return graph.Add(key, {value}, [&] { return MakeKernel(cell); });
}

Node AddScore(KernelGraph& graph, const std::string& key, Node value, int64_t n) {
  return AddWith(graph, key, value, ScoreCell{FoldWindow<Moments>(n)});
}
Node AddZScore(KernelGraph& graph, const std::string& key, Node value, int64_t n) {
  return AddScore(graph, key, value, n) + 1;
}
Node AddRank(KernelGraph& graph, const std::string& key, Node value, int64_t n) {
  return AddWith(graph, key, value, RankCell{SortedWindow(n)});
}
Node AddPosition(KernelGraph& graph, const std::string& key, Node value, int64_t n) {
  return AddWith(graph, key, value, PositionCell{FoldWindow<Minimum>(n), FoldWindow<Maximum>(n)});
}
Node AddDifference(KernelGraph& graph, const std::string& key, Node value, int64_t n) {
  return AddWith(graph, key, value, DifferenceCell{LagWindow(n)});
}
Node AddChange(KernelGraph& graph, const std::string& key, Node value, int64_t n) {
  return AddWith(graph, key, value, ChangeCell{LagWindow(n)});
}
Node AddMean(KernelGraph& graph, const std::string& key, Node value, int64_t n) {
  return AddWith(graph, key, value, MeanCell{FoldWindow<Sum>(n), static_cast<double>(n)});
}
Node AddMinimum(KernelGraph& graph, const std::string& key, Node value, int64_t n) {
  return AddWith(graph, key, value, FoldCell<Minimum>{FoldWindow<Minimum>(n)});
}
Node AddMaximum(KernelGraph& graph, const std::string& key, Node value, int64_t n) {
  return AddWith(graph, key, value, FoldCell<Maximum>{FoldWindow<Maximum>(n)});
}
Node AddDeviation(KernelGraph& graph, const std::string& key, Node value, int64_t n) {
  return AddScore(graph, key, value, n);
}

double Over(const std::array<double, 2>& in) { return in[1] != 0 ? in[0] / in[1] : kUnknown; }
double Minus(const std::array<double, 2>& in) { return in[0] - in[1]; }

Node AddCombination(KernelGraph& graph, Combination combination, Node value, Node operand) {
  const bool over = combination == Combination::kOver;
  using Function = double (*)(const std::array<double, 2>&);
  const Function function = over ? &Over : &Minus;
  return graph.Add(fmt::format("{} {} {}", value, over ? "over" : "minus", operand),
                   {value, operand}, [&] { return MakeKernel(MapCell<2, Function>{function}); });
}

}  // namespace

const std::vector<TransformKind>& TransformKinds() {
  constexpr int64_t kLargest = FeatureSet::kLargestWindow;
  static const std::vector<TransformKind> kKinds = {
      {"zscore", "(x[t] - mean(x)) / std(x) over n bars, std with divisor n - 1",
       "standard deviations", "[-(n-1)/sqrt(n), (n-1)/sqrt(n)]", 2, kLargest, false, AddZScore},
      {"rank", "average rank of x[t] among the last n / n", "ratio", "(0, 1]", 1,
       SortedWindow::kLargest, false, AddRank},
      {"position", "(x[t] - min(x)) / (max(x) - min(x)) over n bars", "ratio", "[0, 1]", 2,
       kLargest, false, AddPosition},
      {"diff", "x[t] - x[t-n]", "", "(-inf, inf)", 1, kLargest, true, AddDifference},
      {"change", "(x[t] - x[t-n]) / |x[t-n]|", "ratio", "(-inf, inf)", 1, kLargest, true,
       AddChange},
      {"mean", "mean(x) over n bars", "", "that of x", 1, kLargest, false, AddMean},
      {"min", "min(x) over n bars", "", "that of x", 1, kLargest, false, AddMinimum},
      {"max", "max(x) over n bars", "", "that of x", 1, kLargest, false, AddMaximum},
      {"std", "std(x) over n bars, divisor n - 1", "", "[0, inf)", 2, kLargest, false,
       AddDeviation},
  };
  return kKinds;
}

const TransformKind& KindOf(const Transform& transform) {
  std::vector<std::string> names;
  for (const TransformKind& kind : TransformKinds()) {
    if (kind.name == transform.kind) return kind;
    names.push_back(fmt::format("{}_N", kind.name));
  }
  throw Error(ErrorCode::kUsage, "features",
              fmt::format("unknown transform \"{}\"", transform.Name()),
              fmt::format("known are {}, N a number of bars; \"none\" is the value itself",
                          fmt::join(names, ", ")));
}

void CheckTransform(const Transform& transform) {
  const TransformKind& kind = KindOf(transform);
  if (transform.window >= kind.smallest && transform.window <= kind.largest) return;
  throw Error(ErrorCode::kUsage, "features",
              fmt::format("transform \"{}\" over {} bars", transform.kind, transform.window),
              fmt::format("it must be over {} to {}", kind.smallest, kind.largest));
}

std::vector<Transform> ParseTransforms(std::string_view text) {
  std::vector<Transform> transforms;
  if (text == "none") return transforms;
  while (true) {
    const size_t dot = std::min(text.find('.'), text.size());
    const std::string_view part = text.substr(0, dot);
    const size_t cut = part.rfind('_');
    const auto window =
        cut == std::string_view::npos ? std::nullopt : ParseInt64(part.substr(cut + 1));
    // A name without a number is left whole, for the message.
    transforms.push_back(window ? Transform{std::string(part.substr(0, cut)), *window}
                                : Transform{std::string(part), 0});
    CheckTransform(transforms.back());
    if (dot == text.size()) return transforms;
    text.remove_prefix(dot + 1);
  }
}

ClockKey ClockOf(const FeatureSpec& spec) { return {spec.symbol, spec.against, spec.timeframe}; }

Node AddSpec(KernelGraph& graph, const FeatureSpec& spec) {
  graph.Enter(ClockOf(spec));
  Node node = AddFeature(graph, spec);
  if (spec.combination != Combination::kNone) {
    const Node operand = AddSpec(graph, spec.operand.front());
    graph.Enter(ClockOf(spec));
    node = AddCombination(graph, spec.combination, node, graph.Hold(operand));
  }
  for (const Transform& transform : spec.transforms) {
    const std::string key = fmt::format("{} {}", transform.Name(), node);
    node = KindOf(transform).add(graph, key, node, transform.window);
  }
  if (spec.lag == 0) return node;
  return graph.Add(fmt::format("lag_{} {}", spec.lag, node), {node},
                   [&] { return MakeKernel(LagCell{LagWindow(spec.lag)}); });
}

}  // namespace almanac
