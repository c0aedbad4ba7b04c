// How evenly the symbols of a window are spread. Inside this room.
#ifndef ALMANAC_FEATURE_CELL_ENTROPY_H_
#define ALMANAC_FEATURE_CELL_ENTROPY_H_

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <vector>

#include "almanac/feature/window.h"

namespace almanac {

// Shannon's entropy of the last n symbols over its largest value, the log of the number of symbols.
//
// H = ln n - sum(c ln c) / n over the counts c. A step changes two counts; their terms are whole
// multiples of a power of two, so that adding and taking away leaves no rounding behind: the sum
// depends on the counts alone. Its error is below symbols * 2^-52 ln n.
class EntropyWindow {
 public:
  static constexpr int64_t kLargest = 100'000;
  static constexpr int32_t kNoSymbol = -1;

  EntropyWindow(int64_t length, size_t symbols)
      : ring_(static_cast<size_t>(length), kNoSymbol),
        counts_(symbols),
        terms_(ring_.size() + 1),
        largest_(std::log(static_cast<double>(symbols))) {
    const auto n = static_cast<double>(length);
    // All terms together are at most n ln n.
    const int whole_bits = std::bit_width(static_cast<uint64_t>(n * std::log(n)) + 1);
    unit_ = std::ldexp(1.0, whole_bits - kBits);
    for (size_t c = 2; c < terms_.size(); ++c) {
      const auto count = static_cast<double>(c);
      terms_[c] = std::llround(count * std::log(count) / unit_);
    }
  }

  // A symbol from 0, or kNoSymbol: no entropy while that is in the window.
  double Push(int32_t symbol) {
    const int32_t old = ring_[position_];
    ring_[position_] = symbol;
    if (++position_ == ring_.size()) position_ = 0;
    if (old != symbol) {
      Count(old, -1);
      Count(symbol, 1);
    }
    if (known_ < static_cast<int64_t>(ring_.size())) return kUnknown;
    const auto n = static_cast<double>(ring_.size());
    // Of equal symbols it is 0 up to rounding, which must not make it negative.
    return std::max(0.0, std::log(n) - static_cast<double>(sum_) * unit_ / n) / largest_;
  }

  template <typename Archive>
  void Visit(Archive& archive) {
    archive(ring_, counts_, position_, known_, sum_);
  }

 private:
  static constexpr int kBits = 62;

  void Count(int32_t symbol, int32_t change) {
    if (symbol == kNoSymbol) return;
    int32_t& count = counts_[static_cast<size_t>(symbol)];
    sum_ -= terms_[static_cast<size_t>(count)];
    count += change;
    sum_ += terms_[static_cast<size_t>(count)];
    known_ += change;
  }

  std::vector<int32_t> ring_;
  std::vector<int32_t> counts_;
  std::vector<int64_t> terms_;  // c ln c in units
  double largest_;
  double unit_ = 1;
  uint64_t position_ = 0;
  int64_t known_ = 0;  // symbols in the window
  int64_t sum_ = 0;    // of the counts' terms
};

}  // namespace almanac

#endif  // ALMANAC_FEATURE_CELL_ENTROPY_H_
