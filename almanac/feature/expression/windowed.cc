// Functions that look back over bars.
#include "almanac/feature/cell/difference.h"
#include "almanac/feature/cell/moments.h"
#include "almanac/feature/cell/order.h"
#include "almanac/feature/cell/pair.h"
#include "almanac/feature/expression/function.h"

namespace almanac {
namespace {

using technical::AddCell;
using technical::Signal;
using Values = const std::vector<Signal>&;
using Numbers = const std::vector<double>&;

int64_t Bars(Numbers numbers) { return static_cast<int64_t>(numbers.front()); }

technical::Signals<2> Score(KernelGraph& graph, Values x, Numbers n) {
  return AddCell(graph, "sample deviation", x, n, ScoreCell{FoldWindow<Moments>(Bars(n))});
}

technical::Signals<3> Pair(KernelGraph& graph, Values x, Numbers n) {
  return AddCell(graph, "pair", x, n, PairCell{FoldWindow<JointMoments>(Bars(n))});
}

Signal Quantile(KernelGraph& graph, Values x, int64_t bars, double share) {
  return AddCell(graph, "quantile", x, {static_cast<double>(bars), share},
                 QuantileCell{SortedWindow(bars), share})[0];
}

// The value at the end of a least-squares line, from its mean and cross sum, with weights 1 to n.
Signal WeightedMean(KernelGraph& graph, Values x, Numbers n) {
  const technical::Signals<2> line = technical::Line(graph, x[0], Bars(n));
  const double weights = n[0] * (n[0] + 1) / 2;
  return technical::Map<2>(
      graph, "weighted mean", {line[0], line[1]},
      [weights](const std::array<double, 2>& in) { return in[0] + in[1] / weights; }, n);
}

Signal Slope(KernelGraph& graph, Values x, Numbers n) {
  const double squares = n[0] * (n[0] * n[0] - 1) / 12;
  return technical::Map<1>(
      graph, "slope", {technical::Line(graph, x[0], Bars(n))[1]},
      [squares](const std::array<double, 1>& in) { return in[0] / squares; }, n);
}

ExpressionFunction Windowed(std::string_view name, FunctionInfo info, size_t values,
                            ExpressionFunction::Wire wire) {
  ExpressionFunction function;
  function.name = name;
  function.info = std::move(info);
  function.values = values;
  function.wire = wire;
  return function;
}

ExpressionFunction Lagged(ExpressionFunction function) {
  function.reach = Reach::kLag;
  return function;
}
ExpressionFunction Unbounded(ExpressionFunction function) {
  function.unbounded_memory = true;
  return function;
}
ExpressionFunction FromTwo(ExpressionFunction function) {
  function.smallest = 2;
  return function;
}
ExpressionFunction Ordered(ExpressionFunction function) {
  function.largest = SortedWindow::kLargest;
  return function;
}

std::vector<ExpressionFunction> MovingFunctions() {
  using technical::ExponentialMean;
  return {
      Lagged(Windowed(
          "lag", {"lag(x, n)", "x of n bars ago"}, 1,
          [](KernelGraph& g, Values x, Numbers n) { return technical::Lag(g, x[0], Bars(n)); })),
      Lagged(Windowed("delta", {"delta(x, n)", "x - lag(x, n)"}, 1,
                      [](KernelGraph& g, Values x, Numbers n) {
                        return AddCell(g, "delta", x, n, DifferenceCell{LagWindow(Bars(n))})[0];
                      })),
      Windowed("sum", {"sum(x, n)", "the sum of n bars"}, 1,
               [](KernelGraph& g, Values x, Numbers n) {
                 return technical::RollingSum(g, x[0], Bars(n));
               }),
      Windowed("mean", {"mean(x, n)", "the plain mean of n bars"}, 1,
               [](KernelGraph& g, Values x, Numbers n) {
                 return technical::SimpleMean(g, x[0], Bars(n));
               }),
      Windowed("highest", {"highest(x, n)", "the greatest of n bars"}, 1,
               [](KernelGraph& g, Values x, Numbers n) {
                 return technical::RollingMaximum(g, x[0], Bars(n));
               }),
      Windowed("lowest", {"lowest(x, n)", "the least of n bars"}, 1,
               [](KernelGraph& g, Values x, Numbers n) {
                 return technical::RollingMinimum(g, x[0], Bars(n));
               }),
      Unbounded(Windowed(
          "ema",
          {"ema(x, n)",
           "m += 2 / (n + 1) * (x - m), begun with the mean of the first n known "
           "values (TA-Lib's EMA)"},
          1,
          [](KernelGraph& g, Values x, Numbers n) { return ExponentialMean(g, x[0], Bars(n)); })),
      Unbounded(Windowed("wilder",
                         {"wilder(x, n)",
                          "m += (x - m) / n, begun with the mean of the first n known values "
                          "(Wilder's smoothing)"},
                         1,
                         [](KernelGraph& g, Values x, Numbers n) {
                           return technical::WilderMean(g, x[0], Bars(n));
                         })),
      Windowed("wma", {"wma(x, n)", "the mean of n bars with weights 1 (oldest) to n"}, 1,
               WeightedMean),
  };
}

std::vector<ExpressionFunction> StatisticFunctions() {
  return {
      FromTwo(Windowed("std", {"std(x, n)", "standard deviation of n bars, divisor n - 1"}, 1,
                       [](KernelGraph& g, Values x, Numbers n) { return Score(g, x, n)[0]; })),
      FromTwo(Windowed("zscore",
                       {"zscore(x, n)", "(x - mean(x, n)) / std(x, n); NaN where that is 0"}, 1,
                       [](KernelGraph& g, Values x, Numbers n) { return Score(g, x, n)[1]; })),
      Ordered(Windowed("rank",
                       {"rank(x, n)",
                        "the rank of x among n bars (equals share their mean rank) over n, in "
                        "(0, 1] (pandas: rolling(n).rank(pct=True))"},
                       1,
                       [](KernelGraph& g, Values x, Numbers n) {
                         return AddCell(g, "rank", x, n, RankCell{SortedWindow(Bars(n))})[0];
                       })),
      Ordered(Windowed(
          "median", {"median(x, n)", "the median of n bars"}, 1,
          [](KernelGraph& g, Values x, Numbers n) { return Quantile(g, x, Bars(n), 0.5); })),
      Ordered(Windowed(
          "quantile",
          {"quantile(x, n, q)", "the quantile q (0 to 1) of n bars, linear between values"}, 1,
          [](KernelGraph& g, Values x, Numbers n) { return Quantile(g, x, Bars(n), n[1]); })),
      FromTwo(Windowed(
          "slope", {"slope(x, n)", "of the least-squares line through n bars, per bar"}, 1, Slope)),
      FromTwo(Windowed("covariance", {"covariance(x, y, n)", "over n bars, divisor n - 1"}, 2,
                       [](KernelGraph& g, Values x, Numbers n) { return Pair(g, x, n)[0]; })),
      FromTwo(Windowed(
          "correlation",
          {"correlation(x, y, n)", "Pearson's over n bars; NaN where x or y does not vary"}, 2,
          [](KernelGraph& g, Values x, Numbers n) { return Pair(g, x, n)[1]; })),
      FromTwo(Windowed("beta",
                       {"beta(x, y, n)",
                        "covariance(x, y, n) / variance of y: how much x moves with y; NaN where "
                        "y does not vary"},
                       2, [](KernelGraph& g, Values x, Numbers n) { return Pair(g, x, n)[2]; })),
      Lagged(Unbounded(Windowed("atr",
                                {"atr(n)", "Wilder's average true range, in the price's unit"}, 0,
                                [](KernelGraph& g, Values, Numbers n) {
                                  return technical::AverageTrueRange(g, Bars(n));
                                }))),
  };
}

}  // namespace

std::vector<ExpressionFunction> WindowedFunctions() {
  std::vector<ExpressionFunction> functions = MovingFunctions();
  for (ExpressionFunction& function : StatisticFunctions()) {
    if (function.name == "quantile") function.parameters = 2;
    functions.push_back(std::move(function));
  }
  return functions;
}

}  // namespace almanac
