// MACD of other averages than TA-Lib's MACD has: of any kind, and of fixed weights.
#include <algorithm>

#include "almanac/feature/family/technical_moving.h"

namespace almanac::technical {
namespace {

using Node = KernelGraph::Node;
using Values = std::span<const int64_t>;

// Parameters: fast, slow, fast_kind, slow_kind, signal, signal_kind.
int64_t LineLookBack(Values v) {
  return std::max(MovingAverageLookBack(v[2], v[0]), MovingAverageLookBack(v[3], v[1]));
}

int64_t SignalLookBack(Values v) { return LineLookBack(v) + MovingAverageLookBack(v[5], v[4]) - 1; }

// Both averages begin at one bar: the one that needs less leaves out the bars before.
Signal ExtendedLine(KernelGraph& graph, Values v) {
  const auto average = [&](int64_t kind, int64_t window) {
    const int64_t skipped = LineLookBack(v) - MovingAverageLookBack(kind, window);
    return MovingAverage(graph, Skip(graph, Close(graph), skipped), kind, window);
  };
  return Difference(graph, average(v[2], v[0]), average(v[3], v[1]));
}

Signal ExtendedSignal(KernelGraph& graph, Values v) {
  return MovingAverage(graph, ExtendedLine(graph, v), v[5], v[4]);
}

// Weights of 0.15 and 0.075, begun with the means of the 12 and the 26 closes up to bar 26.
constexpr int64_t kFixedFast = 12, kFixedSlow = 26;

Signal FixedLine(KernelGraph& graph) {
  const auto average = [&](int64_t length, double weight) {
    return AddCell(graph, "fixed ema", {Close(graph)}, {weight},
                   RecursiveMeanCell{length, weight, kFixedSlow - length})[0];
  };
  return Difference(graph, average(kFixedFast, 0.15), average(kFixedSlow, 0.075));
}

Signal FixedSignal(KernelGraph& graph, Values v) {
  return ExponentialMean(graph, FixedLine(graph), v[0]);
}

// `line` or `line` - `signal`, a price, against the close.
Node OfClose(KernelGraph& graph, const Signal& price) {
  return Ratio(graph, price, Close(graph)).node;
}

Family Convergence(const std::string& name, const std::string& formula,
                   const std::string& look_back, const std::string& source,
                   std::vector<ParameterInfo> parameters, Node (*add)(KernelGraph&, Values),
                   int64_t (*bars)(Values)) {
  return {{name, formula, "ratio", "(-inf, inf)", look_back, 0, source, std::move(parameters)},
          0,
          true,
          nullptr,
          add,
          bars};
}

}  // namespace

std::vector<Family> ConvergenceFamilies() {
  const std::vector<ParameterInfo> line = {{.name = "fast", .smallest = 2},
                                           {.name = "slow", .above_previous = true},
                                           {"fast_kind", 0, kLastKind},
                                           {"slow_kind", 0, kLastKind}};
  std::vector<ParameterInfo> with_signal = line;
  with_signal.push_back({.name = "signal", .smallest = 2});
  with_signal.push_back({"signal_kind", 0, kLastKind});
  const std::string m = "m = average(close, fast) - average(close, slow), both begun at one bar";
  const std::string look_back = "that of the averages";
  const std::string extended = "Appel 1979; TA-Lib: MACDEXT / close";
  const std::string fixed = "Appel 1979; TA-Lib: MACDFIX / close";
  const std::string f = "m = ema(close, 12) - ema(close, 26) with weights 0.15 and 0.075";
  const std::vector<ParameterInfo> signal = {{"signal"}};
  return {
      Convergence(
          "macd_extended_line", "m / close[t], " + m + ", each of its kind", look_back, extended,
          line, [](KernelGraph& g, Values v) { return OfClose(g, ExtendedLine(g, v)); },
          LineLookBack),
      Convergence(
          "macd_extended_signal", "average(m, signal) / close[t], " + m, look_back, extended,
          with_signal, [](KernelGraph& g, Values v) { return OfClose(g, ExtendedSignal(g, v)); },
          SignalLookBack),
      Convergence(
          "macd_extended_histogram", "(m - average(m, signal)) / close[t], " + m, look_back,
          extended, with_signal,
          [](KernelGraph& g, Values v) {
            return OfClose(g, Difference(g, ExtendedLine(g, v), ExtendedSignal(g, v)));
          },
          SignalLookBack),
      Convergence(
          "macd_fixed_line", "m / close[t], " + f, "26 bars, older ones with falling weight", fixed,
          {}, [](KernelGraph& g, Values) { return OfClose(g, FixedLine(g)); },
          [](Values) { return kFixedSlow; }),
      Convergence(
          "macd_fixed_signal", "ema(m, signal) / close[t], " + f,
          "signal + 25 bars, older ones with falling weight", fixed, signal,
          [](KernelGraph& g, Values v) { return OfClose(g, FixedSignal(g, v)); },
          [](Values v) { return kFixedSlow + v[0] - 1; }),
      Convergence(
          "macd_fixed_histogram", "(m - ema(m, signal)) / close[t], " + f,
          "signal + 25 bars, older ones with falling weight", fixed, signal,
          [](KernelGraph& g, Values v) {
            return OfClose(g, Difference(g, FixedLine(g), FixedSignal(g, v)));
          },
          [](Values v) { return kFixedSlow + v[0] - 1; }),
  };
}

}  // namespace almanac::technical
