#include "almanac/dataset/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "almanac/base/error_for_test.h"
#include "almanac/base/random.h"
#include "almanac/dataset/scaler.h"
#include "almanac/feature/random_series_for_test.h"

namespace almanac {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

FeatureTable SmallTable() {
  FeatureTable table;
  table.index = {10, 20, 30, 40, 50};
  table.names = {{"a", "ratio"}, {"b", "ratio"}};
  table.columns = {{kNaN, 2, 3, 4, 5}, {1, 1, 1, 9, 1}};
  return table;
}

Labels SmallLabels() {
  Labels labels;
  labels.name = "forward_return_1";
  labels.unit = "ratio";
  labels.t0 = {5, 20, 30, 45, 50};
  labels.t1 = {10, 30, 40, 55, 50};
  labels.value = {0.5, 0.2, 0.3, 0.45, std::nan("")};
  return labels;
}

TEST(Dataset, SomeOfTheColumnsAreTheSameMemory) {
  const Dataset data = Dataset::Join("X", SmallTable(), SmallLabels());
  const std::vector<size_t> second = {1};
  const Dataset part = data.WithColumns(second);
  EXPECT_THAT(part.feature_names(), ElementsAre("b"));
  EXPECT_EQ(part.feature(0).data(), data.feature(1).data());
  EXPECT_EQ(part.target()[1], data.target()[1]);
  EXPECT_THAT(MessageOf([&] { data.WithColumns(std::vector<size_t>{2}); }), HasSubstr("2 of 2"));
  EXPECT_THAT(MessageOf([&] { data.WithColumns({}); }), HasSubstr("no columns"));
}

// Rows between events are in no part, and shares are of the events.
TEST(Dataset, EventsAloneAreSplit) {
  FeatureTable table;
  Labels events;
  events.name = "swing";
  table.names = {{"a", "ratio"}};
  table.columns.resize(1);
  for (TimeMs row = 0; row < 100; ++row) {
    table.index.push_back(row * 10);
    table.columns[0].push_back(1);
    if (row % 7 != 3) continue;
    events.t0.push_back(row * 10);
    events.t1.push_back(row * 10 + 35);
    events.value.push_back(1);
  }
  const Dataset data = Dataset::Join("X", std::move(table), events);
  ASSERT_EQ(data.label_rows().size(), 14U);
  SplitSpec spec;
  spec.validation_share = 0;
  spec.test_share = 0.5;
  const DataSplit split = data.SplitRows(spec);
  EXPECT_EQ(split.training().size(), 7U) << "none reaches the next event";
  EXPECT_EQ(split.rows(Part::kTest).size(), 7U);
  FoldSpec folds;
  folds.folds = 7;
  size_t tested = 0;
  const CrossValidation cross = data.FoldRows(folds);
  for (const Fold& fold : cross.folds()) {
    EXPECT_EQ(fold.training.size() + fold.test.size() + fold.purged, 14U);
    for (const uint32_t row : fold.test) EXPECT_EQ(row % 7, 3U);
    tested += fold.test.size();
  }
  EXPECT_EQ(tested, 14U);
  const std::vector<TimeMs> times = {1, 2};
  EXPECT_THAT(
      MessageOf([&] { DataSplit::Chronological(times, times, {}, std::vector<uint32_t>{2}); }),
      HasSubstr("row 2 of 2"));
}

TEST(Dataset, JoinsLabelsToRowsByTime) {
  Labels labels = SmallLabels();
  labels.classes = {"down", "up"};
  const Dataset data = Dataset::Join("X", SmallTable(), labels);
  EXPECT_EQ(data.rows(), 5U);
  EXPECT_THAT(data.target_classes(), ElementsAre("down", "up"));
  EXPECT_THAT(data.feature_names(), ElementsAre("a", "b"));
  EXPECT_EQ(data.target_name(), "forward_return_1");
  EXPECT_TRUE(std::isnan(data.target()[0]));
  EXPECT_EQ(data.target()[1], 0.2);
  EXPECT_EQ(data.target()[2], 0.3);
  EXPECT_TRUE(std::isnan(data.target()[3]));
  EXPECT_TRUE(std::isnan(data.target()[4]));
  EXPECT_THAT(data.label_end(), ElementsAre(10, 30, 40, 40, 50));
  EXPECT_THAT(data.label_rows(), ElementsAre(1, 2, 4))
      << "known or not, but not where there is none";
  EXPECT_FALSE(data.HasFeatures(0));
  EXPECT_TRUE(data.IsComplete(1));
  EXPECT_TRUE(data.HasFeatures(3));
  EXPECT_FALSE(data.IsComplete(3));
  const std::vector<uint32_t> all = {0, 1, 2, 3, 4};
  const UsableRows usable = DropIncomplete(data, all);
  EXPECT_THAT(usable.rows, ElementsAre(1, 2));
  EXPECT_EQ(usable.dropped, 3U);
}

TEST(Dataset, IsAViewOfAMappedMatrix) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("almanac-dataset-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  const FeatureTable table = SmallTable();
  WriteMatrix(folder, table.index, table.names, table.columns, Json::object());
  const auto matrix = std::make_shared<const Matrix>(folder);
  const Dataset data = Dataset::Join("X", matrix, SmallLabels());
  EXPECT_EQ(data.feature(1).data(), matrix->column(1).data());
  EXPECT_EQ(data.feature(1)[3], 9);
  EXPECT_EQ(data.target()[2], 0.3);
  std::filesystem::remove_all(folder);
}

TEST(Dataset, RefusesWhatDoesNotBelongTogether) {
  Labels apart = SmallLabels();
  for (TimeMs& time : apart.t0) time += 1000;
  EXPECT_THAT(MessageOf([&] { Dataset::Join("X", SmallTable(), apart); }),
              HasSubstr("none of 5 feature rows has a label"));
  FeatureTable table = SmallTable();
  table.index[2] = 15;
  EXPECT_THAT(MessageOf([&] { Dataset::Join("X", table, SmallLabels()); }),
              HasSubstr("does not come after"));
  table = SmallTable();
  table.columns[1].pop_back();
  EXPECT_THAT(MessageOf([&] { Dataset::Unlabelled("X", table); }), HasSubstr("column 1 has 4"));
}

// A dataset of random columns, some entries NaN, at very different scales.
Dataset RandomData(size_t rows, uint64_t seed) {
  Random random(seed);
  FeatureTable table;
  Labels labels;
  labels.name = "forward_return_1";
  table.names = {{"plain", ""}, {"huge", ""}, {"tiny", ""}, {"shifted", ""}, {"constant", ""}};
  table.columns.resize(5);
  for (size_t i = 0; i < rows; ++i) {
    table.index.push_back(static_cast<TimeMs>(i) * 10);
    const bool missing = random.Below(20) == 0;
    table.columns[0].push_back(missing ? kNaN : static_cast<float>(random.Normal()));
    table.columns[1].push_back(static_cast<float>(1e20 * random.Normal()));
    table.columns[2].push_back(static_cast<float>(1e-20 * random.Normal()));
    table.columns[3].push_back(static_cast<float>(1000 + random.Normal()));
    table.columns[4].push_back(0.1F);
    labels.value.push_back(random.Below(20) == 0 ? std::nan("") : random.Normal());
  }
  labels.t0 = labels.t1 = table.index;
  return Dataset::Join("X", std::move(table), labels);
}

TEST(StandardScaler, IsFittedOnCompleteTrainingRowsAlone) {
  const Dataset data = RandomData(500, 1);
  const DataSplit split = data.SplitRows({});
  const StandardScaler scaler = StandardScaler::Fit(data, split.training());
  std::vector<long double> sum(5), squares(5);
  size_t count = 0;
  for (const uint32_t row : split.rows(Part::kTraining)) {
    if (!data.IsComplete(row)) continue;
    ++count;
    for (size_t c = 0; c < 5; ++c) sum[c] += data.feature(c)[row];
  }
  for (const uint32_t row : split.rows(Part::kTraining)) {
    if (!data.IsComplete(row)) continue;
    for (size_t c = 0; c < 5; ++c) {
      const long double distance = data.feature(c)[row] - sum[c] / count;
      squares[c] += distance * distance;
    }
  }
  EXPECT_EQ(scaler.rows(), count);
  EXPECT_EQ(scaler.rows() + scaler.dropped(), split.rows(Part::kTraining).size());
  EXPECT_GT(scaler.dropped(), 10U);
  for (size_t c = 0; c < 4; ++c) {
    const auto scale = static_cast<double>(std::sqrt(squares[c] / count));
    EXPECT_NEAR(scaler.scale(c), scale, 1e-12 * scale) << c;
    EXPECT_NEAR(scaler.mean(c), static_cast<double>(sum[c] / count), 1e-12 * scale) << c;
  }
  EXPECT_EQ(scaler.scale(4), 1.0);
  EXPECT_EQ(scaler.Transform(4, 0.1F), 0.0);
}

// What lies after the training part has no say: change it, and the scaler is the same.
TEST(StandardScaler, KnowsNothingOfValidationAndTest) {
  const Dataset data = RandomData(500, 1);
  const DataSplit split = data.SplitRows({});
  FeatureTable changed;
  Labels labels;
  labels.name = "forward_return_1";
  changed.index.assign(data.times().begin(), data.times().end());
  labels.t0 = labels.t1 = changed.index;
  labels.value.assign(data.target().begin(), data.target().end());
  for (size_t c = 0; c < data.features(); ++c) {
    changed.names.push_back({data.feature_names()[c], ""});
    changed.columns.emplace_back(data.feature(c).begin(), data.feature(c).end());
    for (const Part part : {Part::kValidation, Part::kTest}) {
      for (const uint32_t row : split.rows(part)) changed.columns.back()[row] = -1e30F;
    }
  }
  const Dataset other = Dataset::Join("X", std::move(changed), labels);
  EXPECT_EQ(StandardScaler::Fit(data, split.training()).ToJson(),
            StandardScaler::Fit(other, other.SplitRows({}).training()).ToJson());
}

TEST(StandardScaler, InverseGivesBackEveryFloat) {
  const Dataset data = RandomData(2000, 2);
  const StandardScaler scaler = StandardScaler::Fit(data, data.SplitRows({}).training());
  for (size_t c = 0; c < data.features(); ++c) {
    for (const float value : data.feature(c)) {
      if (std::isnan(value)) continue;
      ASSERT_EQ(static_cast<float>(scaler.Inverse(c, scaler.Transform(c, value))), value) << c;
    }
  }
}

TEST(StandardScaler, IsSavedAndLoadedToTheBit) {
  const Dataset data = RandomData(500, 3);
  const StandardScaler scaler = StandardScaler::Fit(data, data.SplitRows({}).training());
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / ("almanac-scaler-" + std::to_string(getpid()));
  scaler.Save(file);
  const StandardScaler loaded = StandardScaler::Load(file);
  for (size_t c = 0; c < scaler.size(); ++c) {
    EXPECT_EQ(loaded.mean(c), scaler.mean(c));
    EXPECT_EQ(loaded.scale(c), scaler.scale(c));
  }
  EXPECT_EQ(loaded.names(), scaler.names());
  EXPECT_EQ(loaded.ToJson(), scaler.ToJson());
  std::filesystem::remove(file);
}

TEST(StandardScaler, RefusesOtherColumnsAndDamagedFiles) {
  const Dataset data = RandomData(500, 3);
  const StandardScaler scaler = StandardScaler::Fit(data, data.SplitRows({}).training());
  const Dataset other = Dataset::Join("X", SmallTable(), SmallLabels());
  EXPECT_THAT(MessageOf([&] { scaler.RequireColumns(other); }),
              HasSubstr("column 0 is a where plain was fitted"));
  scaler.RequireColumns(data);
  Json damaged = scaler.ToJson();
  damaged["columns"][1]["scale"] = 0;
  EXPECT_THAT(MessageOf([&] { StandardScaler::FromJson(damaged); }), HasSubstr("huge"));
  damaged["columns"][1].erase("scale");
  EXPECT_THAT(MessageOf([&] { StandardScaler::FromJson(damaged); }), HasSubstr("scaler"));
  EXPECT_THAT(MessageOf([] { StandardScaler::FromJson(Json::parse(R"({"kind":"x"})")); }),
              HasSubstr("kind"));
  SplitSpec spec;
  spec.validation_from = spec.test_from = 30;
  const Dataset few = Dataset::Unlabelled("X", SmallTable());
  EXPECT_THAT(MessageOf([&] { StandardScaler::Fit(few, few.SplitRows(spec).training()); }),
              HasSubstr("training rows have all features"));
}

}  // namespace
}  // namespace almanac
