// Which columns repeat an earlier one: Pearson's correlation of many columns by matrix products.
//
// The correlation of two columns is over the rows in which both are finite (as pandas' corr). It is
// undefined, and the columns then not correlated, if those are fewer than three or one of the
// columns does not vary in them.
//
// Bounds from matrix products of bytes (correlation_bound.h) decide nearly all pairs: that they are
// not above the threshold. Each of the others is computed in double, so the result is that of
// comparing every pair in double, for any number of threads, any instruction set and any division
// into batches.
#ifndef ALMANAC_DATASET_CORRELATION_H_
#define ALMANAC_DATASET_CORRELATION_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace almanac {

// In two passes in double; NaN if undefined. The same length.
double Correlation(std::span<const float> x, std::span<const float> y);

struct CorrelatedColumn {
  size_t earlier = 0;      // the first kept column that it repeats
  double correlation = 0;  // with it
};

// Takes columns in order, batch by batch, and keeps each whose absolute correlation with every
// column kept before it is at most `threshold`. Compares with kept columns only.
//
// Memory: 5 bytes a row of each kept column; of each of a batch, while it is judged, 2 bytes a row,
// 24 kilobytes, and 16 bytes a pair of it with a pattern of missing rows.
class CorrelationFilter {
 public:
  // A batch of this size makes products efficient; any other gives the same result.
  static constexpr size_t kBatch = 512;

  CorrelationFilter(size_t rows, double threshold);
  ~CorrelationFilter();
  CorrelationFilter(CorrelationFilter&&) noexcept;
  CorrelationFilter& operator=(CorrelationFilter&&) noexcept;

  // Judges the columns, each of `rows` values and known by the id at the same place. One entry a
  // column, nothing for the kept ones; `earlier` is an id.
  std::vector<std::optional<CorrelatedColumn>> Judge(
      const std::vector<std::span<const float>>& columns, const std::vector<size_t>& ids);
  // Takes over a column that an earlier filter kept, without judging it (resumed work).
  void Restore(size_t id, std::span<const float> column);

  size_t kept() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The same for columns in memory, of which only `rows` are looked at.
std::vector<std::optional<CorrelatedColumn>> FindCorrelated(
    const std::vector<std::span<const float>>& columns, std::span<const uint32_t> rows,
    double threshold);

}  // namespace almanac

#endif  // ALMANAC_DATASET_CORRELATION_H_
