// Dropout over numbers in memory, in one pass that draws its random numbers as it goes.
#ifndef ALMANAC_NEURAL_FUSED_DROPOUT_KERNEL_H_
#define ALMANAC_NEURAL_FUSED_DROPOUT_KERNEL_H_

#include <cstddef>
#include <cstdint>

namespace almanac::neural {

// out[i] = 0 with probability `rate`, in [0, 1), else in[i] / (1 - rate), for i in [begin, end).
// Number i's fate is a hash of (key, i) alone: the same for any split among threads, for every
// instruction set, and for the gradient, which passes where the number did. The hash is C.
// Wellons's lowbias32 of i and the key's first half, and again of that and its second half.
void DropPass(const float* in, float* out, size_t begin, size_t end, uint64_t key, double rate);

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_FUSED_DROPOUT_KERNEL_H_
