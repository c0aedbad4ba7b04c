#include "almanac/gbdt/model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/gbdt/predictor.h"
#include "almanac/gbdt/toy_data_for_test.h"
#include "almanac/gbdt/train.h"

namespace almanac::gbdt {
namespace {

using testing::HasSubstr;

Model ToyModel(const ToyData& toy) {
  const Params params = Params::Parse(
      {{"num_iterations", "3"}, {"num_leaves", "5"}, {"categorical_feature", "3"}}, "test");
  return Train(params, BinnedData::Make(toy.Source(), params), {toy.label, {}}).model;
}

ToyData DataWithCategories() {
  ToyData toy(400, 5, 21);
  for (size_t row = 0; row < toy.label.size(); ++row) {
    const auto category = static_cast<double>(row % 40);
    toy.columns[3][row] = category;
    toy.label[row] += row % 40 > 33 ? 3.0F : 0.0F;
  }
  return toy;
}

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string Refusal(const std::string& text) {
  try {
    Model::FromText(text, "m.txt");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kBadData);
    return error.what();
  }
  return "accepted";
}

TEST(ModelTest, TextGoesBothWays) {
  const ToyData toy = DataWithCategories();
  const Model model = ToyModel(toy);
  const std::string text = model.ToText();
  EXPECT_THAT(text, HasSubstr("cat_threshold="));
  const Model read = Model::FromText(text, "m.txt");
  EXPECT_EQ(read.ToText(), text);
  EXPECT_EQ(Predictor(read).PredictAll(toy.Source(), Output::kRaw),
            Predictor(model).PredictAll(toy.Source(), Output::kRaw));
  const std::string with_carriage_returns = [&] {
    std::string result;
    for (const char c : text) result += c == '\n' ? std::string("\r\n") : std::string(1, c);
    return result;
  }();
  EXPECT_EQ(Model::FromText(with_carriage_returns, "m.txt").ToText(), text);
}

TEST(ModelTest, RefusesDamageNamingTheLine) {
  const std::string text = ToyModel(DataWithCategories()).ToText();
  EXPECT_THAT(Refusal(""), HasSubstr("m.txt:0: no line \"tree\""));
  EXPECT_THAT(Refusal("xgb\n"), HasSubstr("m.txt:1"));
  EXPECT_THAT(Refusal(Replaced(text, "version=v4", "version=v9")), HasSubstr("m.txt:2"));
  EXPECT_THAT(Refusal(Replaced(text, "objective=regression", "objective=poisson")),
              HasSubstr("m.txt:7"));
  EXPECT_THAT(Refusal(Replaced(text, "max_feature_idx=4", "max_feature_idx=5")),
              HasSubstr("max_feature_idx=5 with 5 names"));
  EXPECT_THAT(Refusal(Replaced(text, "Tree=1", "Tree=2")), HasSubstr("expected Tree=1"));
  EXPECT_THAT(Refusal(Replaced(text, "leaf_value=", "leaf_value=x")), HasSubstr("leaf_value has"));
  EXPECT_THAT(Refusal(Replaced(text, "num_leaves=5", "num_leaves=6")), HasSubstr("m.txt:"));
  EXPECT_THAT(Refusal(Replaced(text, "left_child=", "left_child=0 ")), HasSubstr("entries"));
  EXPECT_THAT(Refusal(Replaced(text, "split_feature=", "split_feature=7 ")), HasSubstr("m.txt:"));
  EXPECT_THAT(Refusal(Replaced(text, "is_linear=0", "is_linear=1")), HasSubstr("linear"));
  EXPECT_THAT(Refusal(Replaced(text, "shrinkage=", "shrink=")), HasSubstr("shrinkage is missing"));
  EXPECT_THAT(Refusal(Replaced(text, "num_cat=", "num_cat=1\nnum_cat=")), HasSubstr("twice"));
  EXPECT_THAT(Refusal(Replaced(text, "end of trees", "")), HasSubstr("expected Tree=3"));
  EXPECT_THAT(Refusal(text.substr(0, text.find("end of trees"))), HasSubstr("end of trees"));
}

// No prefix and no change of a byte may crash the reader or give a model that cannot predict.
TEST(ModelTest, SurvivesDamage) {
  const ToyData toy = DataWithCategories();
  const std::string text = ToyModel(toy).ToText();
  const std::vector<double> row = toy.Row(0);
  const auto try_text = [&](const std::string& damaged) {
    try {
      const Model model = Model::FromText(damaged, "m.txt");
      if (model.columns() != row.size()) return;
      std::vector<double> out(static_cast<size_t>(model.classes));
      Predictor(model).Predict(row, Output::kTransformed, out);
      static_cast<void>(model.ToJson());
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadData) << error.what();
    }
  };
  const size_t end = text.find("end of trees") + 20;
  for (size_t length = 0; length < end; length += 7) try_text(text.substr(0, length));
  Lcg random(3);
  for (int i = 0; i < 4000; ++i) {
    std::string damaged = text;
    for (int changes = 0; changes < 3; ++changes) {
      constexpr std::string_view kBytes = "0123456789-=. \ne";
      damaged[random.Draw31() % end] = kBytes[random.Draw16() % kBytes.size()];
    }
    try_text(damaged);
  }
}

