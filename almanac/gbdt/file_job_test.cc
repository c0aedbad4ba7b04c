#include "almanac/gbdt/file_job.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "almanac/base/cancel.h"
#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/random.h"
#include "almanac/base/test_folder.h"
#include "almanac/base/text.h"
#include "almanac/gbdt/config_file.h"
#include "almanac/gbdt/predictor.h"
#include "almanac/gbdt/shap.h"
#include "almanac/lake/npy.h"

namespace almanac::gbdt {
namespace {

namespace fs = std::filesystem;

constexpr size_t kRows = 400;

// label, weight and three features, one with missing values.
struct Example {
  std::vector<std::string> names = {"y", "w", "a", "b", "c"};
  std::vector<std::vector<double>> columns = std::vector<std::vector<double>>(5);

  explicit Example(uint64_t seed) {
    Random random(seed);
    for (size_t row = 0; row < kRows; ++row) {
      const double a = random.Normal(), b = random.Normal(), c = std::floor(3 * random.Uniform());
      columns[0].push_back(a + b * c + 0.1 * random.Normal() > 0 ? 1 : 0);
      columns[1].push_back(0.5 + random.Uniform());
      columns[2].push_back(a);
      columns[3].push_back(row % 7 == 0 ? std::numeric_limits<double>::quiet_NaN() : b);
      columns[4].push_back(c);
    }
  }

  std::string Text(char separator, bool has_header, const std::vector<size_t>& chosen) const {
    std::string text;
    const auto add = [&](size_t i, const std::string& field) {
      text += field;
      text += i + 1 == chosen.size() ? '\n' : separator;
    };
    for (size_t i = 0; has_header && i < chosen.size(); ++i) add(i, names[chosen[i]]);
    for (size_t row = 0; row < kRows; ++row) {
      for (size_t i = 0; i < chosen.size(); ++i) {
        const double value = columns[chosen[i]][row];
        add(i, std::isnan(value) ? "" : fmt::format("{:.17g}", value));
      }
    }
    return text;
  }
};

class FileJobTest : public testing::Test {
 protected:
  fs::path Write(const std::string& name, const std::string& content) const {
    WriteFileAtomic(folder_.path() / name, content);
    return folder_.path() / name;
  }
  fs::path Path(const std::string& name) const { return folder_.path() / name; }

  // `settings` count more than what all tests share.
  JobSettings Job(const Settings& settings, const fs::path& data) const {
    const Settings shared = {{"data", data.string()},
                             {"num_leaves", "7"},
                             {"num_iterations", "12"},
                             {"objective", "binary"},
                             {"output_model", Path("model.txt").string()}};
    return JobSettings::Read(shared, settings, "test");
  }
  std::string Train(const Settings& settings, const fs::path& data) const {
    return TrainFromFiles(Job(settings, data), /*exact=*/true, {}).model.ToText();
  }
  std::vector<std::vector<double>> Predict(const fs::path& data, const std::string& kind = "",
                                           const std::string& weight = "") {
    Settings settings = {{"data", data.string()},
                         {"weight_column", weight},
                         {"input_model", Path("model.txt").string()},
                         {"output_result", Path("out.csv").string()}};
    if (!kind.empty()) settings.emplace_back(kind, "true");
    PredictFromFiles(JobSettings::Read({}, settings, "test"));
    std::vector<std::vector<double>> rows;
    const std::string text = ReadFile(Path("out.csv"));
    for (const std::string_view line : almanac::Split(text, '\n')) {
      if (line.empty()) continue;
      std::vector<double>& row = rows.emplace_back();
      for (const std::string_view field : almanac::Split(line, ',')) {
        row.push_back(*ParseDouble(field));
      }
    }
    return rows;
  }

