#include "almanac/forecast/forecaster.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/error_for_test.h"
#include "almanac/base/file.h"
#include "almanac/base/places_for_test.h"
#include "almanac/feature/random_series_for_test.h"
#include "almanac/forecast/baseline.h"
#include "almanac/forecast/momentum.h"
#include "almanac/forecast/ridge.h"
#include "almanac/target/volatility.h"

namespace almanac {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ForecasterTest : public testing::Test {
 protected:
  ForecasterTest() {
    folder_ =
        std::filesystem::temp_directory_path() / ("almanac-forecast-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
  }
  ~ForecasterTest() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_;
};

const Json& Golden() {
  static const Json kGolden =
      Json::parse(ReadFile(SourceFolder() / "almanac/forecast/testdata/golden.json"));
  return kGolden;
}

Dataset GoldenData() {
  FeatureTable table;
  for (const Json& column : Golden().at("x")) {
    table.names.push_back({"x" + std::to_string(table.columns.size()), "ratio"});
    table.columns.push_back(column.get<std::vector<float>>());
  }
  Labels labels;
  labels.name = "forward_return_1";
  labels.unit = "ratio";
  labels.value = Golden().at("y").get<std::vector<double>>();
  for (size_t i = 0; i < labels.value.size(); ++i) {
    table.index.push_back(static_cast<TimeMs>(i) * kMsPerHour);
  }
  labels.t0 = labels.t1 = table.index;
  return Dataset::Join("X", std::move(table), labels);
}

DataSplit GoldenSplit(const Dataset& data) {
  SplitSpec spec;
  spec.validation_from = spec.test_from = Golden().at("training").get<TimeMs>() * kMsPerHour;
  return data.SplitRows(spec);
}

void ExpectClose(double value, double golden) {
  EXPECT_LE(std::abs(value - golden), 1e-9 * std::abs(golden)) << value << " against " << golden;
}

TEST_F(ForecasterTest, RidgeAgreesWithScikitLearn) {
  const Dataset data = GoldenData();
  const DataSplit split = GoldenSplit(data);
  for (const Json& fit : Golden().at("fits")) {
    RidgeForecaster ridge({{fit.at("lambda").get<double>()}, 5});
    const FitReport report = ridge.Fit({data, split.training()});
    EXPECT_EQ(report.rows, 96U);
    EXPECT_EQ(report.dropped, 0U);
    ExpectClose(ridge.intercept(), fit.at("intercept").get<double>());
    const auto coefficients = fit.at("coefficients").get<std::vector<double>>();
    for (size_t c = 0; c < coefficients.size(); ++c) {
      ExpectClose(ridge.coefficients()[c], coefficients[c]);
    }
    const auto forecasts = fit.at("forecasts").get<std::vector<double>>();
    const Prediction prediction = ridge.Predict(data, split.rows(Part::kTest));
    ASSERT_EQ(prediction.value.size(), forecasts.size());
    for (size_t i = 0; i < forecasts.size(); ++i) ExpectClose(prediction.value[i], forecasts[i]);
  }
}

TEST_F(ForecasterTest, RidgeChoosesLambdaInsideTheTrainingPart) {
  const Dataset data = GoldenData();
  const auto lambdas = Golden().at("lambdas").get<std::vector<double>>();
  const auto errors = Golden().at("fold_errors").get<std::vector<double>>();
  RidgeForecaster ridge({lambdas, Golden().at("folds").get<size_t>()});
  ridge.Fit({data, GoldenSplit(data).training()});
  ASSERT_EQ(ridge.fold_errors().size(), errors.size());
  for (size_t l = 0; l < errors.size(); ++l) ExpectClose(ridge.fold_errors()[l], errors[l]);
  const auto best =
      static_cast<size_t>(std::min_element(errors.begin(), errors.end()) - errors.begin());
  EXPECT_EQ(ridge.lambda(), lambdas[best]);
  RidgeForecaster direct({{lambdas[best]}, 5});
  direct.Fit({data, GoldenSplit(data).training()});
  EXPECT_EQ(ridge.coefficients(), direct.coefficients());
}

// What a forecast is made of: rows that are alone give the same bits as in company.
TEST_F(ForecasterTest, RidgeIsTheSameSavedLoadedAndRowByRow) {
  const Dataset data = GoldenData();
  const DataSplit split = GoldenSplit(data);
  RidgeForecaster ridge({{0.1, 1.0}, 3});
  ridge.Fit({data, split.training()});
  SaveForecaster(ridge, folder_);
  const std::unique_ptr<Forecaster> loaded = ForecasterKinds::BuiltIn().Load(folder_);
  EXPECT_EQ(loaded->kind(), "ridge");
  EXPECT_EQ(loaded->Describe(), ridge.Describe());
  const Prediction before = ridge.Predict(data, split.rows(Part::kTest));
  EXPECT_EQ(loaded->Predict(data, split.rows(Part::kTest)).value, before.value);
  for (size_t i = 0; i < before.value.size(); ++i) {
    EXPECT_EQ(loaded->Predict(data, split.rows(Part::kTest).subspan(i, 1)).value[0],
              before.value[i]);
  }
  const std::string first = ReadFile(folder_ / "ridge.json");
  RidgeForecaster again({{0.1, 1.0}, 3});
  again.Fit({data, split.training()});
  SaveForecaster(again, folder_);
  EXPECT_EQ(ReadFile(folder_ / "ridge.json"), first);
}

// A signal that is in the features is found, and what cannot be known is left as NaN.
TEST_F(ForecasterTest, RidgeLeavesOutRowsWithoutFeatures) {
  const CandleSeries series = RandomSeries(800, 3);
  const FeatureSet set(
      {{"log_return", {{"window", 1}}}, {"realised_volatility", {{"window", 24}}}});
  const Dataset data = Dataset::Join("X", BuildFeatures(set, series),
                                     BuildLabels({TargetKind::kForwardReturn, 3, false}, series));
  const DataSplit split = data.SplitRows({});
  RidgeForecaster ridge;
  const FitReport report = ridge.Fit({data, split.training()});
  EXPECT_EQ(report.dropped, 24U);
  EXPECT_EQ(report.rows + report.dropped, split.training().size());
  const std::vector<uint32_t> rows = {0, 23, 24, 799};
  const Prediction prediction = ridge.Predict(data, rows);
  EXPECT_TRUE(std::isnan(prediction.value[0]));
  EXPECT_TRUE(std::isnan(prediction.value[1]));
  EXPECT_FALSE(std::isnan(prediction.value[2]));
  EXPECT_FALSE(std::isnan(prediction.value[3]));
}

TEST_F(ForecasterTest, RidgeRefusesWhatItCannotLearn) {
  const Dataset data = GoldenData();
  FeatureTable doubled;
  doubled.index.assign(data.times().begin(), data.times().end());
  for (int copy = 0; copy < 2; ++copy) {
    doubled.names.push_back({"x" + std::to_string(copy), ""});
    doubled.columns.emplace_back(data.feature(0).begin(), data.feature(0).end());
  }
  Labels labels;
  labels.t0 = labels.t1 = doubled.index;
  labels.value.assign(data.target().begin(), data.target().end());
  const Dataset twice = Dataset::Join("X", std::move(doubled), labels);
  RidgeForecaster loose({{0.0}, 5});
  EXPECT_THAT(MessageOf([&] {
                loose.Fit({twice, GoldenSplit(twice).training()});
              }),
              HasSubstr("give a larger lambda"));
  RidgeForecaster ridge;
  EXPECT_THAT(MessageOf([&] { ridge.Predict(data, {}); }), HasSubstr("Predict before Fit"));
  EXPECT_THAT(MessageOf([&] { ridge.Save(folder_); }), HasSubstr("Save before Fit"));
  ridge.Fit({twice, GoldenSplit(twice).training()});
  EXPECT_THAT(MessageOf([&] { ridge.Predict(data, {}); }), HasSubstr("was fitted"));
  EXPECT_THROW(RidgeForecaster({{-1.0}, 5}), Error);
  EXPECT_THROW(RidgeForecaster({{}, 5}), Error);
  RidgeForecaster many({{0.1, 1.0}, 60});
  EXPECT_THAT(MessageOf([&] {
                many.Fit({data, GoldenSplit(data).training()});
              }),
              testing::AnyOf(HasSubstr("folds"), HasSubstr("training rows")));
}

TEST_F(ForecasterTest, BaselinesGiveOneNumber) {
  const Dataset data = GoldenData();
  const DataSplit split = GoldenSplit(data);
  const std::vector<uint32_t> rows = {0, 100};
  BaselineForecaster naive(BaselineForecaster::Rule::kNaive);
  naive.Fit({data, split.training()});
  EXPECT_THAT(naive.Predict(data, rows).value, ElementsAre(0.0, 0.0));
  BaselineForecaster drift(BaselineForecaster::Rule::kDrift);
  const FitReport report = drift.Fit({data, split.training()});
  EXPECT_EQ(report.rows, 96U);
  double sum = 0;
  for (size_t i = 0; i < 96; ++i) sum += data.target()[i];
  EXPECT_THAT(drift.Predict(data, rows).value, ElementsAre(sum / 96, sum / 96));
  SaveForecaster(drift, folder_);
  const std::unique_ptr<Forecaster> loaded = ForecasterKinds::BuiltIn().Load(folder_);
  EXPECT_EQ(loaded->kind(), "drift");
  EXPECT_EQ(loaded->Predict(data, rows).value, drift.Predict(data, rows).value);
}

TEST_F(ForecasterTest, NaiveOfALevelIsTheLastOneKnown) {
  const CandleSeries series = RandomSeries(100, 3);
  const Labels labels = BuildLabels(VolatilitySpec{6}, series);
  const Dataset data = Dataset::Join(
      "X", BuildFeatures(FeatureSet({{"log_return", {{"window", 1}}}}), series), labels);
  EXPECT_TRUE(data.target_is_level());
  BaselineForecaster naive(BaselineForecaster::Rule::kNaive);
  naive.Fit({data, data.SplitRows({}).training()});
  const std::vector<uint32_t> rows = {5, 6, 50, 99};
  const std::vector<double> value = naive.Predict(data, rows).value;
  EXPECT_TRUE(std::isnan(value[0]));  // no six bars have passed
  EXPECT_EQ(value[1], labels.value[0]);
  EXPECT_EQ(value[2], labels.value[44]);
  EXPECT_EQ(value[3], labels.value[93]);  // whose own label is not known
  SaveForecaster(naive, folder_);
  const std::unique_ptr<Forecaster> loaded = ForecasterKinds::BuiltIn().Load(folder_);
  EXPECT_EQ(loaded->Predict(data, rows).value[2], value[2]);

  const std::vector<const Dataset*> parts = {&data};
  EXPECT_TRUE(Dataset::Pool("pool", parts).target_is_level());
  MomentumForecaster momentum({"log_return_1", 0.1});
  EXPECT_THAT(MessageOf([&] {
                momentum.Fit({data, data.SplitRows({}).training()});
              }),
              HasSubstr("forward_volatility_6 is not a return"));
}

TEST_F(ForecasterTest, OfPricesNaiveIsTheLastAndDriftNone) {
  const CandleSeries series = RandomSeries(100, 3);
  const Dataset data =
      Dataset::Join("X", BuildFeatures(FeatureSet({{"log_return", {{"window", 1}}}}), series),
                    BuildLabels({TargetKind::kForwardClose, 4, false}, series));
  const DataSplit split = data.SplitRows({});
  BaselineForecaster naive(BaselineForecaster::Rule::kNaive);
  EXPECT_THAT(MessageOf([&] { naive.Predict(data, {}); }), HasSubstr("Predict before Fit"));
  naive.Fit({data, split.training()});
  const std::vector<uint32_t> rows = {60, 61, 80};
  const Prediction last = naive.Predict(data, rows);
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto bar = std::find(series.open_time.begin(), series.open_time.end(),
                               data.times()[rows[i]] - series.key.timeframe.duration());
    ASSERT_NE(bar, series.open_time.end());
    EXPECT_EQ(last.value[i], series.close[static_cast<size_t>(bar - series.open_time.begin())]);
  }
  BaselineForecaster drift(BaselineForecaster::Rule::kDrift);
  EXPECT_THAT(MessageOf([&] {
                drift.Fit({data, split.training()});
              }),
              HasSubstr("forward_close_4 is a price, of which a mean says nothing"));
}

TEST_F(ForecasterTest, KindsAreMadeFromConfiguration) {
  const ForecasterKinds kinds = ForecasterKinds::BuiltIn();
  EXPECT_THAT(kinds.Names(), ElementsAre("drift", "momentum", "naive", "ridge"));
  const auto make = [&](const std::string& yaml) {
    const ConfigDocument document = ConfigDocument::Parse(yaml, "r.yaml");
    std::unique_ptr<Forecaster> made = kinds.Make(document.root());
    document.RefuseUnknownKeys();
    return made->Describe().dump();
  };
  EXPECT_THAT(make("{kind: ridge, lambda: [1, 10], folds: 4}"),
              testing::AllOf(HasSubstr("\"lambdas\":[1.0,10.0]"), HasSubstr("\"folds\":4")));
  EXPECT_THAT(make("kind: naive"), HasSubstr("naive"));
  EXPECT_THAT(MessageOf([&] { make("kind: rigde"); }), HasSubstr("ridge"));
  EXPECT_THAT(MessageOf([&] { make("{kind: ridge, lambda: -1}"); }), HasSubstr("lambda"));
  EXPECT_THAT(MessageOf([&] { make("{kind: ridge, lambda: []}"); }), HasSubstr("empty"));
  EXPECT_THAT(MessageOf([&] { make("{kind: naive, lambda: 1}"); }), HasSubstr("lambda"));
}

TEST_F(ForecasterTest, DamagedFilesAreNamed) {
  const ForecasterKinds kinds = ForecasterKinds::BuiltIn();
  const auto load = [&](const std::string& top, const std::string& ridge) {
    WriteFileAtomic(folder_ / "forecaster.json", top);
    WriteFileAtomic(folder_ / "ridge.json", ridge);
    return MessageOf([&] { kinds.Load(folder_); });
  };
  EXPECT_THAT(MessageOf([&] { kinds.Load(folder_); }), HasSubstr("forecaster.json"));
  EXPECT_THAT(load("{", "{}"), HasSubstr("forecaster.json"));
  EXPECT_THAT(load(R"({"kind": "oracle"})", "{}"), HasSubstr("unknown kind of forecaster"));
  EXPECT_THAT(load(R"({"kind": "ridge"})", "{}"), HasSubstr("ridge.json"));
  EXPECT_THAT(load(R"({"kind": "ridge"})", R"({"lambdas": [], "folds": 1})"),
              HasSubstr("ridge.json"));
}

}  // namespace
}  // namespace almanac