TEST(ModelTest, ImportanceCountsSplitsAndGain) {
  const Model model = ToyModel(DataWithCategories());
  const std::vector<double> splits = model.FeatureImportance(Importance::kSplits);
  const std::vector<double> gain = model.FeatureImportance(Importance::kGain);
  double all_splits = 0, all_gain = 0, expected_gain = 0;
  for (size_t c = 0; c < model.columns(); ++c) {
    all_splits += splits[c];
    all_gain += gain[c];
    EXPECT_EQ(splits[c] > 0, gain[c] > 0);
  }
  for (const Tree& tree : model.trees) {
    for (const float g : tree.split_gain) expected_gain += static_cast<double>(g);
  }
  EXPECT_EQ(all_splits, 12);
  EXPECT_NEAR(all_gain, expected_gain, 1e-9 * expected_gain);
}

TEST(ModelTest, JsonHasLightGbmsKeys) {
  const Model model = ToyModel(DataWithCategories());
  const Json json = model.ToJson();
  EXPECT_EQ(json.at("max_feature_idx"), 4);
  EXPECT_EQ(json.at("objective"), "regression");
  EXPECT_EQ(json.at("feature_infos").at("x3").at("values").size(), 41U);  // and -1
  ASSERT_EQ(json.at("tree_info").size(), 3U);
  const Json& root = json.at("tree_info").at(0).at("tree_structure");
  EXPECT_EQ(root.at("split_feature"), model.trees[0].split_feature[0]);
  EXPECT_EQ(root.at("internal_count"), 400);
  EXPECT_TRUE(root.at("left_child").contains("internal_value") ||
              root.at("left_child").contains("leaf_value"));
}

TEST(PredictorTest, OneRowEqualsAllRowsAndTheTrees) {
  const ToyData toy = DataWithCategories();
  const Model model = ToyModel(toy);
  const Predictor predictor(model);
  const std::vector<double> all = predictor.PredictAll(toy.Source(), Output::kRaw);
  for (size_t r = 0; r < toy.label.size(); ++r) {
    const std::vector<double> row = toy.Row(r);
    double sum = 0;
    std::vector<int> leaves(predictor.trees());
    predictor.Leaves(row, leaves);
    for (size_t t = 0; t < model.trees.size(); ++t) {
      EXPECT_EQ(static_cast<size_t>(leaves[t]), model.trees[t].LeafOf(row));
      sum += model.trees[t].Predict(row);
    }
    std::vector<double> one(1);
    predictor.Predict(row, Output::kRaw, one);
    EXPECT_EQ(one[0], sum);
    EXPECT_EQ(all[r], sum);
  }
}

TEST(PredictorTest, RefusesOtherColumns) {
  const Predictor predictor(ToyModel(DataWithCategories()));
  EXPECT_THROW(predictor.PredictAll(ToyData(10, 4, 1).Source(), Output::kRaw), Error);
}

// Every combination of missing type, default side and value.
TEST(TreeTest, MissingValuesTakeTheDefaultSide) {
  Tree tree = Tree::Constant(0, 0);
  tree.threshold = {-0.5};
  const double nan = std::nan("");
  for (const bool defaults_left : {false, true}) {
    tree.decision_type = {Tree::DecisionType(false, defaults_left, Missing::kNone)};
    EXPECT_FALSE(tree.GoesLeft(0, nan));  // as 0
    EXPECT_TRUE(tree.GoesLeft(0, -1));
    tree.decision_type = {Tree::DecisionType(false, defaults_left, Missing::kZero)};
    EXPECT_EQ(tree.GoesLeft(0, nan), defaults_left);
    EXPECT_EQ(tree.GoesLeft(0, 1e-36), defaults_left);
    EXPECT_TRUE(tree.GoesLeft(0, -0.5));
    tree.decision_type = {Tree::DecisionType(false, defaults_left, Missing::kNan)};
    EXPECT_EQ(tree.GoesLeft(0, nan), defaults_left);
    EXPECT_FALSE(tree.GoesLeft(0, 0));
  }
}

}  // namespace
}  // namespace almanac::gbdt
