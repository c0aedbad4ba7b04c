#include "almanac/gbdt/exact_forest.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <string>
#include <vector>

#include "almanac/base/parallel.h"
#include "almanac/base/random.h"
#include "almanac/gbdt/grower.h"
#include "almanac/gbdt/toy_data_for_test.h"

namespace almanac::gbdt {
namespace {

using Texts = std::vector<const char*>;

// Parameters of any kind, the default ones more often.
Settings RandomSettings(Random& random) {
  const auto any = [&](const Texts& texts) { return texts[random.Below(texts.size())]; };
  return {{"num_leaves", any({"31", "31", "4", "9", "60", "200"})},
          {"max_depth", any({"-1", "-1", "1", "3", "5"})},
          {"min_data_in_leaf", any({"20", "20", "1", "5", "60", "150", "400"})},
          {"min_sum_hessian_in_leaf", any({"0.001", "0.001", "0.001", "1", "20"})},
          {"min_gain_to_split", any({"0", "0", "0", "0.5", "3"})},
          {"lambda_l1", any({"0", "0", "0", "2"})},
          {"lambda_l2", any({"0", "0", "3", "0.01"})},
          {"max_delta_step", any({"0", "0", "0", "0", "0.3"})},
          {"path_smooth", any({"0", "0", "0", "0", "5"})},
          {"feature_fraction", any({"1", "0.7", "0.3"})},
          {"max_bin", any({"255", "255", "15", "3", "63"})}};
}

// What objectives give; `kind`: 0 shares, 1 hessians of 1, 2 with many of 0, 3 some below 0.
struct Gradients {
  std::vector<float> gradients, hessians;

