#include "almanac/neural/fused_adam_kernel.h"

#include <algorithm>
#include <cmath>

// Sizeless vectors do not fit into arrays; SSSE3 gains nothing here that is worth its compilation.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV | HWY_SSSE3)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "almanac/neural/fused_adam_kernel.cc"
#include <hwy/foreach_target.h>  // compiles what follows once for each instruction set

#include <hwy/highway.h>

#include "almanac/neural/recurrent_tile-inl.h"

#ifndef ALMANAC_NEURAL_FUSED_ADAM_KERNEL_CC_
#define ALMANAC_NEURAL_FUSED_ADAM_KERNEL_CC_
namespace almanac::neural {

// A step's numbers, the same for all weights.
struct AdamFactors {
  float gradient, to_gradient, kept;  // of the gradient; of the weight added to it; of the weight
  float beta1, rest1, beta2, rest2, root, epsilon, rate;
};

}  // namespace almanac::neural
#endif

HWY_BEFORE_NAMESPACE();
namespace almanac::neural::HWY_NAMESPACE {

void AdamPass(const AdamNumbers& numbers, const AdamFactors& factors) {
  const FloatTag tag;
  const auto all = [&](float value) { return hn::Set(tag, value); };
  for (size_t i = 0; i < numbers.count; i += hn::Lanes(tag)) {
    const size_t there = numbers.count - i;
    Vector weight = LoadSome(numbers.weights + i, there);
    Vector gradient = hn::Mul(LoadSome(numbers.gradient + i, there), all(factors.gradient));
    gradient = hn::Add(gradient, hn::Mul(weight, all(factors.to_gradient)));
    weight = hn::Mul(weight, all(factors.kept));
    const Vector first = hn::Add(hn::Mul(LoadSome(numbers.first + i, there), all(factors.beta1)),
                                 hn::Mul(gradient, all(factors.rest1)));
    const Vector second = hn::Add(hn::Mul(LoadSome(numbers.second + i, there), all(factors.beta2)),
                                  hn::Mul(hn::Mul(gradient, gradient), all(factors.rest2)));
    const Vector scale =
        hn::Add(hn::Div(hn::Sqrt(second), all(factors.root)), all(factors.epsilon));
    weight = hn::Sub(weight, hn::Mul(hn::Div(first, scale), all(factors.rate)));
    StoreSome(weight, numbers.weights + i, there);
    StoreSome(first, numbers.first + i, there);
    StoreSome(second, numbers.second + i, there);
  }
}

double SumPass(const float* numbers, size_t count) {
  const FloatTag tag;
  const size_t lanes = hn::Lanes(tag);
  // Four sums, so that an addition need not wait for the one before.
  Vector sums[4] = {hn::Zero(tag), hn::Zero(tag), hn::Zero(tag), hn::Zero(tag)};
  size_t i = 0;
  for (; i + 4 * lanes <= count; i += 4 * lanes) {
    for (size_t v = 0; v < 4; ++v) {
      const Vector some = hn::LoadU(tag, numbers + i + v * lanes);
      sums[v] = hn::MulAdd(some, some, sums[v]);
    }
  }
  for (; i < count; i += lanes) {
    const Vector some = LoadSome(numbers + i, count - i);
    sums[0] = hn::MulAdd(some, some, sums[0]);
  }
  HWY_ALIGN float line[16];
  double sum = 0;
  for (const Vector& lane_sums : sums) {
    hn::Store(lane_sums, tag, line);
    for (size_t lane = 0; lane < lanes; ++lane) sum += static_cast<double>(line[lane]);
  }
  return sum;
}

}  // namespace almanac::neural::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace almanac::neural {

HWY_EXPORT(AdamPass);
HWY_EXPORT(SumPass);

double SumOfSquares(const float* numbers, size_t count) {
  return HWY_DYNAMIC_DISPATCH(SumPass)(numbers, count);
}

void StepAdam(const AdamNumbers& numbers, const AdamOptions& options, int64_t step) {
  const auto steps = static_cast<double>(step);
  const double decay = options.weight_decay;
  AdamFactors factors = {};
  factors.gradient = static_cast<float>(options.gradient_factor);
  factors.to_gradient = static_cast<float>(options.is_decoupled ? 0.0 : decay);
  factors.kept = static_cast<float>(options.is_decoupled ? 1 - options.learning_rate * decay : 1.0);
  factors.beta1 = static_cast<float>(options.beta1);
  factors.rest1 = static_cast<float>(1 - options.beta1);
  factors.beta2 = static_cast<float>(options.beta2);
  factors.rest2 = static_cast<float>(1 - options.beta2);
  factors.root = static_cast<float>(std::sqrt(1 - std::pow(options.beta2, steps)));
  factors.epsilon = static_cast<float>(options.epsilon);
  factors.rate = static_cast<float>(options.learning_rate / (1 - std::pow(options.beta1, steps)));
  HWY_DYNAMIC_DISPATCH(AdamPass)(numbers, factors);
}

}  // namespace almanac::neural
#endif  // HWY_ONCE
