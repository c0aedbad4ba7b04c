// What changes once a day, worked out once a day. Inside this room.
#ifndef ALMANAC_FEATURE_CELL_CALENDAR_H_
#define ALMANAC_FEATURE_CELL_CALENDAR_H_

#include <array>
#include <cstdint>

#include "almanac/base/time.h"

namespace almanac {

// Days since 1970-01-01 UTC.
inline int64_t UtcDay(TimeMs time) { return time / kMsPerDay - (time % kMsPerDay < 0 ? 1 : 0); }

// Function::Of(time) of a function that depends on the UTC date alone.
template <typename Function>
struct OfDateCell {
  static constexpr size_t kInputs = 1, kOutputs = 1;
  int64_t day = INT64_MIN;
  double value = 0;

  void Step(const std::array<double, 1>& in, std::array<double, 1>& out) {
    const auto time = static_cast<TimeMs>(in[0]);
    const int64_t now = UtcDay(time);
    if (now != day) value = Function::Of(time);
    day = now;
    out[0] = value;
  }
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(day, value);
  }
};

}  // namespace almanac

#endif  // ALMANAC_FEATURE_CELL_CALENDAR_H_
