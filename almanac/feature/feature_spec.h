// What the files behind feature_set.h share: the checks of a specification, its JSON, and the words
// of configuration. Inside this room.
#ifndef ALMANAC_FEATURE_FEATURE_SPEC_H_
#define ALMANAC_FEATURE_FEATURE_SPEC_H_

#include <string>
#include <string_view>
#include <vector>

#include "almanac/feature/family.h"
#include "almanac/feature/feature_set.h"

namespace almanac {

inline constexpr char kWindow[] = "window";
inline constexpr char kExpression[] = "expression";
inline constexpr char kBase[] = "base";
inline constexpr char kNoTransform[] = "none";
inline constexpr char kOver[] = "over";
inline constexpr char kMinus[] = "minus";

// Throws Error(kUsage) at `where` for an unknown name, the nearest one suggested.
const Family& RequireFamily(const std::string& name, const std::string& where = "features");
// "fast, slow"
std::string ParameterNames(const FamilyInfo& info);
std::string TransformNames(const std::vector<Transform>& transforms, std::string_view between);

// Throws Error(kUsage) for a specification that gives no column.
void CheckSpec(const FeatureSpec& spec);

Json ParametersToJson(const FeatureSpec& spec);
Json SpecToJson(const FeatureSpec& spec);

}  // namespace almanac

#endif  // ALMANAC_FEATURE_FEATURE_SPEC_H_
