// Any kind of target, chosen by `kind` in configuration (docs/targets.md).
//
// A TargetSpec is a forward price in some form: its labels turn into returns and prices. The other
// kinds do not, and the types keep them apart.
#ifndef ALMANAC_TARGET_ANY_TARGET_H_
#define ALMANAC_TARGET_ANY_TARGET_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "almanac/base/config.h"
#include "almanac/base/json.h"
#include "almanac/target/direction.h"
#include "almanac/target/labels.h"
#include "almanac/target/price_change.h"
#include "almanac/target/swing.h"
#include "almanac/target/target.h"
#include "almanac/target/triple_barrier.h"
#include "almanac/target/volatility.h"

namespace almanac {

using AnyTarget = std::variant<TargetSpec, DirectionSpec, PriceChangeSpec, TripleBarrierSpec,
                               VolatilitySpec, SwingSpec>;

// "forward_return", ..., "direction", "price_change", "triple_barrier", "forward_volatility",
// "swing".
std::vector<std::string> TargetKindNames();

// {kind: triple_barrier, upper: 2, lower: 1, horizon: 48}. Throws Error(kUsage) with file and line.
AnyTarget AnyTargetFromConfig(const ConfigNode& node);
// What ToJson gives; Error(kBadData) for anything else.
AnyTarget AnyTargetFromJson(const Json& json);
Json ToJson(const AnyTarget& target);
std::string ColumnName(const AnyTarget& target);
int64_t HorizonOf(const AnyTarget& target);  // bars
// Whether its labels are of events, not of every bar.
bool IsAtEvents(const AnyTarget& target);
// What its labels count in; empty for targets that are numbers.
std::vector<std::string> ClassesOf(const AnyTarget& target);
Labels BuildLabels(const AnyTarget& target, const CandleSeries& series);

}  // namespace almanac

#endif  // ALMANAC_TARGET_ANY_TARGET_H_
