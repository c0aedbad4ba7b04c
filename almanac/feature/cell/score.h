// Cells that compare the newest value with those before it. Inside this room.
#ifndef ALMANAC_FEATURE_CELL_SCORE_H_
#define ALMANAC_FEATURE_CELL_SCORE_H_

#include <array>
#include <cmath>
#include <cstddef>

#include "almanac/feature/window.h"

namespace almanac {

// The value less the one n steps ago.
struct DifferenceCell {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  LagWindow values;

  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    out[0] = in[0] - values.Push(in[0]);
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(values);
  }
};

// Outputs: the standard deviation with divisor n - 1, and how many of them the newest value lies
// from the mean (NaN where it is 0 or too large for a double).
struct ScoreCell {
  static constexpr size_t kInputs = 1, kOutputs = 2;
  FoldWindow<Moments> window;

  void Step(const std::array<double, 1>& in, std::array<double, 2>& out) {
    const Moments::Value fold = window.Push(Moments::Of(in[0]));
    const double deviation = fold.SampleDeviation();
    out[0] = window.full() ? deviation : kUnknown;
    const bool divides = window.full() && deviation > 0 && std::isfinite(deviation);
    out[1] = divides ? (in[0] - fold.mean) / deviation : kUnknown;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(window);
  }
};

}  // namespace almanac

#endif  // ALMANAC_FEATURE_CELL_SCORE_H_
