// Rolling windows that do not drift.
//
// A FoldWindow keeps the fold (sum, maximum, moments) of the last n values without ever taking a
// value out again: subtraction is what makes running sums drift, and what loses everything where
// one huge value has passed. The stream is cut into blocks of n. While a block fills, the window is
// a suffix of the block before joined with a prefix of this one; the prefix grows by one join a
// step, the suffixes of a block are made in one pass when it is full. So a step costs O(1) joins on
// average (van Herk 1992, Gil and Werman 1993, for maxima), and every result is a fold of exactly
// the n values in the window, in at most n - 1 joins.
//
// Error: a sum's is at most (n - 1) u times the sum of the magnitudes, u = 2^-53, however long the
// stream is; maxima and minima are exact. A value that is not finite leaves no trace once it has
// left the window. The order of the joins follows from the number of values seen, so results do
// not depend on how the stream was cut into calls.
#ifndef ALMANAC_FEATURE_WINDOW_H_
#define ALMANAC_FEATURE_WINDOW_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace almanac {

inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// `Fold` has a type Value (trivially copyable, default constructible) and a static function
// Join(older, newer), which must be associative up to rounding.
template <typename Fold>
class FoldWindow {
 public:
  using Value = typename Fold::Value;

  explicit FoldWindow(int64_t length) : suffixes_(static_cast<size_t>(length)) {}

  // Adds a value; returns the fold of the last `length`, or of all while there are fewer.
  Value Push(const Value& value) {
    const uint64_t length = suffixes_.size();
    prefix_ = position_ == 0 ? value : Fold::Join(prefix_, value);
    suffixes_[position_] = value;
    ++position_;
    if (position_ == length) {
      TurnIntoSuffixes();
      return prefix_;
    }
    return blocks_ == 0 ? prefix_ : Fold::Join(suffixes_[position_], prefix_);
  }

  // Whether `length` values have been pushed.
  bool full() const { return blocks_ > 0; }

  template <typename Archive>
  void Visit(Archive& archive) {
    archive(suffixes_, prefix_, position_, blocks_);
  }

 private:
  void TurnIntoSuffixes() {
    for (size_t i = suffixes_.size() - 1; i-- > 0;) {
      suffixes_[i] = Fold::Join(suffixes_[i], suffixes_[i + 1]);
    }
    position_ = 0;
    ++blocks_;
  }

  // [0, position_): values of the block that fills; [position_, n): suffix folds of the one before.
  std::vector<Value> suffixes_;
  Value prefix_{};
  uint64_t position_ = 0;
  uint64_t blocks_ = 0;
};

struct Sum {
  using Value = double;
  static double Join(double older, double newer) { return older + newer; }
};

// NaN if any value is.
struct Maximum {
  using Value = double;
  static double Join(double older, double newer) {
    return older > newer || std::isnan(older) ? older : newer;
  }
};
struct Minimum {
  using Value = double;
  static double Join(double older, double newer) {
    return older < newer || std::isnan(older) ? older : newer;
  }
};

// Count, mean and the sum of squared deviations from it, joined as Chan, Golub and LeVeque (1979,
// "Updating formulae and a pairwise algorithm for computing sample variances"): nothing cancels,
// whatever the level of the values.
struct Moments {
  struct Value {
    double count = 0, mean = 0, squares = 0;

    double SampleDeviation() const { return std::sqrt(squares / (count - 1)); }
  };
  static Value Of(double value) { return {1, value, 0}; }
  static Value Join(const Value& older, const Value& newer) {
    const double count = older.count + newer.count;
    const double step = newer.mean - older.mean;
    const double share = newer.count / count;
    return {count, older.mean + step * share,
            older.squares + newer.squares + step * step * (older.count * share)};
  }
};

// The value n steps ago; NaN while there is none.
class LagWindow {
 public:
  explicit LagWindow(int64_t lag) : ring_(static_cast<size_t>(lag), kUnknown) {}

  double Push(double value) {
    const double old = ring_[position_];
    ring_[position_] = value;
    if (++position_ == ring_.size()) position_ = 0;
    return old;
  }

  template <typename Archive>
  void Visit(Archive& archive) {
    archive(ring_, position_);
  }

 private:
  std::vector<double> ring_;
  uint64_t position_ = 0;
};

}  // namespace almanac

#endif  // ALMANAC_FEATURE_WINDOW_H_
