#include "almanac/forecast/momentum.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "almanac/base/error.h"
#include "almanac/base/test_folder.h"

namespace almanac {
namespace {

Dataset Symbol(const std::string& name, std::vector<float> past, std::vector<double> target,
               TimeMs first = 0) {
  FeatureTable table;
  table.names = {{"log_return_5", "log ratio"}};
  Labels labels;
  labels.name = "forward_return_1";
  labels.unit = "ratio";
  for (size_t i = 0; i < past.size(); ++i) {
    table.index.push_back(first + static_cast<TimeMs>(i) * kMsPerHour);
  }
  table.columns = {std::move(past)};
  labels.t0 = labels.t1 = table.index;
  labels.value = std::move(target);
  return Dataset::Join(name, std::move(table), labels);
}

const float kNone = std::nanf("");

TEST(Momentum, ScalesThePastReturnByGrinoldsRule) {
  const Dataset data = Symbol("A", {kNone, 0.1F, -0.3F, 0.2F, 0.5F, 0.1F, 0.1F, 0.1F},
                              {0.1, 0.02, -0.01, 0.04, 0.01, 0.02, 0.03, 0.01});
  SplitSpec spec;
  spec.validation_share = 0;
  spec.test_share = 0.5;
  const DataSplit split = data.SplitRows(spec);
  MomentumForecaster momentum({"log_return_5", 0.1});
  const FitReport report = momentum.Fit({data, split.training()});
  EXPECT_EQ(report.dropped, 1u);
  // Rows 1 and 2; row 3's label is purged where it reaches the test part.
  double x = 0, y = 0;
  const TrainingRows training = split.training();
  for (const uint32_t row : training.rows()) {
    if (row == 0) continue;
    x += std::pow(data.feature(0)[row], 2);
    y += std::pow(data.target()[row], 2);
  }
  const std::vector<uint32_t> rows = {0, 4};
  const Prediction prediction = momentum.Predict(data, rows);
  EXPECT_TRUE(std::isnan(prediction.value[0]));
  EXPECT_NEAR(prediction.value[1], 0.1 * std::sqrt(y / x) * 0.5, 1e-12);

  const TestFolder folder;
  momentum.Save(folder.path());
  EXPECT_EQ(MomentumForecaster::Load(folder.path())->Predict(data, rows).value[1],
            prediction.value[1]);
}

TEST(Momentum, RefusesWhatCannotBe) {
  EXPECT_THROW(MomentumForecaster({"x", 0}), Error);
  const Dataset data = Symbol("A", {1, 1, 1, 1}, {1, 1, 1, 1});
  SplitSpec spec;
  spec.validation_share = 0;
  spec.test_share = 0.5;
  const DataSplit split = data.SplitRows(spec);
  MomentumForecaster momentum({"log_return_6", 0.1});
  EXPECT_THROW(momentum.Fit({data, split.training()}), Error);
  EXPECT_THROW(momentum.Predict(data, {}), Error);
}

TEST(Pool, PutsSymbolsInOrderOfTime) {
  const Dataset a = Symbol("A", {1, 2, 3}, {0.1, 0.2, 0.3});
  const Dataset b = Symbol("B", {4, 5}, {0.4, 0.5}, kMsPerHour);
  const std::vector<const Dataset*> parts = {&a, &b};
  std::vector<Dataset::Origin> origin;
  const Dataset pool = Dataset::Pool("both", parts, &origin);
  ASSERT_EQ(pool.rows(), 5u);
  const std::vector<float> expected = {1, 2, 4, 3, 5};
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(pool.feature(0)[i], expected[i]);
    EXPECT_EQ(parts[origin[i].part]->target()[origin[i].row], pool.target()[i]);
  }
  EXPECT_EQ(pool.times()[2], kMsPerHour);
  EXPECT_THROW(Dataset::Pool("none", {}), Error);
}

}  // namespace
}  // namespace almanac
