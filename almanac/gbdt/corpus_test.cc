// Exact mode against LightGBM's own models: every bin, every tree, every prediction, bit for bit.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "almanac/gbdt/corpus_for_test.h"
#include "almanac/gbdt/model.h"
#include "almanac/gbdt/predictor.h"
#include "almanac/gbdt/train.h"

namespace almanac::gbdt {
namespace {

const CorpusTable& Table(const std::string& set, const std::string& part) {
  static std::map<std::string, CorpusTable> tables;
  const std::string file = "lightgbm/" + set + "/" + part + ".csv.zst";
  const auto [table, is_new] = tables.try_emplace(file);
  if (is_new) table->second = ParseCorpusTable(ReadZstd(RealData(file)));
  return table->second;
}

class CorpusTest : public testing::TestWithParam<CorpusCase> {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(RealData("lightgbm"))) {
      GTEST_SKIP() << "../shared/data/lightgbm is not on this machine";
    }
  }
};

class FastCorpusTest : public CorpusTest {};

// The line and what differs in it, or nothing.
std::string FirstDifference(std::string_view ours, std::string_view theirs) {
  std::string context = "header";
  for (size_t line = 1; !ours.empty() || !theirs.empty(); ++line) {
    const std::string_view a = ours.substr(0, ours.find('\n'));
    const std::string_view b = theirs.substr(0, theirs.find('\n'));
    if (b.starts_with("Tree=")) context = b;
    if (a != b) {
      size_t at = 0;
      while (at < a.size() && at < b.size() && a[at] == b[at]) ++at;
      const size_t from = at < 40 ? 0 : at - 40;
      return fmt::format("line {} ({}), column {}: ours \"{}\", theirs \"{}\" in {}", line, context,
                         at, a.substr(std::min(from, a.size()), 100),
                         b.substr(std::min(from, b.size()), 100), b.substr(0, b.find('=')));
    }
    ours.remove_prefix(std::min(a.size() + 1, ours.size()));
    theirs.remove_prefix(std::min(b.size() + 1, theirs.size()));
  }
  return "";
}

TEST_P(CorpusTest, Bins) {
  const CorpusCase& c = GetParam();
  if (!c.Has(".bins.csv.zst")) GTEST_SKIP() << "LightGBM's bins were not recorded";
  const BinnedData data =
      BinnedData::Make(Table(c.set, "train").Source(), Params::Parse(c.GivenSettings(), c.name));
  std::vector<int> feature_of_column(data.column_names().size(), -1);
  for (size_t f = 0; f < data.features(); ++f) {
    feature_of_column[data.column(f)] = static_cast<int>(f);
  }
  const std::string text = "header\n" + c.Read(".bins.csv.zst");
  size_t row = 0, differences = 0;
  std::string first;
  VisitCsv(text, [&](const std::vector<std::string_view>& fields) {
    ASSERT_EQ(fields.size(), feature_of_column.size());
    for (size_t column = 0; column < fields.size(); ++column) {
      const std::string_view theirs = Trim(fields[column]);
      const int feature = feature_of_column[column];
      const std::string ours =
          feature < 0 ? "NA" : std::to_string(data.bin(static_cast<size_t>(feature), row));
      if (ours == theirs) continue;
      if (differences++ == 0) {
        first = fmt::format("row {} column {}: ours {}, theirs {}", row, column, ours, theirs);
      }
    }
    ++row;
  });
  EXPECT_EQ(row, data.rows());
  EXPECT_EQ(differences, 0U) << first;
}

