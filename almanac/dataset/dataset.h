// A dataset: feature columns and one target over the same rows, joined by time.
//
// The rows are those of the features; a label belongs to the row whose time is its t0. Of labels at
// events only some rows have one: these alone are split, learnt from and forecast, the others are
// there for what looks back over rows. Columns are views: into a mapped matrix or into a table in
// memory, kept alive by the dataset, never copied.
#ifndef ALMANAC_DATASET_DATASET_H_
#define ALMANAC_DATASET_DATASET_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "almanac/base/time.h"
#include "almanac/dataset/fold.h"
#include "almanac/dataset/split.h"
#include "almanac/feature/build.h"
#include "almanac/lake/matrix.h"
#include "almanac/target/target.h"

namespace almanac {

class Dataset {
 public:
  // Rows without a label in `labels` get NaN. Throws Error(kBadData) if no row has one, and for row
  // times that do not increase.
  static Dataset Join(std::string symbol, std::shared_ptr<const Matrix> features,
                      const Labels& labels);
  static Dataset Join(std::string symbol, FeatureTable features, const Labels& labels);
  // Without labels (all NaN): for forecasting rows whose future has not happened.
  static Dataset Unlabelled(std::string symbol, FeatureTable features);

  // All rows of several symbols as one dataset to learn from, in order of time and, within one
  // instant, of `parts`; the columns are copied. `origin`, if given, receives where each row came
  // from. Throws Error(kUsage) for no parts or parts with different columns or targets.
  struct Origin {
    uint32_t part = 0;
    uint32_t row = 0;
  };
  static Dataset Pool(std::string name, std::span<const Dataset* const> parts,
                      std::vector<Origin>* origin = nullptr);

  size_t rows() const { return time_.size(); }
  size_t features() const { return columns_.size(); }
  const std::string& symbol() const { return symbol_; }
  std::span<const TimeMs> times() const { return time_; }  // when each row was known
  std::span<const float> feature(size_t c) const { return columns_[c]; }
  const std::vector<std::string>& feature_names() const { return names_; }
  const std::string& target_name() const { return target_name_; }
  const std::string& target_unit() const { return target_unit_; }
  std::span<const double> target() const { return target_; }
  // Of labels that are vectors, every step of them; else the target alone.
  size_t target_steps() const { return steps_; }
  std::span<const double> target_path(size_t row) const {
    return steps_ == 1 ? std::span(target_).subspan(row, 1)
                       : std::span(path_).subspan(row * steps_, steps_);
  }
  // Of labels that are classes: target() is an index into these. Empty for numbers.
  const std::vector<std::string>& target_classes() const { return target_classes_; }
  // Labels::is_level.
  bool target_is_level() const { return target_is_level_; }
  // The last instant that each row's label looks at (the row's own time if it has none).
  std::span<const TimeMs> label_end() const { return label_end_; }

  // The rows that the labels speak of, increasing: bars or events, whether their label is known or
  // not.
  std::span<const uint32_t> label_rows() const { return label_rows_; }

  // The same rows with some of the columns, in the order given; their values are not copied. Throws
  // Error(kUsage) for a column that there is not, or none.
  Dataset WithColumns(std::span<const size_t> columns) const;

  bool HasFeatures(size_t row) const;  // all are finite
  bool IsComplete(size_t row) const;   // and so is the target

  // Of the rows that have labels.
  DataSplit SplitRows(const SplitSpec& spec) const {
    return DataSplit::Chronological(time_, label_end_, spec, label_rows_);
  }
  CrossValidation FoldRows(const FoldSpec& spec) const {
    return CrossValidation::Make(time_, label_end_, spec, label_rows_);
  }

 private:
  Dataset() = default;
  void SetLabels(const Labels& labels);

  std::string symbol_;
  std::shared_ptr<const void> owner_;
  std::span<const TimeMs> time_;
  std::vector<std::span<const float>> columns_;
  std::vector<std::string> names_;
  std::string target_name_, target_unit_;
  std::vector<std::string> target_classes_;
  bool target_is_level_ = false;
  std::vector<double> target_;
  size_t steps_ = 1;
  std::vector<double> path_;  // rows x steps_; empty where that is the target
  std::vector<TimeMs> label_end_;
  std::vector<uint32_t> label_rows_;
};

// The rows of `rows` that can be learnt from, in order, and how many had to be left out.
struct UsableRows {
  std::vector<uint32_t> rows;
  size_t dropped = 0;  // a feature or the target is not finite
};
UsableRows DropIncomplete(const Dataset& data, std::span<const uint32_t> rows);

}  // namespace almanac

#endif  // ALMANAC_DATASET_DATASET_H_
