#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "almanac/base/cancel.h"
#include "almanac/base/error_for_test.h"
#include "almanac/base/file.h"
#include "almanac/base/parallel.h"
#include "almanac/base/random.h"
#include "almanac/base/test_folder.h"
#include "almanac/neural/golden_for_test.h"
#include "almanac/neural/network_forecaster.h"

namespace almanac::neural {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr DurationMs kBar = 1000;

// Threads that wait for each other cost more than networks of this size.
const bool kOneThread = (SetThreadCount(1), true);

struct DataOptions {
  size_t rows = 400, steps = 1;
  std::vector<std::string> classes;
  std::vector<std::string> names = {"a", "b", "c"};
  size_t gap = 0;  // a bar is missing before this row
  std::string symbol = "X";
  double sign = 1;
};

// The target is told by the last three rows of two features; the third says nothing.
Dataset Predictable(const DataOptions& options = {}) {
  Random random(5);
  FeatureTable table;
  Labels labels;
  labels.name = "y";
  labels.unit = options.classes.empty() ? "ratio" : "class";
  labels.classes = options.classes;
  labels.steps = options.steps;
  table.columns.resize(3);
  for (const std::string& name : options.names) table.names.push_back({name, "ratio"});
  TimeMs time = 0;
  for (size_t i = 0; i < options.rows; ++i) {
    time += i == options.gap && i > 0 ? 2 * kBar : kBar;
    for (auto& column : table.columns) column.push_back(static_cast<float>(random.Normal()));
    table.index.push_back(time);
    labels.t0.push_back(time);
    labels.t1.push_back(time + static_cast<DurationMs>(options.steps) * kBar);
    const auto& [a, b] = std::pair(table.columns[0], table.columns[1]);
    const double told = i < 2 ? 0 : options.sign * 0.02 * (a[i] - a[i - 1] + b[i - 2]) + 0.003;
    for (size_t k = 1; k <= options.steps && options.steps > 1; ++k) {
      labels.path.push_back(told * static_cast<double>(k));
    }
    labels.value.push_back(options.classes.empty() ? told * static_cast<double>(options.steps)
                                                   : (told > 0 ? 1 : 0));
  }
  return Dataset::Join(options.symbol, std::move(table), labels);
}

SplitSpec Shares() {
  SplitSpec spec;
  spec.validation_share = 0.2;
  spec.test_share = 0.2;
  return spec;
}

NetworkOptions Quick(Architecture architecture) {
  NetworkOptions options = SmallOptions(architecture);
  options.steps = 4;
  options.hidden = 8;
  options.training.epochs = 3;
  options.training.batch_size = 16;
  options.training.learning_rate = 0.01;
  return options;
}

double RootMeanSquareError(const Dataset& data, std::span<const uint32_t> rows,
                           const std::vector<double>& forecasts) {
  double sum = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    sum += std::pow(forecasts[i] - data.target()[rows[i]], 2);
  }
  return std::sqrt(sum / static_cast<double>(rows.size()));
}

TEST(NetworkForecaster, EveryArchitectureLearnsWhatCanBeLearnt) {
  const Dataset data = Predictable();
  const DataSplit split = data.SplitRows(Shares());
  for (const Architecture architecture : kEveryArchitecture) {
    SCOPED_TRACE(Name(architecture));
    NetworkOptions options = Quick(architecture);
    options.hidden = 16;
    options.dense = {16};
    options.training.epochs = 40;
    NetworkForecaster forecaster(options);
    const FitReport report =
        forecaster.Fit({data, split.training(), split.rows(Part::kValidation)});
    EXPECT_EQ(report.rows + report.dropped, split.training().size());
    EXPECT_EQ(report.dropped, 3u);  // without the rows of a whole window before them
    const auto test = split.rows(Part::kTest);
    const std::vector<double> nothing(test.size(), 0.003);
    EXPECT_LT(RootMeanSquareError(data, test, forecaster.Predict(data, test).value),
              0.5 * RootMeanSquareError(data, test, nothing));
    EXPECT_EQ(forecaster.Describe().at("training").at("collapse").at("verdict"), "");
    EXPECT_EQ(forecaster.Describe().at("training").at("precision"), "float32");
  }
}

