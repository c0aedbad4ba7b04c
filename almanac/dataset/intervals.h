// What every split of rows by time needs: checks of label intervals, and their order.
#ifndef ALMANAC_DATASET_INTERVALS_H_
#define ALMANAC_DATASET_INTERVALS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "almanac/base/time.h"

namespace almanac {

// Throws Error(kBadData) naming the row for t1 < t0, or if their numbers differ.
void CheckIntervals(std::span<const TimeMs> t0, std::span<const TimeMs> t1);

// 0, 1, ..., count - 1.
std::vector<uint32_t> AllRows(size_t count);

// `rows` by their t0; rows of one instant keep their order. Throws Error(kBadData) for a row
// outside `t0`.
std::vector<uint32_t> InOrderOfTime(std::span<const TimeMs> t0, std::span<const uint32_t> rows);

// Whether what ends at `end` stays before `start` by more than the embargo, which is not negative.
inline bool EndsBefore(TimeMs end, TimeMs start, DurationMs embargo) {
  // As unsigned numbers the distance cannot overflow.
  return end<start&& static_cast<uint64_t>(start) -
             static_cast<uint64_t>(end)> static_cast<uint64_t>(embargo);
}

}  // namespace almanac

#endif  // ALMANAC_DATASET_INTERVALS_H_
