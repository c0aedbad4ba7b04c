// Where the price stands against its own recent past.
#include <cmath>

#include "almanac/feature/family.h"
#include "almanac/feature/window.h"

namespace almanac {
namespace {

using Node = KernelGraph::Node;

struct RangePosition {
  static constexpr size_t kInputs = 3, kOutputs = 1;  // high, low, close
  FoldWindow<Maximum> highs;
  FoldWindow<Minimum> lows;

  void Step(const std::array<double, 3>& in, std::array<double, 1>& out) {
    const double top = highs.Push(in[0]);
    const double bottom = lows.Push(in[1]);
    out[0] = highs.full() && top > bottom ? (in[2] - bottom) / (top - bottom) : kUnknown;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(highs, lows);
  }
};

// An average of all bars with weights that fall by (n - 1) / (n + 1) a bar: rounding errors die out
// with the same weights, so that it does not drift either.
struct EmaDistance {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  int64_t length;
  int64_t seen = 0;  // counted up to `length`
  double average = 0;

  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    const double close = in[0];
    if (seen < length) {
      ++seen;
      // Until the first n are there, `average` is their plain mean.
      average += (close - average) / static_cast<double>(seen);
    } else {
      average += (close - average) * (2.0 / static_cast<double>(length + 1));
    }
    out[0] = seen < length ? kUnknown : (close - average) / average;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(seen, average);
  }
};

Node AddRangePosition(KernelGraph& graph, int64_t window) {
  return graph.Add(
      "range position " + std::to_string(window),
      {graph.Field(BarField::kHigh), graph.Field(BarField::kLow), graph.Field(BarField::kClose)},
      [&] {
        return MakeKernel(RangePosition{FoldWindow<Maximum>(window), FoldWindow<Minimum>(window)});
      });
}

Node AddEmaDistance(KernelGraph& graph, int64_t window) {
  return graph.Add("ema distance " + std::to_string(window), {graph.Field(BarField::kClose)},
                   [&] { return MakeKernel(EmaDistance{window}); });
}

}  // namespace

std::vector<Family> TrendFamilies() {
  return {
      {{"range_position",
        "(close[t] - L) / (H - L), H the highest high and L the lowest low of n bars; NaN where "
        "H = L",
        "ratio", "[0, 1]", "n bars", 1, "Lane's stochastic %K / 100"},
       0,
       false,
       AddRangePosition},
      {{"ema_distance",
        "close[t] / ema[t] - 1; ema[t] = ema[t-1] + 2 / (n + 1) * (close[t] - ema[t-1]), begun at "
        "bar n with the mean of the first n closes",
        "ratio", "(-1, inf)", "n bars, older ones with falling weight", 1, "TA-Lib: EMA"},
       0,
       true,
       AddEmaDistance},
  };
}

}  // namespace almanac
