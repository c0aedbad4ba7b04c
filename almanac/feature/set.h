// The shipped sets of columns, which configuration and `almanac features list --set` name. Each
// stands in a file below set/. Inside this room.
#ifndef ALMANAC_FEATURE_SET_H_
#define ALMANAC_FEATURE_SET_H_

#include <string>
#include <string_view>
#include <vector>

#include "almanac/feature/feature_set.h"

namespace almanac {

struct NamedSet {
  SetInfo info;
  std::vector<FeatureSpec> (*specs)() = nullptr;
};

NamedSet Alpha158Set();
NamedSet Alpha360Set();
NamedSet Gru44Set();
NamedSet SwingSet();

// The column of a family for the values of its parameters, in order.
FeatureSpec SpecOfValues(const std::string& family, const std::vector<int64_t>& values);

// All of the above, sorted by name.
const std::vector<NamedSet>& AllSets();
// Throws Error(kUsage) for an unknown name, the nearest one suggested.
const NamedSet& RequireSet(std::string_view name);

}  // namespace almanac

#endif  // ALMANAC_FEATURE_SET_H_
