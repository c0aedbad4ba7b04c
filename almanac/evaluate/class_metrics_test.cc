#include "almanac/evaluate/class_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/base/random.h"
#include "almanac/evaluate/golden_test_util.h"
#include "almanac/forecast/baseline.h"

namespace almanac {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

EvaluateOptions Quick() {
  EvaluateOptions options;
  options.model = "gbdt";
  options.bootstrap.replicates = 100;
  return options;
}

ClassSample SampleOf(const Json& golden) {
  ClassSample sample;
  sample.actual = golden["actual"].get<std::vector<uint32_t>>();
  for (const Json& column : golden["probability"]) sample.probability.push_back(Doubles(column));
  sample.naive = Doubles(golden["naive"]);
  for (size_t c = 0; c < sample.naive.size(); ++c)
    sample.classes.push_back("c" + std::to_string(c));
  for (size_t i = 0; i < sample.actual.size(); ++i) {
    sample.made_at.push_back(static_cast<TimeMs>(i) * kMsPerDay);
  }
  return sample;
}

TEST(ClassMetrics, AgreeWithScikitLearn) {
  for (const Json& golden : EvaluateGolden()["classes"]) {
    const ClassEvaluation result = EvaluateClasses(SampleOf(golden), Quick());
    ExpectRelative(result.log_loss.model.value, golden["log_loss"], 1e-9);
    ExpectRelative(result.log_loss.naive.value, golden["naive_log_loss"], 1e-9);
    ExpectRelative(result.brier.model.value, golden["brier"], 1e-9);
    ExpectRelative(result.accuracy.model.value, golden["accuracy"], 1e-12);
    EXPECT_EQ(Json(result.confusion), golden["confusion"]);
    double ap = 0;
    double auc = 0;
    for (size_t c = 0; c < result.classes.size(); ++c) {
      const ClassResult& one = result.classes[c];
      ExpectRelative(one.average_precision.model.value, golden["average_precision"][c], 1e-12);
      ExpectRelative(one.average_precision.naive.value, golden["frequency"][c], 1e-12);
      ExpectRelative(one.auc.model.value, golden["auc"][c], 1e-12);
      ExpectRelative(one.precision, golden["precision"][c], 1e-12);
      ExpectRelative(one.recall, golden["recall"][c], 1e-12);
      ap += one.average_precision.model.value / static_cast<double>(result.classes.size());
      auc += one.auc.model.value / static_cast<double>(result.classes.size());
      for (size_t b = 0; b < 10; ++b) {
        const Json& bin = golden["reliability"][c][b];
        EXPECT_EQ(one.reliability[b].rows, bin[0].get<size_t>());
        if (one.reliability[b].rows == 0) continue;
        EXPECT_NEAR(one.reliability[b].mean_probability, bin[1].get<double>(), 1e-12);
        EXPECT_NEAR(one.reliability[b].frequency.value, bin[2].get<double>(), 1e-12);
      }
    }
    EXPECT_NEAR(result.macro_average_precision.model.value, ap, 1e-12);
    EXPECT_NEAR(result.macro_auc.model.value, auc, 1e-12);
    EXPECT_EQ(result.macro_auc.naive.value, 0.5);
    EXPECT_LT(result.macro_auc.model.interval.low, result.macro_auc.model.value);
  }
}

TEST(ClassMetrics, WithoutSkillNothingIsFound) {
  Random random(9);
  int rejected = 0;
  constexpr int kSamples = 200;
  for (int s = 0; s < kSamples; ++s) {
    ClassSample sample;
    sample.classes = {"down", "up"};
    sample.probability.resize(2);
    sample.naive = {0.5, 0.5};
    for (int i = 0; i < 200; ++i) {
      const double p = 0.5 + (random.Uniform() < 0.5 ? 0.02 : -0.02);
      sample.made_at.push_back(i);
      sample.actual.push_back(random.Uniform() < p ? 1 : 0);
      // The forecast says the same in a world that does not listen to it.
      const double said = random.Uniform() < 0.5 ? 0.52 : 0.48;
      sample.probability[0].push_back(1 - said);
      sample.probability[1].push_back(said);
    }
    EvaluateOptions options = Quick();
    options.bootstrap.replicates = 0;
    const ClassEvaluation result = EvaluateClasses(sample, options);
    rejected += result.log_loss_test.mean_difference < 0 && result.log_loss_test.p_value < 0.05;
  }
  EXPECT_LT(rejected, 0.06 * kSamples);  // one side of a 5 % test, of a forecast that is worse
}

TEST(ClassMetrics, DoNotDependOnThreads) {
  const ClassSample sample = SampleOf(EvaluateGolden()["classes"][0]);
  const int before = ThreadCount();
  SetThreadCount(1);
  const Json one = ToJson(EvaluateClasses(sample, Quick()));
  SetThreadCount(4);
  const Json many = ToJson(EvaluateClasses(sample, Quick()));
  SetThreadCount(before);
  EXPECT_EQ(one, many);
}

TEST(ClassMetrics, AClassThatNeverHappensHasNoPrecision) {
  ClassSample sample;
  sample.classes = {"a", "b", "never"};
  sample.naive = NaiveFrequencies({0, 1, 1, 0, 1}, 3);
  EXPECT_THAT(sample.naive, ElementsAre(2.5 / 6.5, 3.5 / 6.5, 0.5 / 6.5));
  sample.probability = {{0.5, 0.2, 0.6}, {0.5, 0.7, 0.3}, {0, 0.1, 0.1}};
  sample.actual = {0, 1, 0};
  sample.made_at = {1, 2, 2};
  const ClassEvaluation result = EvaluateClasses(sample, Quick());
  EXPECT_TRUE(std::isnan(result.classes[2].average_precision.model.value));
  EXPECT_TRUE(std::isnan(result.classes[2].precision));
  EXPECT_EQ(result.macro_average_precision.model.value, 1);
  EXPECT_EQ(result.instants, 2u);
  EXPECT_TRUE(ToJson(result)["classes"][2]["recall"].is_null());
}

std::string MessageOf(const ClassSample& sample) {
  try {
    EvaluateClasses(sample, Quick());
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

TEST(ClassMetrics, RefuseWrongUse) {
  const ClassSample good = SampleOf(EvaluateGolden()["classes"][1]);
  ClassSample sample = good;
  sample.probability[0][3] += 0.01;
  EXPECT_THAT(MessageOf(sample), HasSubstr("class forecast row 3, 1970-01-04T00:00:00Z: its "
                                           "probabilities sum to 1.01"));
  sample = good;
  sample.actual[5] = 2;
  EXPECT_THAT(MessageOf(sample), HasSubstr("class 2 of 2"));
  sample = good;
  sample.naive = {0.5, 0.6};
  EXPECT_THAT(MessageOf(sample), HasSubstr("naive probabilities that sum to 1.1"));
  sample = good;
  sample.classes = {"one"};
  EXPECT_THAT(MessageOf(sample), HasSubstr("1 classes; at least 2"));
  sample = good;
  std::swap(sample.made_at[0], sample.made_at[1]);
  EXPECT_THAT(MessageOf(sample), HasSubstr("made before the row above it"));
}

}  // namespace
}  // namespace almanac
