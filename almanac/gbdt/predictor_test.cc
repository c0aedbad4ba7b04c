// The laid-out trees give what the trees themselves give, to the last bit.
#include "almanac/gbdt/predictor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "almanac/base/parallel.h"
#include "almanac/gbdt/toy_data_for_test.h"
#include "almanac/gbdt/train.h"

namespace almanac::gbdt {
namespace {

constexpr size_t kColumns = 7;  // the last two hold categories

ToyData WithCategories(size_t rows, uint32_t seed) {
  ToyData toy(rows, kColumns, seed);
  Lcg random(seed);
  for (size_t row = 0; row < rows; ++row) {
    for (const size_t c : {kColumns - 2, kColumns - 1}) {
      const double category = random.Draw16() % (c == kColumns - 1 ? 60 : 4);
      if (!std::isnan(toy.columns[c][row])) toy.columns[c][row] = category;
      toy.label[row] += static_cast<float>(std::fmod(category, 3));
    }
  }
  return toy;
}

// What a row of a stranger may hold.
double Odd(Lcg& random) {
  const double kOdd[] = {std::numeric_limits<double>::quiet_NaN(),
                         std::numeric_limits<double>::infinity(),
                         -std::numeric_limits<double>::infinity(),
                         0.0,
                         -0.0,
                         1e-36,
                         1e300,
                         -0.5,
                         3.7,
                         59.0,
                         1e9};
  return kOdd[random.Draw16() % std::size(kOdd)];
}

std::vector<double> SlowScores(const Model& model, std::span<const double> row) {
  std::vector<double> scores(static_cast<size_t>(model.classes), 0.0);
  for (size_t t = 0; t < model.trees.size(); ++t) {
    scores[t % scores.size()] += model.trees[t].Predict(row);
  }
  return scores;
}

void ExpectSameBits(const Model& model, uint32_t seed) {
  const Predictor predictor(model);
  constexpr size_t kRows = 331;  // not a whole number of blocks
  ToyData toy = WithCategories(kRows, seed);
  Lcg random(seed);
  std::vector<double> rows;
  for (size_t r = 0; r < kRows; ++r) {
    for (size_t c = 0; c < kColumns; ++c) {
      if (random.Draw16() % 5 == 0) toy.columns[c][r] = Odd(random);
      rows.push_back(toy.columns[c][r]);
    }
  }
  const size_t classes = predictor.classes();
  std::vector<double> together(kRows * classes), one(classes);
  predictor.PredictRows(rows, Output::kRaw, together);
  const std::vector<double> by_column = predictor.PredictAll(toy.Source(), Output::kRaw);
  std::vector<int> leaves(predictor.trees());
  for (size_t r = 0; r < kRows; ++r) {
    const std::vector<double> row = toy.Row(r);
    const std::vector<double> expected = SlowScores(model, row);
    predictor.Predict(row, Output::kRaw, one);
    predictor.Leaves(row, leaves);
    for (size_t t = 0; t < leaves.size(); ++t) {
      ASSERT_EQ(static_cast<size_t>(leaves[t]), model.trees[t].LeafOf(row));
    }
    for (size_t k = 0; k < classes; ++k) {
      ASSERT_EQ(one[k], expected[k]) << "row " << r;
      ASSERT_EQ(together[r * classes + k], expected[k]) << "row " << r;
      ASSERT_EQ(by_column[r * classes + k], expected[k]) << "row " << r;
    }
  }
}

TEST(PredictorTest, SameBitsAsTheTreesWhateverTheyAsk) {
  const ToyData toy = WithCategories(1500, 1);
  const std::vector<float> classes = toy.Classes(3);
  const std::vector<Settings> cases = {
      {},
      {{"num_leaves", "2"}},
      {{"num_leaves", "64"}, {"min_data_in_leaf", "2"}},
      {{"num_leaves", "65"}, {"min_data_in_leaf", "2"}},   // too many leaves for bits
      {{"num_leaves", "400"}, {"min_data_in_leaf", "1"}},  // deep
      {{"use_missing", "false"}},
      {{"zero_as_missing", "true"}},
      {{"objective", "multiclass"}, {"num_class", "3"}, {"num_leaves", "9"}},
      {{"boosting", "dart"}, {"drop_rate", "0.5"}}};
  for (Settings settings : cases) {
    settings.insert(settings.end(), {{"num_iterations", "13"},
                                     {"categorical_feature", "5,6"},
                                     {"min_data_per_group", "5"},
                                     {"cat_smooth", "1"}});
    const Params params = Params::Parse(settings, "test");
    const std::vector<float>& label = params.objective == "multiclass" ? classes : toy.label;
    const Model model = Train(params, BinnedData::Make(toy.Source(), params), {label, {}}).model;
    SCOPED_TRACE(testing::PrintToString(settings));
    ExpectSameBits(model, 7);
    Model averaging = model;
    averaging.averages_output = true;
    const std::vector<double> row = toy.Row(0);
    std::vector<double> out(static_cast<size_t>(model.classes));
    Predictor(averaging).Predict(row, Output::kRaw, out);
    EXPECT_EQ(out[0], SlowScores(model, row)[0] * (1.0 / static_cast<double>(model.rounds())));
  }
}

// One column, and thresholds that only a file can bring.
TEST(PredictorTest, InfiniteThresholdsAndMixedMissingTypes) {
  Model model;
  model.objective = "regression";
  model.feature_names.assign(kColumns, "x");
  model.feature_infos.assign(kColumns, "none");
  Lcg random(5);
  for (const double threshold : {std::numeric_limits<double>::infinity(),
                                 -std::numeric_limits<double>::infinity(), 0.0, -0.25}) {
    for (const Missing missing : {Missing::kNone, Missing::kZero, Missing::kNan}) {
      for (const bool defaults_left : {false, true}) {
        Tree tree;
        tree.split_feature = {0};
        tree.split_gain = {1};
        tree.threshold = {threshold};
        tree.decision_type = {Tree::DecisionType(false, defaults_left, missing)};
        tree.left_child = {~0};
        tree.right_child = {~1};
        tree.internal_value = tree.internal_weight = {0};
        tree.internal_count = {2};
        tree.leaf_value = {random.DrawFloat(), random.DrawFloat()};
        tree.leaf_weight = {1, 1};
        tree.leaf_count = {1, 1};
        tree.Validate(kColumns, "test");
        model.trees.push_back(tree);
      }
    }
  }
  model.trees.push_back(Tree::Constant(0.5, 3));
  ExpectSameBits(model, 9);
}

TEST(PredictorTest, AnyNumberOfThreadsGivesTheSame) {
  const ToyData toy = WithCategories(2000, 3);
  const Params params = Params::Parse({{"num_iterations", "20"}}, "test");
  const Predictor predictor(
      Train(params, BinnedData::Make(toy.Source(), params), {toy.label, {}}).model);
  const int threads = ThreadCount();
  SetThreadCount(1);
  const std::vector<double> alone = predictor.PredictAll(toy.Source(), Output::kRaw);
  SetThreadCount(4);
  EXPECT_EQ(predictor.PredictAll(toy.Source(), Output::kRaw), alone);
  SetThreadCount(threads);
}

}  // namespace
}  // namespace almanac::gbdt
