// Moments, memory, regression and entropy of returns and closes.
#include <fmt/format.h>
#include <array>
#include <cmath>
#include <numbers>

#include "almanac/feature/cell/entropy.h"
#include "almanac/feature/cell/higher.h"
#include "almanac/feature/cell/joint.h"
#include "almanac/feature/family/technical.h"

namespace almanac::statistics {
namespace {

using technical::AddCell;
using technical::Close;
using technical::Gain;
using technical::Lag;
using technical::Line;
using technical::LogReturn;
using technical::Loss;
using technical::Map;
using technical::MeanAndDeviation;
using technical::RollingSum;
using technical::Scaled;
using technical::Share;
using technical::Sign;
using technical::Signal;
using technical::Signals;
using technical::Square;
using Node = KernelGraph::Node;
using Values = std::span<const int64_t>;

Node AddReturnMean(KernelGraph& graph, int64_t n) {
  return MeanAndDeviation(graph, LogReturn(graph, 1), n)[0].node;
}

Signals<2> Higher(KernelGraph& graph, int64_t n) {
  return AddCell(graph, "higher moments", {LogReturn(graph, 1)}, {static_cast<double>(n)},
                 HigherMomentsCell{FoldWindow<HigherMoments>(n)});
}
Node AddSkewness(KernelGraph& graph, int64_t n) { return Higher(graph, n)[0].node; }
Node AddKurtosis(KernelGraph& graph, int64_t n) { return Higher(graph, n)[1].node; }

Node AddMean(KernelGraph& graph, const Signal& indicator, int64_t n) {
  return Scaled(graph, RollingSum(graph, indicator, n), 1 / static_cast<double>(n)).node;
}
Node AddUpShare(KernelGraph& graph, int64_t n) {
  return AddMean(graph, Gain(graph, Sign(graph, LogReturn(graph, 1))), n);
}
Node AddDownShare(KernelGraph& graph, int64_t n) {
  return AddMean(graph, Loss(graph, Sign(graph, LogReturn(graph, 1))), n);
}

Node AddAutocorrelation(KernelGraph& graph, Values v) {
  const Signal r = LogReturn(graph, 1);
  return AddCell(graph, "correlation", {r, Lag(graph, r, v[1])}, {static_cast<double>(v[0])},
                 CorrelationCell{FoldWindow<JointMoments>(v[0])})[0]
      .node;
}

// The generalised Hurst exponent of order 2: how the root mean square of returns over 1, 2, 4, 8
// and 16 bars grows, the least-squares slope in logarithms. The logarithms of the steps are equally
// spaced, so the slope has the weights -2, -1, 0, 1, 2 over 10 ln 2.
Node AddHurst(KernelGraph& graph, int64_t n) {
  Signals<5> squares;
  Signal moved = LogReturn(graph, 1);
  for (size_t i = 0; i < squares.size(); ++i) {
    squares[i] = RollingSum(graph, Square(graph, moved), n);
    // Over twice as many bars.
    moved = Map<2>(graph, "plus", {moved, Lag(graph, moved, int64_t{1} << i)},
                   [](const std::array<double, 2>& in) { return in[0] + in[1]; });
  }
  return Map<4>(graph, "hurst", {squares[0], squares[1], squares[3], squares[4]},
                [](const std::array<double, 4>& in) {
                  const double outer = Share(in[3], in[0]);
                  const double inner = Share(in[2], in[1]);
                  const double growth = std::log(outer * outer * inner);
                  return std::isfinite(growth) ? growth / (20 * std::numbers::ln2) : kUnknown;
                })
      .node;
}

Node AddVarianceRatio(KernelGraph& graph, Values v) {
  const auto q = static_cast<double>(v[0]);
  const auto n = static_cast<double>(v[1]);
  const Signals<2> one = MeanAndDeviation(graph, LogReturn(graph, 1), v[1]);
  const Signals<2> many = MeanAndDeviation(graph, LogReturn(graph, v[0]), v[1] - v[0] + 1);
  // (n - q + 1) / m with m = q (n - q + 1) (1 - q / n), over n / (n - 1).
  const double factor = (n - 1) / n / (q * (1 - q / n));
  return Map<4>(graph, "variance ratio", {one[0], one[1], many[0], many[1]},
                [q, factor](const std::array<double, 4>& in) {
                  const double drift = in[2] - q * in[0];
                  return factor * Share(in[3] * in[3] + drift * drift, in[1] * in[1]);
                },
                {q, factor})
      .node;
}

// The pattern of the last `order` values: which of the order! orders they stand in, of equals the
// older before the newer.
struct PatternEntropyCell {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  static constexpr size_t kLargestOrder = 6;
  size_t order;
  EntropyWindow window;
  std::array<double, kLargestOrder> last;  // the newest at order - 1