TEST(NetworkForecaster, RefusesMixedPrecisionOnTheCpu) {
  const Dataset data = Predictable();
  const DataSplit split = data.SplitRows(Shares());
  NetworkOptions options = Quick(Architecture::kDnn);
  options.training.device = "cpu";
  options.training.precision = Precision::kMixed;
  EXPECT_THAT(MessageOf([&] {
                NetworkForecaster(options).Fit({data, split.training()});
              }),
              HasSubstr("mixed precision is for CUDA devices"));
}

TEST(NetworkForecaster, IsSavedWithEverythingThatItNeeds) {
  const Dataset data = Predictable();
  const DataSplit split = data.SplitRows(Shares());
  const auto test = split.rows(Part::kTest);
  for (const Architecture architecture : kEveryArchitecture) {
    SCOPED_TRACE(Name(architecture));
    const TestFolder folder;
    NetworkForecaster forecaster(Quick(architecture));
    EXPECT_THAT(MessageOf([&] { forecaster.Predict(data, test); }), HasSubstr("before Fit"));
    EXPECT_THAT(MessageOf([&] { forecaster.Save(folder.path()); }), HasSubstr("before Fit"));
    forecaster.Fit({data, split.training(), split.rows(Part::kValidation)});
    forecaster.Save(folder.path());
    const auto best = NetworkForecaster::Load(folder.path(), Checkpoint::kBest);
    EXPECT_EQ(best->Predict(data, test).value, forecaster.Predict(data, test).value);
    EXPECT_EQ(best->Describe(), forecaster.Describe());
    const auto last = NetworkForecaster::Load(folder.path(), Checkpoint::kFinal);
    const bool last_was_best = forecaster.Describe().at("training").at("best_epoch") == 3;
    EXPECT_EQ(last->Predict(data, test).value == best->Predict(data, test).value, last_was_best);

    DataOptions swapped;
    swapped.names = {"b", "a", "c"};
    EXPECT_THAT(MessageOf([&] { best->Predict(Predictable(swapped), test); }),
                HasSubstr("feature column 0 is b where a was fitted"));
    WriteFileAtomic(folder / "best.safetensors", "damaged");
    EXPECT_THAT(MessageOf([&] { NetworkForecaster::Load(folder.path(), Checkpoint::kBest); }),
                HasSubstr("best.safetensors"));
  }
}

TEST(NetworkForecaster, ForecastsQuantilesOfEveryStep) {
  DataOptions steps;
  steps.steps = 3;
  const Dataset data = Predictable(steps);
  const DataSplit split = data.SplitRows(Shares());
  NetworkOptions options = Quick(Architecture::kLstm);
  options.quantiles = {10, 50, 90};
  NetworkForecaster forecaster(options);
  forecaster.Fit({data, split.training(), split.rows(Part::kValidation)});
  const auto test = split.rows(Part::kTest);
  const Prediction prediction = forecaster.Predict(data, test);
  ASSERT_EQ(prediction.earlier.size(), 2u);
  for (const Prediction* step : {&prediction.earlier[0], &prediction.earlier[1], &prediction}) {
    ASSERT_THAT(step->extra_names, ElementsAre("q10", "q50", "q90"));
    EXPECT_EQ(step->value, step->extra[1]);
    for (size_t i = 0; i < test.size(); ++i) {
      EXPECT_LE(step->extra[0][i], step->extra[1][i]);
      EXPECT_LE(step->extra[1][i], step->extra[2][i]);
    }
  }
  EXPECT_NE(prediction.value, prediction.earlier[0].value);
}

