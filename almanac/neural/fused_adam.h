// Adam and AdamW for LibTorch's tensors, and the norm that gradients are clipped by: each in one
// pass over them on LibTorch's threads.
#ifndef ALMANAC_NEURAL_FUSED_ADAM_H_
#define ALMANAC_NEURAL_FUSED_ADAM_H_

#include <ATen/ATen.h>

#include <cstdint>
#include <optional>

#include "almanac/neural/fused_adam_kernel.h"

namespace almanac::neural {

// Changes weight and moments in place. False, with nothing changed, if the kernel cannot: it takes
// contiguous float32 tensors of one shape on the CPU. The gradient may lie in any way.
bool FusedAdam(const at::Tensor& weight, const at::Tensor& gradient, const at::Tensor& first,
               const at::Tensor& second, const AdamOptions& options, int64_t step);

// The sum of the squares of a float32 tensor on the CPU that fills its memory without gaps; nothing
// for others. Its bits do not depend on the number of threads.
std::optional<double> FusedSumOfSquares(const at::Tensor& tensor);

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_FUSED_ADAM_H_
