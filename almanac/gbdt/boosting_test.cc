// Goss, dart, class weights and the caller's own objectives and metrics.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/gbdt/bagging.h"
#include "almanac/gbdt/dart.h"
#include "almanac/gbdt/metric.h"
#include "almanac/gbdt/predictor.h"
#include "almanac/gbdt/toy_data_for_test.h"
#include "almanac/gbdt/train.h"

namespace almanac::gbdt {
namespace {

using testing::HasSubstr;

std::string ComplaintOf(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(GossTest, TakesTheLargestAndWeighsTheOthers) {
  const Params params = Params::Parse({{"data_sample_strategy", "goss"},
                                       {"top_rate", "0.1"},
                                       {"other_rate", "0.25"},
                                       {"learning_rate", "0.5"}},
                                      "test");
  constexpr size_t kRows = 5000;
  Bagging goss(params, kRows);
  Lcg random(3);
  std::vector<float> gradients(2 * kRows), hessians(2 * kRows, 1.0F);
  for (float& gradient : gradients) gradient = random.DrawFloat() - 0.5F;
  const std::vector<float> before = gradients;
  goss.StartRound(1, gradients, hessians);
  EXPECT_EQ(goss.in_bag().size(), kRows);  // not in the first 1 / learning_rate rounds
  EXPECT_EQ(gradients, before);
  goss.StartRound(2, gradients, hessians);
  EXPECT_EQ(goss.in_bag().size() + goss.out_of_bag().size(), kRows);
  EXPECT_TRUE(std::is_sorted(goss.in_bag().begin(), goss.in_bag().end()));
  const auto size_of = [&](uint32_t row) {
    return std::abs(before[row]) + std::abs(before[kRows + row]);
  };
  size_t large = 0, others = 0;
  float least_large = 2, most_other = 0;
  for (const uint32_t row : goss.in_bag()) {
    const bool is_weighed = hessians[row] != 1.0F;
    if (!is_weighed) {
      ++large;
      least_large = std::min(least_large, size_of(row));
      continue;
    }
    ++others;
    most_other = std::max(most_other, size_of(row));
    EXPECT_EQ(hessians[row], 4500.0F / 1250.0F);
    EXPECT_EQ(gradients[row], before[row] * (4500.0F / 1250.0F));
    EXPECT_EQ(gradients[kRows + row], before[kRows + row] * (4500.0F / 1250.0F));
  }
  for (const uint32_t row : goss.out_of_bag()) most_other = std::max(most_other, size_of(row));
  EXPECT_GE(large, kRows / 10);
  EXPECT_EQ(others, kRows / 4);  // as many as were asked for, whatever is drawn
  EXPECT_GE(least_large, most_other);
}

TEST(DartTest, ForgetsAboutAsMuchAsItIsTold) {
  for (const bool uniform : {false, true}) {
    const Params params = Params::Parse({{"boosting", "dart"},
                                         {"drop_rate", "0.2"},
                                         {"skip_drop", "0.25"},
                                         {"uniform_drop", uniform ? "true" : "false"}},
                                        "test");
    Dart dart(params);
    double dropped = 0, could = 0;
    int skipped = 0;
    for (int round = 0; round < 400; ++round) {
      dart.StartRound(round);
      const auto count = static_cast<double>(dart.dropped().size());
      EXPECT_DOUBLE_EQ(dart.shrinkage(), 0.1 / (1 + count));
      // Its tree and the forgotten ones together are worth what the latter were.
      EXPECT_DOUBLE_EQ(1 - dart.first_factor(), count / (count + 1));
      dropped += count;
      could += round;
      skipped += dart.dropped().empty() ? 1 : 0;
      dart.FinishRound();
    }
    EXPECT_NEAR(dropped / could, 0.2 * 0.75, 0.03);
    EXPECT_NEAR(skipped / 400.0, 0.25, 0.1);
  }
}

TEST(DartTest, DropsNoMoreThanAllowed) {
  Dart dart(Params::Parse({{"boosting", "dart"},
                           {"drop_rate", "0.9"},
                           {"skip_drop", "0"},
                           {"max_drop", "3"},
                           {"xgboost_dart_mode", "true"}},
                          "test"));
  size_t most = 0;
  for (int round = 0; round < 100; ++round) {
    dart.StartRound(round);
    most = std::max(most, dart.dropped().size());
    const auto count = static_cast<double>(dart.dropped().size());
    if (count > 0) {
      EXPECT_DOUBLE_EQ(dart.shrinkage(), 0.1 / (0.1 + count));
    }
    dart.FinishRound();
  }
  EXPECT_EQ(most, 3U);
}

// What training believes of its scores is what the finished model predicts.
TEST(DartTest, TheModelIsWhatWasTrained) {
  const ToyData learn(1500, 6, 1), judge(700, 6, 2);
  for (const char* const mode : {"false", "true"}) {
    for (const bool exact : {true, false}) {
      Params params = Params::Parse({{"boosting", "dart"},
                                     {"num_iterations", "40"},
                                     {"drop_rate", "0.3"},
                                     {"xgboost_dart_mode", mode},
                                     {"categorical_feature", "5"}},
                                    "test");
      params.exact = exact;
      const BinnedData data = BinnedData::Make(learn.Source(), params);
      const BinnedData other = data.WithSameBins(judge.Source());
      const TrainResult result = Train(
          params, data, {learn.label, {}},
          {{"learn", data, {learn.label, {}}, false}, {"judge", other, {judge.label, {}}, false}});
      const Predictor predictor(result.model);
      const auto loss = [&](const ToyData& toy) {
        return Evaluate("l2", predictor.PredictAll(toy.Source(), Output::kRaw), {toy.label, {}},
                        params);
      };
      EXPECT_NEAR(result.evaluations[0].values.back(), loss(learn), 1e-9);
      EXPECT_NEAR(result.evaluations[1].values.back(), loss(judge), 1e-9);
      EXPECT_LT(loss(judge),
                0.3 * Evaluate("l2", std::vector<double>(700, 0.0), {judge.label, {}}, params));
      double least = 1;
      for (const Tree& tree : result.model.trees) least = std::min(least, tree.shrinkage);
      EXPECT_LT(least, 0.1);  // something was forgotten
      EXPECT_GT(least, 0);
    }
  }
}

TEST(BoostingTest, GossAndDartLearnAndResumeToTheSameBytes) {
  const ToyData toy(3000, 8, 5);
  const std::vector<float> classes = toy.Classes(3);
  const std::filesystem::path resume_file =
      testing::TempDir() + "boosting_test_" + std::to_string(getpid());
  for (const Settings& way : {Settings{{"boosting", "goss"}}, Settings{{"boosting", "dart"}}}) {
    Settings settings = way;
    settings.insert(settings.end(), {{"objective", "multiclass"},
                                     {"num_class", "3"},
                                     {"num_iterations", "24"},
                                     {"learning_rate", "0.2"},
                                     {"num_leaves", "9"},
                                     {"feature_fraction", "0.8"}});
    const Params params = Params::Parse(settings, "test");
    const BinnedData data = BinnedData::Make(toy.Source(), params);
    const std::vector<Validation> judged = {{"training", data, {classes, {}}, false}};
    const TrainResult whole = Train(params, data, {classes, {}}, judged);
    EXPECT_LT(whole.evaluations[0].values.back(), 0.7 * whole.evaluations[0].values.front());
    TrainOptions options;
    options.resume_file = resume_file;
    options.snapshot_every = 7;
    options.on_round = [](int rounds, const std::vector<Evaluation>&) {
      if (rounds == 17) throw Error(ErrorCode::kFailed, "test", "killed");
    };
    EXPECT_THROW(Train(params, data, {classes, {}}, judged, options), Error);
    options.on_round = nullptr;
    const TrainResult resumed = Train(params, data, {classes, {}}, judged, options);
    EXPECT_EQ(resumed.model.ToText(), whole.model.ToText());
    EXPECT_EQ(resumed.evaluations[0].values, whole.evaluations[0].values);
  }
}

TEST(ClassWeightTest, IsAWeightOfTheRows) {
  const ToyData toy(1200, 5, 9);
  const std::vector<float> classes = toy.Classes(3);
  std::vector<float> weights;
  for (const float label : classes) weights.push_back(label == 0 ? 2.0F : label == 1 ? 0.5F : 3.0F);
  Settings settings = {{"objective", "multiclass"}, {"num_class", "3"}, {"num_iterations", "5"}};
  const Params plain = Params::Parse(settings, "test");
  settings.emplace_back("class_weight", "2, 0.5, 3");
  const Params weighed = Params::Parse(settings, "test");
  const BinnedData data = BinnedData::Make(toy.Source(), plain);
  EXPECT_EQ(Train(weighed, data, {classes, {}}).model.ToText(),
            Train(plain, data, {classes, weights}).model.ToText());
  settings.back().second = "2,3";
  EXPECT_THAT(ComplaintOf([&] {
                Train(Params::Parse(settings, "test"), data, {classes, {}});
              }),
              HasSubstr("does not weigh 3 classes"));
}

TEST(ClassWeightTest, BalancedGivesEachClassTheSameWeight) {
  const std::vector<float> labels = {0, 0, 0, 0, 0, 0, 1, 1}, weights(8, 0.5F);
  const Params params =
      Params::Parse({{"objective", "binary"}, {"class_weight", "balanced"}}, "test");
  const std::vector<float> weighed = ClassWeighted(params, {labels, weights});
  EXPECT_FLOAT_EQ(weighed[0], static_cast<float>(0.5 * 8 / 12.0));
  EXPECT_FLOAT_EQ(weighed[7], 0.5F * 2);
}

CustomObjective SquaredError() {
  return [](std::span<const double> scores, const Targets& targets, std::span<float> gradients,
            std::span<float> hessians) {
    for (size_t i = 0; i < scores.size(); ++i) {
      gradients[i] = static_cast<float>(scores[i] - static_cast<double>(targets.label[i]));
      hessians[i] = 1;
    }
  };
}

TEST(CustomTest, AnOwnSquaredErrorTrainsTheSameTrees) {
  const ToyData toy(900, 5, 4);
  const Params own =
      Params::Parse({{"objective", "none"}, {"num_iterations", "8"}, {"metric", "l2"}}, "test");
  const Params ours = Params::Parse(
      {{"objective", "l2"}, {"num_iterations", "8"}, {"boost_from_average", "false"}}, "test");
  const BinnedData data = BinnedData::Make(toy.Source(), own);
  TrainOptions options;
  options.objective = SquaredError();
  options.metrics = {{"worst",
                      [](std::span<const double> predictions, const Targets& targets) {
                        double worst = 0;
                        for (size_t i = 0; i < predictions.size(); ++i) {
                          worst = std::max(worst, std::abs(predictions[i] - targets.label[i]));
                        }
                        return worst;
                      },
                      false}};
  const std::vector<Validation> judged = {{"training", data, {toy.label, {}}, false}};
  const TrainResult mine = Train(own, data, {toy.label, {}}, judged, options);
  const TrainResult theirs = Train(ours, data, {toy.label, {}}, judged);
  EXPECT_EQ(mine.evaluations[0].values, theirs.evaluations[0].values);
  EXPECT_EQ(mine.evaluations[1].metric, "worst");
  EXPECT_GT(mine.evaluations[1].values.front(), mine.evaluations[1].values.back());
  const std::string text = mine.model.ToText();
  EXPECT_EQ(text.find("\nobjective="), std::string::npos);
  const Predictor from_file(Model::FromText(text, "file"));
  EXPECT_EQ(from_file.PredictAll(toy.Source(), Output::kTransformed),
            Predictor(theirs.model).PredictAll(toy.Source(), Output::kRaw));
}

TEST(CustomTest, AnOwnMetricStopsTraining) {
  const ToyData toy(900, 5, 4);
  const Params params = Params::Parse(
      {{"objective", "custom"}, {"early_stopping_round", "3"}, {"num_iterations", "50"}}, "test");
  const BinnedData data = BinnedData::Make(toy.Source(), params);
  TrainOptions options;
  options.objective = SquaredError();
  int calls = 0;
  options.metrics = {{"peak",
                      [&](std::span<const double>, const Targets&) {
                        ++calls;
                        return calls <= 5 ? calls : 5.0 - calls;
                      },
                      true}};
  const TrainResult result =
      Train(params, data, {toy.label, {}}, {{"valid", data, {toy.label, {}}}}, options);
  EXPECT_EQ(result.best_round, 5);
  EXPECT_EQ(result.model.rounds(), 5U);
  EXPECT_EQ(calls, 8);
}

TEST(CustomTest, WhatCannotWorkIsRefused) {
  const ToyData toy(300, 3, 4);
  const Params custom = Params::Parse({{"objective", "custom"}}, "test");
  const Params plain = Params::Parse({}, "test");
  const BinnedData data = BinnedData::Make(toy.Source(), plain);
  TrainOptions options;
  EXPECT_THAT(ComplaintOf([&] {
                Train(custom, data, {toy.label, {}});
              }),
              HasSubstr("for callers in C++"));
  options.objective = SquaredError();
  EXPECT_THAT(ComplaintOf([&] {
                Train(plain, data, {toy.label, {}}, {}, options);
              }),
              HasSubstr("set objective to custom"));
  options.objective = [](std::span<const double>, const Targets&, std::span<float> gradients,
                         std::span<float>) {
    std::fill(gradients.begin(), gradients.end(), std::nanf(""));
  };
  EXPECT_THAT(ComplaintOf([&] {
                Train(custom, data, {toy.label, {}}, {}, options);
              }),
              HasSubstr("row 0: the custom objective gave the gradient nan"));
  EXPECT_THAT(ComplaintOf([] {
                Params::Parse({{"objective", "custom"}, {"metric", "binary_logloss"}}, "test");
              }),
              HasSubstr("does not judge"));
}

}  // namespace
}  // namespace almanac::gbdt