  PatternEntropyCell(int64_t n, int64_t length)
      : order(static_cast<size_t>(length)), window(n, Factorial(order)) {
    last.fill(kUnknown);
  }
  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    for (size_t i = 1; i < order; ++i) last[i - 1] = last[i];
    last[order - 1] = in[0];
    out[0] = window.Push(std::isnan(last[0]) ? EntropyWindow::kNoSymbol : Pattern());
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(window, last);
  }

 private:
  static size_t Factorial(size_t n) { return n < 2 ? 1 : n * Factorial(n - 1); }
  // The Lehmer code as one number.
  int32_t Pattern() const {
    int32_t pattern = 0;
    for (size_t i = 0; i + 1 < order; ++i) {
      int32_t smaller_after = 0;
      for (size_t j = i + 1; j < order; ++j) smaller_after += last[j] < last[i] ? 1 : 0;
      pattern = pattern * static_cast<int32_t>(order - i) + smaller_after;
    }
    return pattern;
  }
};

Node AddPatternEntropy(KernelGraph& graph, Values v) {
  return AddCell(graph, "pattern entropy", {Close(graph)},
                 {static_cast<double>(v[0]), static_cast<double>(v[1])},
                 PatternEntropyCell(v[0], v[1]))[0]
      .node;
}

// Returns over their root mean square, in steps of half of it from -3 to 3; the outermost are open.
struct ReturnEntropyCell {
  static constexpr size_t kInputs = 2, kOutputs = 1;  // r, mean square
  static constexpr int32_t kBins = 12;
  EntropyWindow window;

  void Step(const std::array<double, 2>& in, std::array<double, 1>& out) {
    const double bin = std::floor(2 * Share(in[0], std::sqrt(in[1]))) + kBins / 2.0;
    out[0] = window.Push(std::isnan(bin) ? EntropyWindow::kNoSymbol
                                         : static_cast<int32_t>(std::clamp(bin, 0.0, kBins - 1.0)));
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(window);
  }
};

Node AddReturnEntropy(KernelGraph& graph, Values v) {
  const Signal r = LogReturn(graph, 1);
  const Signal mean_square =
      Scaled(graph, RollingSum(graph, Square(graph, r), v[0]), 1 / static_cast<double>(v[0]));
  return AddCell(graph, "return entropy", {r, mean_square}, {static_cast<double>(v[0])},
                 ReturnEntropyCell{EntropyWindow(v[0], ReturnEntropyCell::kBins)})[0]
      .node;
}

// What a line through n closes explains: its slope, its square sum, what is left.
struct LineFit {
  double slope_factor, spread, n;

  explicit LineFit(int64_t length) : n(static_cast<double>(length)) {
    spread = n * (n * n - 1) / 12;
    slope_factor = 1 / spread;
  }
  double Left(double cross, double deviation) const {
    const double left = n * deviation * deviation - cross * cross * slope_factor;
    return left > 0 ? left : kUnknown;
  }
};

// Function(fit, close, mean, cross, deviation) of n closes.
template <typename Function>
Node AddOfLine(KernelGraph& graph, const char* name, int64_t n, Function function) {
  const Signals<2> line = Line(graph, Close(graph), n);
  const LineFit fit(n);
  return Map<4>(graph, name,
                {Close(graph), line[0], line[1], MeanAndDeviation(graph, Close(graph), n)[1]},
                [fit, function](const std::array<double, 4>& in) {
                  return function(fit, in[0], in[1], in[2], in[3]);
                },
                {fit.n})
      .node;
}

Node AddTrendR2(KernelGraph& graph, int64_t n) {
  return AddOfLine(graph, "trend r2", n,
                   [](const LineFit& fit, double, double, double cross, double deviation) {
                     const double explained = cross * cross * fit.slope_factor;
                     return Share(explained, fit.n * deviation * deviation);
                   });
}

Node AddTrendT(KernelGraph& graph, int64_t n) {
  return AddOfLine(graph, "trend t", n,
                   [](const LineFit& fit, double, double, double cross, double deviation) {
                     const double left = fit.Left(cross, deviation) / (fit.n - 2);
                     return cross * fit.slope_factor / std::sqrt(left * fit.slope_factor);
                   });
}

Node AddTrendResidual(KernelGraph& graph, int64_t n) {
  return AddOfLine(
      graph, "trend residual", n,
      [](const LineFit& fit, double close, double mean, double cross, double deviation) {
        const double line = mean + cross * fit.slope_factor * (fit.n - 1) / 2;
        return (close - line) / std::sqrt(fit.Left(cross, deviation) / (fit.n - 2));
      });
}

// The sum of weights times the last n values; weight k belongs to the value k bars ago.
struct WeightedSumCell {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  static constexpr size_t kLanes = 8;  // sums that run side by side
  std::vector<double> weights;         // the oldest value's first
  std::vector<double> values;          // each twice, n apart: a window is one stretch
  uint64_t position = 0;