TEST(NetworkForecaster, ForecastsClasses) {
  DataOptions classes;
  classes.classes = {"down", "up"};
  const Dataset data = Predictable(classes);
  const DataSplit split = data.SplitRows(Shares());
  NetworkOptions options = Quick(Architecture::kDnn);
  options.training.epochs = 40;
  NetworkForecaster forecaster(options);
  forecaster.Fit({data, split.training(), split.rows(Part::kValidation)});
  const auto test = split.rows(Part::kTest);
  const Prediction prediction = forecaster.Predict(data, test);
  ASSERT_THAT(prediction.extra_names, ElementsAre("p_down", "p_up"));
  size_t right = 0;
  for (size_t i = 0; i < test.size(); ++i) {
    EXPECT_NEAR(prediction.extra[0][i] + prediction.extra[1][i], 1, 1e-12);
    EXPECT_TRUE(std::isnan(prediction.value[i]));
    right += (prediction.extra[1][i] > prediction.extra[0][i]) == (data.target()[test[i]] == 1);
  }
  EXPECT_GT(right, test.size() * 3 / 4);
  options.quantiles = {50};
  EXPECT_THAT(
      MessageOf([&] {
        NetworkForecaster(options).Fit({data, split.training(), split.rows(Part::kValidation)});
      }),
      HasSubstr("the target is of classes: down, up"));
}

TEST(NetworkForecaster, WindowsEndAtGapsUnlessAllowed) {
  DataOptions with_gap;
  with_gap.gap = 390;
  const Dataset data = Predictable(with_gap);
  const DataSplit split = data.SplitRows(Shares());
  const std::vector<uint32_t> rows = {389, 390, 392, 393};
  for (const bool across : {false, true}) {
    NetworkOptions options = Quick(Architecture::kDnn);
    options.across_gaps = across;
    NetworkForecaster forecaster(options);
    forecaster.Fit({data, split.training(), split.rows(Part::kValidation)});
    const std::vector<double> values = forecaster.Predict(data, rows).value;
    EXPECT_TRUE(std::isfinite(values[0]));
    EXPECT_EQ(std::isfinite(values[1]), across);
    EXPECT_EQ(std::isfinite(values[2]), across);
    EXPECT_TRUE(std::isfinite(values[3]));
  }
}

// Two symbols, one of which does the opposite of the other: only who knows the symbol can tell.
TEST(NetworkForecaster, LearnsFromAPanel) {
  DataOptions names;
  names.symbol = "A";
  const Dataset up = Predictable(names);
  names.symbol = "B";
  names.sign = -1;
  const Dataset down = Predictable(names);
  const Dataset* const parts[] = {&up, &down};
  std::vector<Dataset::Origin> origin;
  const Dataset pool = Dataset::Pool("both", parts, &origin);
  const DataSplit split = pool.SplitRows(Shares());
  NetworkOptions options = Quick(Architecture::kTft);
  options.hidden = 16;
  options.training.epochs = 40;
  options.training.seed = 3;  // about one in three is caught, for long, where one symbol is ignored
  const auto fit = [&] {
    auto forecaster = std::make_unique<NetworkForecaster>(options);
    EXPECT_EQ(forecaster
                  ->Fit({.data = pool,
                         .training = split.training(),
                         .validation = split.rows(Part::kValidation),
                         .parts = parts,
                         .origin = origin})
                  .dropped,
              6u);
    return forecaster;
  };
  const auto tft = fit();
  const std::vector<uint32_t> rows = {340, 350, 360, 370, 380, 390, 395, 398};
  for (const Dataset* data : {&up, &down}) {
    EXPECT_LT(RootMeanSquareError(*data, rows, tft->Predict(*data, rows).value), 0.02);
  }
  const Json importance = tft->Describe().at("training").at("importance");
  double sum = 0;
  for (const auto& [name, share] : importance.at("past").items()) sum += share.get<double>();
  EXPECT_NEAR(sum, 1, 1e-5);
  EXPECT_EQ(importance.at("attention").at(0).size(), 5u);  // four steps and the horizon
  names.symbol = "C";
  EXPECT_THAT(MessageOf([&] { tft->Predict(Predictable(names), rows); }),
              HasSubstr("none of the symbols"));
  // Without knowing whose window it is, the two cancel.
  options = Quick(Architecture::kDnn);
  EXPECT_GT(RootMeanSquareError(up, rows, fit()->Predict(up, rows).value), 0.02);
}

TEST(NetworkForecaster, RefusesRowsOfSeveralSymbolsMixed) {
  const Dataset one = Predictable(), other = Predictable();
  const Dataset* const parts[] = {&one, &other};
  const Dataset pool = Dataset::Pool("both", parts);
  const DataSplit split = pool.SplitRows(Shares());
  NetworkForecaster forecaster(Quick(Architecture::kDnn));
  EXPECT_THAT(MessageOf([&] {
                forecaster.Fit({pool, split.training()});
              }),
              HasSubstr("windows would mix them"));
}

