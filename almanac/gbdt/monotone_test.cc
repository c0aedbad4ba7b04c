// Models under monotone constraints never go against them, whatever else is asked for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "almanac/base/error.h"
#include "almanac/gbdt/predictor.h"
#include "almanac/gbdt/toy_data_for_test.h"
#include "almanac/gbdt/train.h"

namespace almanac::gbdt {
namespace {

using testing::HasSubstr;

// Column 0 raises the label, with waves; column 1 lowers it; column 2 raises it too but is to be
// falling. Columns 3 and on are noise and not constrained.
constexpr size_t kColumns = 5;
const char* const kTrends = "1,-1,-1,0,0";
constexpr int kTrendOf[kColumns] = {1, -1, -1, 0, 0};

ToyData WavyData(uint32_t seed) {
  ToyData toy(1500, kColumns, seed);
  for (size_t row = 0; row < toy.label.size(); ++row) {
    const std::vector<double> x = toy.Row(row);
    const auto or_zero = [](double value) { return std::isnan(value) ? 0.0 : value; };
    const double waves = std::sin(9 * or_zero(x[0])) + std::sin(7 * or_zero(x[1]));
    toy.label[row] += static_cast<float>(0.8 * waves - 2 * or_zero(x[1]));
  }
  return toy;
}

// How much the raw scores go against the constraints along lines through random rows.
double WorstStep(const Model& model, uint32_t seed) {
  const Predictor predictor(model);
  const ToyData through(25, kColumns, seed);
  double worst = 0;
  std::vector<double> last(predictor.classes()), now(predictor.classes());
  for (size_t row = 0; row < through.label.size(); ++row) {
    for (size_t c = 0; c < kColumns; ++c) {
      std::vector<double> x = through.Row(row);
      for (int step = 0; step <= 200; ++step) {
        x[c] = -1.1 + step * 0.011;
        predictor.Predict(x, Output::kRaw, now);
        for (size_t k = 0; step > 0 && k < now.size(); ++k) {
          worst = std::max(worst, -kTrendOf[c] * (now[k] - last[k]));
        }
        last = now;
      }
    }
  }
  return worst;
}

TrainResult TrainWavy(Settings settings, bool exact, bool constrained = true) {
  settings.emplace_back("num_iterations", "20");
  if (constrained) settings.emplace_back("monotone_constraints", kTrends);
  Params params = Params::Parse(settings, "test");
  params.exact = exact;
  const ToyData toy = WavyData(7);
  const std::vector<float> classes = toy.Classes(params.objective == "multiclass" ? 3 : 2);
  return Train(params, BinnedData::Make(toy.Source(), params),
               {params.objective.starts_with("regression") ? std::span<const float>(toy.label)
                                                           : std::span<const float>(classes),
                {}});
}

TEST(MonotoneTest, PredictionsNeverGoAgainstTheConstraints) {
  const std::vector<Settings> cases = {
      {},
      {{"path_smooth", "5"}},
      {{"max_delta_step", "0.3"}, {"lambda_l1", "0.5"}},
      {{"objective", "binary"}, {"monotone_penalty", "1.5"}},
      {{"objective", "binary"}, {"categorical_feature", "4"}},
      {{"objective", "multiclass"}, {"num_class", "3"}, {"min_data_in_leaf", "3"}},
      {{"bagging_fraction", "0.6"}, {"bagging_freq", "1"}, {"feature_fraction_bynode", "0.7"}},
      {{"use_quantized_grad", "true"}, {"stochastic_rounding", "false"}},
      {{"use_quantized_grad", "true"},
       {"stochastic_rounding", "false"},
       {"quant_train_renew_leaf", "true"}}};
  for (const Settings& settings : cases) {
    for (const bool exact : {true, false}) {
      const Model model = TrainWavy(settings, exact).model;
      EXPECT_EQ(WorstStep(model, 11), 0) << testing::PrintToString(settings) << exact;
      EXPECT_GT(model.FeatureImportance(Importance::kSplits)[0], 0);
    }
  }
  EXPECT_GT(WorstStep(TrainWavy({}, true, false).model, 11), 0.2);  // what they prevent
}

TEST(MonotoneTest, APenaltyKeepsConstrainedColumnsFromTheTopOfTrees) {
  for (const Tree& tree : TrainWavy({{"monotone_penalty", "2"}}, true).model.trees) {
    ASSERT_GT(tree.nodes(), 0U);
    EXPECT_GE(tree.split_feature[0], 3);  // the root's split is along a column without constraint
  }
}

TEST(MonotoneTest, TheModelFileKeepsThem) {
  const Model model = TrainWavy({}, true).model;
  EXPECT_THAT(model.ToText(), HasSubstr("\nmonotone_constraints=1 -1 -1 0 0\n"));
  EXPECT_THAT(model.ToText(), HasSubstr("\n[monotone_constraints: 1,-1,-1,0,0]\n"));
  EXPECT_EQ(Model::FromText(model.ToText(), "file").monotone_constraints,
            std::vector<int>({1, -1, -1, 0, 0}));
}

std::string ComplaintOf(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(MonotoneTest, WrongConstraintsAreRefused) {
  const auto parse = [](const Settings& settings) {
    return ComplaintOf([&] { Params::Parse(settings, "test"); });
  };
  EXPECT_THAT(parse({{"mc", "1,2"}}), HasSubstr("\"2\" is no constraint"));
  EXPECT_THAT(parse({{"mc", "[1,0]"}, {"objective", "quantile"}}), HasSubstr("quantiles"));
  EXPECT_THAT(parse({{"mc", "1,0"}, {"cat_feature", "0"}}), HasSubstr("which is categorical"));
  EXPECT_THAT(parse({{"mc", "1,0"}, {"max_depth", "3"}, {"monotone_penalty", "3"}}),
              HasSubstr("forbids all splits"));
  EXPECT_THAT(parse({{"monotone_constraints_method", "advanced"}}), HasSubstr("not implemented"));
  const ToyData toy(100, 3, 1);
  const Params params = Params::Parse({{"mc", "1,0"}, {"min_data_in_leaf", "5"}}, "test");
  EXPECT_THAT(ComplaintOf([&] {
                Train(params, BinnedData::Make(toy.Source(), params), {toy.label, {}});
              }),
              HasSubstr("there are 2 for 3 columns"));
}

}  // namespace
}  // namespace almanac::gbdt
