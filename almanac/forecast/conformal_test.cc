#include "almanac/forecast/conformal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "almanac/base/error_for_test.h"
#include "almanac/base/random.h"
#include "almanac/base/test_folder.h"
#include "almanac/forecast/baseline.h"
#include "almanac/forecast/ridge.h"

namespace almanac {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Labels reach `reach` rows ahead; from row `shift` on, noise is three times as large.
Dataset Noisy(size_t rows, size_t reach, size_t shift) {
  Random random(8);
  FeatureTable table;
  table.names.push_back({"x", "ratio"});
  table.columns.resize(1);
  Labels labels;
  labels.name = "y";
  for (size_t i = 0; i < rows; ++i) {
    const auto time = static_cast<TimeMs>(10 * i);
    table.index.push_back(time);
    table.columns[0].push_back(static_cast<float>(random.Normal()));
    labels.t0.push_back(time);
    labels.t1.push_back(time + static_cast<TimeMs>(10 * reach));
    labels.value.push_back(table.columns[0].back() + (i < shift ? 1 : 3) * random.Normal());
  }
  return Dataset::Join("X", std::move(table), labels);
}

DataSplit Split(const Dataset& data) {
  SplitSpec spec;
  spec.validation_share = 0.2;
  spec.test_share = 0.5;
  return data.SplitRows(spec);
}

ConformalForecaster Around(ConformalOptions options) {
  return {options, std::make_unique<RidgeForecaster>()};
}

double Coverage(const Dataset& data, std::span<const uint32_t> rows, const Prediction& forecast) {
  size_t inside = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    const double y = data.target()[rows[i]];
    inside += y >= forecast.extra[0][i] && y <= forecast.extra[1][i];
  }
  return static_cast<double>(inside) / static_cast<double>(rows.size());
}

TEST(ConformalWidth, IsTheRankOfItsDefinition) {
  const std::vector<double> errors = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  EXPECT_EQ(ConformalWidth(errors, 0.8), 8);  // (9 + 1) 0.8
  EXPECT_EQ(ConformalWidth(errors, 0.81), 9);
  EXPECT_EQ(ConformalWidth(errors, 0.99), 9);  // beyond the last
  EXPECT_EQ(ConformalWidth(errors, 0.05), 1);
  EXPECT_EQ(ConformalWidth(errors, 0), 0);
  EXPECT_EQ(ConformalWidth(errors, -1), 0);
}

TEST(ConformalForecaster, HoldsItsShareOfRowsThatAreAlike) {
  const Dataset data = Noisy(8000, 1, 8000);
  const DataSplit split = Split(data);
  for (const double coverage : {0.5, 0.8, 0.95}) {
    for (const bool adaptive : {false, true}) {
      ConformalForecaster forecaster = Around({adaptive, coverage, 0.005, 500});
      forecaster.Fit({data, split.training(), split.rows(Part::kValidation)});
      const auto test = split.rows(Part::kTest);
      // 4,000 rows: the standard error is below 0.8 points.
      EXPECT_NEAR(Coverage(data, test, forecaster.Predict(data, test)), coverage, 0.025)
          << coverage << adaptive;
    }
  }
}

TEST(ConformalForecaster, AdaptsToNoiseThatGrows) {
  const Dataset data = Noisy(8000, 1, 4200);
  const DataSplit split = Split(data);
  const auto test = split.rows(Part::kTest);
  const auto covered = [&](bool adaptive) {
    ConformalForecaster forecaster = Around({adaptive, 0.8, 0.02, 300});
    forecaster.Fit({data, split.training(), split.rows(Part::kValidation)});
    return Coverage(data, test, forecaster.Predict(data, test));
  };
  EXPECT_LT(covered(false), 0.45);
  EXPECT_NEAR(covered(true), 0.8, 0.02);
}