  TestFolder folder_;
  Example example_{1};
};

std::string MessageOf(const std::function<void()>& body, ErrorCode code) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error";
  return "";
}

TEST_F(FileJobTest, EveryFormOfTheSameDataGivesTheSameModel) {
  const fs::path csv = Write("a.csv", example_.Text(',', true, {0, 1, 2, 3, 4}));
  const std::string model = Train({{"label_column", "name:y"}, {"weight_column", "name:w"}}, csv);
  const fs::path tsv = Write("a.tsv", example_.Text('\t', true, {2, 1, 3, 4, 0}));
  EXPECT_EQ(model, Train({{"label_column", "4"}, {"weight_column", "1"}}, tsv));
  // Numbers do not count the label; names are then generated.
  const fs::path bare = Write("b.csv", example_.Text(',', false, {0, 1, 2, 3, 4}));
  const std::string renamed = Train({{"weight_column", "0"}}, bare);
  EXPECT_EQ(Model::FromText(renamed, "renamed").feature_names,
            (std::vector<std::string>{"Column_0", "Column_1", "Column_2"}));
  EXPECT_EQ(Model::FromText(renamed, "renamed").trees.size(), 12U);
  EXPECT_EQ(Predict(bare, "", "0").size(), kRows);
  EXPECT_THAT(MessageOf([&] { Predict(bare); }, ErrorCode::kBadData),
              testing::HasSubstr("has 5 columns, 4 of them features; the model has 3"));
}

TEST_F(FileJobTest, ArraysOfBothOrdersAreRead) {
  const fs::path bare = Write("b.csv", example_.Text(',', false, {0, 2, 3, 4}));
  const std::string model = Train({}, bare);
  for (const bool fortran : {false, true}) {
    std::string bytes = NpyPreamble({"<f8", fortran, {kRows, 4}});
    const std::vector<size_t> chosen = {0, 2, 3, 4};
    for (size_t i = 0; i < kRows * 4; ++i) {
      const size_t row = fortran ? i % kRows : i / 4, c = fortran ? i / kRows : i % 4;
      const double value = example_.columns[chosen[c]][row];
      bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
    }
    EXPECT_EQ(model, Train({}, Write(fmt::format("{}.npy", fortran), bytes)));
  }
}

TEST_F(FileJobTest, WeightsMayLieBesideTheData) {
  const fs::path csv = Write("a.csv", example_.Text(',', true, {0, 1, 2, 3, 4}));
  const std::string model = Train({{"weight_column", "name:w"}}, csv);
  const fs::path other = Write("b.csv", example_.Text(',', true, {0, 2, 3, 4}));
  EXPECT_NE(model, Train({}, other));
  Write("b.csv.weight", example_.Text(',', false, {1}));
  EXPECT_EQ(model, Train({}, other));
  Write("b.csv.weight", "1\n2\n");
  EXPECT_THAT(MessageOf([&] { Train({}, other); }, ErrorCode::kBadData),
              testing::HasSubstr("one weight a row"));
}

TEST_F(FileJobTest, PredictionsMatchColumnsByName) {
  const fs::path csv = Write("a.csv", example_.Text(',', true, {0, 2, 3, 4}));
  const std::string text = Train({}, csv);
  const Model model = Model::FromText(text, "model");
  const Predictor predictor(model);
  const std::vector<std::vector<double>> found =
      Predict(Write("shuffled.csv", example_.Text(',', true, {4, 1, 2, 3})));
  ASSERT_EQ(found.size(), kRows);
  const auto leaves = Predict(csv, "predict_leaf_index");
  const auto raw = Predict(csv, "predict_raw_score");
  const auto shap = Predict(csv, "predict_contrib");
  for (size_t row = 0; row < kRows; ++row) {
    const std::vector<double> values = {example_.columns[2][row], example_.columns[3][row],
                                        example_.columns[4][row]};
    std::vector<double> expected(1);
    predictor.Predict(values, Output::kTransformed, expected);
    EXPECT_EQ(found[row], expected);
    predictor.Predict(values, Output::kRaw, expected);
    EXPECT_EQ(raw[row], expected);
    EXPECT_EQ(shap[row], ShapValues(model, values));
    ASSERT_EQ(leaves[row].size(), model.trees.size());
    EXPECT_EQ(leaves[row][3], static_cast<double>(model.trees[3].LeafOf(values)));
  }
}

TEST_F(FileJobTest, CommandLineCountsMoreThanTheFile) {
  const Settings config = ParseConfig(
      "# LightGBM's example\ntask = train\nnum_trees = 5 # few\nmetric = auc\n\ndata=\"x\"\n",
      "train.conf");
  const JobSettings job =
      JobSettings::Read(config, {{"n_estimators", "7"}, {"train", "y"}}, "test");
  EXPECT_EQ(job.data, "y");
  ASSERT_EQ(job.parameters.size(), 2U);
  EXPECT_EQ(job.parameters[0].second, "7");
}

TEST_F(FileJobTest, TrainingMetricIsReportedAndDoesNotStop) {
  const fs::path csv = Write("a.csv", example_.Text(',', true, {0, 2, 3, 4}));
  const fs::path other = Write("v.csv", Example(2).Text(',', true, {4, 0, 2, 3}));
  Settings settings = {{"valid", other.string()}, {"early_stopping_round", "3"}};
  const TrainReport alone = TrainFromFiles(Job(settings, csv), true, {});
  settings.emplace_back("is_training_metric", "true");
  int calls = 0;
  const TrainReport both =
      TrainFromFiles(Job(settings, csv), true, [&](int rounds, const auto&) { calls = rounds; });
  EXPECT_EQ(alone.model.ToText(), both.model.ToText());
  ASSERT_EQ(both.evaluations.size(), 2U);
  EXPECT_EQ(both.evaluations[0].validation, "training");
  EXPECT_EQ(both.evaluations[1].values, alone.evaluations[0].values);
  EXPECT_EQ(static_cast<size_t>(calls), both.evaluations[0].values.size());
  // Without a set that can stop it, early stopping is refused.
  EXPECT_THAT(MessageOf(
                  [&] {
                    Train({{"is_training_metric", "1"}, {"early_stopping_round", "3"}}, csv);
                  },
                  ErrorCode::kUsage),
              testing::HasSubstr("no validation set"));
}

TEST_F(FileJobTest, ABrokenTrainingGoesOnToTheSameBytes) {
  const fs::path csv = Write("a.csv", example_.Text(',', true, {0, 2, 3, 4}));
  const fs::path other = Write("v.csv", Example(2).Text(',', true, {0, 2, 3, 4}));
  const Settings settings = {{"valid", other.string()},         {"early_stopping_round", "9"},
                             {"bagging_fraction", "0.7"},       {"bagging_freq", "2"},
                             {"feature_fraction", "0.7"},       {"snapshot_freq", "3"},
                             {"feature_fraction_bynode", "0.7"}};
  const TrainReport whole = TrainFromFiles(Job(settings, csv), true, {});
  EXPECT_FALSE(fs::exists(Path("model.txt.resume")));
  EXPECT_TRUE(fs::exists(Path("model.txt.snapshot_iter_9")));
  struct Killed {};
  for (const int at : {1, 4, 8}) {
    fs::remove(Path("model.txt"));
    EXPECT_THROW(TrainFromFiles(Job(settings, csv), true,
                                [&](int rounds, const auto&) {
                                  if (rounds == at) throw Killed();
                                }),
                 Killed);
    EXPECT_EQ(fs::exists(Path("model.txt.resume")), at > 3);
    int first = 0;
    const TrainReport resumed =
        TrainFromFiles(Job(settings, csv), true, [&](int rounds, const auto&) {
          if (first == 0) first = rounds;
        });
    EXPECT_EQ(first, at / 3 * 3 + 1);
    EXPECT_EQ(ReadFile(Path("model.txt")), whole.model.ToText());
    EXPECT_EQ(resumed.evaluations[0].values, whole.evaluations[0].values);
    EXPECT_EQ(resumed.model.FeatureImportance(Importance::kGain),
              whole.model.FeatureImportance(Importance::kGain));
  }
  // What belongs to another training, or is damaged, is refused.
  EXPECT_THROW(TrainFromFiles(Job(settings, csv), true,
                              [&](int rounds, const auto&) {
                                if (rounds == 7) throw Killed();
                              }),
               Killed);
  Settings changed = settings;
  changed.emplace_back("lambda_l2", "1");
  EXPECT_THAT(MessageOf([&] { Train(changed, csv); }, ErrorCode::kUsage),
              testing::HasSubstr("other parameters or data"));
  std::string bytes = ReadFile(Path("model.txt.resume"));
  bytes[bytes.size() / 2] ^= 1;
  WriteFileAtomic(Path("model.txt.resume"), bytes);
  EXPECT_THAT(MessageOf([&] { Train(settings, csv); }, ErrorCode::kBadData),
              testing::HasSubstr("is damaged"));
}

TEST_F(FileJobTest, ContinuedTrainingAddsTreesToTheScores) {
  const fs::path csv = Write("a.csv", example_.Text(',', true, {0, 2, 3, 4}));
  const Model base = Model::FromText(Train({}, csv), "base");
  fs::rename(Path("model.txt"), Path("base.txt"));
  const Model more =
      Model::FromText(Train({{"input_model", Path("base.txt").string()}}, csv), "more");
  ASSERT_EQ(more.trees.size(), 2 * base.trees.size());
  // Without sampling, going on is nearly the same as never having stopped.
  const Model whole = Model::FromText(Train({{"n_iter", "24"}}, csv), "whole");
  const Predictor continued(more), unbroken(whole);
  for (size_t row = 0; row < kRows; ++row) {
    const std::vector<double> values = {example_.columns[2][row], example_.columns[3][row],
                                        example_.columns[4][row]};
    std::vector<double> a(1), b(1);
    continued.Predict(values, Output::kRaw, a);
    unbroken.Predict(values, Output::kRaw, b);
    EXPECT_NEAR(a[0], b[0], 1e-9);
  }
}

struct WrongUse {
  std::string text;  // of the data file
  Settings settings;
  ErrorCode code;
  std::string message;
};

TEST_F(FileJobTest, WrongUsesAreNamed) {
  const std::string good = "y,a,b\n1,2,3\n0,3,4\n";
  const std::vector<WrongUse> uses = {
      {"y,a,b\n1,2,3\n0,x,4\n", {}, ErrorCode::kBadData, ":3: column a: \"x\" is not a number"},
      {"y,a,b\n1,2,3\n0,4\n", {}, ErrorCode::kBadData, ":3: has 2 fields, the first line 3"},
      {"1 2:0.5\n", {}, ErrorCode::kBadData, "has a header but no rows"},
      {"1,2:0.5\n0,3:1\n", {{"header", "false"}}, ErrorCode::kBadData, "LibSVM"},
      {"", {}, ErrorCode::kBadData, "is empty"},
      {"y,a,a\n1,2,3\n", {}, ErrorCode::kBadData, "two columns called \"a\""},
      {good, {{"label_column", "name:z"}}, ErrorCode::kUsage, "has no column \"z\""},
      {good, {{"label_column", "3"}}, ErrorCode::kUsage, "there is no column 3"},
      {good, {{"ignore_column", "name:a,b"}}, ErrorCode::kUsage, "no column is left"},
      {good, {{"weight_column", "name:y"}}, ErrorCode::kUsage, "has another role already"},
      {good, {{"weight_column", "ab"}}, ErrorCode::kUsage, "give name:ab"},
      {"1,2,3\n0,3,4\n", {{"label_column", "name:y"}}, ErrorCode::kUsage, "has no header"},
      {good, {{"task", "refit"}}, ErrorCode::kUsage, "it can be train or predict"},
      {good, {{"num_leafs", "3"}}, ErrorCode::kUsage, "did you mean num_leaf?"},
      {good, {{"save_binary", "true"}}, ErrorCode::kUsage, "save_binary = true is not implemented"},
      {good, {{"valid", "none.csv"}}, ErrorCode::kUsage, "none.csv: there is no such file"},
      {good, {{"output_model", "/none/m.txt"}}, ErrorCode::kUsage, "a folder that exists"},
      {good, {{"n_iter", "-1"}}, ErrorCode::kUsage, "it must be at least 0"},
      {good, {{"n_iter", "1"}, {"num_trees", "2"}}, ErrorCode::kUsage, "set the same parameter"},
  };
  for (const WrongUse& use : uses) {
    const fs::path file = Write("bad.csv", use.text);
    const std::string message = MessageOf([&] { Train(use.settings, file); }, use.code);
    EXPECT_THAT(message, testing::HasSubstr(use.message));
  }
}

TEST(ConfigFile, LinesThatAreNoSettingsAreNamed) {
  EXPECT_EQ(ParseConfig("a = 1\n# b = 2\n  c='x y'  \n", "f"),
            (Settings{{"a", "1"}, {"c", "x y"}}));
  EXPECT_THAT(MessageOf([] { ParseConfig("a = 1\nnonsense\n", "f"); }, ErrorCode::kUsage),
              testing::HasSubstr("f:2: \"nonsense\" is no setting"));
  EXPECT_THAT(MessageOf([] { ParseAssignments({"= 3"}); }, ErrorCode::kUsage),
              testing::HasSubstr("write key = value"));
}

}  // namespace
}  // namespace almanac::gbdt
