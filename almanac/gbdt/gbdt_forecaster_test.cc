#include "almanac/gbdt/gbdt_forecaster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/random.h"

namespace almanac {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr size_t kRows = 3000;

// y = 0.01 x0 |x0| + noise; x1 is noise; each tenth x0 is missing, the last label too.
Dataset MakeData() {
  Random random(3);
  FeatureTable table;
  table.names = {{"x0", "ratio"}, {"x1", "ratio"}};
  table.columns.resize(2);
  Labels labels;
  labels.name = "forward_return_1";
  labels.unit = "ratio";
  for (size_t i = 0; i < kRows; ++i) {
    const double x = random.Normal();
    table.index.push_back(static_cast<TimeMs>(i) * kMsPerHour);
    const bool is_missing = i % 10 == 0;
    table.columns[0].push_back(is_missing ? std::numeric_limits<float>::quiet_NaN()
                                          : static_cast<float>(x));
    table.columns[1].push_back(static_cast<float>(random.Normal()));
    const double signal = is_missing ? 0.03 : 0.01 * x * std::abs(x);
    labels.value.push_back(signal + 0.003 * random.Normal());
  }
  labels.value.back() = std::nan("");
  labels.t0 = labels.t1 = table.index;
  return Dataset::Join("X", std::move(table), labels);
}

std::unique_ptr<Forecaster> MakeForecaster(const std::string& yaml) {
  ForecasterKinds kinds;
  kinds.Add("gbdt", GbdtForecasterKind());
  const ConfigDocument document = ConfigDocument::Parse(yaml, "recipe.yaml");
  std::unique_ptr<Forecaster> forecaster = kinds.Make(document.root());
  document.RefuseUnknownKeys();
  return forecaster;
}

std::unique_ptr<Forecaster> SavedAndLoaded(const Forecaster& forecaster) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("almanac-gbdt-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  SaveForecaster(forecaster, folder);
  ForecasterKinds kinds;
  kinds.Add("gbdt", GbdtForecasterKind());
  std::unique_ptr<Forecaster> loaded = kinds.Load(folder);
  std::filesystem::remove_all(folder);
  return loaded;
}

std::string Refusal(const std::string& yaml) {
  try {
    MakeForecaster(yaml);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUsage);
    return error.what();
  }
  return "accepted";
}

constexpr char kRecipe[] =
    "{kind: gbdt, quantiles: [10, 90], parameters: {num_leaves: 15, learning_rate: 0.3,"
    " num_iterations: 200, early_stopping_round: 20}}";

TEST(GbdtForecasterTest, LearnsMissingValuesToo) {
  const Dataset data = MakeData();
  const DataSplit split = data.SplitRows({});
  const auto forecaster = MakeForecaster(kRecipe);
  const FitReport report = forecaster->Fit({data, split.training(), split.rows(Part::kValidation)});
  EXPECT_EQ(report.rows, split.training().size());
  const std::span<const uint32_t> rows = split.rows(Part::kTest);
  const Prediction prediction = forecaster->Predict(data, rows);
  EXPECT_THAT(prediction.extra_names, ElementsAre("q10", "q90"));
  double error = 0, variance = 0;
  int inside = 0, judged = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    const double target = data.target()[rows[i]];
    if (std::isnan(target)) continue;
    ++judged;
    error += (prediction.value[i] - target) * (prediction.value[i] - target);
    variance += target * target;
    inside += target >= prediction.extra[0][i] && target <= prediction.extra[1][i] ? 1 : 0;
  }
  EXPECT_LT(error, 0.12 * variance);
  EXPECT_NEAR(static_cast<double>(inside) / judged, 0.8, 0.1);
  const Json description = forecaster->Describe();
  const Json& value = description.at("models").at("value");
  EXPECT_LT(value.at("rounds").get<size_t>(), value.at("validation").size());
  EXPECT_EQ(value.at("importance").begin().key(), "x0");
}

TEST(GbdtForecasterTest, SavedAndLoadedGivesTheSameBits) {
  const Dataset data = MakeData();
  const DataSplit split = data.SplitRows({});
  const auto forecaster = MakeForecaster(kRecipe);
  forecaster->Fit({data, split.training(), split.rows(Part::kValidation)});
  const auto loaded = SavedAndLoaded(*forecaster);
  const std::span<const uint32_t> rows = split.rows(Part::kTest);
  const Prediction a = forecaster->Predict(data, rows), b = loaded->Predict(data, rows);
  EXPECT_EQ(a.value, b.value);
  EXPECT_EQ(a.extra, b.extra);
  EXPECT_TRUE(forecaster->Describe() == loaded->Describe());
}

TEST(GbdtForecasterTest, RefusesBadConfiguration) {
  EXPECT_THAT(Refusal("{kind: gbdt, parameters: {num_leavs: 3}}"),
              HasSubstr("did you mean num_leaves"));
  EXPECT_THAT(Refusal("{kind: gbdt, quantiles: [90, 10]}"), HasSubstr("ascending"));
  EXPECT_THAT(Refusal("{kind: gbdt, quantiles: [0]}"), HasSubstr("above 0"));
  EXPECT_THAT(Refusal("{kind: gbdt, num_leaves: 3}"), HasSubstr("num_leaves"));
}

