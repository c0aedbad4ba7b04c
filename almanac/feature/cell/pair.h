// Cells over a window of two series: covariance, correlation, beta. Inside this room.
#ifndef ALMANAC_FEATURE_CELL_PAIR_H_
#define ALMANAC_FEATURE_CELL_PAIR_H_

#include <algorithm>
#include <array>
#include <cmath>

#include "almanac/feature/cell/joint.h"

namespace almanac {

// Outputs: the covariance (divisor n - 1), Pearson's correlation, the least-squares slope of x on
// y. NaN where what is divided by is 0 or too large for a double.
struct PairCell {
  static constexpr size_t kInputs = 2, kOutputs = 3;
  FoldWindow<JointMoments> window;

  void Step(const std::array<double, 2>& in, std::array<double, 3>& out) {
    const JointMoments::Value fold = window.Push(JointMoments::Of(in[0], in[1]));
    out = {kUnknown, kUnknown, kUnknown};
    if (!window.full()) return;
    out[0] = fold.xy / (fold.count - 1);
    const double scale = std::sqrt(fold.xx) * std::sqrt(fold.yy);
    // Rounding may leave a perfect correlation just outside.
    if (scale > 0 && std::isfinite(scale)) out[1] = std::clamp(fold.xy / scale, -1.0, 1.0);
    if (fold.yy > 0 && std::isfinite(fold.yy)) out[2] = fold.xy / fold.yy;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(window);
  }
};

}  // namespace almanac

#endif  // ALMANAC_FEATURE_CELL_PAIR_H_
