#include "almanac/feature/set.h"

#include <fmt/format.h>

#include <algorithm>

#include "almanac/base/error.h"
#include "almanac/feature/family.h"

namespace almanac {

FeatureSpec SpecOfValues(const std::string& family, const std::vector<int64_t>& values) {
  FeatureSpec spec;
  spec.family = family;
  const std::vector<ParameterInfo>& parameters = FindFamily(family)->info.parameters;
  for (size_t p = 0; p < values.size(); ++p) {
    spec.parameters.emplace_back(parameters.at(p).name, values[p]);
  }
  return spec;
}

const std::vector<NamedSet>& AllSets() {
  static const std::vector<NamedSet> kSets = {Alpha158Set(), Alpha360Set(), Gru44Set(), SwingSet()};
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