  explicit WeightedSumCell(std::vector<double> newest_first)
      : weights(newest_first.rbegin(), newest_first.rend()), values(2 * weights.size(), kUnknown) {}
  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    const size_t n = weights.size();
    values[position] = values[position + n] = in[0];
    if (++position == n) position = 0;
    const double* window = values.data() + position;
    std::array<double, kLanes> sums{};
    size_t i = 0;
    for (; i + kLanes <= n; i += kLanes) {
      for (size_t lane = 0; lane < kLanes; ++lane) {
        sums[lane] += weights[i + lane] * window[i + lane];
      }
    }
    for (; i < n; ++i) sums[0] += weights[i] * window[i];
    out[0] =
        ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(values, position);
  }
};

Node AddFractionalDifference(KernelGraph& graph, Values v) {
  const double d = static_cast<double>(v[0]) / 100;
  std::vector<double> weights = {1};
  while (weights.size() < static_cast<size_t>(v[1])) {
    const auto k = static_cast<double>(weights.size());
    weights.push_back(-weights.back() * (d - k + 1) / k);
  }
  const Signal log_close = Map<1>(graph, "log", {Close(graph)},
                                  [](const std::array<double, 1>& in) { return std::log(in[0]); });
  return AddCell(graph, "fractional difference", {log_close}, {d, static_cast<double>(v[1])},
                 WeightedSumCell(std::move(weights)))[0]
      .node;
}

constexpr char kAny[] = "(-inf, inf)";
constexpr char kShare[] = "[0, 1]";
constexpr int64_t kLongestConvolution = 10'000;

Family OfWindow(FamilyInfo info, int64_t bars_before, Node (*add)(KernelGraph&, int64_t)) {
  info.look_back = bars_before == 0 ? "n bars" : fmt::format("n + {} bars", bars_before);
  return {.info = std::move(info), .bars_before = bars_before, .add = add};
}

std::vector<Family> WindowFamilies() {
  const std::string least_squares = "ordinary least squares; statsmodels: OLS";
  return {
      OfWindow({"return_mean", "mean(r)", "log ratio", kAny, "", 1, "pandas: rolling(n).mean"}, 1,
               AddReturnMean),
      OfWindow({"return_skewness",
                "G1 = sqrt(n (n - 1)) / (n - 2) m3 / m2^1.5, m2 and m3 central moments of r; NaN "
                "where m2 is 0",
                "none", kAny, "", 3,
                "Joanes and Gill 1998, The Statistician 47; pandas: rolling(n).skew"},
               1, AddSkewness),
      OfWindow({"return_kurtosis",
                "G2 = (n - 1) / ((n - 2) (n - 3)) ((n + 1) (m4 / m2^2 - 3) + 6), m2 and m4 central "
                "moments of r; NaN where m2 is 0",
                "none", kAny, "", 4,
                "Joanes and Gill 1998, The Statistician 47; pandas: rolling(n).kurt"},
               1, AddKurtosis),
      OfWindow({"up_share", "share of the n bars with r > 0", "ratio", kShare, "", 1, "Qlib: CNTP"},
               1, AddUpShare),
      OfWindow(
          {"down_share", "share of the n bars with r < 0", "ratio", kShare, "", 1, "Qlib: CNTN"}, 1,
          AddDownShare),
      OfWindow(
          {"hurst_exponent",
           "slope of ln sqrt(mean(ln(close[i] / close[i-s])^2)) over ln s, s = 1, 2, 4, 8, 16, "
           "by least squares; 0.5 for a random walk; NaN where returns over a step are all 0",
           "none", kAny, "", 2,
           "generalised Hurst exponent of order 2: Di Matteo 2007, Quantitative Finance 7"},
          16, AddHurst),
      OfWindow({"trend_r2",
                "R squared of the least-squares line through n closes; NaN where they "
                "are equal",
                "ratio", kShare, "", 2, least_squares},
               0, AddTrendR2),
      OfWindow({"trend_t",
                "slope of the least-squares line through n closes / its standard error; NaN where "
                "the line is exact",
                "standard errors", kAny, "", 3, least_squares},
               0, AddTrendT),
      OfWindow({"trend_residual",
                "(close[t] - the least-squares line through n closes at t) / s, s^2 the sum of "
                "squared residuals / (n - 2); NaN where the line is exact",
                "standard errors of regression", kAny, "", 3, least_squares},
               0, AddTrendResidual),
  };
}

}  // namespace

