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

}  // namespace almanac::neural::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace almanac::neural {

HWY_EXPORT(AdamPass);

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