  Gradients(Random& random, const ToyData& toy, size_t classes, uint64_t kind) {
    for (size_t k = 0; k < classes; ++k) {
      for (const float label : toy.label) {
        const double p = 0.05 + 0.9 * random.Uniform();
        const bool is_one = label > 0.5F * static_cast<float>(k);
        gradients.push_back(static_cast<float>(p - (is_one ? 1 : 0)));
        hessians.push_back(static_cast<float>(kind == 1 ? 1 : p * (1 - p)));
        if (kind == 2 && random.Below(3) == 0) hessians.back() = 0;
        if (kind == 3 && random.Below(9) == 0) hessians.back() = -0.1F;
      }
    }
  }
};

// Columns of few and of many values, with and without missing ones; of some 0 is the first bin.
ToyData MakeData(Random& random, size_t rows) {
  ToyData toy(rows, 3 + random.Below(40), static_cast<uint32_t>(random.Below(1000)));
  for (size_t c = 3; c < toy.columns.size(); ++c) {
    const uint64_t kind = random.Below(5);
    for (double& value : toy.columns[c]) {
      if (kind == 0) value = std::abs(value) < 0.8 ? 0 : std::abs(value);
      if (kind == 1) value = std::round(value * 3);
      if (kind == 2 && std::isnan(value)) value = 0.1;
      if (kind == 3) value = std::isnan(value) ? -0.3 : 0.2;
    }
  }
  return toy;
}

void ExpectSameTree(const Tree& tree, const Tree& expected) {
  EXPECT_EQ(tree.split_feature, expected.split_feature);
  EXPECT_EQ(tree.split_gain, expected.split_gain);
  EXPECT_EQ(tree.threshold, expected.threshold);
  EXPECT_EQ(tree.decision_type, expected.decision_type);
  EXPECT_EQ(tree.left_child, expected.left_child);
  EXPECT_EQ(tree.right_child, expected.right_child);
  EXPECT_EQ(tree.leaf_value, expected.leaf_value);
  EXPECT_EQ(tree.leaf_weight, expected.leaf_weight);
  EXPECT_EQ(tree.leaf_count, expected.leaf_count);
  EXPECT_EQ(tree.internal_value, expected.internal_value);
  EXPECT_EQ(tree.internal_weight, expected.internal_weight);
  EXPECT_EQ(tree.internal_count, expected.internal_count);
}

// TreeGrower grows leaf by leaf, class by class, and searches every column with LightGBM's
// operations: the slow and obvious way, which the corpus has been checked with.
TEST(ExactForestTest, GrowsTheTreesOfLeafWiseGrowth) {
  Random random(11);
  size_t leaves = 0;
  const int threads = ThreadCount();
  for (int trial = 0; trial < 200 && !HasFailure(); ++trial) {
    const size_t count = 200 + random.Below(900);
    const ToyData toy = MakeData(random, count);
    const Settings settings = RandomSettings(random);
    std::string what = fmt::format("trial {}", trial);
    for (const auto& [name, value] : settings) what += fmt::format(" {}={}", name, value);
    SCOPED_TRACE(what);
    const Params params = Params::Parse(settings, "test");
    const BinnedData data = BinnedData::Make(toy.Source(), params);
    if (data.features() == 0) continue;
    ASSERT_TRUE(ExactForest::Suits(data, params));
    const size_t classes = 1 + random.Below(4);
    const size_t most_bytes = trial % 4 == 0 ? 1 : ExactForest::kMostBytes;
    ExactForest forest(data, params, classes, most_bytes);
    TreeGrower slow(data, params, false);
    std::vector<uint32_t> rows;
    for (uint32_t row = 0; row < count; ++row) {
      if (random.Below(5) != 0) rows.push_back(row);
    }
    for (int round = 0; round < 2; ++round) {
      const Gradients of(random, toy, classes, random.Below(4));
      SetThreadCount(1 + trial % 3);
      const auto grown =
          forest.Grow(of.gradients, of.hessians, rows, std::vector<uint8_t>(classes, 1));
      for (size_t k = 0; k < classes; ++k) {
        const GrownTree expected =
            slow.Grow(std::span(of.gradients).subspan(k * count, count),
                      std::span(of.hessians).subspan(k * count, count), rows);
        ExpectSameTree(grown[k].tree, expected.tree);
        leaves += expected.tree.leaves();
        for (size_t leaf = 0; leaf < grown[k].tree.leaves(); ++leaf) {
          const auto here = forest.LeafRows(k, leaf), there = slow.LeafRows(leaf);
          EXPECT_TRUE(std::equal(here.begin(), here.end(), there.begin(), there.end()));
        }
      }
    }
  }
  SetThreadCount(threads);
  EXPECT_GT(leaves, 4000U);
}

TEST(ExactForestTest, ClassesThatAreNotWantedGetNoTree) {
  const ToyData toy(500, 5, 9);
  const Params params;
  const BinnedData data = BinnedData::Make(toy.Source(), params);
  Random random(1);
  const Gradients of(random, toy, 3, 0);
  std::vector<uint32_t> rows(500);
  for (uint32_t row = 0; row < 500; ++row) rows[row] = row;
  ExactForest forest(data, params, 3);
  const auto grown = forest.Grow(of.gradients, of.hessians, rows, {0, 1, 0});
  EXPECT_EQ(grown[0].tree.leaves(), 0U);
  EXPECT_GT(grown[1].tree.leaves(), 1U);
  EXPECT_EQ(grown[2].tree.leaves(), 0U);
}

TEST(ExactForestTest, DoesNotTakeWhatItCannotSearch) {
  const ToyData toy(500, 5, 9);
  const auto suits = [&](const Settings& settings) {
    const Params params = Params::Parse(settings, "test");
    return ExactForest::Suits(BinnedData::Make(toy.Source(), params), params);
  };
  EXPECT_TRUE(suits({}));
  EXPECT_FALSE(suits({{"zero_as_missing", "true"}}));
  EXPECT_FALSE(suits({{"max_bin", "400"}, {"min_data_in_bin", "1"}}));
  EXPECT_FALSE(suits({{"feature_fraction_bynode", "0.5"}}));
  EXPECT_FALSE(suits({{"monotone_constraints", "1,0,0,0,0"}}));
  EXPECT_FALSE(suits({{"min_sum_hessian_in_leaf", "0"}}));
  EXPECT_FALSE(suits({{"min_data_in_leaf", "0"}}));
}

}  // namespace
}  // namespace almanac::gbdt