// Three classes by x0, with noise; the first rows' labels are missing.
Dataset MakeClasses(size_t classes) {
  const Dataset numbers = MakeData();
  FeatureTable table;
  table.index.assign(numbers.times().begin(), numbers.times().end());
  table.names = {{"x0", "ratio"}, {"x1", "ratio"}};
  for (size_t c = 0; c < 2; ++c) {
    table.columns.emplace_back(numbers.feature(c).begin(), numbers.feature(c).end());
  }
  Labels labels;
  labels.name = "direction";
  labels.unit = "class";
  labels.classes = {"down", "up", "flat"};
  labels.classes.resize(classes);
  labels.t0 = labels.t1 = table.index;
  Random random(5);
  for (size_t i = 0; i < kRows; ++i) {
    const double x = numbers.target()[i] + 0.005 * random.Normal();
    labels.value.push_back(i < 10                ? std::nan("")
                           : classes == 2        ? (x > 0 ? 1 : 0)
                           : std::abs(x) < 0.004 ? 2
                                                 : (x > 0 ? 1 : 0));
  }
  return Dataset::Join("X", std::move(table), labels);
}

TEST(GbdtForecasterTest, ForecastsTheProbabilitiesOfClasses) {
  for (const size_t classes : {2, 3}) {
    const Dataset data = MakeClasses(classes);
    const DataSplit split = data.SplitRows({});
    const auto forecaster = MakeForecaster(
        "{kind: gbdt, parameters: {num_leaves: 7, num_iterations: 40, early_stopping_round: 5}}");
    forecaster->Fit({data, split.training(), split.rows(Part::kValidation)});
    const std::span<const uint32_t> rows = split.rows(Part::kTest);
    const Prediction prediction = forecaster->Predict(data, rows);
    ASSERT_EQ(prediction.extra_names.size(), classes);
    EXPECT_EQ(prediction.extra_names[1], "p_up");
    double loss = 0, naive = 0;
    std::vector<double> frequency(classes, 0);
    for (const uint32_t row : rows) {
      if (!std::isnan(data.target()[row])) ++frequency[static_cast<size_t>(data.target()[row])];
    }
    for (size_t i = 0; i < rows.size(); ++i) {
      double sum = 0;
      for (const auto& column : prediction.extra) sum += column[i];
      EXPECT_NEAR(sum, 1, 1e-9);
      EXPECT_TRUE(std::isnan(prediction.value[i]));
      const double target = data.target()[rows[i]];
      if (std::isnan(target)) continue;
      loss -= std::log(prediction.extra[static_cast<size_t>(target)][i]);
      naive -= std::log(frequency[static_cast<size_t>(target)] / static_cast<double>(rows.size()));
    }
    EXPECT_LT(loss, 0.8 * naive) << "it knows more than how often each class happens";
    const auto loaded = SavedAndLoaded(*forecaster);
    EXPECT_EQ(loaded->Predict(data, rows).extra, prediction.extra);
    EXPECT_EQ(loaded->Predict(data, rows).extra_names, prediction.extra_names);
    EXPECT_TRUE(forecaster->Describe() == loaded->Describe());
  }
}

TEST(GbdtForecasterTest, RefusesATargetThatItsConfigurationCannotForecast) {
  const auto refusal = [](const char* yaml, const std::vector<std::string>& classes) {
    try {
      MakeForecaster(yaml)->CheckTarget(classes);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kUsage);
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  const std::vector<std::string> three = {"down", "flat", "up"};
  const auto with = [](const std::string& text) { return "{kind: gbdt, " + text + "}"; };
  EXPECT_EQ(refusal("{kind: gbdt}", three), "accepted");
  EXPECT_EQ(refusal("{kind: gbdt}", {}), "accepted");
  EXPECT_EQ(refusal(with("parameters: {loss: multiclass, num_classes: 3}").c_str(), three),
            "accepted");
  EXPECT_THAT(refusal(with("parameters: {objective: binary}").c_str(), {}),
              HasSubstr("binary forecasts classes, and the target is a number"));
  EXPECT_THAT(refusal(with("parameters: {objective: binary}").c_str(), three),
              HasSubstr("binary is of two classes, and the target has 3: down, flat, up"));
  EXPECT_THAT(refusal(with("parameters: {application: l2}").c_str(), three),
              HasSubstr("regression forecasts numbers"));
  EXPECT_THAT(refusal(with("parameters: {objective: multiclass, num_class: 4}").c_str(), three),
              HasSubstr("4, and the target has 3 classes"));
  EXPECT_THAT(refusal(with("quantiles: [5]").c_str(), three), HasSubstr("leave quantiles out"));
}

TEST(GbdtForecasterTest, RefusesWrongUse) {
  const Dataset data = MakeData();
  const auto forecaster = MakeForecaster("{kind: gbdt}");
  EXPECT_THROW(forecaster->Predict(data, {}), Error);
  EXPECT_THROW(forecaster->Save("."), Error);
  const DataSplit split = data.SplitRows({});
  forecaster->Fit({data, split.training()});
  FeatureTable table;
  table.names = {{"x0", "ratio"}};
  table.columns = {{1.0F}};
  table.index = {0};
  const Dataset other = Dataset::Unlabelled("X", std::move(table));
  EXPECT_THROW(forecaster->Predict(other, std::vector<uint32_t>{0}), Error);
}

}  // namespace
}  // namespace almanac
