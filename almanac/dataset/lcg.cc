#include "almanac/dataset/lcg.h"

#include <cmath>
#include <numeric>
#include <set>

namespace almanac {

std::vector<uint32_t> Lcg::Sample(uint32_t total, uint32_t count) {
  std::vector<uint32_t> taken;
  if (count >= total) {
    taken.resize(total);
    std::iota(taken.begin(), taken.end(), 0U);
    return taken;
  }
  if (count > 1 && count > total / std::log2(count)) {
    for (uint32_t i = 0; i < total; ++i) {
      const double share = static_cast<double>(count - taken.size()) / (total - i);
      if (DrawFloat() < share) taken.push_back(i);
    }
    return taken;
  }
  std::set<uint32_t> chosen;
  for (uint32_t last = total - count; last < total; ++last) {
    if (!chosen.insert(Draw31() % (last + 1)).second) chosen.insert(last);
  }
  return {chosen.begin(), chosen.end()};
}

}  // namespace almanac
