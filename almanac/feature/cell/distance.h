// Sums of distances of the values of a window from a centre that moves with it. Inside this room.
#ifndef ALMANAC_FEATURE_CELL_DISTANCE_H_
#define ALMANAC_FEATURE_CELL_DISTANCE_H_

#include <cstddef>

namespace almanac {

// sums[i] = |values[i] - centres[i]| + ... + |values[i + length - 1] - centres[i]|, added in this
// order whatever the machine and `count`, for i below `count`. `values` are count + length - 1.
void SumDistances(const double* values, size_t length, const double* centres, size_t count,
                  double* sums);

}  // namespace almanac

#endif  // ALMANAC_FEATURE_CELL_DISTANCE_H_