TEST(RowCalendar, SkipsTheDaysThatNeverHaveRows) {
  // Daily bars of 2024-01-01 (a Monday) to 2024-01-19, without weekends, each known at its day's
  // end.
  FeatureTable table;
  table.names.push_back({"a", "ratio"});
  table.columns.resize(1);
  const TimeMs monday = TimeMs{19723} * kMsPerDay;
  for (int day = 0; day < 19; ++day) {
    if (day % 7 >= 5) continue;
    table.index.push_back(monday + (day + 1) * kMsPerDay);
    table.columns[0].push_back(0);
  }
  const Dataset data = Dataset::Unlabelled("X", table);
  const Dataset* const parts[] = {&data};
  const RowCalendar calendar = RowCalendar::Of(parts);
  EXPECT_EQ(calendar.spacing, kMsPerDay);
  EXPECT_EQ(calendar.days, (std::array<bool, 7>{true, true, true, true, true, false, false}));
  const TimeMs friday = monday + 5 * kMsPerDay;
  EXPECT_EQ(calendar.Next(friday), friday + 3 * kMsPerDay);
  EXPECT_EQ(calendar.Next(friday - kMsPerDay), friday);
  EXPECT_EQ(RowCalendar::FromJson(calendar.ToJson()).days, calendar.days);
  EXPECT_EQ(ConstantKnown(parts), (std::vector<std::string>{kKnownNames[0], kKnownNames[1]}));
}

std::string SavedBytes(const NetworkForecaster& forecaster) {
  const TestFolder folder;
  forecaster.Save(folder.path());
  return ReadFile(folder / "best.safetensors") + ReadFile(folder / "final.safetensors") +
         ReadFile(folder / "network.json");
}

// Stopped after every few steps, wherever that is in an epoch, training ends in the same bytes.
TEST(Training, GoesOnAfterStopsBitForBit) {
  const Dataset data = Predictable();
  const DataSplit split = data.SplitRows(Shares());
  for (const Architecture architecture : {Architecture::kGruAttention, Architecture::kClstm}) {
    SCOPED_TRACE(Name(architecture));
    NetworkOptions options = Quick(architecture);
    options.dropout = 0.3;
    options.training.accumulate = 2;
    options.training.patience = 2;
    options.training.epochs = 4;
    NetworkForecaster whole(options);
    whole.Fit({data, split.training()});

    const TestFolder folder;
    NetworkForecaster stopped(options);
    int notes = 0, stops = 0;
    const auto note = [&](std::string_view) {
      if (++notes % 2 == 1) RequestCancel();  // seen after the next step
    };
    for (bool done = false; !done;) {
      try {
        stopped.Fit({.data = data,
                     .training = split.training(),
                     .work_folder = folder.path(),
                     .note = note});
        done = true;
      } catch (const Error& error) {
        ASSERT_EQ(error.code(), ErrorCode::kInterrupted);
        ++stops;
        ResetCancel();
      }
      ASSERT_LT(stops, 20);
    }
    ResetCancel();
    EXPECT_GE(stops, 2);
    EXPECT_EQ(SavedBytes(stopped), SavedBytes(whole));
  }
}

// Of another data set or other options nothing is taken up.
TEST(Training, TakesUpOnlyItsOwnState) {
  const Dataset data = Predictable();
  const DataSplit split = data.SplitRows(Shares());
  const TestFolder folder;
  std::vector<std::string> notes;
  const auto fit = [&](const NetworkOptions& options) {
    notes.clear();
    NetworkForecaster(options).Fit(
        {.data = data,
         .training = split.training(),
         .work_folder = folder.path(),
         .note = [&](std::string_view line) { notes.emplace_back(line); }});
    return notes.front();
  };
  NetworkOptions options = Quick(Architecture::kDnn);
  EXPECT_THAT(fit(options), HasSubstr("epoch 1/3"));
  EXPECT_THAT(fit(options), HasSubstr("goes on in epoch 4"));
  options.training.seed = 2;
  EXPECT_THAT(fit(options), HasSubstr("epoch 1/3"));
}

