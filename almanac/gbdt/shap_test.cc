#include "almanac/gbdt/shap.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "almanac/gbdt/predictor.h"
#include "almanac/gbdt/toy_data_for_test.h"
#include "almanac/gbdt/train.h"

namespace almanac::gbdt {
namespace {

// The tree's value when only the columns of `known` are known.
double Expectation(const Tree& tree, int place, std::span<const double> row, unsigned known) {
  if (place < 0) return tree.leaf_value[static_cast<size_t>(~place)];
  const auto node = static_cast<size_t>(place);
  const int left = tree.left_child[node], right = tree.right_child[node];
  const auto column = static_cast<size_t>(tree.split_feature[node]);
  if (((known >> column) & 1) != 0) {
    return Expectation(tree, tree.GoesLeft(node, row[column]) ? left : right, row, known);
  }
  const auto rows = [&](int child) {
    return child < 0 ? tree.leaf_count[static_cast<size_t>(~child)]
                     : tree.internal_count[static_cast<size_t>(child)];
  };
  return (rows(left) * Expectation(tree, left, row, known) +
          rows(right) * Expectation(tree, right, row, known)) /
         tree.internal_count[node];
}

double Factorial(size_t n) { return std::tgamma(static_cast<double>(n) + 1); }

// By the definition: a weighted mean over all subsets of the other columns.
double ShapleyByDefinition(const Tree& tree, std::span<const double> row, size_t column,
                           size_t columns) {
  double sum = 0;
  for (unsigned set = 0; set < (1U << columns); ++set) {
    if (((set >> column) & 1) != 0) continue;
    const auto size = static_cast<size_t>(__builtin_popcount(set));
    const double weight = Factorial(size) * Factorial(columns - size - 1) / Factorial(columns);
    sum +=
        weight * (Expectation(tree, 0, row, set | (1U << column)) - Expectation(tree, 0, row, set));
  }
  return sum;
}

Model SmallModel(const ToyData& toy, const std::vector<float>& classes) {
  const Params params = Params::Parse({{"objective", "multiclass"},
                                       {"num_class", "3"},
                                       {"num_leaves", "12"},
                                       {"min_data_in_leaf", "5"},
                                       {"num_iterations", "2"}},
                                      "test");
  return Train(params, BinnedData::Make(toy.Source(), params), {classes, {}}).model;
}

TEST(ShapTest, EqualsTheDefinition) {
  const ToyData toy(300, 5, 11);
  const Model model = SmallModel(toy, toy.Classes(3));
  std::set<int> twice;  // a tree that splits a column twice is the harder case
  for (const Tree& tree : model.trees) {
    EXPECT_GT(tree.nodes(), 5U);
    twice.insert(tree.split_feature.begin(), tree.split_feature.end());
  }
  EXPECT_LT(twice.size(), model.trees[0].nodes());
  for (size_t r = 0; r < 20; ++r) {
    const std::vector<double> row = toy.Row(r);
    const std::vector<double> values = ShapValues(model, row);
    for (size_t k = 0; k < 3; ++k) {
      for (size_t c = 0; c < 5; ++c) {
        double expected = 0;
        for (size_t t = k; t < model.trees.size(); t += 3) {
          expected += ShapleyByDefinition(model.trees[t], row, c, 5);
        }
        EXPECT_NEAR(values[k * 6 + c], expected, 1e-12);
      }
    }
  }
}

TEST(ShapTest, SumsToTheScore) {
  const ToyData toy(500, 8, 12);
  const Model model = SmallModel(toy, toy.Classes(3));
  const Predictor predictor(model);
  for (size_t r = 0; r < 50; ++r) {
    const std::vector<double> row = toy.Row(r), values = ShapValues(model, row);
    std::vector<double> raw(3);
    predictor.Predict(row, Output::kRaw, raw);
    for (size_t k = 0; k < 3; ++k) {
      double sum = 0;
      for (size_t c = 0; c <= 8; ++c) sum += values[k * 9 + c];
      EXPECT_NEAR(sum, raw[k], 1e-12);
    }
  }
}

TEST(ShapTest, ATreeOfOneLeafIsItsExpectation) {
  Model model;
  model.feature_names = {"x"};
  model.trees = {Tree::Constant(2.5, 10)};
  EXPECT_EQ(ShapValues(model, std::vector<double>{1.0}), (std::vector<double>{0, 2.5}));
}

}  // namespace
}  // namespace almanac::gbdt
