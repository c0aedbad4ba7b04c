#include "almanac/feature/family.h"

#include <algorithm>

namespace almanac {
namespace {

std::vector<Family> CollectFamilies() {
  std::vector<Family> all;
  for (const auto& families :
       {ReturnFamilies(), TrendFamilies(), VolatilityFamilies(), VolumeFamilies()}) {
    all.insert(all.end(), families.begin(), families.end());
  }
  std::sort(all.begin(), all.end(),
            [](const Family& a, const Family& b) { return a.info.name < b.info.name; });
  return all;
}

}  // namespace

const std::vector<Family>& AllFamilies() {
  static const std::vector<Family> kFamilies = CollectFamilies();
  return kFamilies;
}

const Family* FindFamily(std::string_view name) {
  const std::vector<Family>& all = AllFamilies();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const Family& family) { return family.info.name == name; });
  return found == all.end() ? nullptr : &*found;
}

}  // namespace almanac
