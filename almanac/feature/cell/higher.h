// Skewness and kurtosis of a window. Inside this room.
#ifndef ALMANAC_FEATURE_CELL_HIGHER_H_
#define ALMANAC_FEATURE_CELL_HIGHER_H_

#include <array>
#include <cmath>
#include <cstdint>

#include "almanac/feature/window.h"

namespace almanac {

// Count, mean and the sums of the second, third and fourth powers of the deviations from it, joined
// as Pebay (2008, "Formulas for robust, one-pass parallel computation of covariances and
// arbitrary-order statistical moments", Sandia SAND2008-6212).
struct HigherMoments {
  struct Value {
    double count = 0, mean = 0, m2 = 0, m3 = 0, m4 = 0;
  };
  static Value Of(double value) { return {1, value, 0, 0, 0}; }
  static Value Join(const Value& a, const Value& b) {
    const double n = a.count + b.count;
    const double step = (b.mean - a.mean) / n;  // per value
    const double step2 = step * step;
    const double ab = a.count * b.count;
    const double cubes = a.count * a.count * b.m2 + b.count * b.count * a.m2;
    return {n, a.mean + step * b.count, a.m2 + b.m2 + step2 * n * ab,
            a.m3 + b.m3 + step * step2 * n * ab * (a.count - b.count) +
                3 * step * (a.count * b.m2 - b.count * a.m2),
            a.m4 + b.m4 + step2 * step2 * n * ab * (a.count * a.count - ab + b.count * b.count) +
                6 * step2 * cubes + 4 * step * (a.count * b.m3 - b.count * a.m3)};
  }
};

// Outputs skewness and excess kurtosis without bias for normal values (G1 and G2 of Joanes and Gill
// 1998; pandas' skew and kurt); NaN where the values are equal, and G2 of fewer than 4.
struct HigherMomentsCell {
  static constexpr size_t kInputs = 1, kOutputs = 2;
  FoldWindow<HigherMoments> window;

  void Step(const std::array<double, 1>& in, std::array<double, 2>& out) {
    const HigherMoments::Value fold = window.Push(HigherMoments::Of(in[0]));
    out.fill(kUnknown);
    if (!window.full() || !(fold.m2 > 0)) return;
    const double n = fold.count;
    const double variance = fold.m2 / n;
    const double skewness = fold.m3 / n / (variance * std::sqrt(variance));
    out[0] = skewness * std::sqrt(n * (n - 1)) / (n - 2);
    if (n < 4) return;
    const double excess = fold.m4 / n / (variance * variance) - 3;
    out[1] = (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * excess + 6);
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(window);
  }
};

}  // namespace almanac

#endif  // ALMANAC_FEATURE_CELL_HIGHER_H_
