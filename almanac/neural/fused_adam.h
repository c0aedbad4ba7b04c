// Adam and AdamW for LibTorch's tensors, in one pass over them on LibTorch's threads.
#ifndef ALMANAC_NEURAL_FUSED_ADAM_H_
#define ALMANAC_NEURAL_FUSED_ADAM_H_

#include <ATen/ATen.h>

#include <cstdint>

#include "almanac/neural/fused_adam_kernel.h"

namespace almanac::neural {

// Changes weight and moments in place. False, with nothing changed, if the kernel cannot: it takes
// contiguous float32 tensors of one shape on the CPU. The gradient may lie in any way.
bool FusedAdam(const at::Tensor& weight, const at::Tensor& gradient, const at::Tensor& first,
               const at::Tensor& second, const AdamOptions& options, int64_t step);

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_FUSED_ADAM_H_
