// The standard scaler: each column minus its training mean, over its training standard deviation.
//
// It can be fitted on training rows alone (TrainingRows come from a DataSplit). Rows with a NaN
// feature or target are left out of the fit and counted. Mean and standard deviation (divisor n)
// are computed in double in two passes; a column that does not vary has scale 1, so that it becomes
// 0. Inverse undoes Transform to the last bits of double, which gives back every float32 unless it
// is ten million times smaller than the column's mean.
#ifndef ALMANAC_DATASET_SCALER_H_
#define ALMANAC_DATASET_SCALER_H_

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/dataset/dataset.h"
#include "almanac/dataset/split.h"

namespace almanac {

class StandardScaler {
 public:
  // Throws Error(kBadData) if fewer than two rows are complete.
  static StandardScaler Fit(const Dataset& data, const TrainingRows& training);

  size_t size() const { return mean_.size(); }
  double Transform(size_t column, double value) const {
    return (value - mean_[column]) / scale_[column];
  }
  double Inverse(size_t column, double value) const {
    return value * scale_[column] + mean_[column];
  }
  double mean(size_t column) const { return mean_[column]; }
  double scale(size_t column) const { return scale_[column]; }
  const std::vector<std::string>& names() const { return names_; }
  size_t rows() const { return rows_; }        // that were fitted on
  size_t dropped() const { return dropped_; }  // that had a NaN

  // Throws Error(kBadData) naming the first column that differs from the ones it was fitted on.
  void RequireColumns(const Dataset& data) const;

  Json ToJson() const;
  static StandardScaler FromJson(const Json& json);  // Error(kBadData) if it is not one
  void Save(const std::filesystem::path& file) const;
  static StandardScaler Load(const std::filesystem::path& file);

 private:
  std::vector<std::string> names_;
  std::vector<double> mean_, scale_;
  size_t rows_ = 0, dropped_ = 0;
};

}  // namespace almanac

#endif  // ALMANAC_DATASET_SCALER_H_
