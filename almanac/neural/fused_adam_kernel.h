// A step of Adam (Kingma and Ba 2015) or AdamW (Loshchilov and Hutter 2019) over numbers in memory,
// in one pass: LibTorch's elementwise operations read and write them ten times.
#ifndef ALMANAC_NEURAL_FUSED_ADAM_KERNEL_H_
#define ALMANAC_NEURAL_FUSED_ADAM_KERNEL_H_

#include <cstddef>
#include <cstdint>

namespace almanac::neural {

struct AdamOptions {
  double learning_rate = 0.001;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 0;
  bool is_decoupled = true;    // AdamW's decay of the weights, or Adam's addition to the gradient
  double gradient_factor = 1;  // what gradients are multiplied by first: of clipping
};

// What a step changes, and the gradient; `count` numbers each. 0 moments before the first step.
struct AdamNumbers {
  float* weights = nullptr;
  const float* gradient = nullptr;
  float* first = nullptr;   // moment
  float* second = nullptr;  // moment
  size_t count = 0;
};

// `step` counts from 1. In PyTorch's order of operations: within some units in the last place of
// torch.optim.Adam. Which numbers are computed together changes no bit.
void StepAdam(const AdamNumbers& numbers, const AdamOptions& options, int64_t step);

// Of at most some hundred thousand numbers: their squares are added up in float32, in as many sums
// as four vectors have lanes.
double SumOfSquares(const float* numbers, size_t count);

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_FUSED_ADAM_KERNEL_H_
