// Sorting float32 numbers by their bits: three passes of a radix sort, some 15 times faster than
// comparing.
#ifndef ALMANAC_DATASET_FLOAT_SORT_H_
#define ALMANAC_DATASET_FLOAT_SORT_H_

#include <vector>

namespace almanac {

// Ascending; -0 comes before 0. No NaN.
void SortFloats(std::vector<float>* values);

}  // namespace almanac

#endif  // ALMANAC_DATASET_FLOAT_SORT_H_
