// Columns of every family that needs the bars of one symbol only, for tests of what all features
// have in common.
#ifndef ALMANAC_FEATURE_EVERY_FAMILY_FOR_TEST_H_
#define ALMANAC_FEATURE_EVERY_FAMILY_FOR_TEST_H_

#include <algorithm>
#include <utility>
#include <vector>

#include "almanac/feature/feature_set.h"

namespace almanac {

// Each parameter is `scale`, or the nearest value that it may have.
inline FeatureSpec SpecOf(const FamilyInfo& family, int64_t scale) {
  FeatureSpec spec{family.name, {}};
  int64_t previous = 0;
  for (const ParameterInfo& parameter : family.parameters) {
    int64_t value = std::clamp(scale, parameter.smallest, parameter.largest);
    if (parameter.above_previous) value = std::max(value, previous + 1);
    spec.parameters.emplace_back(parameter.name, value);
    previous = value;
  }
  if (family.name == "expression") {
    spec.text = "close / open - 1";
    spec.text_name = "expression_for_test";
  } else if (family.name == "observation") {
    spec.text = "surprise/event/last";
    spec.text_name = "surprise_event_last";
  }
  return spec;
}

inline FeatureSet EveryFamily(const std::vector<int64_t>& scales) {
  std::vector<FeatureSpec> specs;
  for (const FamilyInfo& family : Catalogue()) {
    if (family.two_symbols || family.name == "observation") continue;  // which need more than bars
    for (const int64_t scale : scales) {
      FeatureSpec spec = SpecOf(family, scale);
      if (std::find(specs.begin(), specs.end(), spec) == specs.end()) {
        specs.push_back(std::move(spec));
      }
    }
  }
  return FeatureSet(std::move(specs));
}

}  // namespace almanac

#endif  // ALMANAC_FEATURE_EVERY_FAMILY_FOR_TEST_H_
