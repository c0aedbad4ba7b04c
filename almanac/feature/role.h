// When a column's values are known, as a Temporal Fusion Transformer tells inputs apart.
#ifndef ALMANAC_FEATURE_ROLE_H_
#define ALMANAC_FEATURE_ROLE_H_

#include <string_view>

#include "almanac/feature/feature_set.h"

namespace almanac {

enum class FeatureRole {
  kObserved,     // at the row's time and not before
  kKnownFuture,  // a function of the row's time alone: known for rows ahead, too
  kStatic        // one value a symbol: the last observation of time frame "static"
};
std::string_view Name(FeatureRole role);  // "observed", "known_future", "static"

// A known-future column that is combined, transformed, lagged or of another timeframe is observed:
// it looks at rows, and which rows there will be is not known.
FeatureRole RoleOf(const FeatureSpec& spec);

}  // namespace almanac

#endif  // ALMANAC_FEATURE_ROLE_H_
