#include "almanac/feature/family/technical.h"

#include <algorithm>
#include <cmath>

#include "almanac/feature/cell/moments.h"

namespace almanac::technical {

Signal Open(const KernelGraph& graph) { return {"open", graph.Field(BarField::kOpen)}; }
Signal High(const KernelGraph& graph) { return {"high", graph.Field(BarField::kHigh)}; }
Signal Low(const KernelGraph& graph) { return {"low", graph.Field(BarField::kLow)}; }
Signal Close(const KernelGraph& graph) { return {"close", graph.Field(BarField::kClose)}; }
Signal Volume(const KernelGraph& graph) { return {"volume", graph.Field(BarField::kVolume)}; }

std::string KeyOf(const std::string& name, const std::vector<Signal>& inputs,
                  const std::vector<double>& parameters) {
  std::vector<std::string> words;
  words.reserve(inputs.size() + parameters.size());
  for (const Signal& input : inputs) words.push_back(input.key);
  for (const double parameter : parameters) words.push_back(fmt::format("{}", parameter));
  return fmt::format("{}({})", name, fmt::join(words, ","));
}

double Share(double part, double whole) { return whole > 0 ? part / whole : kUnknown; }

Signal Ratio(KernelGraph& graph, const Signal& part, const Signal& whole, double factor) {
  return Map<2>(graph, "ratio", {part, whole},
                [factor](const std::array<double, 2>& in) { return factor * Share(in[0], in[1]); },
                {factor});
}

Signal Distance(KernelGraph& graph, const Signal& level) {
  return Map<2>(graph, "distance", {Close(graph), level},
                [](const std::array<double, 2>& in) { return Share(in[0] - in[1], in[1]); });
}

Signal Difference(KernelGraph& graph, const Signal& a, const Signal& b) {
  return Map<2>(graph, "difference", {a, b},
                [](const std::array<double, 2>& in) { return in[0] - in[1]; });
}

Signal Scaled(KernelGraph& graph, const Signal& signal, double factor) {
  return Map<1>(graph, "scaled", {signal},
                [factor](const std::array<double, 1>& in) { return factor * in[0]; }, {factor});
}

Signal Product(KernelGraph& graph, const Signal& a, const Signal& b) {
  return Map<2>(graph, "product", {a, b},
                [](const std::array<double, 2>& in) { return in[0] * in[1]; });
}

Signal Square(KernelGraph& graph, const Signal& signal) {
  return Map<1>(graph, "square", {signal},
                [](const std::array<double, 1>& in) { return in[0] * in[0]; });
}

Signal Size(KernelGraph& graph, const Signal& signal) {
  return Map<1>(graph, "size", {signal},
                [](const std::array<double, 1>& in) { return std::abs(in[0]); });
}

Signal Gain(KernelGraph& graph, const Signal& change) {
  return Map<1>(graph, "gain", {change},
                [](const std::array<double, 1>& in) { return in[0] < 0 ? 0 : in[0]; });
}

Signal Loss(KernelGraph& graph, const Signal& change) {
  return Map<1>(graph, "loss", {change},
                [](const std::array<double, 1>& in) { return in[0] > 0 ? 0 : -in[0]; });
}

Signal Sign(KernelGraph& graph, const Signal& signal) {
  return Map<1>(graph, "sign", {signal}, [](const std::array<double, 1>& in) {
    return std::isnan(in[0]) ? kUnknown : static_cast<double>((in[0] > 0) - (in[0] < 0));
  });
}

Signal Lag(KernelGraph& graph, const Signal& signal, int64_t bars) {
  return AddCell(graph, "lag", {signal}, {static_cast<double>(bars)}, LagCell{LagWindow(bars)})[0];
}

Signal Change(KernelGraph& graph, const Signal& signal) {
  return Difference(graph, signal, Lag(graph, signal, 1));
}

Signal LogReturn(KernelGraph& graph, int64_t bars) {
  if (bars == 1) return {"log return 1", AddOneBarLogReturn(graph)};
  return Map<2>(
      graph, "log return", {Close(graph), Lag(graph, Close(graph), bars)},
      [](const std::array<double, 2>& in) { return std::log1p((in[0] - in[1]) / in[1]); });
}

Signal RollingSum(KernelGraph& graph, const Signal& signal, int64_t window) {
  return AddCell(graph, "sum", {signal}, {static_cast<double>(window)},
                 FoldCell<Sum>{FoldWindow<Sum>(window)})[0];
}

Signal RollingMaximum(KernelGraph& graph, const Signal& signal, int64_t window) {
  return AddCell(graph, "maximum", {signal}, {static_cast<double>(window)},
                 FoldCell<Maximum>{FoldWindow<Maximum>(window)})[0];
}

Signal RollingMinimum(KernelGraph& graph, const Signal& signal, int64_t window) {
  return AddCell(graph, "minimum", {signal}, {static_cast<double>(window)},
                 FoldCell<Minimum>{FoldWindow<Minimum>(window)})[0];
}

Signal SimpleMean(KernelGraph& graph, const Signal& signal, int64_t window) {
  const auto length = static_cast<double>(window);
  return Map<1>(graph, "mean of sum", {RollingSum(graph, signal, window)},
                [length](const std::array<double, 1>& in) { return in[0] / length; }, {length});
}

Signal ExponentialMean(KernelGraph& graph, const Signal& signal, int64_t window, int64_t skipped) {
  const auto length = static_cast<double>(window);
  return AddCell(graph, "ema", {signal}, {length, static_cast<double>(skipped)},
                 RecursiveMeanCell{window, 2 / (length + 1), skipped})[0];
}

Signal WilderMean(KernelGraph& graph, const Signal& signal, int64_t window) {
  const auto length = static_cast<double>(window);
  return AddCell(graph, "wilder", {signal}, {length}, RecursiveMeanCell{window, 1 / length})[0];
}

Signals<2> MeanAndDeviation(KernelGraph& graph, const Signal& signal, int64_t window) {
  return AddCell(graph, "mean and deviation", {signal}, {static_cast<double>(window)},
                 DeviationCell{FoldWindow<Moments>(window)});
}

Signal SampleDeviation(KernelGraph& graph, const Signal& signal, int64_t window) {
  const auto length = static_cast<double>(window);
  return Scaled(graph, MeanAndDeviation(graph, signal, window)[1],
                std::sqrt(length / (length - 1)));
}

Signals<2> Line(KernelGraph& graph, const Signal& signal, int64_t window) {
  return AddCell(graph, "line", {signal}, {static_cast<double>(window)},
                 LineCell{FoldWindow<LineFold>(window)});
}

Signal MedianPrice(KernelGraph& graph) {
  return Map<2>(graph, "median price", {High(graph), Low(graph)},
                [](const std::array<double, 2>& in) { return (in[0] + in[1]) / 2; });
}

Signal TypicalPrice(KernelGraph& graph) {
  return Map<3>(graph, "typical price", {High(graph), Low(graph), Close(graph)},
                [](const std::array<double, 3>& in) { return (in[0] + in[1] + in[2]) / 3; });
}

Signal TrueRange(KernelGraph& graph) {
  return Map<3>(graph, "true range", {High(graph), Low(graph), Lag(graph, Close(graph), 1)},
                [](const std::array<double, 3>& in) {
                  // std::max and std::min would lose the NaN of the first bar.
                  if (std::isnan(in[2])) return kUnknown;
                  return std::max(in[0], in[2]) - std::min(in[1], in[2]);
                });
}

Signal AverageTrueRange(KernelGraph& graph, int64_t window) {
  return WilderMean(graph, TrueRange(graph), window);
}

Signal Rsi(KernelGraph& graph, const Signal& signal, int64_t window) {
  const Signal gain = Gain(graph, Change(graph, signal));
  const Signal loss = Loss(graph, Change(graph, signal));
  return Map<2>(graph, "rsi", {WilderMean(graph, gain, window), WilderMean(graph, loss, window)},
                [](const std::array<double, 2>& in) { return 100 * Share(in[0], in[0] + in[1]); });
}

}  // namespace almanac::technical
