#include "almanac/gbdt/train.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/gbdt/metric.h"
#include "almanac/gbdt/predictor.h"
#include "almanac/gbdt/toy_data_for_test.h"

namespace almanac::gbdt {
namespace {

using testing::HasSubstr;

TrainResult TrainOn(const ToyData& toy, const Settings& settings, const Targets& targets) {
  const Params params = Params::Parse(settings, "test");
  return Train(params, BinnedData::Make(toy.Source(), params), targets);
}

TEST(TrainTest, LearnsWhatThereIsToLearn) {
  const ToyData learn(2000, 6, 1), judge(1000, 6, 2);
  for (const std::string objective : {"regression", "l1", "huber"}) {
    const TrainResult result =
        TrainOn(learn, {{"objective", objective}, {"num_iterations", "60"}}, {learn.label, {}});
    const std::vector<double> values =
        Predictor(result.model).PredictAll(judge.Source(), Output::kTransformed);
    const double variance = Evaluate("l2", std::vector<double>(1000, 0.0), {judge.label, {}}, {});
    EXPECT_LT(Evaluate("l2", values, {judge.label, {}}, {}), 0.15 * variance) << objective;
  }
}

TEST(TrainTest, AQuantileHasItsShareBelow) {
  const ToyData learn(4000, 6, 1), judge(2000, 6, 2);
  const TrainResult result =
      TrainOn(learn, {{"objective", "quantile"}, {"alpha", "0.8"}, {"num_iterations", "80"}},
              {learn.label, {}});
  const std::vector<double> values =
      Predictor(result.model).PredictAll(judge.Source(), Output::kTransformed);
  int below = 0;
  for (size_t i = 0; i < values.size(); ++i) below += judge.label[i] <= values[i] ? 1 : 0;
  EXPECT_NEAR(below / 2000.0, 0.8, 0.06);
}

TEST(TrainTest, SameBytesAtAnyNumberOfThreads) {
  const ToyData toy(3000, 40, 3);
  const std::vector<float> classes = toy.Classes(3);
  Params params = Params::Parse({{"objective", "multiclass"},
                                 {"num_class", "3"},
                                 {"num_iterations", "5"},
                                 {"feature_fraction", "0.7"},
                                 {"bagging_fraction", "0.8"},
                                 {"bagging_freq", "2"},
                                 {"feature_fraction_bynode", "0.6"}},
                                "test");
  const int threads = ThreadCount();
  for (const bool exact : {true, false}) {
    params.exact = exact;
    std::vector<std::string> texts;
    for (const int count : {1, 2, 5}) {
      SetThreadCount(count);
      const BinnedData data = BinnedData::Make(toy.Source(), params);
      texts.push_back(Train(params, data, {classes, {}}).model.ToText());
    }
    SetThreadCount(threads);
    EXPECT_EQ(texts[0], texts[1]);
    EXPECT_EQ(texts[0], texts[2]);
  }
}

// Whole tiles and parts of them, categories, missing values, wide columns; ties aside, fixed point
// finds the same splits.
TEST(TrainTest, FixedPointIsNearlyExact) {
  ToyData toy(4000, 37, 3);
  for (size_t row = 0; row < 4000; ++row) {
    toy.columns[1][row] = std::floor(std::abs(toy.columns[2][row]) * 12);
  }
  Params params = Params::Parse({{"num_iterations", "20"},
                                 {"max_bin", "300"},
                                 {"bagging_fraction", "0.8"},
                                 {"bagging_freq", "1"},
                                 {"feature_fraction", "0.9"},
                                 {"categorical_feature", "1"}},
                                "test");
  const BinnedData data = BinnedData::Make(toy.Source(), params);
  const Model exact = Train(params, data, {toy.label, {}}).model;
  params.exact = false;
  const Model fast = Train(params, data, {toy.label, {}}).model;
  EXPECT_EQ(exact.trees[0].split_feature, fast.trees[0].split_feature);
  EXPECT_EQ(exact.trees[0].threshold, fast.trees[0].threshold);
  const ToyData judge(2000, 37, 4);
  const auto loss = [&](const Model& model) {
    return Evaluate("l2", Predictor(model).PredictAll(judge.Source(), Output::kRaw),
                    {judge.label, {}}, params);
  };
  EXPECT_NEAR(loss(fast) / loss(exact), 1, 0.01);
}

// A row of weight 2 is as good as two rows, where sums are exact: labels and scores are multiples
// of a power of two in the first round without shrinkage.
TEST(TrainTest, AWeightCountsRows) {
  ToyData once(1000, 4, 5);
  for (float& label : once.label) label = std::round(label * 4) / 4;
  std::vector<float> weights(once.label.size(), 1.0F);
  ToyData twice = once;
  for (size_t row = 0; row < once.label.size(); row += 3) {
    weights[row] = 2;
    for (std::vector<double>& column : twice.columns) column.push_back(column[row]);
    twice.label.push_back(once.label[row]);
  }
  const Settings settings = {{"num_iterations", "1"},
                             {"boost_from_average", "false"},
                             {"min_data_in_leaf", "1"},
                             {"min_sum_hessian_in_leaf", "40"},
                             {"feature_pre_filter", "false"},
                             {"min_data_in_bin", "1"},
                             {"max_bin", "5000"},
                             {"num_leaves", "8"}};
  const Model a = TrainOn(once, settings, {once.label, weights}).model;
  const Model b = TrainOn(twice, settings, {twice.label, {}}).model;
  EXPECT_EQ(a.trees[0].split_feature, b.trees[0].split_feature);
  EXPECT_EQ(a.trees[0].leaf_weight, b.trees[0].leaf_weight);
  ASSERT_EQ(a.trees[0].leaf_value.size(), 8U);
  for (size_t leaf = 0; leaf < 8; ++leaf) {
    EXPECT_NEAR(a.trees[0].leaf_value[leaf], b.trees[0].leaf_value[leaf], 1e-14);
  }
}

TEST(TrainTest, LeavesKeepTheLimits) {
  const ToyData toy(2000, 6, 8);
  const Model model = TrainOn(toy,
                              {{"num_iterations", "5"},
                               {"min_data_in_leaf", "70"},
                               {"max_depth", "4"},
                               {"num_leaves", "31"},
                               {"max_delta_step", "0.05"},
                               {"learning_rate", "1"},
                               {"boost_from_average", "false"}},
                              {toy.label, {}})
                          .model;
  for (const Tree& tree : model.trees) {
    EXPECT_LE(tree.leaves(), 16U);
    for (size_t leaf = 0; leaf < tree.leaves(); ++leaf) {
      EXPECT_GE(tree.leaf_count[leaf], 70);
      EXPECT_LE(std::abs(tree.leaf_value[leaf]), 0.05);
    }
  }
}

TEST(TrainTest, SmoothingDrawsLeavesTogether) {
  const ToyData toy(1000, 4, 8);
  const auto spread = [&](const std::string& smoothing) {
    const Model model =
        TrainOn(toy, {{"num_iterations", "1"}, {"path_smooth", smoothing}}, {toy.label, {}}).model;
    const auto [low, high] =
        std::minmax_element(model.trees[0].leaf_value.begin(), model.trees[0].leaf_value.end());
    return *high - *low;
  };
  EXPECT_LT(spread("1000"), 0.7 * spread("0"));
}

TEST(TrainTest, StopsEarlyAndKeepsTheBestRounds) {
  const ToyData learn(400, 6, 1), judge(400, 6, 2);
  const Settings settings = {
      {"num_iterations", "400"}, {"learning_rate", "0.5"}, {"early_stopping_round", "7"}};
  const Params params = Params::Parse(settings, "test");
  const BinnedData data = BinnedData::Make(learn.Source(), params);
  const BinnedData judged = data.WithSameBins(judge.Source());
  const TrainResult result =
      Train(params, data, {learn.label, {}}, {{"judge", judged, {judge.label, {}}}});
  ASSERT_EQ(result.evaluations.size(), 1U);
  const std::vector<double>& values = result.evaluations[0].values;
  const auto best = std::min_element(values.begin(), values.end()) - values.begin() + 1;
  EXPECT_EQ(result.best_round, best);
  EXPECT_EQ(values.size(), static_cast<size_t>(best) + 7);
  EXPECT_EQ(result.model.rounds(), static_cast<size_t>(best));
  const std::vector<double> predictions =
      Predictor(result.model).PredictAll(judge.Source(), Output::kTransformed);
  EXPECT_NEAR(Evaluate("l2", predictions, {judge.label, {}}, params),
              values[static_cast<size_t>(best) - 1], 1e-12);
}

TEST(TrainTest, AClassThatNobodyHasGetsConstantTrees) {
  const ToyData toy(500, 4, 1);
  const Model model =
      TrainOn(toy, {{"objective", "multiclass"}, {"num_class", "4"}, {"num_iterations", "3"}},
              {toy.Classes(3), {}})
          .model;
  ASSERT_EQ(model.trees.size(), 12U);
  for (size_t t = 3; t < 12; t += 4) EXPECT_EQ(model.trees[t].leaves(), 1U);
  EXPECT_EQ(Model::FromText(model.ToText(), "model").ToText(), model.ToText());
}

std::string Refusal(const std::function<void()>& action, ErrorCode code) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code);
    return error.what();
  }
  return "accepted";
}

