// Where the close stands against moving averages and fitted lines.
#include <cmath>

#include "almanac/feature/family/technical.h"

namespace almanac::technical {
namespace {

using Node = KernelGraph::Node;

// Kaufman's adaptive average: the weight grows with how straight the last n changes were.
struct KamaCell {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  static constexpr double kFastest = 2.0 / (2 + 1), kSlowest = 2.0 / (30 + 1);
  int64_t length;
  LagWindow closes;
  FoldWindow<Sum> path;
  int64_t seen = 0;  // counted up to length + 1
  double before = kUnknown;
  double average = 0;

  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    const double close = in[0];
    const double first = closes.Push(close);
    if (seen <= length) ++seen;
    const double travelled = seen > 1 ? path.Push(std::abs(close - before)) : 0;
    out[0] = kUnknown;
    if (seen <= length) {
      average = close;
    } else {
      const double direct = std::abs(close - first);
      const double efficiency = travelled > direct ? direct / travelled : 1;
      const double root = efficiency * (kFastest - kSlowest) + kSlowest;
      average += (close - average) * (root * root);
      out[0] = average;
    }
    before = close;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(closes, path, seen, before, average);
  }
};

Signal Dema(KernelGraph& graph, int64_t n) {
  const Signal once = ExponentialMean(graph, Close(graph), n);
  return Map<2>(graph, "dema", {once, ExponentialMean(graph, once, n)},
                [](const std::array<double, 2>& in) { return 2 * in[0] - in[1]; });
}

Signal Tema(KernelGraph& graph, int64_t n) {
  const Signal once = ExponentialMean(graph, Close(graph), n);
  const Signal twice = ExponentialMean(graph, once, n);
  return Map<3>(graph, "tema", {once, twice, ExponentialMean(graph, twice, n)},
                [](const std::array<double, 3>& in) { return 3 * in[0] - 3 * in[1] + in[2]; });
}

Signal Trima(KernelGraph& graph, int64_t n) {
  const int64_t first = n / 2 + 1;
  return SimpleMean(graph, SimpleMean(graph, Close(graph), first), n + 1 - first);
}

Signal Kama(KernelGraph& graph, int64_t n) {
  return AddCell(graph, "kama", {Close(graph)}, {static_cast<double>(n)},
                 KamaCell{n, LagWindow(n), FoldWindow<Sum>(n)})[0];
}

// mean + factor * cross of the close's fitted line.
Signal OnLine(KernelGraph& graph, int64_t n, double factor) {
  return Map<2>(graph, "on line", Line(graph, Close(graph), n),
                [factor](const std::array<double, 2>& in) { return in[0] + factor * in[1]; },
                {factor});
}

Signal Wma(KernelGraph& graph, int64_t n) {
  const auto length = static_cast<double>(n);
  return OnLine(graph, n, 2 / (length * (length + 1)));
}

// The line's value `steps` bars after the middle of the window.
Signal LineAt(KernelGraph& graph, int64_t n, double steps) {
  const auto length = static_cast<double>(n);
  return OnLine(graph, n, 12 * steps / (length * (length * length - 1)));
}

double HalfWindow(int64_t n) { return static_cast<double>(n - 1) / 2; }

Node AddSlope(KernelGraph& graph, int64_t n) {
  const auto length = static_cast<double>(n);
  const double factor = 12 / (length * (length * length - 1));
  return Ratio(graph, Line(graph, Close(graph), n)[1], Close(graph), factor).node;
}

template <Signal (*kAverage)(KernelGraph&, int64_t)>
Node AddDistance(KernelGraph& graph, int64_t n) {
  return Distance(graph, kAverage(graph, n)).node;
}

Signal Sma(KernelGraph& graph, int64_t n) { return SimpleMean(graph, Close(graph), n); }
Signal LineEnd(KernelGraph& graph, int64_t n) { return LineAt(graph, n, HalfWindow(n)); }
Signal LineStart(KernelGraph& graph, int64_t n) { return LineAt(graph, n, -HalfWindow(n)); }
Signal LineNext(KernelGraph& graph, int64_t n) { return LineAt(graph, n, HalfWindow(n) + 1); }

}  // namespace