std::vector<Family> MomentFamilies() {
  std::vector<Family> all = WindowFamilies();
  all.push_back({.info = {"return_autocorrelation",
                          "correlation of r[i] and r[i-lag], i = t-n+1..t; NaN where one of them "
                          "does not vary",
                          "ratio",
                          "[-1, 1]",
                          "n + lag + 1 bars",
                          2,
                          "pandas: r.rolling(n).corr(r.shift(lag))",
                          {{.name = "window", .smallest = 2}, {.name = "lag"}}},
                 .add_all = AddAutocorrelation,
                 .look_back = [](Values v) { return v[0] + v[1] + 1; }});
  all.push_back({.info = {"variance_ratio",
                          "variance of returns over `steps` bars, overlapping, within n bars / "
                          "(steps times that of r), both without bias; 1 for a random walk; NaN "
                          "where nothing moved",
                          "ratio",
                          "[0, inf)",
                          "n + 1 bars",
                          2,
                          "Lo and MacKinlay 1988, Review of Financial Studies 1",
                          {{.name = "steps", .smallest = 2, .largest = 1000},
                           {.name = "window", .above_previous = true}}},
                 .add_all = AddVarianceRatio,
                 .look_back = [](Values v) { return v[1] + 1; }});
  all.push_back({.info = {"permutation_entropy",
                          "entropy of the n patterns (orders by size of `order` neighbouring "
                          "closes, of equals the older first) that end at t-n+1..t / ln(order!)",
                          "ratio",
                          kShare,
                          "n + order - 1 bars",
                          2,
                          "Bandt and Pompe 2002, Physical Review Letters 88",
                          {{.name = "window", .smallest = 2, .largest = EntropyWindow::kLargest},
                           {.name = "order", .smallest = 2, .largest = 6}}},
                 .add_all = AddPatternEntropy,
                 .look_back = [](Values v) { return v[0] + v[1] - 1; }});
  all.push_back({.info = {"return_entropy",
                          "entropy of n bins / ln(12); bin of r[i]: r[i] over the root mean square "
                          "of the n returns to i, in 12 steps of 0.5 from -3 to 3, the outermost "
                          "open; NaN where nothing moved",
                          "ratio",
                          kShare,
                          "2n bars",
                          2,
                          "Shannon 1948, Bell System Technical Journal 27",
                          {{.name = "window", .smallest = 2, .largest = EntropyWindow::kLargest}}},
                 .add_all = AddReturnEntropy,
                 .look_back = [](Values v) { return 2 * v[0]; }});
  all.push_back({.info = {"fractional_difference",
                          "sum of w[k] ln(close[t-k]), k = 0..n-1, w[0] = 1, w[k] = -w[k-1] "
                          "(d - k + 1) / k, d = percent / 100",
                          "log price",
                          kAny,
                          "n bars",
                          1,
                          "Lopez de Prado 2018, Advances in Financial Machine Learning, 5.5 (fixed-"
                          "width window)",
                          {{.name = "percent", .smallest = 1, .largest = 99},
                           {.name = "window", .largest = kLongestConvolution}}},
                 .add_all = AddFractionalDifference,
                 .look_back = [](Values v) { return v[1]; }});
  return all;
}

}  // namespace almanac::statistics
