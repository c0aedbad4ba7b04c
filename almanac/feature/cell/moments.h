// Cells that read their outputs off the mean and deviation of a window. Inside this room.
#ifndef ALMANAC_FEATURE_CELL_MOMENTS_H_
#define ALMANAC_FEATURE_CELL_MOMENTS_H_

#include <array>
#include <cmath>
#include <cstddef>

#include "almanac/feature/window.h"

namespace almanac {

// Reading::Of(moments, newest value) gives both outputs; NaN until the window is full.
template <typename Reading>
struct MomentsCell {
  static constexpr size_t kInputs = 1, kOutputs = 2;
  FoldWindow<Moments> window;

  void Step(const std::array<double, 1>& in, std::array<double, 2>& out) {
    const Moments::Value fold = window.Push(Moments::Of(in[0]));
    out = window.full() ? Reading::Of(fold, in[0]) : std::array<double, 2>{kUnknown, kUnknown};
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(window);
  }
};

// The mean and the standard deviation with divisor n; exactly 0 for equal values.
struct DeviationReading {
  static std::array<double, 2> Of(const Moments::Value& fold, double /*newest*/) {
    return {fold.mean, std::sqrt(fold.squares / fold.count)};
  }
};
using DeviationCell = MomentsCell<DeviationReading>;

// The standard deviation with divisor n - 1, and how many of them the newest value lies from the
// mean (NaN where it is 0 or too large for a double).
struct ScoreReading {
  static std::array<double, 2> Of(const Moments::Value& fold, double newest) {
    const double deviation = fold.SampleDeviation();
    const bool divides = deviation > 0 && std::isfinite(deviation);
    return {deviation, divides ? (newest - fold.mean) / deviation : kUnknown};
  }
};
using ScoreCell = MomentsCell<ScoreReading>;

}  // namespace almanac

#endif  // ALMANAC_FEATURE_CELL_MOMENTS_H_
