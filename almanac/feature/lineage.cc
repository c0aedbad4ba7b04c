#include "almanac/feature/lineage.h"

#include <utility>

#include "almanac/feature/observation.h"

namespace almanac {
namespace {

using Inputs = std::map<std::string, std::vector<std::string>>;

std::string AddInputs(FeatureSpec spec, Inputs* lineage) {
  std::string name = spec.Name();
  if (lineage->contains(name)) return name;
  std::vector<std::string> inputs;
  if (spec.lag > 0) {
    spec.lag = 0;
    inputs = {AddInputs(std::move(spec), lineage)};
  } else if (!spec.transforms.empty()) {
    spec.transforms.pop_back();
    inputs = {AddInputs(std::move(spec), lineage)};
  } else if (spec.combination != Combination::kNone) {
    FeatureSpec operand = std::move(spec.operand.front());
    spec.operand.clear();
    spec.combination = Combination::kNone;
    inputs = {AddInputs(std::move(spec), lineage), AddInputs(std::move(operand), lineage)};
  } else if (const auto observed = ObservedBy(FeatureSet({spec})); !observed.empty()) {
    inputs = {observed.front().first};
  } else {
    inputs = {"bars"};
  }
  lineage->emplace(name, std::move(inputs));
  return name;
}

}  // namespace

std::map<std::string, std::vector<std::string>> LineageOf(const FeatureSet& set) {
  Inputs lineage;
  for (const FeatureSpec& spec : set.specs()) AddInputs(spec, &lineage);
  return lineage;
}

}  // namespace almanac
