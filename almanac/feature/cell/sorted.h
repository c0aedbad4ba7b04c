// The last n values in order of size: quantiles and ranks of a rolling window. Inside this room.
//
// A step finds two places by halving and moves what lies between them, some bytes a value: no value
// is sorted twice. With 10,000 values, the most that families allow, a move is some tens of
// kilobytes.
#ifndef ALMANAC_FEATURE_CELL_SORTED_H_
#define ALMANAC_FEATURE_CELL_SORTED_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "almanac/feature/window.h"

namespace almanac {

class SortedWindow {
 public:
  static constexpr int64_t kLargest = 10'000;

  explicit SortedWindow(int64_t length)
      : ring_(static_cast<size_t>(length), kUnknown), sorted_(ring_.size()) {}

  // Takes the place of the oldest value; a NaN leaves its place empty. Returns how many values of
  // the window are smaller; nothing of use for a NaN.
  size_t Push(double value) {
    const double old = ring_[position_];
    ring_[position_] = value;
    if (++position_ == ring_.size()) position_ = 0;
    if (std::isnan(old) || std::isnan(value)) {
      if (!std::isnan(old)) Erase(CountBelow(old));
      return std::isnan(value) ? 0 : Insert(value);
    }
    const size_t from = CountBelow(old);
    size_t to = CountBelow(value);
    double* values = sorted_.data();
    if (to > from) {
      --to;
      std::copy(values + from + 1, values + to + 1, values + from);
    } else {
      std::copy_backward(values + to, values + from, values + from + 1);
    }
    values[to] = value;
    return to;
  }

  // Whether the last n values are all known. What follows asks for that.
  bool full() const { return known_ == ring_.size(); }
  size_t size() const { return ring_.size(); }
  // The k-th smallest, from 0.
  double operator[](size_t k) const { return sorted_[k]; }
  // Linear between the neighbours of share * (n - 1), as numpy and pandas do.
  double Quantile(double share) const {
    const double place = share * static_cast<double>(known_ - 1);
    const auto below = static_cast<size_t>(place);
    const double value = sorted_[below];
    if (below + 1 >= known_) return value;
    return value + (sorted_[below + 1] - value) * (place - static_cast<double>(below));
  }
  // How many values are smaller than `value`, and how many are not greater.
  size_t CountBelow(double value) const {
    return Count([value](double other) { return other < value; });
  }
  size_t CountUpTo(double value) const {
    return Count([value](double other) { return other <= value; });
  }
  // The mean rank (from 1) of a value among its equals, over n; `below` values are smaller.
  double RankShare(size_t below) const {
    const bool has_equal = below + 1 < known_ && sorted_[below + 1] == sorted_[below];
    const size_t up_to = has_equal ? CountUpTo(sorted_[below]) : below + 1;
    return static_cast<double>(below + up_to + 1) / static_cast<double>(2 * known_);
  }

  template <typename Archive>
  void Visit(Archive& archive) {
    archive(ring_, sorted_, position_, known_);
  }

 private:
  // How many of the first values satisfy `before`; halves without branches that depend on values.
  template <typename Before>
  size_t Count(const Before& before) const {
    const double* first = sorted_.data();
    size_t length = known_;
    while (length > 0) {
      const size_t half = (length + 1) / 2;
      first += before(first[half - 1]) ? half : 0;
      length -= half;
    }
    return static_cast<size_t>(first - sorted_.data());
  }
  void Erase(size_t place) {
    std::copy(sorted_.begin() + static_cast<int64_t>(place) + 1,
              sorted_.begin() + static_cast<int64_t>(known_),
              sorted_.begin() + static_cast<int64_t>(place));
    --known_;
  }
  size_t Insert(double value) {
    const size_t place = CountBelow(value);
    std::copy_backward(sorted_.begin() + static_cast<int64_t>(place),
                       sorted_.begin() + static_cast<int64_t>(known_),
                       sorted_.begin() + static_cast<int64_t>(known_) + 1);
    sorted_[place] = value;
    ++known_;
    return place;
  }

  std::vector<double> ring_;
  std::vector<double> sorted_;  // the first known_ are in use
  uint64_t position_ = 0;
  uint64_t known_ = 0;
};

}  // namespace almanac

#endif  // ALMANAC_FEATURE_CELL_SORTED_H_
