#include "almanac/feature/role.h"

#include "almanac/feature/family.h"

namespace almanac {
namespace {

constexpr std::string_view kStaticSuffix = "/static/last";

}  // namespace

std::string_view Name(FeatureRole role) {
  switch (role) {
    case FeatureRole::kObserved:
      return "observed";
    case FeatureRole::kKnownFuture:
      return "known_future";
    case FeatureRole::kStatic:
      return "static";
  }
  return "";
}

FeatureRole RoleOf(const FeatureSpec& spec) {
  const bool is_plain = spec.combination == Combination::kNone && spec.transforms.empty() &&
                        spec.lag == 0 && !spec.timeframe;
  const Family* family = FindFamily(spec.family);
  if (!is_plain || family == nullptr) return FeatureRole::kObserved;
  if (spec.family == "observation" && spec.text.ends_with(kStaticSuffix)) {
    return FeatureRole::kStatic;
  }
  // The calendar's families read nothing but the row's time, unless they look back at bars.
  const bool of_time = family->info.group == "temporal" && family->info.look_back == "1 bar" &&
                       !family->unbounded_memory;
  return of_time ? FeatureRole::kKnownFuture : FeatureRole::kObserved;
}

}  // namespace almanac
