// Small models recorded in testdata/: the engine's guard where LightGBM's corpus is absent. Those
// of Small were made by this engine (make_small.py says how), those of LightGbm by LightGBM itself
// (make_lightgbm.py): of what the corpus does not cover, too.
#include <gtest/gtest.h>

#include <cstdlib>
#include <ostream>

#include "almanac/base/places_for_test.h"
#include "almanac/base/text.h"
#include "almanac/gbdt/corpus_for_test.h"
#include "almanac/gbdt/predictor.h"
#include "almanac/gbdt/train.h"

namespace almanac::gbdt {
namespace {

struct GoldenCase {
  std::string name;
  bool is_weighted;
  Settings settings;

  friend void PrintTo(const GoldenCase& c, std::ostream* out) { *out << c.name; }
};

std::filesystem::path TestData(const std::string& name) {
  return SourceFolder() / "almanac/gbdt/testdata" / name;
}

class GoldenTest : public testing::TestWithParam<GoldenCase> {};

TEST_P(GoldenTest, GivesTheRecordedModel) {
  const GoldenCase& c = GetParam();
  const CorpusTable table = ParseCorpusTable(ReadFile(TestData("small.csv")));
  const Params params = Params::Parse(c.settings, c.name);
  const BinnedData data = BinnedData::Make(table.Source(), params);
  Targets targets{table.label, {}};
  if (c.is_weighted) targets.weight = table.weight;
  const std::string text = Train(params, data, targets).model.ToText();
  const std::filesystem::path file = TestData(c.name + ".model.txt");
  if (std::getenv("ALMANAC_RECORD_GOLDEN") != nullptr) WriteFileAtomic(file, text);
  EXPECT_EQ(text, ReadFile(file));
}

INSTANTIATE_TEST_SUITE_P(Small, GoldenTest,
                         testing::Values(GoldenCase{"multiclass",
                                                    false,
                                                    {{"objective", "multiclass"},
                                                     {"num_class", "3"},
                                                     {"num_iterations", "3"},
                                                     {"num_leaves", "7"},
                                                     {"categorical_feature", "2"},
                                                     {"min_data_per_group", "5"},
                                                     {"feature_fraction", "0.8"},
                                                     {"bagging_fraction", "0.7"},
                                                     {"bagging_freq", "1"},
                                                     {"seed", "7"}}},
                                         GoldenCase{"quantile",
                                                    true,
                                                    {{"objective", "quantile"},
                                                     {"alpha", "0.3"},
                                                     {"num_iterations", "4"},
                                                     {"num_leaves", "6"},
                                                     {"zero_as_missing", "true"},
                                                     {"lambda_l1", "0.2"},
                                                     {"min_data_in_leaf", "10"},
                                                     {"max_bin", "16"}}}),
                         [](const auto& test) { return test.param.name; });

struct LightGbmCase {
  std::string name, settings;  // as make_lightgbm.py has them

  friend void PrintTo(const LightGbmCase& c, std::ostream* out) { *out << c.name; }
};

class LightGbmTest : public testing::TestWithParam<LightGbmCase> {};

TEST_P(LightGbmTest, GivesLightGbmsModel) {
  const LightGbmCase& c = GetParam();
  const CorpusTable table = ParseCorpusTable(ReadFile(TestData("small.csv")));
  Settings settings;
  const std::string text =
      "num_threads=1 deterministic=true force_col_wise=true verbosity=-1 " + c.settings;
  for (const std::string_view word : almanac::Split(text, ' ')) {
    const size_t equals = word.find('=');
    settings.emplace_back(word.substr(0, equals), word.substr(equals + 1));
  }
  const Params params = Params::Parse(settings, c.name);
  const BinnedData data = BinnedData::Make(table.Source(), params);
  const std::string ours = Train(params, data, {table.label, {}}).model.ToText();
  EXPECT_EQ(ours, ReadFile(TestData(c.name + ".model.txt")));
}

INSTANTIATE_TEST_SUITE_P(
    Small, LightGbmTest,
    testing::Values(
        LightGbmCase{"goss",
                     "objective=multiclass num_class=3 data_sample_strategy=goss top_rate=0.3 "
                     "other_rate=0.2 learning_rate=0.3 num_iterations=9 num_leaves=7 seed=7"},
        LightGbmCase{"dart",
                     "objective=multiclass num_class=3 boosting=dart drop_rate=0.4 skip_drop=0.2 "
                     "num_iterations=12 num_leaves=6 seed=11"},
        LightGbmCase{"dart_xgboost",
                     "objective=regression boosting=dart drop_rate=0.5 skip_drop=0.1 max_drop=3 "
                     "uniform_drop=true xgboost_dart_mode=true num_iterations=14 num_leaves=5"},
        LightGbmCase{"monotone",
                     "objective=regression monotone_constraints=1,-1,0,-1,0 monotone_penalty=0.5 "
                     "lambda_l1=0.3 num_iterations=8 num_leaves=9 min_data_in_leaf=8"},
        LightGbmCase{"bounded",
                     "objective=binary monotone_constraints=1,0,0,1,0 categorical_feature=2 "
                     "path_smooth=3 max_delta_step=0.4 min_gain_to_split=0.1 "
                     "feature_fraction_bynode=0.6 seed=3 min_data_per_group=5 is_unbalance=true "
                     "num_iterations=8 num_leaves=8"},
        LightGbmCase{"penalised",
                     "objective=multiclass num_class=3 monotone_constraints=-1,1,0,0,0 "
                     "monotone_penalty=1.5 bagging_fraction=0.7 bagging_freq=2 num_iterations=5 "
                     "num_leaves=10 max_depth=4 min_data_in_leaf=5"}),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace almanac::gbdt
