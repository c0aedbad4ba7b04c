// Cells that need the values of a window in order: rank and quantiles. Inside this room.
#ifndef ALMANAC_FEATURE_CELL_ORDER_H_
#define ALMANAC_FEATURE_CELL_ORDER_H_

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "almanac/feature/window.h"

namespace almanac {

// The last n values, by age and by size. A step moves up to n values: for windows up to some
// thousands.
class OrderedWindow {
 public:
  explicit OrderedWindow(int64_t length)
      : ring_(static_cast<size_t>(length), kUnknown), sorted_(static_cast<size_t>(length), 0.0) {}

  void Push(double value) {
    const double old = ring_[position_];
    ring_[position_] = value;
    if (++position_ == ring_.size()) position_ = 0;
    if (!std::isnan(old)) Remove(old);
    if (!std::isnan(value)) Insert(value);
  }

  // Whether n values have been pushed and all of them are known.
  bool full() const { return known_ == ring_.size(); }
  size_t size() const { return ring_.size(); }
  // The k-th smallest of a full window, k = 0 .. n - 1.
  double at(size_t k) const { return sorted_[k]; }
  size_t Less(double value) const { return static_cast<size_t>(Lower(value)); }
  size_t LessOrEqual(double value) const {
    return static_cast<size_t>(std::upper_bound(sorted_.begin(), Last(), value) - sorted_.begin());
  }

  template <typename Archive>
  void Visit(Archive& archive) {
    archive(ring_, sorted_, position_, known_);
  }

 private:
  using Iterator = std::vector<double>::const_iterator;
  Iterator Last() const { return sorted_.begin() + static_cast<std::ptrdiff_t>(known_); }
  std::ptrdiff_t Lower(double value) const {
    return std::lower_bound(sorted_.begin(), Last(), value) - sorted_.begin();
  }
  void Remove(double value) {
    const auto place = sorted_.begin() + Lower(value);
    std::copy(place + 1, sorted_.begin() + static_cast<std::ptrdiff_t>(known_), place);
    --known_;
  }
  void Insert(double value) {
    const auto place = sorted_.begin() + Lower(value);
    const auto last = sorted_.begin() + static_cast<std::ptrdiff_t>(known_);
    std::copy_backward(place, last, last + 1);
    *place = value;
    ++known_;
  }

  std::vector<double> ring_;    // NaN where there is none yet
  std::vector<double> sorted_;  // the first `known_` of them
  uint64_t position_ = 0;
  uint64_t known_ = 0;
};

// The rank of the newest value in its window, the mean of equals', over n: (0, 1], as pandas'
// rolling(n).rank(pct=True).
struct RankCell {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  OrderedWindow window;

  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    window.Push(in[0]);
    out[0] = kUnknown;
    if (!window.full()) return;
    const auto less = static_cast<double>(window.Less(in[0]));
    const auto not_greater = static_cast<double>(window.LessOrEqual(in[0]));
    out[0] = (less + not_greater + 1) / 2 / static_cast<double>(window.size());
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(window);
  }
};

// Linear between order statistics, as NumPy's default; `share` in [0, 1].
struct QuantileCell {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  OrderedWindow window;
  double share;

  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    window.Push(in[0]);
    out[0] = kUnknown;
    if (!window.full()) return;
    const double place = share * static_cast<double>(window.size() - 1);
    const auto below = static_cast<size_t>(place);
    const double low = window.at(below);
    const double high = window.at(std::min(below + 1, window.size() - 1));
    out[0] = low + (place - static_cast<double>(below)) * (high - low);
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(window);
  }
};

}  // namespace almanac

#endif  // ALMANAC_FEATURE_CELL_ORDER_H_
