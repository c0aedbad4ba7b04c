// Functions of one bar.
#include <fmt/format.h>
#include <algorithm>
#include <cmath>

#include "almanac/feature/expression/function.h"

namespace almanac {
namespace {

using technical::Signal;

// A pointwise function with N of its arguments from the bar, the others fixed.
template <size_t N>
struct PointwiseCell {
  static constexpr size_t kInputs = N, kOutputs = 1;
  const ExpressionFunction* function;
  std::array<double, kMostValues> arguments;
  std::array<size_t, N> places;  // of the inputs among the arguments
  int64_t unknown_rows;
  int64_t seen = 0;  // counted up to unknown_rows

  void Step(const std::array<double, N>& in, std::array<double, 1>& out) {
    for (size_t i = 0; i < N; ++i) arguments[places[i]] = in[i];
    out[0] = ApplyPointwise(*function, arguments.data());
    if (seen == unknown_rows) return;
    ++seen;
    out[0] = kUnknown;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(seen);
  }
};

template <size_t N>
Signal Wire(KernelGraph& graph, const ExpressionFunction& function,
            const std::vector<PointwiseArgument>& arguments, int64_t unknown_rows) {
  PointwiseCell<N> cell{&function, {}, {}, unknown_rows};
  std::vector<KernelGraph::Node> nodes;
  std::string key(function.name);
  for (size_t a = 0; a < arguments.size(); ++a) {
    const PointwiseArgument& argument = arguments[a];
    key += a == 0 ? "(" : ",";
    key += argument.is_number ? fmt::format("{}", argument.number) : argument.signal.key;
    if (argument.is_number) {
      cell.arguments[a] = argument.number;
    } else {
      cell.places[nodes.size()] = a;
      nodes.push_back(argument.signal.node);
    }
  }
  key += ")";
  return {key, graph.Add("expression " + key, nodes, [&] { return MakeKernel(cell); })};
}

double Truth(bool value) { return value ? 1 : 0; }

using In = const double*;
ExpressionFunction Pointwise(std::string_view name, FunctionInfo info, size_t values,
                             double (*apply)(In)) {
  ExpressionFunction function;
  function.name = name;
  function.info = std::move(info);
  function.values = values;
  function.apply = apply;
  return function;
}

std::vector<ExpressionFunction> Operators() {
  return {
      Pointwise("+", {}, 2, [](In x) { return x[0] + x[1]; }),
      Pointwise("-", {}, 2, [](In x) { return x[0] - x[1]; }),
      Pointwise("*", {}, 2, [](In x) { return x[0] * x[1]; }),
      Pointwise("/", {}, 2, [](In x) { return x[0] / x[1]; }),
      Pointwise("negate", {}, 1, [](In x) { return -x[0]; }),
      Pointwise("<", {}, 2, [](In x) { return Truth(x[0] < x[1]); }),
      Pointwise("<=", {}, 2, [](In x) { return Truth(x[0] <= x[1]); }),
      Pointwise(">", {}, 2, [](In x) { return Truth(x[0] > x[1]); }),
      Pointwise(">=", {}, 2, [](In x) { return Truth(x[0] >= x[1]); }),
      Pointwise("==", {}, 2, [](In x) { return Truth(x[0] == x[1]); }),
      Pointwise("!=", {}, 2, [](In x) { return Truth(x[0] != x[1]); }),
      Pointwise("and", {}, 2, [](In x) { return Truth(x[0] != 0 && x[1] != 0); }),
      Pointwise("or", {}, 2, [](In x) { return Truth(x[0] != 0 || x[1] != 0); }),
      Pointwise("not", {}, 1, [](In x) { return Truth(x[0] == 0); }),
  };
}

}  // namespace

double ApplyPointwise(const ExpressionFunction& function, const double* arguments) {
  if (!function.takes_unknown) {
    for (size_t i = 0; i < function.values; ++i) {
      if (!std::isfinite(arguments[i])) return kUnknown;
    }
  }
  const double result = function.apply(arguments);
  return std::isfinite(result) ? result : kUnknown;
}

Signal WirePointwise(KernelGraph& graph, const ExpressionFunction& function,
                     const std::vector<PointwiseArgument>& arguments, int64_t unknown_rows) {
  const auto signals = std::count_if(arguments.begin(), arguments.end(),
                                     [](const PointwiseArgument& a) { return !a.is_number; });
  if (signals == 1) return Wire<1>(graph, function, arguments, unknown_rows);
  if (signals == 2) return Wire<2>(graph, function, arguments, unknown_rows);
  return Wire<3>(graph, function, arguments, unknown_rows);
}

const ExpressionFunction& OperatorOf(std::string_view name) {
  static const std::vector<ExpressionFunction> kOperators = Operators();
  return *std::find_if(kOperators.begin(), kOperators.end(),
                       [&](const ExpressionFunction& f) { return f.name == name; });
}

std::vector<ExpressionFunction> PointwiseFunctions() {
  std::vector<ExpressionFunction> functions = {
      Pointwise("abs", {"abs(x)", "the size of x"}, 1, [](In x) { return std::abs(x[0]); }),
      Pointwise("sign", {"sign(x)", "-1, 0 or 1"}, 1,
                [](In x) { return Truth(x[0] > 0) - Truth(x[0] < 0); }),
      Pointwise("log", {"log(x)", "the natural logarithm; NaN unless x > 0"}, 1,
                [](In x) { return std::log(x[0]); }),
      Pointwise("exp", {"exp(x)", "e to the power x"}, 1, [](In x) { return std::exp(x[0]); }),
      Pointwise("sqrt", {"sqrt(x)", "the square root; NaN for x < 0"}, 1,
                [](In x) { return std::sqrt(x[0]); }),
      Pointwise("power", {"power(x, y)", "x to the power y; NaN where that is not a finite number"},
                2, [](In x) { return std::pow(x[0], x[1]); }),
      Pointwise("min", {"min(x, y, ...)", "the least of two or more values of this bar"}, 2,
                [](In x) { return std::min(x[0], x[1]); }),
      Pointwise("max", {"max(x, y, ...)", "the greatest of two or more values of this bar"}, 2,
                [](In x) { return std::max(x[0], x[1]); }),
      Pointwise("clip", {"clip(x, low, high)", "min(max(x, low), high)"}, 3,
                [](In x) { return std::min(std::max(x[0], x[1]), x[2]); }),
      Pointwise("where",
                {"where(c, x, y)",
                 "x where c is not 0, y where it is; NaN where c is. What was not chosen may be "
                 "NaN, except in the warm-up of both"},
                3, [](In x) { return std::isfinite(x[0]) ? (x[0] != 0 ? x[1] : x[2]) : kUnknown; }),
  };
  for (ExpressionFunction& function : functions) {
    function.variadic = function.name == "min" || function.name == "max";
    function.takes_unknown = function.name == "where";
  }
  return functions;
}

}  // namespace almanac
