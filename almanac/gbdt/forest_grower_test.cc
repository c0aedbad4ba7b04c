#include "almanac/gbdt/forest_grower.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "almanac/base/random.h"
#include "almanac/gbdt/grower.h"
#include "almanac/gbdt/instruction_sets_for_test.h"
#include "almanac/gbdt/toy_data_for_test.h"

namespace almanac::gbdt {
namespace {

struct Gradients {
  std::vector<float> gradients, hessians;

  Gradients(const ToyData& toy, size_t classes, uint64_t seed) {
    Random random(seed);
    for (size_t k = 0; k < classes; ++k) {
      for (const float label : toy.label) {
        const double p = 0.2 + 0.6 * random.Uniform();
        gradients.push_back(static_cast<float>(p - (label > 0.5F * static_cast<float>(k) ? 1 : 0)));
        hessians.push_back(static_cast<float>(p * (1 - p)));
      }
    }
  }
};

// TreeGrower grows leaf by leaf, class by class, and searches every column in whole numbers: the
// slow and obvious way on the same fixed-point sums.
void ExpectTreesOfLeafWiseGrowth(const ToyData& toy, const std::vector<uint32_t>& rows,
                                 const Settings& settings, size_t classes,
                                 const std::vector<uint32_t>& later_features = {}) {
  Params params = Params::Parse(settings, "test");
  params.exact = false;
  const BinnedData data = BinnedData::Make(toy.Source(), params);
  ASSERT_TRUE(ForestGrower::Suits(data, params));
  ForestGrower forest(data, params, classes);
  TreeGrower slow(data, params, false);
  for (const uint64_t round : {1U, 2U, 3U, 4U}) {
    if (round == 3 && !later_features.empty()) {  // from here on these alone
      forest.LookAt(later_features);
      slow.LookAt(later_features);
    }
    const Gradients of(toy, classes, round);
    const std::vector<GrownTree> grown =
        forest.Grow(of.gradients, of.hessians, rows, std::vector<uint8_t>(classes, 1));
    for (size_t k = 0; k < classes; ++k) {
      const size_t all = toy.label.size();
      const Tree expected = slow.Grow(std::span(of.gradients).subspan(k * all, all),
                                      std::span(of.hessians).subspan(k * all, all), rows)
                                .tree;
      const Tree& tree = grown[k].tree;
      ASSERT_EQ(tree.split_feature, expected.split_feature);
      ASSERT_EQ(tree.threshold, expected.threshold);
      ASSERT_EQ(tree.decision_type, expected.decision_type);
      ASSERT_EQ(tree.left_child, expected.left_child);
      ASSERT_EQ(tree.right_child, expected.right_child);
      ASSERT_EQ(tree.leaf_count, expected.leaf_count);
      for (size_t leaf = 0; leaf < tree.leaves(); ++leaf) {
        ASSERT_NEAR(tree.leaf_value[leaf], expected.leaf_value[leaf], 1e-9);
        ASSERT_EQ(forest.LeafRows(k, leaf).size(), expected.leaf_count[leaf]);
      }
    }
  }
}

// All but every seventh.
std::vector<uint32_t> SomeRows(uint32_t all) {
  std::vector<uint32_t> rows;
  for (uint32_t row = 0; row < all; ++row) {
    if (row % 7 != 3) rows.push_back(row);
  }
  return rows;
}

TEST(ForestGrowerTest, GrowsTheTreesOfLeafWiseGrowth) {
  const ToyData toy(1200, 37, 9);
  const std::vector<Settings> cases = {
      {},
      {{"max_depth", "4"}, {"num_leaves", "14"}, {"feature_fraction", "0.6"}},
      {{"num_leaves", "60"}, {"min_data_in_leaf", "5"}, {"lambda_l2", "3"}},
      {{"lambda_l1", "2"}, {"min_gain_to_split", "1"}, {"max_delta_step", "0.3"}},
      {{"path_smooth", "5"}, {"min_sum_hessian_in_leaf", "20"}},
      {{"min_data_in_leaf", "400"}},
      {{"max_depth", "1"}},
      {{"max_bin", "15"}, {"num_leaves", "40"}, {"feature_fraction", "0.3"}}};
  for (size_t i = 0; i < cases.size(); ++i) {
    for (const size_t classes : {1U, 3U, 5U}) {
      SCOPED_TRACE(testing::Message() << i << " " << classes);
      ExpectTreesOfLeafWiseGrowth(
          toy, SomeRows(1200), cases[i], classes,
          {0, 2, 3, 11, 12, 15, 16, 17, 20, 22, 23, 24, 25, 30, 31, 33, 34, 36});
    }
  }
}

// Codes are then short, and leaves have many rows a bin.
TEST(ForestGrowerTest, GrowsThemFromManyRows) {
  const ToyData toy(80000, 6, 4);
  WithInstructionSets([&] {
    ExpectTreesOfLeafWiseGrowth(toy, SomeRows(80000), {{"max_bin", "63"}}, 3);
  });
}

TEST(ForestGrowerTest, GrowsThemWhateverTheParameters) {
  Random random(99);
  for (uint32_t seed = 100; seed < 130; ++seed) {
    const uint32_t rows = 300 + static_cast<uint32_t>(random.Below(6000));
    const ToyData toy(rows, 3 + random.Below(40), seed);
    Settings settings = {{"num_leaves", std::to_string(2 + random.Below(60))},
                         {"min_data_in_leaf", std::to_string(1 + random.Below(40))},
                         {"max_bin", std::to_string(3 + random.Below(252))},
                         {"lambda_l2", std::to_string(random.Below(3) * 2)},
                         {"feature_fraction", random.Below(2) == 0 ? "0.7" : "1"},
                         {"min_sum_hessian_in_leaf", random.Below(2) == 0 ? "0" : "0.001"}};
    if (random.Below(4) == 0) settings.emplace_back("lambda_l1", "1.5");
    if (random.Below(4) == 0) settings.emplace_back("path_smooth", "2");
    SCOPED_TRACE(seed);
    ExpectTreesOfLeafWiseGrowth(toy, SomeRows(rows), settings, 1 + random.Below(4));
  }
}

TEST(ForestGrowerTest, ClassesThatAreNotWantedGetNoTree) {
  const ToyData toy(500, 5, 9);
  Params params;
  params.exact = false;
  const BinnedData data = BinnedData::Make(toy.Source(), params);
  const Gradients of(toy, 3, 1);
  std::vector<uint32_t> rows(500);
  for (uint32_t row = 0; row < 500; ++row) rows[row] = row;
  ForestGrower forest(data, params, 3);
  const auto grown = forest.Grow(of.gradients, of.hessians, rows, {0, 1, 0});
  EXPECT_EQ(grown[0].tree.leaves(), 0U);
  EXPECT_GT(grown[1].tree.leaves(), 1U);
  EXPECT_EQ(grown[2].tree.leaves(), 0U);
}

}  // namespace
}  // namespace almanac::gbdt
