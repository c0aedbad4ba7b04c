// Swing highs and lows, known only when they are confirmed. Inside this room.
#ifndef ALMANAC_FEATURE_CELL_SWING_H_
#define ALMANAC_FEATURE_CELL_SWING_H_

#include <array>
#include <cmath>
#include <cstdint>

#include "almanac/feature/window.h"

namespace almanac {

enum class SwingRule {
  kFirstOfEquals,  // above each of the k bars before, not below each of the k after
  kStrict,         // above each of the k bars before and after (Williams' fractal with k = 2)
};

// The last swing of one side: bar s is one by target/swing.h's definition (kFirstOfEquals), and
// enters at bar s + k, when the k bars after it are there; what was put out before never changes.
//
// Input: the highs, or the lows with kHigh false. Outputs, NaN before the first swing:
//   price  of the swing
//   age    bars since bar s: k when it enters
//   run    how many swings in a row were each above the one before; negative: below; 0 at the first
template <bool kHigh, SwingRule kRule>
struct SwingCell {
  static constexpr size_t kInputs = 1, kOutputs = 3;
  int64_t look_back;
  LagWindow at_swing, before_swing;
  FoldWindow<Maximum> older, newer;
  double price = kUnknown, age = kUnknown, run = kUnknown;

  explicit SwingCell(int64_t k)
      : look_back(k), at_swing(k), before_swing(k + 1), older(k), newer(k) {}

  void Step(const std::array<double, 1>& in, std::array<double, 3>& out) {
    const double value = kHigh ? in[0] : -in[0];
    const double candidate = at_swing.Push(value);
    const double leaving = before_swing.Push(value);
    const double after = newer.Push(value);
    age += 1;
    if (!std::isnan(leaving)) {
      const double before = older.Push(leaving);
      const bool holds = kRule == SwingRule::kStrict ? candidate > after : candidate >= after;
      if (older.full() && candidate > before && holds) Enter(candidate);
    }
    out = {kHigh ? price : -price, age, run};
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(at_swing, before_swing, older, newer, price, age, run);
  }

 private:
  // `price` has the sign under which swings of both sides are highs; a higher low is a lower one
  // there.
  void Enter(double candidate) {
    const double rise = kHigh ? candidate - price : price - candidate;
    if (rise > 0) {
      run = run > 0 ? run + 1 : 1;
    } else if (rise < 0) {
      run = run < 0 ? run - 1 : -1;
    } else {
      run = 0;  // the first, or an equal one
    }
    price = candidate;
    age = static_cast<double>(look_back);
  }
};

}  // namespace almanac

#endif  // ALMANAC_FEATURE_CELL_SWING_H_
