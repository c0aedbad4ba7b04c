#include "almanac/neural/optimizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "almanac/base/error_for_test.h"
#include "almanac/base/test_folder.h"
#include "almanac/neural/golden_for_test.h"
#include "almanac/neural/schedule.h"
#include "almanac/neural/tensor_file.h"

namespace almanac::neural {
namespace {

using ::testing::HasSubstr;

constexpr Optimizer kEveryOptimizer[] = {Optimizer::kAdam, Optimizer::kAdamW, Optimizer::kSgd};

TrainingOptions OptionsOf(Optimizer optimizer) {
  TrainingOptions options;
  options.optimizer = optimizer;
  options.weight_decay = 0.01;
  return options;
}

// In double by LibTorch's operations, in float32 by the project's kernel.
struct Toy {
  explicit Toy(Optimizer optimizer, at::ScalarType type = at::kDouble)
      : weight(parameters.Add("weight", Pattern({5}, 0.5, 1.0).to(type))),
        updater(OptionsOf(optimizer), parameters) {}
  double Step(int step) {
    (weight * weight * Pattern({5}, step, 1.0).to(weight.scalar_type())).sum().backward();
    return updater.Step(0.1, 1.0);
  }
  Parameters parameters;
  at::Tensor weight;
  WeightUpdater updater;
};

TEST(WeightUpdater, StepsAreThoseOfPyTorch) {
  const Json golden = Golden().at("optimizers");
  for (const Optimizer optimizer : kEveryOptimizer) {
    SCOPED_TRACE(Name(optimizer));
    for (const auto& [type, tolerance] : {std::pair(at::kDouble, 1e-12), {at::kFloat, 1e-6}}) {
      Toy toy(optimizer, type);
      for (int step = 0; step < 4; ++step) {
        toy.Step(step);
        for (int64_t i = 0; i < 5; ++i) {
          EXPECT_NEAR(toy.weight[i].item<double>(),
                      golden.at(std::string(Name(optimizer))).at(step).at(i).get<double>(),
                      tolerance);
        }
      }
    }
  }
}

TEST(WeightUpdater, NormAndClippingAreThoseOfAllGradientsTogether) {
  for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
    Parameters parameters;
    const at::Tensor a = parameters.Add("a", at::zeros({3, 2}, type));
    const at::Tensor b = parameters.Add("b", at::zeros({1}, type));
    static_cast<void>(parameters.Add("unused", at::ones({4}, type)));
    TrainingOptions options = OptionsOf(Optimizer::kSgd);
    options.weight_decay = options.momentum = 0;
    WeightUpdater updater(options, parameters);
    // A gradient that does not lie row by row: 6 of 2, and one of 5.
    ((a.t() * 2).sum() + b.sum() * 5).backward();
    EXPECT_NEAR(updater.Step(1.0, 0.5), 7, 1e-6);
    EXPECT_NEAR(a[0][0].item<double>(), -2 * 0.5 / 7, 1e-6);
    EXPECT_NEAR(b[0].item<double>(), -5 * 0.5 / 7, 1e-6);
  }
}

TEST(WeightUpdater, GoesOnFromItsStateBitForBit) {
  for (const Optimizer optimizer : kEveryOptimizer) {
    SCOPED_TRACE(Name(optimizer));
    for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
      Toy whole(optimizer, type), first(optimizer, type), second(optimizer, type);
      for (int step = 0; step < 6; ++step) whole.Step(step);
      for (int step = 0; step < 3; ++step) first.Step(step);
      second.parameters.Restore(first.parameters.Snapshot());
      second.updater.Restore(first.updater.Snapshot(), first.updater.steps());
      for (int step = 3; step < 6; ++step) second.Step(step);
      EXPECT_TRUE(at::equal(whole.weight, second.weight));
    }
  }
  Toy toy(Optimizer::kAdam);
  EXPECT_THAT(MessageOf([&] { toy.updater.Restore({}, 1); }), HasSubstr("weight.first"));
}

TEST(TrainingSchedule, CurvesAreThoseOfPyTorch) {
  const Json golden = Golden().at("schedules");
  for (const Schedule schedule : {Schedule::kCosine, Schedule::kOneCycle}) {
    SCOPED_TRACE(Name(schedule));
    TrainingOptions options;
    options.schedule = schedule;
    options.learning_rate = 0.1;
    const TrainingSchedule curve(options, 20);
    for (int64_t step = 0; step < 20; ++step) {
      EXPECT_NEAR(curve.LearningRate(step),
                  golden.at(std::string(Name(schedule))).at(step).get<double>(), 1e-12);
    }
  }
}

TEST(TrainingSchedule, LowersTheRateOnAPlateauAndStopsAfterPatience) {
  TrainingOptions options;
  options.learning_rate = 1;
  options.plateau_patience = 2;
  options.patience = 5;
  TrainingSchedule schedule(options, 100);
  EXPECT_TRUE(schedule.Judge(3));
  EXPECT_TRUE(schedule.Judge(2));
  const std::vector<double> rates = {1, 0.5, 0.5, 0.25};
  for (const double rate : rates) {
    EXPECT_FALSE(schedule.Judge(2));  // equal is not better
    EXPECT_EQ(schedule.LearningRate(0), rate);
    EXPECT_FALSE(schedule.IsOver());
  }
  TrainingSchedule restored(options, 100);
  restored.Restore(schedule.ToJson());
  for (TrainingSchedule* each : {&schedule, &restored}) {
    EXPECT_FALSE(each->Judge(2.5));
    EXPECT_TRUE(each->IsOver());
    EXPECT_EQ(each->best(), 2);
    EXPECT_EQ(each->LearningRate(0), 0.25);
  }
}

TEST(TensorFile, GivesBackWhatWasSavedAndRefusesDamage) {
  const TestFolder folder;
  const auto file = folder.path() / "tensors.safetensors";
  const NamedTensors tensors = {{"b", Pattern({2, 3}, 1, 1).to(at::kFloat)},
                                {"a", at::arange(4)},
                                {"empty", at::empty({0, 3})},
                                {"scalar", Pattern({1}, 1, 1).reshape({})}};
  SaveTensors(tensors, file);
  const NamedTensors back = LoadTensors(file);
  ASSERT_EQ(back.size(), tensors.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    EXPECT_EQ(back[i].first, tensors[i].first);
    EXPECT_EQ(back[i].second.scalar_type(), tensors[i].second.scalar_type());
    EXPECT_TRUE(at::equal(back[i].second, tensors[i].second));
  }
  const std::string whole = ReadFile(file);
  SaveTensors(back, file);
  EXPECT_EQ(ReadFile(file), whole);
  for (const size_t size : {size_t{0}, size_t{7}, size_t{20}, whole.size() - 1}) {
    WriteFileAtomic(file, whole.substr(0, size));
    EXPECT_THAT(MessageOf([&] { LoadTensors(file); }), HasSubstr("expected a safetensors file"))
        << size;
  }
  std::string wrong = whole;
  wrong.replace(wrong.find("[2,3]"), 5, "[2,9]");
  WriteFileAtomic(file, wrong);
  EXPECT_THAT(MessageOf([&] { LoadTensors(file); }), HasSubstr("b: data_offsets"));
}

}  // namespace
}  // namespace almanac::neural
