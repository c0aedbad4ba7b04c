// A cell that compares the newest value with an earlier one. Inside this room.
#ifndef ALMANAC_FEATURE_CELL_DIFFERENCE_H_
#define ALMANAC_FEATURE_CELL_DIFFERENCE_H_

#include <array>
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

}  // namespace almanac

#endif  // ALMANAC_FEATURE_CELL_DIFFERENCE_H_
