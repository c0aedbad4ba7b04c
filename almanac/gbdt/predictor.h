// Predictions of a model, its trees laid out for walking: one node is 24 bytes, the nodes of a tree
// lie together, left children first. Scores are LightGBM's to the last bit: each class's trees
// summed in order.
#ifndef ALMANAC_GBDT_PREDICTOR_H_
#define ALMANAC_GBDT_PREDICTOR_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "almanac/gbdt/binned_data.h"
#include "almanac/gbdt/model.h"
#include "almanac/gbdt/objective.h"

namespace almanac::gbdt {

enum class Output {
  kRaw,         // sums of leaf values, one a class
  kTransformed  // probabilities for binary and multiclass
};

class Predictor {
 public:
  explicit Predictor(const Model& model);

  size_t classes() const { return classes_; }
  size_t columns() const { return columns_; }
  size_t trees() const { return roots_.size(); }

  // `row`: a value of each of the model's columns. `out`: one a class. Does not allocate.
  void Predict(std::span<const double> row, Output output, std::span<double> out) const;
  // The leaf of every tree; `out` has trees() places.
  void Leaves(std::span<const double> row, std::span<int> out) const;

  // All rows of a source with the model's columns in the model's order: [row * classes + class].
  // Error(kBadData) if there are fewer or more columns.
  std::vector<double> PredictAll(const ColumnSource& source, Output output) const;

 private:
  // A branch. Numbers: value <= threshold goes left. Categories: threshold is the place in sets_.
  struct Node {
    double threshold;
    int32_t left, right;  // >= 0: of nodes_; negative: ~ of values_
    uint32_t feature;
    uint8_t is_categorical : 1, nan_goes_left : 1, has_zero_rule : 1, zero_goes_left : 1;
  };

  void Append(const Tree& tree);
  int32_t LeafOf(int32_t root, const double* row) const;
  bool IsInSet(const Node& node, double value) const;

  size_t classes_, columns_;
  double scale_ = 1;  // 1 / rounds where the model averages
  OutputTransform transform_;
  std::vector<Node> nodes_;
  std::vector<double> values_;  // of all leaves, tree after tree
  struct CategorySet {
    size_t first, count;  // of words_
  };
  std::vector<CategorySet> sets_;
  std::vector<uint32_t> words_;      // of all sets of categories
  std::vector<int32_t> roots_;       // a node, or ~ a leaf
  std::vector<int32_t> first_leaf_;  // of each tree in values_
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_PREDICTOR_H_
