// Series that indicators of all kinds are wired from. Each names its computation, so that equal
// parts of several indicators are one node of the graph. Inside this room.
#ifndef ALMANAC_FEATURE_FAMILY_TECHNICAL_H_
#define ALMANAC_FEATURE_FAMILY_TECHNICAL_H_

#include <fmt/format.h>

#include <array>
#include <string>
#include <vector>

#include "almanac/feature/cell/average.h"
#include "almanac/feature/cell/extreme.h"
#include "almanac/feature/family.h"

namespace almanac::technical {

// A series of the graph and the expression that it is: "ema(close,12)".
struct Signal {
  std::string key;
  KernelGraph::Node node = 0;
};

// The signals of one kernel with several outputs, or of one with several inputs.
template <size_t N>
using Signals = std::array<Signal, N>;

Signal Open(const KernelGraph& graph);
Signal High(const KernelGraph& graph);
Signal Low(const KernelGraph& graph);
Signal Close(const KernelGraph& graph);
Signal Volume(const KernelGraph& graph);

// Adds one kernel; its outputs are called "name(inputs,parameters)", "#1" and so on appended.
std::string KeyOf(const std::string& name, const std::vector<Signal>& inputs,
                  const std::vector<double>& parameters);

template <typename Cell>
Signals<Cell::kOutputs> AddCell(KernelGraph& graph, const std::string& name,
                                const std::vector<Signal>& inputs,
                                const std::vector<double>& parameters, const Cell& cell) {
  const std::string key = KeyOf(name, inputs, parameters);
  std::vector<KernelGraph::Node> nodes;
  nodes.reserve(inputs.size());
  for (const Signal& input : inputs) nodes.push_back(input.node);
  const KernelGraph::Node first = graph.Add(key, nodes, [&] { return MakeKernel(cell); });
  Signals<Cell::kOutputs> outputs;
  for (size_t o = 0; o < Cell::kOutputs; ++o) {
    outputs[o] = {o == 0 ? key : fmt::format("{}#{}", key, o), first + o};
  }
  return outputs;
}

// Adds function(inputs of this bar); `name` and `parameters` say what the function is.
template <size_t N, typename Function>
Signal Map(KernelGraph& graph, const std::string& name, const Signals<N>& inputs, Function function,
           const std::vector<double>& parameters = {}) {
  return AddCell(graph, name, {inputs.begin(), inputs.end()}, parameters,
                 MapCell<N, Function>{std::move(function)})[0];
}

// `part` / `whole`, NaN where `whole` is not positive.
double Share(double part, double whole);
Signal Ratio(KernelGraph& graph, const Signal& part, const Signal& whole, double factor = 1);
// close / level - 1
Signal Distance(KernelGraph& graph, const Signal& level);
Signal Difference(KernelGraph& graph, const Signal& a, const Signal& b);

Signal Scaled(KernelGraph& graph, const Signal& signal, double factor);
Signal Product(KernelGraph& graph, const Signal& a, const Signal& b);
Signal Square(KernelGraph& graph, const Signal& signal);
Signal Size(KernelGraph& graph, const Signal& signal);  // without its sign
Signal Gain(KernelGraph& graph, const Signal& change);  // max(change, 0)
Signal Loss(KernelGraph& graph, const Signal& change);  // max(-change, 0)
Signal Sign(KernelGraph& graph, const Signal& signal);  // 1, 0 or -1

Signal Lag(KernelGraph& graph, const Signal& signal, int64_t bars);
Signal Change(KernelGraph& graph, const Signal& signal);  // signal[t] - signal[t-1]
Signal LogReturn(KernelGraph& graph, int64_t bars);       // ln(close[t] / close[t-bars])
Signal RollingSum(KernelGraph& graph, const Signal& signal, int64_t window);
Signal RollingMaximum(KernelGraph& graph, const Signal& signal, int64_t window);
Signal RollingMinimum(KernelGraph& graph, const Signal& signal, int64_t window);
Signal SimpleMean(KernelGraph& graph, const Signal& signal, int64_t window);
// How many bars ago the extreme of the window was: the newest, or the oldest, of equals.
template <bool kLargest, Equals kEquals>
Signal ExtremeAge(KernelGraph& graph, const Signal& signal, int64_t window) {
  return AddCell(graph,
                 fmt::format("{} of {} age", kEquals == Equals::kNewest ? "newest" : "oldest",
                             kLargest ? "largest" : "smallest"),
                 {signal}, {static_cast<double>(window)},
                 ExtremeAgeCell<kLargest, kEquals>(window))[0];
}
// TA-Lib's EMA; the first `skipped` values are left out of it.
Signal ExponentialMean(KernelGraph& graph, const Signal& signal, int64_t window,
                       int64_t skipped = 0);
Signal WilderMean(KernelGraph& graph, const Signal& signal, int64_t window);
// Mean and standard deviation (divisor n).
Signals<2> MeanAndDeviation(KernelGraph& graph, const Signal& signal, int64_t window);
// The standard deviation with divisor n - 1.
Signal SampleDeviation(KernelGraph& graph, const Signal& signal, int64_t window);
// Mean and mean distance from it.
Signals<2> MeanAndDistance(KernelGraph& graph, const Signal& signal, int64_t window);
// LineCell's outputs.
Signals<2> Line(KernelGraph& graph, const Signal& signal, int64_t window);

Signal MedianPrice(KernelGraph& graph);   // (high + low) / 2
Signal TypicalPrice(KernelGraph& graph);  // (high + low + close) / 3
// Wilder's: max(high, close[t-1]) - min(low, close[t-1]); known from the second bar on.
Signal TrueRange(KernelGraph& graph);
Signal AverageTrueRange(KernelGraph& graph, int64_t window);
// Wilder's RSI of any series, in percent.
Signal Rsi(KernelGraph& graph, const Signal& signal, int64_t window);

}  // namespace almanac::technical

#endif  // ALMANAC_FEATURE_FAMILY_TECHNICAL_H_
