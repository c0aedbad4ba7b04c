// Chronological splits into training, validation and test rows, purged by label interval.
//
// A row is known at t0 and its label looks at [t0, t1] (closed). With V the first instant of the
// validation part and T that of the test part, a row belongs to
//   training    if t0 < V and t1 + embargo < V
//   validation  if V <= t0 < T and t1 + embargo < T
//   test        if T <= t0
// and is purged otherwise: no interval of a part meets an interval of a later one. docs/datasets.md
// has the drawing.
#ifndef ALMANAC_DATASET_SPLIT_H_
#define ALMANAC_DATASET_SPLIT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "almanac/base/config.h"
#include "almanac/base/json.h"
#include "almanac/base/time.h"

namespace almanac {

struct SplitSpec {
  // Either shares of the rows (validation may be 0; test, and what is left for training, not) ...
  double validation_share = 0.15;
  double test_share = 0.15;
  // ... or first instants; set both or neither. Equal: no validation part.
  std::optional<TimeMs> validation_from;
  std::optional<TimeMs> test_from;
  DurationMs embargo = 0;

  // {validation: 0.15, test: 0.15, embargo: 1d} or {validation_from: 2024-01-01, test_from: ...}.
  static SplitSpec FromConfig(const ConfigNode& node);
  static SplitSpec FromJson(const Json& json);  // what ToJson gives
  Json ToJson() const;
};

enum class Part { kTraining, kValidation, kTest };
std::string_view Name(Part part);  // "training", ...

class CrossValidation;
class DataSplit;
struct TrainingFold;

// The rows that may be learnt from. Only a DataSplit and a CrossValidation (fold.h) hand them out,
// so what takes TrainingRows cannot be fitted on anything else. Cheap to copy; keeps what it needs
// alive.
class TrainingRows {
 public:
  std::span<const uint32_t> rows() const { return rows_; }  // in order of t0
  size_t size() const { return rows_.size(); }

  // Time-ordered validation inside the training part: the rows are cut into `folds` + 1 blocks of
  // nearly equal size; fold k learns from the blocks before block k + 1 (purged against its first
  // instant, embargo included) and is judged on block k + 1. Throws Error(kUsage) if a fold would
  // have no rows to learn from or to be judged on.
  std::vector<TrainingFold> Folds(size_t folds) const;

 private:
  friend class DataSplit;
  friend class CrossValidation;
  struct Intervals {
    std::vector<TimeMs> t0, t1;
    DurationMs embargo = 0;
  };
  TrainingRows(std::shared_ptr<const Intervals> intervals, std::vector<uint32_t> rows)
      : intervals_(std::move(intervals)), rows_(std::move(rows)) {}

  std::shared_ptr<const Intervals> intervals_;
  std::vector<uint32_t> rows_;
};

struct TrainingFold {
  TrainingRows training;
  std::vector<uint32_t> validation;
};

class DataSplit {
 public:
  // Row i has t0[i] and t1[i] (t1 >= t0, else Error(kBadData)); rows in any order, several may have
  // one t0 and then go into one part. A row without a label has t1 = t0. Throws Error(kUsage) for
  // shares or dates that leave the training or test part (or a validation part that was asked for)
  // without rows.
  static DataSplit Chronological(std::span<const TimeMs> t0, std::span<const TimeMs> t1,
                                 const SplitSpec& spec);
  // The same of some rows alone, such as those of events: shares are of them, the others are in no
  // part and not counted.
  static DataSplit Chronological(std::span<const TimeMs> t0, std::span<const TimeMs> t1,
                                 const SplitSpec& spec, std::span<const uint32_t> rows);

  TrainingRows training() const { return *training_; }
  std::span<const uint32_t> rows(Part part) const;             // in order of t0
  TimeMs validation_from() const { return validation_from_; }  // equal to test_from: none
  TimeMs test_from() const { return test_from_; }
  size_t purged() const { return purged_; }  // rows in no part

  // Counts and boundaries: what a manifest records.
  Json ToJson() const;

 private:
  DataSplit() = default;
  std::optional<TrainingRows> training_;
  std::vector<uint32_t> validation_, test_;
  TimeMs validation_from_ = 0, test_from_ = 0;
  size_t purged_ = 0;
};

}  // namespace almanac

#endif  // ALMANAC_DATASET_SPLIT_H_
