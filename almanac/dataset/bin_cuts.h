// Where to cut the sorted distinct values of a numerical feature into bins of about equal numbers
// of rows: LightGBM's greedy rule, zero apart.
#ifndef ALMANAC_DATASET_BIN_CUTS_H_
#define ALMANAC_DATASET_BIN_CUTS_H_

#include <span>
#include <vector>

namespace almanac {

// The upper bounds of the bins, ascending, the last one infinite. `values` ascend, counts[i] rows
// have values[i], `rows` is their sum. Bins have at least `min_rows` rows except where a single
// value or the remainder has fewer.
std::vector<double> FindUpperBounds(std::span<const double> values, std::span<const int> counts,
                                    int max_bins, int rows, int min_rows);

}  // namespace almanac

#endif  // ALMANAC_DATASET_BIN_CUTS_H_