std::vector<Family> AverageFamilies() {
  return {
      {{"sma_distance", "close[t] / mean(close) - 1", "ratio", "(-1, n - 1]", "n bars", 1,
        "TA-Lib: SMA"},
       0,
       false,
       AddDistance<Sma>},
      {{"wma_distance", "close[t] / wma - 1, wma the mean of n closes with weights 1 (oldest) to n",
        "ratio", "(-1, (n - 1) / 2]", "n bars", 1, "TA-Lib: WMA"},
       0,
       false,
       AddDistance<Wma>},
      {{"trima_distance",
        "close[t] / sma(sma(close, floor(n/2) + 1), ceil(n/2)) - 1 (n odd: both (n + 1) / 2)",
        "ratio", "(-1, inf)", "n bars", 1, "TA-Lib: TRIMA"},
       0,
       false,
       AddDistance<Trima>},
      {{"dema_distance",
        "close[t] / (2 e1 - e2) - 1, e1 = ema(close, n), e2 = ema(e1, n)",
        "ratio",
        "(-inf, inf)",
        "2n - 1 bars, older ones with falling weight",
        1,
        "Mulloy 1994, Stocks and Commodities 12; TA-Lib: DEMA",
        {{"window"}}},
       0,
       true,
       nullptr,
       [](KernelGraph& graph, std::span<const int64_t> v) {
         return AddDistance<Dema>(graph, v[0]);
       },
       [](std::span<const int64_t> v) { return 2 * v[0] - 1; }},
      {{"tema_distance",
        "close[t] / (3 e1 - 3 e2 + e3) - 1, e1 = ema(close, n), e2 = ema(e1, n), "
        "e3 = ema(e2, n)",
        "ratio",
        "(-inf, inf)",
        "3n - 2 bars, older ones with falling weight",
        1,
        "Mulloy 1994, Stocks and Commodities 12; TA-Lib: TEMA",
        {{"window"}}},
       0,
       true,
       nullptr,
       [](KernelGraph& graph, std::span<const int64_t> v) {
         return AddDistance<Tema>(graph, v[0]);
       },
       [](std::span<const int64_t> v) { return 3 * v[0] - 2; }},
      {{"kama_distance",
        "close[t] / k[t] - 1; k[t] = k[t-1] + c^2 (close[t] - k[t-1]), c = e (2/3 - 2/31) + 2/31, "
        "e = |close[t] - close[t-n]| / sum of |close[i] - close[i-1]| over n bars (1 where that "
        "is 0), begun with k = the close before the first value",
        "ratio", "(-1, inf)", "n + 1 bars, older ones with falling weight", 1,
        "Kaufman 1995, Smarter Trading; TA-Lib: KAMA"},
       1,
       true,
       AddDistance<Kama>},
      {{"linreg_slope", "slope of the least-squares line through n closes / close[t]",
        "ratio per bar", "(-inf, inf)", "n bars", 2, "TA-Lib: LINEARREG_SLOPE / close"},
       0,
       false,
       AddSlope},
      {{"linreg_distance", "close[t] / the least-squares line through n closes at t - 1", "ratio",
        "(-inf, inf)", "n bars", 2, "TA-Lib: LINEARREG"},
       0,
       false,
       AddDistance<LineEnd>},
      {{"linreg_intercept_distance",
        "close[t] / the least-squares line through n closes at t-n+1 - 1", "ratio", "(-inf, inf)",
        "n bars", 2, "TA-Lib: LINEARREG_INTERCEPT"},
       0,
       false,
       AddDistance<LineStart>},
      {{"tsf_distance", "close[t] / the least-squares line through n closes at t+1 - 1", "ratio",
        "(-inf, inf)", "n bars", 2, "TA-Lib: TSF"},
       0,
       false,
       AddDistance<LineNext>},
  };
}

}  // namespace almanac::technical