TEST(TrainTest, RefusesBadTargets) {
  const ToyData toy(200, 3, 1);
  const auto refusal = [&](const Settings& settings, const Targets& targets) {
    return Refusal([&] { TrainOn(toy, settings, targets); }, ErrorCode::kBadData);
  };
  EXPECT_THAT(refusal({}, {std::span(toy.label).first(10), {}}), HasSubstr("10 labels for 200"));
  std::vector<float> label = toy.label;
  label[7] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(refusal({}, {label, {}}), HasSubstr("row 7: the label nan"));
  label = toy.Classes(3);
  label[9] = 3;
  const Settings multiclass = {{"objective", "multiclass"}, {"num_class", "3"}};
  EXPECT_THAT(refusal(multiclass, {label, {}}), HasSubstr("row 9: the label 3"));
  label[9] = 0.5;
  EXPECT_THAT(refusal(multiclass, {label, {}}), HasSubstr("row 9: the label 0.5"));
  std::vector<float> weight(200, 1.0F);
  weight[3] = -1;
  EXPECT_THAT(refusal({}, {toy.label, weight}), HasSubstr("row 3: the weight -1"));
  EXPECT_THAT(refusal({}, {toy.label, std::span(weight).first(5)}), HasSubstr("5 weights"));
}

TEST(TrainTest, RefusesWhatCannotWork) {
  const ToyData toy(200, 3, 1);
  EXPECT_THAT(Refusal(
                  [&] {
                    TrainOn(toy, {{"early_stopping_round", "5"}}, {toy.label, {}});
                  },
                  ErrorCode::kUsage),
              HasSubstr("no validation set"));
  EXPECT_THAT(Refusal(
                  [&] {
                    TrainOn(toy, {{"min_data_in_leaf", "150"}}, {toy.label, {}});
                  },
                  ErrorCode::kBadData),
              HasSubstr("no column can split"));
  EXPECT_THAT(Refusal(
                  [&] {
                    TrainOn(toy, {{"categorical_feature", "3"}}, {toy.label, {}});
                  },
                  ErrorCode::kUsage),
              HasSubstr("no column 3"));
}

