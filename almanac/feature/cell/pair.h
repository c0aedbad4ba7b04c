// Cells over a window of two series: covariance, correlation, beta. Inside this room.
#ifndef ALMANAC_FEATURE_CELL_PAIR_H_
#define ALMANAC_FEATURE_CELL_PAIR_H_

#include <algorithm>
#include <array>
#include <cmath>

#include "almanac/feature/window.h"

namespace almanac {

// Means and summed products of deviations of pairs, joined as Chan, Golub and LeVeque's moments.
struct PairMoments {
  struct Value {
    double count = 0, mean_x = 0, mean_y = 0, squares_x = 0, squares_y = 0, products = 0;
  };
  static Value Of(double x, double y) { return {1, x, y, 0, 0, 0}; }
  static Value Join(const Value& older, const Value& newer) {
    const double count = older.count + newer.count;
    const double step_x = newer.mean_x - older.mean_x;
    const double step_y = newer.mean_y - older.mean_y;
    const double share = newer.count / count;
    const double weight = older.count * share;
    return {count,
            older.mean_x + step_x * share,
            older.mean_y + step_y * share,
            older.squares_x + newer.squares_x + step_x * step_x * weight,
            older.squares_y + newer.squares_y + step_y * step_y * weight,
            older.products + newer.products + step_x * step_y * weight};
  }
};

// Outputs: the covariance (divisor n - 1), Pearson's correlation, the least-squares slope of x on
// y. NaN where what is divided by is 0 or too large for a double.
struct PairCell {
  static constexpr size_t kInputs = 2, kOutputs = 3;
  FoldWindow<PairMoments> window;

  void Step(const std::array<double, 2>& in, std::array<double, 3>& out) {
    const PairMoments::Value fold = window.Push(PairMoments::Of(in[0], in[1]));
    out = {kUnknown, kUnknown, kUnknown};
    if (!window.full()) return;
    out[0] = fold.products / (fold.count - 1);
    const double scale = std::sqrt(fold.squares_x) * std::sqrt(fold.squares_y);
    // Rounding may leave a perfect correlation just outside.
    if (scale > 0 && std::isfinite(scale)) out[1] = std::clamp(fold.products / scale, -1.0, 1.0);
    if (fold.squares_y > 0 && std::isfinite(fold.squares_y))
      out[2] = fold.products / fold.squares_y;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(window);
  }
};

}  // namespace almanac

#endif  // ALMANAC_FEATURE_CELL_PAIR_H_
