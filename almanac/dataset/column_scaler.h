// Scalers beside the standard one: each column by its range, its quartiles or its ranks, or prices
// relative to the last close.
//
//   min_max   (x - min) / (max - min): the training values lie in [0, 1], later ones may not
//   robust    (x - median) / (q75 - q25)
//   quantile  the share of training values below x, in [0, 1]: linear between `quantiles` knots at
//             equal shares; outside the training range 0 or 1
// Quantiles interpolate linearly between order statistics (NumPy's default). Fitting takes training
// rows alone. Unlike the standard scaler it uses every finite value of a column, whether the rest
// of its row is complete or not; an error names a column with fewer than two. A column whose range
// (or interquartile range, then its range) is 0 has scale 1. Inverse undoes min_max and robust to
// the last bits of double. It undoes quantile, to the last bits of the distance between knots,
// inside the training range where no training values are equal; elsewhere it gives the nearest
// value of the range.
#ifndef ALMANAC_DATASET_COLUMN_SCALER_H_
#define ALMANAC_DATASET_COLUMN_SCALER_H_

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/dataset/dataset.h"
#include "almanac/dataset/split.h"

namespace almanac {

enum class ScalerKind { kMinMax, kRobust, kQuantile };
std::string_view Name(ScalerKind kind);  // "min_max", ...

class ColumnScaler {
 public:
  // `quantiles` >= 2 is for kind quantile; Error(kUsage) otherwise. Error(kBadData) naming a column
  // with fewer than two finite training values.
  static ColumnScaler Fit(ScalerKind kind, const Dataset& data, const TrainingRows& training,
                          size_t quantiles = 1000);

  ScalerKind kind() const { return kind_; }
  size_t size() const { return columns_.size(); }
  const std::string& name(size_t column) const { return columns_[column].name; }
  // NaN stays NaN.
  double Transform(size_t column, double value) const;
  double Inverse(size_t column, double value) const;

  Json ToJson() const;
  static ColumnScaler FromJson(const Json& json);  // Error(kBadData) if it is not one
  void Save(const std::filesystem::path& file) const;
  static ColumnScaler Load(const std::filesystem::path& file);

 private:
  struct Column {
    std::string name;
    double center = 0, scale = 1;
    std::vector<double> knots;  // quantile: values at shares 0, 1/(n-1), ..., 1; not decreasing
  };
  ScalerKind kind_ = ScalerKind::kMinMax;
  std::vector<Column> columns_;
};

// Prices of a window relative to the close of its last row: value / last_close - 1, so that windows
// of any price level look alike. Nothing is fitted, so nothing can leak; last_close is known when
// the window is. Inverse gives the price back to two units in the last place.
struct RelativeToLastClose {
  static double Transform(double price, double last_close) {
    return (price - last_close) / last_close;
  }
  static double Inverse(double value, double last_close) { return last_close * value + last_close; }
};

}  // namespace almanac

#endif  // ALMANAC_DATASET_COLUMN_SCALER_H_