// Scores may be lifted by any constant: only their order counts.
TEST(MetricTest, RankingMetrics) {
  const std::vector<float> label = {1, 0, 1, 1, 0};
  const std::vector<double> scores = {0.9, 0.8, 0.8, 0.3, 0.1};
  const Targets targets{label, {}};
  // Pairs in order: 2 + 1.5 + 1 of 6. Precision at the positives: 1, 2/3 (tied), 3/4.
  EXPECT_DOUBLE_EQ(Evaluate("auc", scores, targets, {}), 4.5 / 6);
  EXPECT_DOUBLE_EQ(Evaluate("average_precision", scores, targets, {}), (1 + 2.0 / 3 + 3.0 / 4) / 3);
  EXPECT_DOUBLE_EQ(Evaluate("binary_error", scores, targets, {}), 2.0 / 5);
}

TEST(MetricTest, LossesByHand) {
  const std::vector<float> label = {1, 3}, weight = {1, 3};
  const std::vector<double> values = {2, 1};
  EXPECT_DOUBLE_EQ(Evaluate("l2", values, {label, {}}, {}), 2.5);
  EXPECT_DOUBLE_EQ(Evaluate("l2", values, {label, weight}, {}), 13.0 / 4);
  EXPECT_DOUBLE_EQ(Evaluate("l1", values, {label, {}}, {}), 1.5);
  EXPECT_DOUBLE_EQ(Evaluate("rmse", values, {label, {}}, {}), std::sqrt(2.5));
  Params params;
  params.alpha = 0.75;
  EXPECT_DOUBLE_EQ(Evaluate("quantile", values, {label, {}}, params), (0.25 + 1.5) / 2);
  EXPECT_DOUBLE_EQ(Evaluate("huber", values, {label, {}}, params),
                   (0.75 * (1 - 0.375) + 0.75 * (2 - 0.375)) / 2);
  const std::vector<float> classes = {1, 0};
  const std::vector<double> probabilities = {0.5, 0.25, 0.25, 0.25, 0.25, 0.5};  // class by class
  EXPECT_DOUBLE_EQ(Evaluate("multi_logloss", probabilities, {classes, {}}, {}), std::log(4));
  EXPECT_DOUBLE_EQ(Evaluate("multi_error", probabilities, {classes, {}}, {}), 1.0);
}

}  // namespace
}  // namespace almanac::gbdt