TEST_P(CorpusTest, ModelAndPredictions) {
  const CorpusCase& c = GetParam();
  const CorpusTable &train = Table(c.set, "train"), &test = Table(c.set, "test");
  // Early stopping was a callback of the caller: LightGBM itself did not know of it.
  Params params = Params::Parse(c.GivenSettings(), c.name);
  const int patience = params.early_stopping_round;
  const bool is_weighted = c.ReadJson(".params.json").at("uses_weight_column").get<bool>();
  const BinnedData data = BinnedData::Make(train.Source(), params);
  std::vector<Validation> validations;
  const BinnedData test_data = data.WithSameBins(test.Source());
  if (patience > 0) validations.push_back({"valid_0", test_data, {test.label, {}}});
  TrainResult result = Train(
      params, data,
      {train.label, is_weighted ? std::span<const float>(train.weight) : std::span<const float>()},
      validations);
  params.early_stopping_round = 0;
  result.model.parameters = params.ToModelText();

  std::string theirs = c.Read(".model.txt.zst");
  theirs.resize(theirs.find("\npandas_categorical"));  // what Python adds
  EXPECT_EQ(FirstDifference(result.model.ToText(), theirs), "");
  if (patience == 0) return;
  const Json evaluations = c.ReadJson(".eval.json").at("valid_0");
  const auto values = evaluations.begin()->get<std::vector<double>>();
  EXPECT_EQ(result.evaluations[0].values, values);
  EXPECT_EQ(result.best_round, c.ReadJson(".params.json").at("best_iteration").get<int>());
}

// Held-out loss of fixed point against doubles: the same to a millionth for most bagging seeds;
// where two splits tie, the models part ways and either may be the better one. Hence a mean over
// seeds.
TEST_P(FastCorpusTest, LossWithinAThousandth) {
  const CorpusCase& c = GetParam();
  const CorpusTable &train = Table(c.set, "train"), &test = Table(c.set, "test");
  double sums[2] = {0, 0};
  Settings settings = c.GivenSettings();
  settings.emplace_back("bagging_fraction", "0.8");
  settings.emplace_back("bagging_freq", "1");
  for (int seed = 0; seed < 4; ++seed) {
    Settings seeded = settings;
    seeded.emplace_back("bagging_seed", std::to_string(seed));
    Params params = Params::Parse(seeded, c.name);
    const BinnedData data = BinnedData::Make(train.Source(), params);
    const BinnedData held_out = data.WithSameBins(test.Source());
    for (const bool exact : {false, true}) {
      params.exact = exact;
      const TrainResult result =
          Train(params, data, {train.label, {}}, {{"test", held_out, {test.label, {}}}});
      sums[exact ? 1 : 0] += result.evaluations[0].values.back();
    }
  }
  EXPECT_LT(std::abs(sums[0] / sums[1] - 1), 0.001) << sums[0] << " against " << sums[1];
}

INSTANTIATE_TEST_SUITE_P(LightGbm, FastCorpusTest,
                         testing::Values(CorpusCase{"binary", "base"}, CorpusCase{"multi3", "work"},
                                         CorpusCase{"regr", "base"}),
                         [](const auto& test) { return test.param.set; });

// What LightGBM's predict gave for the test rows, from the model that it wrote.
TEST_P(CorpusTest, PredictionsOfTheRecordedModel) {
  const CorpusCase& c = GetParam();
  const std::string text = c.Read(".model.txt.zst");
  const Model model = Model::FromText(text, c.name);
  EXPECT_EQ(FirstDifference(model.ToText(), text.substr(0, text.find("\npandas_categorical"))), "");

  const Predictor predictor(model);
  const CorpusTable& test = Table(c.set, "test");
  const std::vector<double> raw = predictor.PredictAll(test.Source(), Output::kRaw);
  const std::vector<double> transformed = predictor.PredictAll(test.Source(), Output::kTransformed);
  std::string ours = "header\n";
  const auto classes = static_cast<std::ptrdiff_t>(model.classes);
  for (auto a = raw.begin(), b = transformed.begin(); a != raw.end(); a += classes, b += classes) {
    ours += fmt::format("{:.17g},{:.17g}\n", fmt::join(a, a + classes, ","),
                        fmt::join(b, b + classes, ","));
  }
  const std::string theirs = c.Read(".pred.csv.zst");
  EXPECT_EQ(FirstDifference(ours, "header" + theirs.substr(theirs.find('\n'))), "");
}

std::vector<CorpusCase> AllCases() {
  std::vector<CorpusCase> cases;
  for (const char* set : {"binary", "multi3", "regr"}) {
    for (const char* name : {"base", "cat", "coarse", "colwise", "early", "nobundle", "quant",
                             "rng", "sample", "weighted", "work", "zeromiss"}) {
      cases.push_back({set, name});
    }
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(LightGbm, CorpusTest, testing::ValuesIn(AllCases()),
                         [](const auto& test) { return test.param.set + "_" + test.param.name; });

}  // namespace
}  // namespace almanac::gbdt
