// Where the close stands against moving averages and fitted lines.
#include "almanac/feature/family/technical_moving.h"

namespace almanac::technical {
namespace {

using Node = KernelGraph::Node;

// mean + factor * cross of the close's fitted line.
Signal OnLine(KernelGraph& graph, int64_t n, double factor) {
  return Map<2>(graph, "on line", Line(graph, Close(graph), n),
                [factor](const std::array<double, 2>& in) { return in[0] + factor * in[1]; },
                {factor});
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

template <Signal (*kAverage)(KernelGraph&, const Signal&, int64_t)>
Node AddDistance(KernelGraph& graph, int64_t n) {
  return Distance(graph, kAverage(graph, Close(graph), n)).node;
}

template <Signal (*kLine)(KernelGraph&, int64_t)>
Node AddLineDistance(KernelGraph& graph, int64_t n) {
  return Distance(graph, kLine(graph, n)).node;
}

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
       AddDistance<SimpleMean>},
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
       AddLineDistance<LineEnd>},
      {{"linreg_intercept_distance",
        "close[t] / the least-squares line through n closes at t-n+1 - 1", "ratio", "(-inf, inf)",
        "n bars", 2, "TA-Lib: LINEARREG_INTERCEPT"},
       0,
       false,
       AddLineDistance<LineStart>},
      {{"tsf_distance", "close[t] / the least-squares line through n closes at t+1 - 1", "ratio",
        "(-inf, inf)", "n bars", 2, "TA-Lib: TSF"},
       0,
       false,
       AddLineDistance<LineNext>},
  };
}

}  // namespace almanac::technical
