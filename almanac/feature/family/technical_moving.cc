#include "almanac/feature/family/technical_moving.h"

#include <cmath>

#include "almanac/feature/family/technical_hilbert.h"

namespace almanac::technical {
namespace {

struct SkipCell {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  int64_t skipped;
  int64_t seen = 0;  // counted up to skipped

  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    out[0] = seen < skipped ? kUnknown : in[0];
    if (seen < skipped && !std::isnan(in[0])) ++seen;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(seen);
  }
};

// Kaufman's adaptive average: the weight grows with how straight the last n changes were.
struct KamaCell {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  static constexpr double kFastest = 2.0 / (2 + 1), kSlowest = 2.0 / (30 + 1);
  int64_t length;
  LagWindow values;
  FoldWindow<Sum> path;
  int64_t seen = 0;  // counted up to length + 1
  double before = kUnknown;
  double average = 0;

  explicit KamaCell(int64_t n) : length(n), values(n), path(n) {}
  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    const double value = in[0];
    out[0] = kUnknown;
    if (std::isnan(value)) return;
    const double first = values.Push(value);
    if (seen <= length) ++seen;
    const double travelled = seen > 1 ? path.Push(std::abs(value - before)) : 0;
    if (seen <= length) {
      average = value;
    } else {
      const double direct = std::abs(value - first);
      const double efficiency = travelled > direct ? direct / travelled : 1;
      const double root = efficiency * (kFastest - kSlowest) + kSlowest;
      average += (value - average) * (root * root);
      out[0] = average;
    }
    before = value;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(values, path, seen, before, average);
  }
};

}  // namespace

Signal Skip(KernelGraph& graph, const Signal& signal, int64_t bars) {
  if (bars == 0) return signal;
  return AddCell(graph, "skip", {signal}, {static_cast<double>(bars)}, SkipCell{bars})[0];
}

Signal Wma(KernelGraph& graph, const Signal& signal, int64_t window) {
  const auto n = static_cast<double>(window);
  const double factor = 2 / (n * (n + 1));
  return Map<2>(graph, "on line", Line(graph, signal, window),
                [factor](const std::array<double, 2>& in) { return in[0] + factor * in[1]; },
                {factor});
}

Signal Dema(KernelGraph& graph, const Signal& signal, int64_t window) {
  const Signal once = ExponentialMean(graph, signal, window);
  return Map<2>(graph, "dema", {once, ExponentialMean(graph, once, window)},
                [](const std::array<double, 2>& in) { return 2 * in[0] - in[1]; });
}

Signal Tema(KernelGraph& graph, const Signal& signal, int64_t window) {
  const Signal once = ExponentialMean(graph, signal, window);
  const Signal twice = ExponentialMean(graph, once, window);
  return Map<3>(graph, "tema", {once, twice, ExponentialMean(graph, twice, window)},
                [](const std::array<double, 3>& in) { return 3 * in[0] - 3 * in[1] + in[2]; });
}

Signal Trima(KernelGraph& graph, const Signal& signal, int64_t window) {
  const int64_t first = window / 2 + 1;
  return SimpleMean(graph, SimpleMean(graph, signal, first), window + 1 - first);
}

Signal Kama(KernelGraph& graph, const Signal& signal, int64_t window) {
  return AddCell(graph, "kama", {signal}, {static_cast<double>(window)}, KamaCell(window))[0];
}

Signal T3(KernelGraph& graph, const Signal& signal, int64_t window, int64_t factor) {
  std::array<Signal, 7> passes = {signal};
  for (size_t pass = 1; pass < passes.size(); ++pass) {
    passes[pass] = ExponentialMean(graph, passes[pass - 1], window);
  }
  const double v = static_cast<double>(factor) / 100;
  // (1 + v) e - v ema(e), three times over.
  const std::array<double, 4> weights = {(1 + v) * (1 + v) * (1 + v), -3 * v * (1 + v) * (1 + v),
                                         3 * v * v * (1 + v), -v * v * v};
  return Map<4>(graph, "t3", {passes[3], passes[4], passes[5], passes[6]},
                [weights](const std::array<double, 4>& in) {
                  return weights[3] * in[3] + weights[2] * in[2] + weights[1] * in[1] +
                         weights[0] * in[0];
                },
                {v});
}

Signal MovingAverage(KernelGraph& graph, const Signal& signal, int64_t kind, int64_t window) {
  switch (kind) {
    case 0:
      return SimpleMean(graph, signal, window);
    case 1:
      return ExponentialMean(graph, signal, window);
    case 2:
      return Wma(graph, signal, window);
    case 3:
      return Dema(graph, signal, window);
    case 4:
      return Tema(graph, signal, window);
    case 5:
      return Trima(graph, signal, window);
    case 6:
      return Kama(graph, signal, window);
    case 7:
      return Mesa(graph, signal, 50, 5)[0];
    default:
      return T3(graph, signal, window, 70);
  }
}

int64_t MovingAverageLookBack(int64_t kind, int64_t window) {
  switch (kind) {
    case 3:
      return 2 * window - 1;
    case 4:
      return 3 * window - 2;
    case 6:
      return window + 1;
    case 7:
      return kCycleLookBack;
    case 8:
      return 6 * window - 5;
    default:
      return window;
  }
}

}  // namespace almanac::technical
