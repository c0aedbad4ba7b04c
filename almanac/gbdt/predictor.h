// Predictions of a model: one row in a few microseconds, many with vectors across rows. Scores are
// LightGBM's to the last bit: each class's trees summed in order.
#ifndef ALMANAC_GBDT_PREDICTOR_H_
#define ALMANAC_GBDT_PREDICTOR_H_

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "almanac/gbdt/binned_data.h"
#include "almanac/gbdt/flat_forest.h"
#include "almanac/gbdt/model.h"
#include "almanac/gbdt/objective.h"

namespace almanac::gbdt {

enum class Output {
  kRaw,         // sums of leaf values, one a class
  kTransformed  // probabilities for binary and multiclass
};

// May be used by several threads at once.
class Predictor {
 public:
  explicit Predictor(const Model& model);

  size_t classes() const { return classes_; }
  size_t columns() const { return columns_; }
  size_t trees() const { return forest_.trees(); }

  // `row`: a value of each of the model's columns. `out`: one a class. Allocates in a thread's
  // first call alone.
  void Predict(std::span<const double> row, Output output, std::span<double> out) const;
  // The leaf of every tree; `out` has trees() places.
  void Leaves(std::span<const double> row, std::span<int> out) const;

  // Many rows, each columns() values; `out` is [row * classes + class].
  void PredictRows(std::span<const double> rows, Output output, std::span<double> out) const;
  // All rows of a source with the model's columns in the model's order: [row * classes + class].
  // Error(kBadData) if there are fewer or more columns.
  std::vector<double> PredictAll(const ColumnSource& source, Output output) const;

 private:
  template <typename Value>
  void PredictBlocks(size_t rows, const Value& value, Output output, std::span<double> out) const;
  void Finish(Output output, std::span<double> scores) const;

  size_t classes_, columns_;
  double scale_ = 1;  // 1 / rounds where the model averages
  OutputTransform transform_;
  FlatForest forest_;
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_PREDICTOR_H_
