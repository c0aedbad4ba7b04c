// The extreme of a window and the bar that it belongs to. Inside this room.
#ifndef ALMANAC_FEATURE_CELL_EXTREME_H_
#define ALMANAC_FEATURE_CELL_EXTREME_H_

#include <array>
#include <cstdint>

#include "almanac/feature/window.h"

namespace almanac {

enum class Equals { kOldest, kNewest };

// Which of equal extremes counts is `kEquals`.
template <bool kLargest, Equals kEquals>
struct Extreme {
  struct Value {
    double value = 0;
    uint64_t bar = 0;
  };
  static Value Join(const Value& older, const Value& newer) {
    const bool beaten = kLargest ? newer.value > older.value : newer.value < older.value;
    const bool newer_wins = beaten || (kEquals == Equals::kNewest && newer.value == older.value);
    return newer_wins ? newer : older;
  }
};

// How many bars ago the extreme of the window was; 0: at the newest bar.
template <bool kLargest, Equals kEquals>
struct ExtremeAgeCell {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  FoldWindow<Extreme<kLargest, kEquals>> window;
  uint64_t bar = 0;

  explicit ExtremeAgeCell(int64_t length) : window(length) {}
  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    const uint64_t extreme = window.Push({in[0], bar}).bar;
    out[0] = window.full() ? static_cast<double>(bar - extreme) : kUnknown;
    ++bar;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(window, bar);
  }
};

}  // namespace almanac

#endif  // ALMANAC_FEATURE_CELL_EXTREME_H_
