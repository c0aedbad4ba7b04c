// Cells that need the values of a window in order: rank and quantile. Inside this room.
#ifndef ALMANAC_FEATURE_CELL_ORDER_H_
#define ALMANAC_FEATURE_CELL_ORDER_H_

#include <array>
#include <cstddef>

#include "almanac/feature/cell/sorted.h"

namespace almanac {

// The rank of the newest value in its window, the mean of equals', over n: (0, 1], as pandas'
// rolling(n).rank(pct=True).
struct RankCell {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  SortedWindow window;

  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    const size_t below = window.Push(in[0]);
    out[0] = window.full() ? window.RankShare(below) : kUnknown;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(window);
  }
};

// Linear between order statistics, as NumPy's default; `share` in [0, 1].
struct QuantileCell {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  SortedWindow window;
  double share;

  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    window.Push(in[0]);
    out[0] = window.full() ? window.Quantile(share) : kUnknown;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(window);
  }
};

}  // namespace almanac

#endif  // ALMANAC_FEATURE_CELL_ORDER_H_
