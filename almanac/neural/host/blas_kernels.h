// Which kernels OpenBLAS computes with. It chooses them when it is loaded, by the processor's model
// number, and takes models that are newer than itself for processors of 2004: Debian 12's 0.3.21
// multiplies four times slower than it could on Sapphire Rapids and later.
#ifndef ALMANAC_NEURAL_HOST_BLAS_KERNELS_H_
#define ALMANAC_NEURAL_HOST_BLAS_KERNELS_H_

#include <string>

namespace almanac {

// OpenBLAS's name of the kernels for the instruction sets that this processor has: "SkylakeX" for
// AVX-512, "Haswell" for AVX2 and FMA, "" where OpenBLAS is to choose.
std::string BlasKernels();

// Tells OpenBLAS by OPENBLAS_CORETYPE, unless the environment does already. Before it is loaded.
// Also, by OPENBLAS_THREAD_TIMEOUT, that its threads are to sleep between products: by default each
// of them yields its processor for some 30 ms again and again, at the cost of everyone else's work.
void ChooseBlasKernels();

}  // namespace almanac

#endif  // ALMANAC_NEURAL_HOST_BLAS_KERNELS_H_
