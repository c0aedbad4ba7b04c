// Means over rows that can be resampled instant by instant: a column is a value a row, its mean the
// sum over the drawn rows divided by their number. Used by the metrics of quantiles and classes.
#ifndef ALMANAC_EVALUATE_RATIO_SUMS_H_
#define ALMANAC_EVALUATE_RATIO_SUMS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "almanac/base/time.h"
#include "almanac/evaluate/bootstrap.h"
#include "almanac/evaluate/metrics.h"

namespace almanac {

class RatioSums {
 public:
  // Rows in order of made_at; rows of one made_at are one instant.
  explicit RatioSums(std::span<const TimeMs> made_at);

  size_t rows() const { return instant_of_row_.size(); }
  size_t instants() const { return count_.size(); }
  size_t instant_of_row(size_t row) const { return instant_of_row_[row]; }
  size_t width() const { return columns_.size(); }
  // One value a row. Returns the column's position.
  size_t Add(std::span<const double> values);
  // The column's mean at each instant, in order of time: the losses of a Diebold-Mariano test.
  std::vector<double> InstantMeans(size_t column) const;
  // The mean of every column where instant i was drawn multiplicity[i] times; NaN where no row was.
  void Compute(std::span<const uint32_t> multiplicity, std::span<double> out) const;
  // The same with every instant once, and the bootstrap's intervals.
  std::vector<Estimate> Estimates(double mean_block, const BootstrapOptions& options) const;

 private:
  std::vector<uint32_t> instant_of_row_;
  std::vector<double> count_;                 // rows of each instant
  std::vector<std::vector<double>> columns_;  // sums of each instant
};

// How the mean block of one sample is chosen: options.block_length, else the automatic length of
// the difference of two losses (of the first alone where they are equal), at least the horizon.
double BlockLengthOfDifference(std::span<const double> loss, std::span<const double> naive_loss,
                               size_t horizon, const BootstrapOptions& options);

// {value, low, high}, null where a number is not defined.
Json ToJson(const Estimate& estimate);

}  // namespace almanac

#endif  // ALMANAC_EVALUATE_RATIO_SUMS_H_
