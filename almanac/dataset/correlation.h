// Which columns repeat an earlier one: Pearson's correlation of many columns by matrix products.
//
// The correlation of two columns is over the rows in which both are finite (as pandas' corr). It is
// undefined, and the columns then not correlated, if those are fewer than three or one of the
// columns does not vary in them.
//
// Products are in float32 over standardised columns, in blocks that fit the cache. Where that
// cannot decide (within kMargin of the threshold, or little variance left in the common rows), the
// pair is computed again in double: the result is that of comparing every pair in double, whatever
// the number of threads.
#ifndef ALMANAC_DATASET_CORRELATION_H_
#define ALMANAC_DATASET_CORRELATION_H_

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include <cstdint>

namespace almanac {

// In two passes in double; NaN if undefined. The same length.
double Correlation(std::span<const float> x, std::span<const float> y);

struct CorrelatedColumn {
  size_t earlier = 0;      // index of the first kept column that it repeats
  double correlation = 0;  // with it
};

// Goes through the columns in order and keeps each whose absolute correlation with every column
// kept before it is at most `threshold`. One entry a column, nothing for the kept ones. Only `rows`
// of the columns are looked at. Memory: the kept columns and one block, as float32.
std::vector<std::optional<CorrelatedColumn>> FindCorrelated(
    const std::vector<std::span<const float>>& columns, std::span<const uint32_t> rows,
    double threshold);

}  // namespace almanac

#endif  // ALMANAC_DATASET_CORRELATION_H_
