#include "almanac/gbdt/params.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "almanac/base/error.h"

namespace almanac::gbdt {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string Refusal(const Settings& settings) {
  try {
    Params::Parse(settings, "here");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return error.what();
  }
  return "accepted";
}

TEST(ParamsTest, ReadsNamesAndAliases) {
  const Params params = Params::Parse({{"eta", "0.05"},
                                       {"min_child_samples", "50"},
                                       {"objective", "softmax"},
                                       {"num_classes", "3"},
                                       {"use_missing", "false"},
                                       {"cat_feature", "29,20"},
                                       {"metric", "multi_error,multiclass"}},
                                      "here");
  EXPECT_EQ(params.learning_rate, 0.05);
  EXPECT_EQ(params.min_data_in_leaf, 50);
  EXPECT_EQ(params.objective, "multiclass");
  EXPECT_EQ(params.num_class, 3);
  EXPECT_FALSE(params.use_missing);
  EXPECT_THAT(params.categorical_feature, ElementsAre(20, 29));
  EXPECT_THAT(params.metric, ElementsAre("multi_error", "multi_logloss"));
}

TEST(ParamsTest, MetricOfTheObjectiveByDefault) {
  EXPECT_THAT(Params::Parse({}, "here").metric, ElementsAre("l2"));
  EXPECT_THAT(Params::Parse({{"objective", "binary"}}, "here").metric,
              ElementsAre("binary_logloss"));
}

// The seeds that LightGBM lists in a model trained with seed = 42.
TEST(ParamsTest, SeedGivesTheOthersUnlessTheyAreGiven) {
  const Params params = Params::Parse({{"bagging_seed", "8"}, {"random_state", "42"}}, "here");
  EXPECT_EQ(params.data_random_seed, 175);
  EXPECT_EQ(params.bagging_seed, 8);
  EXPECT_EQ(params.drop_seed, 17869);
  EXPECT_EQ(params.feature_fraction_seed, 30056);
  EXPECT_EQ(params.objective_seed, 16083);
  EXPECT_EQ(params.extra_seed, 12879);
  EXPECT_EQ(Params::Parse({{"seed", "42"}}, "here").bagging_seed, 400);
}

TEST(ParamsTest, DepthBoundsLeavesUnlessTheyAreGiven) {
  EXPECT_EQ(Params::Parse({{"max_depth", "3"}}, "here").num_leaves, 8);
  EXPECT_EQ(Params::Parse({{"max_depth", "60"}}, "here").num_leaves, 31);
  EXPECT_EQ(Params::Parse({{"max_depth", "3"}, {"num_leaves", "31"}}, "here").num_leaves, 31);
}

TEST(ParamsTest, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(Refusal({{"num_leavs", "3"}}),
            "here: there is no parameter \"num_leavs\"; did you mean num_leaves?");
  EXPECT_THAT(Refusal({{"zzz", "3"}}), HasSubstr("docs/gbdt.md"));
  EXPECT_THAT(Refusal({{"objective", "lambdarank"}}), HasSubstr("not implemented"));
  EXPECT_THAT(Refusal({{"metric", "ndcg"}}), HasSubstr("binary_logloss"));
}

TEST(ParamsTest, RefusesValuesOutOfRange) {
  EXPECT_EQ(Refusal({{"num_leaves", "1"}}),
            "here: num_leaves: 1 is out of range; it must be at least 2 and at most 131072");
  EXPECT_THAT(Refusal({{"learning_rate", "0"}}), HasSubstr("above 0"));
  EXPECT_THAT(Refusal({{"feature_fraction", "1.5"}}), HasSubstr("at most 1"));
  EXPECT_THAT(Refusal({{"num_leaves", "3.5"}}), HasSubstr("not a whole number"));
  EXPECT_THAT(Refusal({{"lambda_l1", "x"}}), HasSubstr("\"x\" is not a number"));
  EXPECT_THAT(Refusal({{"is_unbalance", "2"}}), HasSubstr("neither true nor false"));
  EXPECT_THAT(Refusal({{"categorical_feature", "name:a"}}), HasSubstr("column number"));
}

TEST(ParamsTest, RefusesContradictions) {
  EXPECT_THAT(Refusal({{"objective", "multiclass"}}), HasSubstr("num_class"));
  EXPECT_THAT(Refusal({{"objective", "binary"}, {"num_class", "3"}}), HasSubstr("num_class = 3"));
  EXPECT_THAT(Refusal({{"objective", "binary"}, {"metric", "l2"}}), HasSubstr("metric l2"));
  EXPECT_THAT(
      Refusal({{"objective", "binary"}, {"is_unbalance", "true"}, {"scale_pos_weight", "2"}}),
      HasSubstr("one of them"));
  EXPECT_THAT(Refusal({{"force_col_wise", "1"}, {"force_row_wise", "1"}}), HasSubstr("exclude"));
  EXPECT_THAT(Refusal({{"eta", "0.1"}, {"learning_rate", "0.2"}}),
              HasSubstr("eta = 0.1 and learning_rate = 0.2"));
  EXPECT_THAT(Refusal({{"objective", "quantile"}, {"alpha", "1"}}), HasSubstr("alpha"));
}

TEST(ParamsTest, WhatIsNotImplementedMayBeGivenItsDefault) {
  EXPECT_EQ(Refusal({{"linear_tree", "false"}, {"top_rate", "0.20"}, {"device", "CPU"}}),
            "accepted");
  EXPECT_EQ(Refusal({{"linear_tree", "true"}}),
            "here: linear_tree: linear_tree = true is not implemented; leave it at 0");
  EXPECT_THAT(Refusal({{"boosting", "rf"}}), HasSubstr("there are gbdt, dart, goss"));
  EXPECT_THAT(Refusal({{"use_quantized_grad", "true"}}), HasSubstr("stochastic_rounding = false"));
}

TEST(ParamsTest, RefusesWhatSamplingAndDroppingCannotDoTogether) {
  EXPECT_THAT(Refusal({{"boosting", "goss"}, {"subsample", "0.5"}, {"subsample_freq", "1"}}),
              HasSubstr("both choose rows"));
  EXPECT_THAT(
      Refusal({{"data_sample_strategy", "goss"}, {"top_rate", "0.6"}, {"other_rate", "0.5"}}),
      HasSubstr("add up to at most 1"));
  EXPECT_THAT(Refusal({{"boosting", "dart"}, {"early_stopping_round", "5"}}),
              HasSubstr("leave one of them out"));
  EXPECT_THAT(Refusal({{"boosting", "dart"}, {"max_drop", "0"}}), HasSubstr("give -1"));
  EXPECT_THAT(Refusal({{"boosting", "dat"}}), HasSubstr("did you mean dart?"));
  EXPECT_THAT(Refusal({{"objective", "binry"}}), HasSubstr("did you mean binary?"));
  EXPECT_THAT(Refusal({{"metric", "multi_loglos"}}), HasSubstr("did you mean"));
}

TEST(ParamsTest, RefusesClassWeightsWithoutClasses) {
  EXPECT_THAT(Refusal({{"class_weight", "balanced"}}), HasSubstr("objective regression"));
  EXPECT_THAT(Refusal({{"is_unbalance", "true"}}), HasSubstr("do nothing"));
  EXPECT_THAT(
      Refusal({{"objective", "binary"}, {"class_weight", "1,2"}, {"scale_pos_weight", "2"}}),
      HasSubstr("one of them"));
}

TEST(ParamsTest, ModelTextListsEveryParameter) {
  const std::string text =
      Params::Parse({{"objective", "binary"}, {"eta", "0.3"}}, "here").ToModelText();
  EXPECT_TRUE(
      text.starts_with("[boosting: gbdt]\n[objective: binary]\n[metric: binary_logloss]\n"));
  EXPECT_THAT(text, HasSubstr("[learning_rate: 0.3]\n"));
  EXPECT_THAT(text, HasSubstr("[cat_l2: 10]\n"));
  EXPECT_THAT(text, HasSubstr("[is_enable_sparse: 1]\n"));
}

}  // namespace
}  // namespace almanac::gbdt
