// How much memory this process has in use, as Linux counts it.
#ifndef ALMANAC_DATASET_MEMORY_USE_H_
#define ALMANAC_DATASET_MEMORY_USE_H_

#include <cstddef>

namespace almanac {

struct MemoryUse {
  size_t now = 0;   // bytes resident (VmRSS)
  size_t peak = 0;  // the most that ever were (VmHWM)
};

// Throws Error(kFailed) where /proc does not say.
MemoryUse ReadMemoryUse();

}  // namespace almanac

#endif  // ALMANAC_DATASET_MEMORY_USE_H_
