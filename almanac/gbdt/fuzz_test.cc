// Damaged model and configuration files: an error that names the place, or a model that works.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/places_for_test.h"
#include "almanac/dataset/lcg.h"
#include "almanac/gbdt/config_file.h"
#include "almanac/gbdt/file_job.h"
#include "almanac/gbdt/partial_dependence.h"
#include "almanac/gbdt/predictor.h"
#include "almanac/gbdt/shap.h"

namespace almanac::gbdt {
namespace {

// Changes, drops, repeats and moves bytes; words that are special to readers of numbers too.
std::string Damage(std::string text, Lcg& random) {
  constexpr std::string_view kBytes = "0123456789-+=. \n\te:[]#,";
  const std::string_view kWords[] = {"nan",   "inf", "-1",   "99999999999", "1e999", "2147483648",
                                     "Tree=", "",    "\n\n", "=",           "\0x",   "0x1p3"};
  const size_t changes = 1 + random.Draw16() % 4;
  for (size_t i = 0; i < changes && !text.empty(); ++i) {
    const size_t at = random.Draw31() % text.size();
    const size_t length = std::min<size_t>(text.size() - at, random.Draw16() % 40);
    switch (random.Draw16() % 6) {
      case 0:
        text[at] = kBytes[random.Draw16() % kBytes.size()];
        break;
      case 1:
        text[at] = static_cast<char>(random.Draw16());
        break;
      case 2:
        text.erase(at, length);
        break;
      case 3:
        text.insert(at, text.substr(at, length));
        break;
      case 4:
        text.replace(at, std::min<size_t>(length, 3), kWords[random.Draw16() % std::size(kWords)]);
        break;
      default:
        text.resize(at);
    }
  }
  return text;
}

// Everything that is done with a model that was read.
void Use(const Model& model) {
  const std::vector<double> row(model.columns(), 0.25);
  const Predictor predictor(model);
  std::vector<double> out(predictor.classes());
  predictor.Predict(row, Output::kTransformed, out);
  std::vector<int> leaves(predictor.trees());
  predictor.Leaves(row, leaves);
  ShapValues(model, row);
  PathDependence(model, {{0}, {{0.0, 1.0}}});
  static_cast<void>(model.ToJson());
  EXPECT_EQ(Model::FromText(model.ToText(), "again").trees.size(), model.trees.size());
}

TEST(FuzzTest, ADamagedModelIsAnErrorThatNamesTheLine) {
  const std::regex place(R"(^m\.txt:[0-9]+: )");
  size_t refused = 0, read = 0;
  Lcg random(11);
  for (const char* const name : {"multiclass", "quantile", "sklearn"}) {
    const std::string text =
        ReadFile(SourceFolder() / "almanac/gbdt/testdata" / (std::string(name) + ".model.txt"));
    for (int i = 0; i < 1500; ++i) {
      const std::string damaged = Damage(text, random);
      try {
        const Model model = Model::FromText(damaged, "m.txt");
        ++read;
        if (model.columns() < 100 && model.classes < 100) Use(model);
      } catch (const Error& error) {
        ++refused;
        EXPECT_EQ(error.code(), ErrorCode::kBadData);
        EXPECT_TRUE(std::regex_search(error.what(), place)) << error.what();
      }
    }
  }
  EXPECT_GT(refused, 500U);
  EXPECT_GT(read, 100U);  // a digit that was changed is a model too
}

TEST(FuzzTest, ADamagedConfigurationIsAnErrorThatNamesWhatIsWrong) {
  const std::string text =
      "# a comment\ntask = train\nobjective = multiclass\nnum_class = 3\nmetric=multi_error\n"
      "data = train.csv\nvalid = a.csv, b.csv\nnum_leaves= 31\nlearning_rate = 0.1\n"
      "monotone_constraints = 1,0,-1\nbagging_fraction=0.8\nbagging_freq = 5\n"
      "boosting = dart\ndrop_rate = 0.2\ncategorical_feature = 3,4\nlabel_column = name:y\n"
      "output_model = m.txt\nsnapshot_freq = 10\nheader = true\nseed = 7\n";
  size_t refused = 0, read = 0;
  Lcg random(12);
  for (int i = 0; i < 6000; ++i) {
    try {
      const Settings settings = ParseConfig(Damage(text, random), "train.conf");
      const JobSettings job = JobSettings::Read(settings, {}, "train.conf");
      static_cast<void>(Params::Parse(job.parameters, "train.conf").ToModelText());
      ++read;
    } catch (const Error& error) {
      ++refused;
      EXPECT_EQ(error.code(), ErrorCode::kUsage) << error.what();
      EXPECT_TRUE(std::string_view(error.what()).starts_with("train.conf")) << error.what();
    }
  }
  EXPECT_GT(refused, 1000U);
  EXPECT_GT(read, 500U);
}

}  // namespace
}  // namespace almanac::gbdt
