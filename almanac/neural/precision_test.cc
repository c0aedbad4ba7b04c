#include "almanac/neural/precision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "almanac/base/error_for_test.h"
#include "almanac/neural/optimizer.h"

namespace almanac::neural {
namespace {

using testing::HasSubstr;

TEST(PrecisionTest, TheCpuComputesInFloat32AndRefusesMixed) {
  EXPECT_EQ(MixedType(Precision::kAuto, at::kCPU), std::nullopt);
  EXPECT_EQ(MixedType(Precision::kFloat32, at::kCPU), std::nullopt);
  EXPECT_THAT(MessageOf([] { MixedType(Precision::kMixed, at::kCPU); }),
              HasSubstr("mixed precision is for CUDA devices, and training is on cpu"));
}

TEST(PrecisionTest, Float32OnCudaStaysFloat32) {
  EXPECT_EQ(MixedType(Precision::kFloat32, at::Device("cuda:0")), std::nullopt);
}

// On the CPU, whose autocast the trainer does not use, but which is switched alike.
TEST(PrecisionTest, AutocastEndsWithItsScope) {
  const at::Tensor x = at::ones({2, 3}), weight = at::ones({4, 3});
  {
    const Autocast outer(at::kCPU, at::kBFloat16);
    EXPECT_EQ(at::linear(x, weight).scalar_type(), at::kBFloat16);
    {
      const Autocast none(at::kCPU, std::nullopt);
      EXPECT_EQ(at::linear(x, weight).scalar_type(), at::kBFloat16);
    }
  }
  EXPECT_EQ(at::linear(x, weight).scalar_type(), at::kFloat);
}

TEST(PrecisionTest, OnlyFloat16IsScaled) {
  for (const auto type : {std::optional<at::ScalarType>(), std::optional(at::kBFloat16)}) {
    LossScale scale(type);
    EXPECT_FALSE(scale.is_dynamic());
    for (int step = 0; step < 5000; ++step) scale.Update(step % 2 == 0);
    EXPECT_EQ(scale.value(), 1);
  }
}

TEST(PrecisionTest, TheScaleHalvesAtOnceAndGrowsSlowly) {
  LossScale scale(at::kHalf);
  EXPECT_EQ(scale.value(), 65536);
  scale.Update(/*were_finite=*/false);
  EXPECT_EQ(scale.value(), 32768);
  for (int step = 0; step < 1500; ++step) scale.Update(true);
  LossScale other(at::kHalf);  // goes on where the first is
  other.Restore(scale.ToJson());
  for (int step = 0; step < 499; ++step) other.Update(true);
  EXPECT_EQ(other.value(), 32768);
  other.Update(true);
  EXPECT_EQ(other.value(), 65536);
  for (int step = 0; step < 1999; ++step) other.Update(true);
  other.Update(false);  // the count begins again
  for (int step = 0; step < 1999; ++step) other.Update(true);
  EXPECT_EQ(other.value(), 32768);
  for (int halving = 0; halving < 15; ++halving) other.Update(false);
  EXPECT_EQ(other.value(), 1);
  EXPECT_THAT(MessageOf([&] { other.Update(false); }), HasSubstr("not finite at any scale"));
}

// What a step gets from scaled gradients, by each optimizer.
class ScaledStepTest : public testing::TestWithParam<Optimizer> {
 protected:
  struct Model {
    explicit Model(Optimizer optimizer) {
      options.optimizer = optimizer;
      options.weight_decay = 0.01;
      at::manual_seed(4);
      weight = parameters.Add("weight", at::randn({30, 7}));
      updater.emplace(options, parameters);
    }
    double Step(const at::Tensor& gradient, std::optional<double> scale) {
      weight.mutable_grad() = gradient * scale.value_or(1);
      return updater->Step(0.01, /*clip=*/1.0, scale);
    }
    TrainingOptions options;
    Parameters parameters;
    at::Tensor weight;
    std::optional<WeightUpdater> updater;
  };
};

TEST_P(ScaledStepTest, EqualsAStepWithoutScale) {
  Model plain(GetParam()), scaled(GetParam());
  for (int step = 0; step < 4; ++step) {
    // Clipped in the first steps, and not in the last.
    const at::Tensor gradient = at::randn({30, 7}) / (step * step * step + 1);
    const double norm = plain.Step(gradient, std::nullopt);
    EXPECT_NEAR(scaled.Step(gradient, 65536), norm, 1e-6 * norm);
  }
  EXPECT_TRUE(scaled.weight.allclose(plain.weight, 1e-5, 1e-7));
  EXPECT_EQ(scaled.updater->steps(), 4);
}

TEST_P(ScaledStepTest, IsLeftOutWhereAGradientIsNotFinite) {
  for (const double bad :
       {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    Model model(GetParam());
    model.Step(at::ones({30, 7}), 1024);
    const at::Tensor before = model.weight.detach().clone();
    const NamedTensors moments = model.updater->Snapshot();
    at::Tensor gradient = at::ones({30, 7});
    gradient[3][2] = bad;
    EXPECT_FALSE(std::isfinite(model.Step(gradient, 1024)));
    EXPECT_TRUE(model.weight.equal(before));
    EXPECT_EQ(model.updater->steps(), 1);
    EXPECT_FALSE(model.weight.grad().defined());
    const NamedTensors after = model.updater->Snapshot();
    for (size_t i = 0; i < after.size(); ++i) {
      EXPECT_TRUE(after[i].second.equal(moments[i].second)) << after[i].first;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Optimizers, ScaledStepTest,
                         testing::Values(Optimizer::kAdam, Optimizer::kAdamW, Optimizer::kSgd));

}  // namespace
}  // namespace almanac::neural