// A device that holds eight rows.
class SmallMemory final : public Network {
 public:
  SmallMemory() : weight_(parameters_.Add("weight", at::zeros({3}))) {}
  at::Tensor Forward(const NetworkInput& input, bool training) override {
    if (training) TORCH_CHECK(input.windows.size(0) <= 8, "CUDA out of memory. Tried to allocate");
    return (input.windows.select(1, -1) * weight_).sum(1).view({-1, 1, 1});
  }

 private:
  at::Tensor weight_;
};

TEST(Training, HalvesTheBatchThatDoesNotFit) {
  const Dataset data = Predictable();
  const DataSplit split = data.SplitRows(Shares());
  const StandardScaler scaler = StandardScaler::Fit(data, split.training());
  const TargetScale target = TargetScale::Fit(data, split.training().rows());
  const auto source = [&](std::span<const uint32_t> rows) {
    const Dataset* const parts[] = {&data};
    return WindowSource({{&data, {rows.begin(), rows.end()}, 0}}, {4, false, true, false, 1},
                        RowCalendar::Of(parts), scaler, target);
  };
  const WindowSource learn = source(split.training().rows());
  const WindowSource judge = source(split.rows(Part::kValidation));
  NetworkOptions options = Quick(Architecture::kDnn);
  options.training.batch_size = 32;
  std::vector<std::string> notes;
  const TrainingPlan plan{
      options, {}, false, learn,
      judge,   "", "",    [&](std::string_view line) {
                            notes.emplace_back(line); }};
  SmallMemory network;
  const TrainingResult result = TrainNetwork(plan, network);
  EXPECT_EQ(result.batch_size, 8);
  EXPECT_THAT(notes[0], HasSubstr("batches of 16"));
  EXPECT_THAT(notes[1], HasSubstr("batches of 8"));
  EXPECT_EQ(result.epochs.size(), 3u);
  EXPECT_LT(result.epochs.back().training, result.epochs.front().training);
}

TEST(Training, NamesLossesThatAreNoNumbers) {
  const Dataset data = Predictable();
  const DataSplit split = data.SplitRows(Shares());
  NetworkOptions options = Quick(Architecture::kDnn);
  options.training.optimizer = Optimizer::kSgd;
  options.training.clip = 0;
  options.training.learning_rate = 1e20;
  EXPECT_THAT(MessageOf([&] {
                NetworkForecaster(options).Fit({data, split.training()});
              }),
              HasSubstr("lower training.learning_rate"));
}

TEST(Training, RefusesDevicesThatAreNotThere) {
  EXPECT_EQ(FindDevice("cpu").str(), "cpu");
  EXPECT_THAT(MessageOf([] { FindDevice("cuda:99"); }), HasSubstr("CUDA devices"));
}

TEST(Collapse, IsFound) {
  Random random(3);
  std::vector<double> price = {100}, changes, forecasts, repeats, constant, small, far;
  for (int i = 0; i < 500; ++i) {
    changes.push_back(random.Normal());
    price.push_back(price.back() + changes.back());
  }
  const std::vector<double> targets(price.begin() + 1, price.end());
  for (size_t i = 0; i < targets.size(); ++i) {
    repeats.push_back(price[i] + 0.3);
    forecasts.push_back(price[i] + 0.5 * changes[i] + 0.3 * random.Normal());
    constant.push_back(3 + 1e-4 * random.Normal());
    small.push_back(0.02 * changes[i]);
    far.push_back(0.5 * changes[i] + random.Normal());
  }
  EXPECT_THAT(FindCollapse(repeats, targets, 1, true).verdict, HasSubstr("repeat the last known"));
  EXPECT_EQ(FindCollapse(forecasts, targets, 1, true).verdict, "");
  EXPECT_THAT(FindCollapse(constant, changes, 1, false).verdict, HasSubstr("constant"));
  EXPECT_THAT(FindCollapse(small, changes, 1, false).verdict, HasSubstr("repeat the last value"));
  EXPECT_EQ(FindCollapse(far, changes, 1, false).verdict, "");
}

}  // namespace
}  // namespace almanac::neural