// The algorithm again, row by row, with sorted copies and nothing kept.
TEST(ConformalForecaster, AdaptiveWidthsAreThoseOfASlowWalk) {
  const size_t reach = 3;
  const Dataset data = Noisy(600, reach, 350);
  const DataSplit split = Split(data);
  const auto validation = split.rows(Part::kValidation);
  const ConformalOptions options{true, 0.9, 0.05, 40};
  ConformalForecaster forecaster = Around(options);
  forecaster.Fit({data, split.training(), validation});

  RidgeForecaster ridge;
  ridge.Fit({data, split.training()});
  const auto error_of = [&](uint32_t row) {
    return std::abs(ridge.Predict(data, std::vector<uint32_t>{row}).value[0] - data.target()[row]);
  };
  std::vector<double> errors;
  for (size_t i = validation.size() / 2; i < validation.size(); ++i) {
    errors.push_back(error_of(validation[i]));
  }
  std::vector<double> width(data.rows());
  double miss = 1 - options.coverage;
  uint32_t used = validation.back() + 1;
  for (uint32_t row = validation.back() + 1; row < data.rows(); ++row) {
    for (; used < row && data.label_end()[used] <= data.times()[row]; ++used) {
      if (std::isnan(data.target()[used])) continue;
      miss += options.rate * ((1 - options.coverage) - (error_of(used) > width[used] ? 1 : 0));
      errors.push_back(error_of(used));
    }
    std::vector<double> last(errors.end() - std::min<long>(40, static_cast<long>(errors.size())),
                             errors.end());
    std::sort(last.begin(), last.end());
    width[row] = ConformalWidth(last, 1 - miss);
  }
  const auto test = split.rows(Part::kTest);
  const Prediction whole = forecaster.Predict(data, test);
  for (size_t i = 0; i < test.size(); ++i) {
    EXPECT_NEAR(whole.extra[1][i] - whole.value[i], width[test[i]], 1e-12);
  }
  // Asked for alone, a row has the same interval.
  const std::vector<uint32_t> one = {test[100]};
  EXPECT_EQ(forecaster.Predict(data, one).extra[0][0], whole.extra[0][100]);
}

TEST(ConformalForecaster, IsMadeFromConfigurationSavedAndLoaded) {
  const Dataset data = Noisy(400, 1, 400);
  const DataSplit split = Split(data);
  ForecasterKinds kinds = ForecasterKinds::BuiltIn();
  kinds.Add("conformal", ConformalKind(kinds));
  for (const char* method : {"split", "adaptive"}) {
    const ConfigDocument document =
        ConfigDocument::Parse(std::string("{kind: conformal, coverage: 0.8, method: ") + method +
                                  ", model: {kind: ridge, lambda: 2}}",
                              "test");
    const auto forecaster = kinds.Make(document.root());
    document.RefuseUnknownKeys();
    forecaster->Fit({data, split.training()});  // calibrated on the last tenth
    const auto test = split.rows(Part::kTest);
    const Prediction expected = forecaster->Predict(data, test);
    EXPECT_THAT(expected.extra_names, ElementsAre("q10", "q90"));
    const TestFolder folder;
    SaveForecaster(*forecaster, folder.path());
    const auto loaded = kinds.Load(folder.path());
    EXPECT_EQ(loaded->Predict(data, test).extra, expected.extra);
    EXPECT_EQ(loaded->Describe(), forecaster->Describe());
  }
}

TEST(ConformalForecaster, RefusesWrongUse) {
  const Dataset data = Noisy(100, 1, 100);
  const std::vector<uint32_t> rows = {1};
  ConformalForecaster forecaster = Around({});
  EXPECT_THAT(MessageOf([&] { forecaster.Predict(data, rows); }), HasSubstr("before Fit"));
  ForecasterKinds kinds = ForecasterKinds::BuiltIn();
  kinds.Add("conformal", ConformalKind(kinds));
  const auto message = [&](const char* yaml) {
    return MessageOf([&] {
      const ConfigDocument document = ConfigDocument::Parse(yaml, "test");
      kinds.Make(document.root());
      document.RefuseUnknownKeys();
    });
  };
  EXPECT_THAT(message("{kind: conformal}"), HasSubstr("model"));
  EXPECT_THAT(message("{kind: conformal, coverage: 1, model: {kind: ridge}}"),
              HasSubstr("coverage"));
  EXPECT_THAT(message("{kind: conformal, rate: 0.1, model: {kind: ridge}}"), HasSubstr("rate"));
  EXPECT_THAT(message("{kind: conformal, method: adaptive, window: 3, model: {kind: ridge}}"),
              HasSubstr("window"));
}

}  // namespace
}  // namespace almanac
