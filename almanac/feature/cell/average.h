// Cells that averages, ranges and regressions of any series are made of. Inside this room.
//
// Windows take the NaN of an input's warm-up into their own; recursive means begin at the first
// value that is known and pass over (NaN out, state as it was) one that is not.
#ifndef ALMANAC_FEATURE_CELL_AVERAGE_H_
#define ALMANAC_FEATURE_CELL_AVERAGE_H_

#include <array>
#include <cmath>
#include <cstdint>
#include <utility>

#include "almanac/feature/window.h"

namespace almanac {

// A function of this bar's inputs alone: std::array<double, N> -> double.
template <size_t N, typename Function>
struct MapCell {
  static constexpr size_t kInputs = N, kOutputs = 1;
  Function function;

  void Step(const std::array<double, N>& in, std::array<double, 1>& out) { out[0] = function(in); }
  template <typename Archive>
  void Visit(Archive&) {}
};

struct LagCell {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  LagWindow values;

  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    out[0] = values.Push(in[0]);
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(values);
  }
};

// The sum, maximum or minimum of a window.
template <typename Fold>
struct FoldCell {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  FoldWindow<Fold> window;

  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    const double fold = window.Push(in[0]);
    out[0] = window.full() ? fold : kUnknown;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(window);
  }
};

// What a straight line through a window of values at 1, 2, ..., n needs: their mean and the sum of
// (position - mean position) * (value - mean). Joined like Moments: the mean positions of two
// neighbouring stretches of a and b values are (a + b) / 2 apart.
struct LineFold {
  struct Value {
    double count = 0, mean = 0, cross = 0;
  };
  static Value Of(double value) { return {1, value, 0}; }
  static Value Join(const Value& older, const Value& newer) {
    const double count = older.count + newer.count;
    const double step = newer.mean - older.mean;
    return {count, older.mean + step * (newer.count / count),
            older.cross + newer.cross + step * (older.count * newer.count / 2)};
  }
};

// Outputs the mean and the cross sum of a window. The least-squares slope is
// 12 cross / (n (n^2 - 1)), the mean with weights 1, 2, ..., n is mean + 2 cross / (n (n + 1)).
struct LineCell {
  static constexpr size_t kInputs = 1, kOutputs = 2;
  FoldWindow<LineFold> window;

  void Step(const std::array<double, 1>& in, std::array<double, 2>& out) {
    const LineFold::Value fold = window.Push(LineFold::Of(in[0]));
    out[0] = window.full() ? fold.mean : kUnknown;
    out[1] = window.full() ? fold.cross : kUnknown;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(window);
  }
};

// m += weight * (x - m), begun with the plain mean of the first `length` values after `skipped`:
// TA-Lib's EMA with weight 2 / (n + 1), Wilder's smoothing with weight 1 / n.
struct RecursiveMeanCell {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  int64_t length;
  double weight;
  int64_t skipped = 0;
  int64_t seen = 0;  // counted up to skipped + length
  double mean = 0;

  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    out[0] = kUnknown;
    if (std::isnan(in[0])) return;
    if (seen < skipped + length) {
      ++seen;
      if (seen > skipped) mean += (in[0] - mean) / static_cast<double>(seen - skipped);
    } else {
      mean += (in[0] - mean) * weight;
    }
    if (seen == skipped + length) out[0] = mean;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(seen, mean);
  }
};

// Wilder's running sum as TA-Lib makes it for the directional movement: the plain sum of n - 1
// values, from the n-th on s = s - s / n + x.
struct WilderSumCell {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  int64_t length;
  int64_t seen = 0;  // counted up to length
  double sum = 0;

  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    out[0] = kUnknown;
    if (std::isnan(in[0])) return;
    if (seen < length) ++seen;
    sum = seen < length ? sum + in[0] : sum - sum / static_cast<double>(length) + in[0];
    if (seen == length) out[0] = sum;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(seen, sum);
  }
};

}  // namespace almanac

#endif  // ALMANAC_FEATURE_CELL_AVERAGE_H_
