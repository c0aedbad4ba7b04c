#include "almanac/neural/host/blas_kernels.h"

#include <cstdlib>

namespace almanac {
namespace {

constexpr const char* kVariable = "OPENBLAS_CORETYPE";
// The power of two of processor ticks that a thread waits, the least there is.
constexpr const char* kWait = "OPENBLAS_THREAD_TIMEOUT";
constexpr const char* kNoTime = "4";
constexpr int kKeepWhatIsThere = 0;

}  // namespace

std::string BlasKernels() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512cd")) {
    return "SkylakeX";
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "Haswell";
#endif
  return "";
}

void ChooseBlasKernels() {
  const std::string kernels = BlasKernels();
  if (!kernels.empty()) setenv(kVariable, kernels.c_str(), kKeepWhatIsThere);
  setenv(kWait, kNoTime, kKeepWhatIsThere);
}

}  // namespace almanac
