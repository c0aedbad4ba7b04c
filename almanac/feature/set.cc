#include "almanac/feature/set.h"

#include <fmt/format.h>

#include <algorithm>

#include "almanac/base/error.h"

namespace almanac {

const std::vector<NamedSet>& AllSets() {
  static const std::vector<NamedSet> kSets = {Alpha158Set(), Alpha360Set()};
  return kSets;
}

const NamedSet& RequireSet(std::string_view name) {
  std::vector<std::string> names;
  for (const NamedSet& set : AllSets()) {
    if (set.info.name == name) return set;
    names.push_back(set.info.name);
  }
  const std::optional<std::string> nearest = NearestWord(std::string(name), names);
  throw Error(ErrorCode::kUsage, "features", fmt::format("unknown set \"{}\"", name),
              nearest ? fmt::format("did you mean \"{}\"?", *nearest)
                      : fmt::format("known are {}", fmt::join(names, ", ")));
}

}  // namespace almanac
