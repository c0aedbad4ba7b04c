// What columns are made of, by name, so that those made of a target can be found whatever they are
// called.
#ifndef ALMANAC_FEATURE_LINEAGE_H_
#define ALMANAC_FEATURE_LINEAGE_H_

#include <map>
#include <string>
#include <vector>

#include "almanac/feature/feature_set.h"

namespace almanac {

// For each column of the set, and for what it is computed from, the names of the direct inputs: the
// column without its lag, then without its last transform, then both operands of a combination;
// at the bottom the name of an observation's feature, or "bars".
std::map<std::string, std::vector<std::string>> LineageOf(const FeatureSet& set);

}  // namespace almanac

#endif  // ALMANAC_FEATURE_LINEAGE_H_
