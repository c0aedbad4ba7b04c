#include "almanac/base/home.h"

#include <cstdlib>

namespace almanac {

Home ResolveHome(const std::filesystem::path& flag) {
  std::filesystem::path root = flag;
  if (root.empty()) {
    const char* variable = std::getenv("ALMANAC_HOME");
    root = variable != nullptr && *variable != '\0' ? variable : ".almanac";
  }
  return {std::filesystem::absolute(root).lexically_normal()};
}

}  // namespace almanac
