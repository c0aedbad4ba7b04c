// The columns of a frame in groups, so that more of them can be made than memory holds: each group
// is computed, judged and dropped.
//
//   FeatureStream stream(set, frame);
//   ParallelFor(stream.groups(), [&](size_t g) {
//     stream.Compute(g, [&](const FeatureBlock& block) {
//       // block.columns[c][i]: column stream.group(g).first + c at row block.first_row + i
//     });
//   });
//
// Groups are runs of neighbouring columns that share what they are made of; they follow from the
// set and the frame's symbols alone, so results do not depend on the number of threads. Every value
// has the same bits as from BuildFeatures and LiveFrame.
#ifndef ALMANAC_FEATURE_STREAM_H_
#define ALMANAC_FEATURE_STREAM_H_

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "almanac/base/time.h"
#include "almanac/feature/feature_set.h"
#include "almanac/feature/frame.h"
#include "almanac/lake/matrix.h"

namespace almanac {

class FeatureGraph;

// Values of all columns of a group for `rows` rows from `first_row` on. The arrays are valid during
// the call only.
struct FeatureBlock {
  size_t first_row = 0;
  size_t rows = 0;
  std::span<const float* const> columns;
};

struct ColumnGroup {
  size_t first = 0;
  size_t count = 0;
};

class FeatureStream {
 public:
  // Called for one block of rows after another, from the first row to the last.
  using Sink = std::function<void(const FeatureBlock&)>;

  // No group has more columns.
  static constexpr size_t kLargestGroup = 64;

  // Binds the set to the frame's symbols. The frame must outlive the stream.
  FeatureStream(const FeatureSet& set, const Frame& frame);

  const FeatureSet& set() const { return set_; }
  size_t columns() const { return set_.size(); }
  std::vector<MatrixColumn> Names() const;
  // Row times, strictly increasing.
  const std::vector<TimeMs>& index() const { return index_; }
  size_t rows() const { return index_.size(); }

  size_t groups() const { return groups_.size(); }
  ColumnGroup group(size_t g) const { return groups_[g]; }

  // Computes the group's columns for all rows. Threads may compute groups at the same time, also
  // the same group; a call needs some MiB beside what the sink keeps.
  void Compute(size_t g, const Sink& sink) const;
  // The same into whole columns, `out[c]` with room for rows() values.
  void Compute(size_t g, std::span<float* const> out) const;

 private:
  FeatureGraph GraphOf(size_t g) const;

  FeatureSet set_;
  const Frame* frame_;
  std::vector<TimeMs> index_;
  std::vector<ColumnGroup> groups_;
};

}  // namespace almanac

#endif  // ALMANAC_FEATURE_STREAM_H_
