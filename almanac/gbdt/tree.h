// One decision tree of a model, in the arrays of LightGBM's text format.
#ifndef ALMANAC_GBDT_TREE_H_
#define ALMANAC_GBDT_TREE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "almanac/dataset/bin_mapper.h"

namespace almanac::gbdt {

// The leaf behind a negative child.
inline size_t LeafPlace(int child) {
  const int leaf = ~child;
  return static_cast<size_t>(leaf);
}

// Inner nodes 0 ... leaves()-2, numbered in the order in which they were split; node 0 is the root.
// A child >= 0 is an inner node, a negative one the leaf ~child. A tree of one leaf has no inner
// nodes.
struct Tree {
  // One an inner node.
  std::vector<int> split_feature;  // column number
  std::vector<float> split_gain;
  std::vector<double> threshold;  // numerical: values <= it go left. Categorical: index of its
                                  // set in cat_boundaries
  std::vector<uint8_t> decision_type;
  std::vector<int> left_child, right_child;
  std::vector<double> internal_value, internal_weight;  // what a leaf here would give; its hessian
  std::vector<int> internal_count;                      // rows
  // One a leaf.
  std::vector<double> leaf_value, leaf_weight;
  std::vector<int> leaf_count;
  // Set s is the 32-bit words [cat_boundaries[s], cat_boundaries[s + 1]) of cat_threshold: category
  // c goes left if bit c of them is set.
  std::vector<int> cat_boundaries = {0};
  std::vector<uint32_t> cat_threshold;
  double shrinkage = 1;

  size_t leaves() const { return leaf_value.size(); }
  size_t nodes() const { return split_feature.size(); }
  size_t category_sets() const { return cat_boundaries.size() - 1; }

  bool IsCategorical(size_t node) const { return (decision_type[node] & 1) != 0; }
  bool DefaultsLeft(size_t node) const { return (decision_type[node] & 2) != 0; }
  Missing MissingOf(size_t node) const { return static_cast<Missing>(decision_type[node] >> 2); }
  static uint8_t DecisionType(bool is_categorical, bool defaults_left, Missing missing);

  // Which side a value of the node's feature takes.
  bool GoesLeft(size_t node, double value) const;
  // `row` holds a value of every column.
  size_t LeafOf(std::span<const double> row) const;
  double Predict(std::span<const double> row) const { return leaf_value[LeafOf(row)]; }

  // Multiplies, or adds to, all leaf and inner values; results as small as zero become 0.
  void Shrink(double rate);
  void AddBias(double bias);
  static Tree Constant(double value, int rows);

  // Throws Error(kBadData, `where`) unless the arrays have the lengths and the nodes the links of a
  // tree, and features are below `columns`.
  void Validate(size_t columns, const std::string& where) const;
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_TREE_H_
