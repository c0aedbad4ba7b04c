// What every split of rows by time needs: checks of label intervals, and their order.
#ifndef ALMANAC_DATASET_INTERVALS_H_
#define ALMANAC_DATASET_INTERVALS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "almanac/base/time.h"

namespace almanac {

// Throws Error(kBadData) naming the row for t1 < t0, or if their numbers differ.
void CheckIntervals(std::span<const TimeMs> t0, std::span<const TimeMs> t1);

// Row numbers by t0; rows of one instant keep their order.
std::vector<uint32_t> InOrderOfTime(std::span<const TimeMs> t0);

// Whether what ends at `end` stays before `start` by more than the embargo. No sum can overflow.
inline bool EndsBefore(TimeMs end, TimeMs start, DurationMs embargo) {
  return end < start && start - end > embargo;
}

}  // namespace almanac

#endif  // ALMANAC_DATASET_INTERVALS_H_
