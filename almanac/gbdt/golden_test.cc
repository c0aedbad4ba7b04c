// Small models recorded in testdata/ (make_small.py says how): the engine's guard where LightGBM's
// own models are absent.
#include <gtest/gtest.h>

#include <cstdlib>
#include <ostream>

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
  return std::filesystem::path(ALMANAC_SOURCE_DIR) / "almanac/gbdt/testdata" / name;
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

}  // namespace
}  // namespace almanac::gbdt
