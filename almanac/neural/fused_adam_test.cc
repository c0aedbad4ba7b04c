#include "almanac/neural/fused_adam.h"

#include <gtest/gtest.h>

#include <cmath>

#include "almanac/neural/recurrent_targets_for_test.h"

namespace almanac::neural {
namespace {

// The papers' algorithms, in double.
struct Slow {
  at::Tensor weight, first, second;

  void Step(const at::Tensor& given, const AdamOptions& options, int step) {
    at::Tensor gradient = given.to(at::kDouble) * options.gradient_factor;
    if (!options.is_decoupled) gradient = gradient + options.weight_decay * weight;
    first = options.beta1 * first + (1 - options.beta1) * gradient;
    second = options.beta2 * second + (1 - options.beta2) * gradient * gradient;
    const at::Tensor m = first / (1 - std::pow(options.beta1, step));
    const at::Tensor v = second / (1 - std::pow(options.beta2, step));
    at::Tensor change = m / (v.sqrt() + options.epsilon);
    if (options.is_decoupled) change = change + options.weight_decay * weight;
    weight = weight - options.learning_rate * change;
  }
};

// An odd number of weights, more than a thread's piece.
TEST(FusedAdamTest, EqualsThePapersInDouble) {
  for (const bool is_decoupled : {true, false}) {
    AdamOptions options;
    options.learning_rate = 0.01;
    options.weight_decay = 0.1;
    options.is_decoupled = is_decoupled;
    options.gradient_factor = 0.7;
    ForEachTarget([&] {
      at::manual_seed(2);
      const at::Tensor weight = at::randn({71, 1003});
      const at::Tensor first = at::zeros_like(weight), second = at::zeros_like(weight);
      Slow slow = {weight.to(at::kDouble), first.to(at::kDouble), second.to(at::kDouble)};
      for (int step = 1; step <= 10; ++step) {
        const at::Tensor gradient = at::randn({1003, 71}).t();
        ASSERT_TRUE(FusedAdam(weight, gradient, first, second, options, step));
        slow.Step(gradient, options, step);
      }
      EXPECT_LE((weight - slow.weight).abs().max().item<double>(), 2e-6);
      EXPECT_LE((second - slow.second).abs().max().item<double>(), 1e-7);
    });
  }
}

TEST(FusedAdamTest, LeavesAloneWhatItCannotDo) {
  const at::Tensor weight = at::ones({4, 3}, at::kDouble), zeros = at::zeros({4, 3}, at::kDouble);
  EXPECT_FALSE(FusedAdam(weight, weight, zeros, zeros, {}, 1));
  const at::Tensor turned = at::ones({3, 4}).t(), none = at::zeros({4, 3});
  EXPECT_FALSE(FusedAdam(turned, turned, none, none, {}, 1));
  EXPECT_TRUE(turned.equal(at::ones({4, 3})));
}

TEST(FusedAdamTest, SumOfSquaresEqualsOneInDouble) {
  for (const int64_t count : {0, 1, 15, 64, 79, 65536, 200001}) {
    ForEachTarget([&] {
      at::manual_seed(count);
      const at::Tensor numbers = at::randn({count});
      const double exact = numbers.to(at::kDouble).square().sum().item<double>();
      EXPECT_NEAR(FusedSumOfSquares(numbers).value(), exact, 1e-5 * exact);
    });
  }
  const at::Tensor numbers = at::randn({30, 40});
  EXPECT_EQ(FusedSumOfSquares(numbers.t()), FusedSumOfSquares(numbers));
  EXPECT_FALSE(FusedSumOfSquares(numbers.narrow(1, 0, 3)));
  EXPECT_FALSE(FusedSumOfSquares(numbers.to(at::kDouble)));
}

}  // namespace
}  // namespace almanac::neural
