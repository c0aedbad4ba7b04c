// Dropout (Srivastava et al. 2014) that costs little more than reading and writing its input.
// at::dropout draws each number's fate from the Mersenne twister, one after the other, and keeps a
// mask: a quarter of a training step of the Temporal Fusion Transformer.
#ifndef ALMANAC_NEURAL_FUSED_DROPOUT_H_
#define ALMANAC_NEURAL_FUSED_DROPOUT_H_

#include <ATen/ATen.h>

namespace almanac::neural {

// What at::dropout gives: x when not training or `rate` is 0, else each number of x times
// 1 / (1 - rate) with probability 1 - rate, and 0 otherwise. On the CPU, with float32, by a kernel
// that draws one number from LibTorch's default generator and computes the fates from it, the same
// for any number of threads; backward computes them again, so no mask is kept. Elsewhere
// at::dropout.
at::Tensor Dropout(const at::Tensor& x, double rate, bool training);

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_FUSED_DROPOUT_H_
