// Where the newest value stands among the last n: quantiles, ranks, distances in robust deviations.
#include <algorithm>
#include <cmath>
#include <limits>

#include "almanac/feature/cell/order.h"
#include "almanac/feature/family/technical.h"

namespace almanac::statistics {
namespace {

using technical::AddCell;
using technical::Close;
using technical::LogReturn;
using technical::Map;
using technical::MeanAndDeviation;
using technical::SampleDeviation;
using technical::Share;
using technical::Signal;
using technical::Volume;
using Node = KernelGraph::Node;
using Values = std::span<const int64_t>;

constexpr double kPercent = 0.01;
// Of a normal distribution, standard deviation / median absolute deviation.
constexpr double kNormalMad = 1.482602218505602;

// The median absolute deviation from `centre`. The k values nearest to it are neighbours in order
// of value, so where they begin is found by halving; the next nearest is one of the two beside
// them.
double MedianDeviation(const SortedWindow& window, double centre) {
  const size_t n = window.size(), k = (n + 1) / 2;
  size_t first = 0, length = n - k;
  while (length > 0) {
    const size_t half = length / 2, middle = first + half;
    const bool later = centre - window[middle] > window[middle + k] - centre;
    first = later ? middle + 1 : first;
    length = later ? length - half - 1 : half;
  }
  const double farthest = std::max(centre - window[first], window[first + k - 1] - centre);
  if (n % 2 == 1) return farthest;
  double next = std::numeric_limits<double>::infinity();
  if (first > 0) next = std::min(next, centre - window[first - 1]);
  if (first + k < n) next = std::min(next, window[first + k] - centre);
  return (farthest + next) / 2;
}

// Outputs the rank of the newest value over n, and its distance from the median in median absolute
// deviations.
struct StandingCell {
  static constexpr size_t kInputs = 1, kOutputs = 2;
  SortedWindow window;

  void Step(const std::array<double, 1>& in, std::array<double, 2>& out) {
    const size_t below = window.Push(in[0]);
    out.fill(kUnknown);
    if (!window.full()) return;
    const double median = window.Quantile(0.5);
    out = {window.RankShare(below),
           Share(in[0] - median, kNormalMad * MedianDeviation(window, median))};
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(window);
  }
};

Signal OneBarReturn(KernelGraph& graph) { return LogReturn(graph, 1); }
Signal TheVolume(KernelGraph& graph) { return Volume(graph); }
Signal TheClose(KernelGraph& graph) { return Close(graph); }

template <Signal (*kOf)(KernelGraph&), size_t kOutput>
Node AddStanding(KernelGraph& graph, Values v) {
  return AddCell(graph, "standing", {kOf(graph)}, {static_cast<double>(v[0])},
                 StandingCell{SortedWindow(v[0])})[kOutput]
      .node;
}

Signal Quantile(KernelGraph& graph, const Signal& of, int64_t window, double share) {
  return AddCell(graph, "quantile", {of}, {static_cast<double>(window), share},
                 QuantileCell{SortedWindow(window), share})[0];
}

Node AddReturnQuantile(KernelGraph& graph, Values v) {
  return Quantile(graph, LogReturn(graph, 1), v[0], kPercent * static_cast<double>(v[1])).node;
}

Node AddCloseQuantile(KernelGraph& graph, Values v) {
  return technical::Distance(
             graph, Quantile(graph, Close(graph), v[0], kPercent * static_cast<double>(v[1])))
      .node;
}

Node AddCloseZScore(KernelGraph& graph, int64_t n) {
  return Map<3>(graph, "z-score",
                {Close(graph), MeanAndDeviation(graph, Close(graph), n)[0],
                 SampleDeviation(graph, Close(graph), n)},
                [](const std::array<double, 3>& in) { return Share(in[0] - in[1], in[2]); })
      .node;
}

Family Sorted(FamilyInfo info, int64_t smallest, Node (*add)(KernelGraph&, Values),
              int64_t (*look_back)(Values)) {
  info.smallest_window = smallest;
  ParameterInfo window = {
      .name = "window", .smallest = smallest, .largest = SortedWindow::kLargest};
  info.parameters.insert(info.parameters.begin(), std::move(window));
  return {.info = std::move(info), .add_all = add, .look_back = look_back};
}

int64_t OfN(Values v) { return v[0]; }
int64_t OfNAndOne(Values v) { return v[0] + 1; }

}  // namespace

std::vector<Family> OrderFamilies() {
  const ParameterInfo percent = {.name = "percent", .smallest = 0, .largest = 100};
  const std::string quantile = "Hyndman and Fan 1996, type 7; numpy: quantile";
  const std::string mad = "Iglewicz and Hoaglin 1993, How to Detect and Handle Outliers";
  const std::string rank = "pandas: rolling(n).rank(pct=True)";
  return {
      {.info = {"close_zscore",
                "(close[t] - mean(close)) / std(close), divisor n - 1; NaN where that is 0",
                "standard deviations", "[-(n-1)/sqrt(n), (n-1)/sqrt(n)]", "n bars", 2,
                "pandas: rolling(n)"},
       .add = AddCloseZScore},
      Sorted({"return_quantile",
              "the percent / 100 quantile of n returns r, linear between neighbours",
              "log ratio",
              "(-inf, inf)",
              "n + 1 bars",
              1,
              quantile,
              {percent}},
             1, AddReturnQuantile, OfNAndOne),
      Sorted({"close_quantile_distance",
              "close[t] / the percent / 100 quantile of n closes - 1, linear between neighbours",
              "ratio",
              "(-1, inf)",
              "n bars",
              1,
              quantile,
              {percent}},
             1, AddCloseQuantile, OfN),
      Sorted({"return_rank", "rank of r[t] among the n returns / n, the mean of equals' ranks",
              "ratio", "(0, 1]", "n + 1 bars", 1, rank},
             1, AddStanding<OneBarReturn, 0>, OfNAndOne),
      Sorted({"close_rank", "rank of close[t] among n closes / n, the mean of equals' ranks",
              "ratio", "(0, 1]", "n bars", 1, rank},
             1, AddStanding<TheClose, 0>, OfN),
      Sorted({"volume_rank", "rank of volume[t] among n volumes / n, the mean of equals' ranks",
              "ratio", "(0, 1]", "n bars", 1, rank},
             1, AddStanding<TheVolume, 0>, OfN),
      Sorted(
          {"return_mad_zscore",
           "(r[t] - m) / (1.4826 median(|r - m|)), m the median of the n returns; NaN where that "
           "is 0",
           "robust deviations", "(-inf, inf)", "n + 1 bars", 2, mad},
          2, AddStanding<OneBarReturn, 1>, OfNAndOne),
      Sorted({"close_mad_zscore",
              "(close[t] - m) / (1.4826 median(|close - m|)), m the median of n closes; NaN where "
              "that is 0",
              "robust deviations", "(-inf, inf)", "n bars", 2, mad},
             2, AddStanding<TheClose, 1>, OfN),
      Sorted({"volume_mad_zscore",
              "(volume[t] - m) / (1.4826 median(|volume - m|)), m the median of n volumes; NaN "
              "where that is 0",
              "robust deviations", "(-inf, inf)", "n bars", 2, mad},
             2, AddStanding<TheVolume, 1>, OfN),
  };
}

}  // namespace almanac::statistics
