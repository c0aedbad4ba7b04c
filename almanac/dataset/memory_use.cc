#include "almanac/dataset/memory_use.h"

#include <fstream>
#include <sstream>
#include <string>

#include "almanac/base/error.h"

namespace almanac {

MemoryUse ReadMemoryUse() {
  constexpr size_t kKib = 1024;
  std::ifstream status("/proc/self/status");
  MemoryUse use;
  for (std::string line; std::getline(status, line);) {
    std::istringstream words(line);
    std::string key;
    size_t kib = 0;
    words >> key >> kib;
    if (key == "VmRSS:") use.now = kib * kKib;
    if (key == "VmHWM:") use.peak = kib * kKib;
  }
  if (use.now > 0 && use.peak > 0) return use;
  throw Error(ErrorCode::kFailed, "/proc/self/status", "does not say how much memory is in use");
}

}  // namespace almanac
