#include "almanac/gbdt/working_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/gbdt/toy_data_for_test.h"
#include "almanac/gbdt/train.h"

namespace almanac::gbdt {
namespace {

constexpr int kRounds = 12, kStart = 4, kClasses = 3;
constexpr size_t kColumns = 70, kSet = 12;

Params ParamsOf(const Settings& more) {
  Settings settings = {{"objective", "multiclass"}, {"num_class", std::to_string(kClasses)},
                       {"num_leaves", "8"},         {"num_iterations", std::to_string(kRounds)},
                       {"min_data_in_leaf", "5"},   {"bagging_fraction", "0.8"},
                       {"bagging_freq", "2"}};
  settings.insert(settings.end(), more.begin(), more.end());
  Params params = Params::Parse(settings, "test");
  params.exact = false;
  return params;
}

const Settings kScreened = {{"feature_screen", std::to_string(kSet)},
                            {"feature_screen_start", std::to_string(kStart)},
                            {"feature_screen_freq", "3"},
                            {"feature_fraction", "0.75"}};

class WorkingSetTest : public testing::Test {
 protected:
  Model TrainIt(const Params& params, const TrainOptions& options = {}) const {
    const BinnedData data = BinnedData::Make(toy_.Source(), params);
    return Train(params, data, {label_, {}}, {}, options).model;
  }

  ToyData toy_{600, kColumns, 3};
  std::vector<float> label_ = toy_.Classes(kClasses);
};

std::set<int> ColumnsOf(const Model& model, int first_round, int end_round) {
  std::set<int> columns;
  for (int tree = first_round * kClasses; tree < end_round * kClasses; ++tree) {
    const Tree& at = model.trees[static_cast<size_t>(tree)];
    columns.insert(at.split_feature.begin(), at.split_feature.end());
  }
  return columns;
}

// Full rounds first; then the rounds between two choices keep to one set, which has the columns
// that matter.
TEST_F(WorkingSetTest, LaterRoundsKeepToTheirSet) {
  const Model all = TrainIt(ParamsOf({{"feature_fraction", "0.75"}}));
  const Model screened = TrainIt(ParamsOf(kScreened));
  ASSERT_EQ(screened.trees.size(), static_cast<size_t>(kRounds * kClasses));
  for (size_t tree = 0; tree < kStart * kClasses; ++tree) {
    ASSERT_EQ(screened.trees[tree].split_feature, all.trees[tree].split_feature);
    ASSERT_EQ(screened.trees[tree].leaf_value, all.trees[tree].leaf_value);
  }
  std::set<int> later;
  for (int round = kStart; round < kRounds; round += 3) {
    const std::set<int> of_choice = ColumnsOf(screened, round, std::min(round + 3, kRounds));
    EXPECT_LE(of_choice.size(), kSet);
    EXPECT_TRUE(of_choice.contains(0) && of_choice.contains(1) && of_choice.contains(2));
    later.insert(of_choice.begin(), of_choice.end());
  }
  EXPECT_GT(later.size(), kSet);  // the others change
  EXPECT_GT(ColumnsOf(all, kStart, kRounds).size(), later.size());
}

TEST_F(WorkingSetTest, SameBytesAtAnyNumberOfThreadsAndInEitherGrower) {
  const int threads = ThreadCount();
  for (const Settings& more :
       {Settings{}, Settings{{"monotone_constraints", std::string(2 * kColumns - 1, '0')}}}) {
    Settings settings = kScreened;
    settings.insert(settings.end(), more.begin(), more.end());
    if (!more.empty()) {
      for (size_t i = 1; i < settings.back().second.size(); i += 2) settings.back().second[i] = ',';
    }
    SetThreadCount(1);
    const std::string one = TrainIt(ParamsOf(settings)).ToText();
    SetThreadCount(4);
    EXPECT_EQ(TrainIt(ParamsOf(settings)).ToText(), one);
  }
  SetThreadCount(threads);
}

TEST_F(WorkingSetTest, GoesOnFromASnapshotToTheSameBytes) {
  const auto file = std::filesystem::path(testing::TempDir()) /
                    ("working_set_test_" + std::to_string(getpid()) + ".resume");
  const Params params = ParamsOf(kScreened);
  const std::string whole = TrainIt(params).ToText();
  for (const int killed_after : {2, 5, 9}) {  // in a full round, in the midst of a set's rounds
    TrainOptions options;
    options.snapshot_every = 1;
    options.resume_file = file;
    options.on_round = [&](int rounds, const std::vector<Evaluation>&) {
      if (rounds == killed_after + 1) throw Error(ErrorCode::kFailed, "test", "killed");
    };
    EXPECT_THROW(TrainIt(params, options), Error);
    EXPECT_TRUE(std::filesystem::exists(file));
    options.on_round = nullptr;
    EXPECT_THROW(TrainIt(ParamsOf({}), options), Error);  // left by another training
    EXPECT_EQ(TrainIt(params, options).ToText(), whole) << killed_after;
  }
}

TEST_F(WorkingSetTest, ASetOfAllColumnsIsNone) {
  EXPECT_EQ(TrainIt(ParamsOf({{"feature_screen", "70"}})).ToText(), TrainIt(ParamsOf({})).ToText());
}

TEST_F(WorkingSetTest, RefusesExactMode) {
  Params params = ParamsOf(kScreened);
  params.exact = true;
  EXPECT_THAT([&] { TrainIt(params); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("feature_screen")));
  EXPECT_THAT(
      [&] {
        ParamsOf({{"feature_screen_frek", "2"}});
      },
      testing::ThrowsMessage<Error>(testing::HasSubstr("feature_screen_freq")));
  EXPECT_THROW(ParamsOf({{"feature_screen_freq", "0"}}), Error);
}

}  // namespace
}  // namespace almanac::gbdt
