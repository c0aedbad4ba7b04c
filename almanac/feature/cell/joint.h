// Two series over one window: what correlation and regression need. Inside this room.
#ifndef ALMANAC_FEATURE_CELL_JOINT_H_
#define ALMANAC_FEATURE_CELL_JOINT_H_

#include <array>
#include <cmath>
#include <cstdint>

#include "almanac/feature/window.h"

namespace almanac {

// Means, and the sums of squared deviations and of their products, joined as Moments are.
struct JointMoments {
  struct Value {
    double count = 0, mean_x = 0, mean_y = 0, xx = 0, yy = 0, xy = 0;

    // Pearson's; NaN where x or y does not vary.
    double Correlation() const {
      return xx > 0 && yy > 0 ? xy / (std::sqrt(xx) * std::sqrt(yy)) : kUnknown;
    }
  };
  static Value Of(double x, double y) { return {1, x, y, 0, 0, 0}; }
  static Value Join(const Value& older, const Value& newer) {
    const double count = older.count + newer.count;
    const double share = newer.count / count;
    const double step_x = newer.mean_x - older.mean_x;
    const double step_y = newer.mean_y - older.mean_y;
    const double weight = older.count * share;
    return {count,
            older.mean_x + step_x * share,
            older.mean_y + step_y * share,
            older.xx + newer.xx + step_x * step_x * weight,
            older.yy + newer.yy + step_y * step_y * weight,
            older.xy + newer.xy + step_x * step_y * weight};
  }
};

// Pearson's correlation of a window, NaN where a standard deviation (divisor n - 1) is not above
// `least`.
struct CorrelationCell {
  static constexpr size_t kInputs = 2, kOutputs = 1;
  FoldWindow<JointMoments> window;
  double least = 0;

  void Step(const std::array<double, 2>& in, std::array<double, 1>& out) {
    const JointMoments::Value fold = window.Push(JointMoments::Of(in[0], in[1]));
    const double smallest = least * least * (fold.count - 1);
    const bool varies = fold.xx > smallest && fold.yy > smallest;
    out[0] = window.full() && varies ? fold.Correlation() : kUnknown;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(window);
  }
};

}  // namespace almanac

#endif  // ALMANAC_FEATURE_CELL_JOINT_H_
