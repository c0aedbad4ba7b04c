// Windows for sequence models: the T rows that end at a row, as views on the dataset's columns.
//
// A window of row r is the rows r-T+1 .. r of every feature; its target is row r's. It can be used
// if all T x F features are finite and, where `spacing` is given, its rows are exactly that far
// apart (no bar is missing inside it). Nothing is copied until Gather fills a batch.
//
// Windows look back only: T rows of features known at or before t0. Those of neighbouring rows
// overlap, also across the boundary of two parts; labels, by which splits purge, do not. Where a
// fold learns after its test part (k-fold), windows of training rows may hold features of test
// rows.
#ifndef ALMANAC_DATASET_WINDOW_H_
#define ALMANAC_DATASET_WINDOW_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "almanac/base/time.h"
#include "almanac/dataset/dataset.h"

namespace almanac {

class SequenceWindows {
 public:
  // The windows that end at `rows` and can be used, in the order of `rows`. `data` must outlive
  // this. `spacing` 0: rows may be any distance apart. `with_target`: only rows whose target is
  // finite. Throws Error(kUsage) for 0 steps, Error(kBadData) for a row number outside the dataset.
  SequenceWindows(const Dataset& data, std::span<const uint32_t> rows, size_t steps,
                  DurationMs spacing, bool with_target);

  size_t size() const { return rows_.size(); }
  size_t steps() const { return steps_; }                   // T
  size_t features() const { return data_->features(); }     // F
  size_t dropped() const { return dropped_; }               // rows without a usable window
  std::span<const uint32_t> rows() const { return rows_; }  // where the windows end

  // The T values of a feature in a window, oldest first: a view.
  std::span<const float> column(size_t window, size_t feature) const {
    return data_->feature(feature).subspan(rows_[window] + 1 - steps_, steps_);
  }

  // Copies windows into a batch: out[(b * T + t) * F + f] is step t of feature f of window
  // which[b]. `out` has which.size() * T * F places (Error(kUsage) otherwise).
  void Gather(std::span<const size_t> which, std::span<float> out) const;

 private:
  const Dataset* data_;
  size_t steps_;
  std::vector<uint32_t> rows_;
  size_t dropped_ = 0;
};

}  // namespace almanac

#endif  // ALMANAC_DATASET_WINDOW_H_
