// What is known of families, sets and columns before anything is computed.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "almanac/feature/compose.h"
#include "almanac/feature/feature_spec.h"
#include "almanac/feature/role.h"
#include "almanac/feature/set.h"

namespace almanac {
namespace {

// "n = 12", "fast = 12, slow = 26".
std::string ValuesInWords(const FeatureSpec& spec) {
  std::vector<std::string> words;
  for (const auto& [name, value] : spec.parameters) {
    words.push_back(fmt::format("{} = {}", name == kWindow ? "n" : name, value));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

// The family's value, without what is done to it.
FeatureInfo FamilyInfoOf(const FeatureSpec& spec) {
  const Family& family = RequireFamily(spec.family);
  FeatureInfo info;
  info.formula = family.info.reads_text ? spec.text : family.info.formula;
  if (!spec.parameters.empty()) info.formula += ", " + ValuesInWords(spec);
  if (!spec.against.empty()) info.formula += ", the other symbol " + spec.against;
  info.unit = family.info.unit;
  info.range = family.info.range;
  info.look_back = LookBackOf(family, spec);
  info.unbounded_memory = UnboundedMemoryOf(family, spec);
  info.source = family.info.source;
  return info;
}

FeatureInfo InfoOf(const FeatureSpec& spec);

void Combine(const FeatureSpec& spec, FeatureInfo& info) {
  if (spec.combination == Combination::kNone) return;
  const FeatureInfo operand = InfoOf(spec.operand.front());
  const bool over = spec.combination == Combination::kOver;
  info.formula = fmt::format("({}) {} ({})", info.formula, over ? "/" : "-", operand.formula);
  if (over) info.unit = info.unit == operand.unit ? "ratio" : info.unit + " / " + operand.unit;
  info.range = "(-inf, inf)";
  // Of an operand of another timeframe the look-back is in other bars and is not added in.
  if (spec.operand.front().timeframe == spec.timeframe) {
    info.look_back = std::max(info.look_back, operand.look_back);
  }
  info.unbounded_memory = info.unbounded_memory || operand.unbounded_memory;
}

void ApplyTransform(const Transform& transform, FeatureInfo& info) {
  const TransformKind& kind = KindOf(transform);
  info.formula = fmt::format("{}, n = {}, of x = {}", kind.formula, transform.window, info.formula);
  if (!kind.unit.empty()) info.unit = kind.unit;
  if (kind.range != "that of x") info.range = kind.range;
  info.look_back += transform.window - (kind.from_before ? 0 : 1);
}

FeatureInfo InfoOf(const FeatureSpec& spec) {
  FeatureInfo info = FamilyInfoOf(spec);
  Combine(spec, info);
  for (const Transform& transform : spec.transforms) ApplyTransform(transform, info);
  if (spec.lag > 0) info.formula = fmt::format("{} bars before: {}", spec.lag, info.formula);
  info.look_back += spec.lag;
  info.spec = spec;
  info.name = spec.Name();
  info.timeframe = spec.timeframe ? spec.timeframe->name() : kBase;
  info.known_at =
      spec.timeframe ? fmt::format("close of the {} bar", info.timeframe) : "close of the bar";
  return info;
}

}  // namespace

std::vector<FamilyInfo> Catalogue() {
  std::vector<FamilyInfo> infos;
  for (const Family& family : AllFamilies()) infos.push_back(family.info);
  return infos;
}

std::vector<SetInfo> NamedSets() {
  std::vector<SetInfo> infos;
  for (const NamedSet& set : AllSets()) infos.push_back(set.info);
  return infos;
}

std::vector<FeatureInfo> FeatureSet::Columns() const {
  std::vector<FeatureInfo> infos;
  infos.reserve(specs_.size());
  for (const FeatureSpec& spec : specs_) infos.push_back(InfoOf(spec));
  return infos;
}

int64_t FeatureSet::LookBack() const {
  int64_t longest = 0;
  for (const FeatureInfo& info : Columns()) longest = std::max(longest, info.look_back);
  return longest;
}

Json ToJson(const FeatureInfo& info) {
  Json json = {{"name", info.name},           {"family", info.spec.family},
               {"formula", info.formula},     {"parameters", ParametersToJson(info.spec)},
               {"unit", info.unit},           {"range", info.range},
               {"look_back", info.look_back}, {"unbounded_memory", info.unbounded_memory},
               {"timeframe", info.timeframe}, {"known_at", info.known_at},
               {"source", info.source},       {"role", Name(RoleOf(info.spec))}};
  Json composition = SpecToJson(info.spec);
  composition.erase("family");
  for (const auto& parameter : info.spec.parameters) composition.erase(parameter.first);
  if (!composition.empty()) json["composition"] = std::move(composition);
  return json;
}

Json ToJson(const FamilyInfo& info) {
  Json parameters = Json::array();
  for (const ParameterInfo& parameter : info.parameters) {
    parameters.push_back({{"name", parameter.name},
                          {"smallest", parameter.smallest},
                          {"largest", parameter.largest},
                          {"above_previous", parameter.above_previous}});
  }
  return {{"name", info.name},
          {"group", info.group},
          {"formula", info.formula},
          {"unit", info.unit},
          {"range", info.range},
          {"look_back", info.look_back},
          {"smallest_window", info.smallest_window},
          {"source", info.source},
          {"parameters", parameters}};
}

Json ToJson(const SetInfo& info) {
  return {{"name", info.name}, {"description", info.description}};
}

}  // namespace almanac
