#include "almanac/feature/feature_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/feature/compose.h"

namespace almanac {
namespace {

void CheckNames(const FamilyInfo& info, const FeatureSpec& spec) {
  const bool same = std::equal(spec.parameters.begin(), spec.parameters.end(),
                               info.parameters.begin(), info.parameters.end(),
                               [](const auto& a, const auto& b) { return a.first == b.name; });
  if (same) return;
  throw Error(ErrorCode::kUsage, "features", spec.family + " has other parameters",
              "it takes " + ParameterNames(info));
}

[[noreturn]] void Refuse(const FeatureSpec& spec, const std::string& what, std::string remedy) {
  throw Error(ErrorCode::kUsage, "features", spec.family + " " + what, std::move(remedy));
}

void CheckSymbols(const FamilyInfo& info, const FeatureSpec& spec) {
  if (!info.two_symbols && !spec.against.empty()) {
    Refuse(spec, "against " + spec.against, "it looks at one symbol: leave out against");
  }
  if (spec.against.empty() || spec.against != spec.symbol) return;
  Refuse(spec, "of " + spec.symbol + " against itself", "name another symbol");
}

void CheckText(const Family& family, const FeatureSpec& spec) {
  if (!family.info.reads_text) {
    if (spec.text.empty() && spec.text_name.empty()) return;
    Refuse(spec, "with a text", "it has parameters only");
  }
  if (spec.text.empty() || spec.text_name.empty()) {
    Refuse(spec, "without a text and a name", "give both");
  }
  family.check_text(spec);
}

void CheckComposition(const FeatureSpec& spec) {
  const bool combined = spec.combination != Combination::kNone;
  if (spec.operand.size() != (combined ? 1U : 0U)) {
    Refuse(spec, fmt::format("with {} operands", spec.operand.size()), "over and minus take one");
  }
  for (const FeatureSpec& operand : spec.operand) CheckSpec(operand);
  for (const Transform& transform : spec.transforms) CheckTransform(transform);
  if (spec.lag >= 0 && spec.lag <= FeatureSet::kLargestWindow) return;
  Refuse(spec, fmt::format("with a lag of {} bars", spec.lag),
         fmt::format("it must be in 0 to {}", FeatureSet::kLargestWindow));
}

}  // namespace

std::string TransformNames(const std::vector<Transform>& transforms, std::string_view between) {
  std::vector<std::string> names;
  for (const Transform& transform : transforms) names.push_back(transform.Name());
  return fmt::format("{}", fmt::join(names, between));
}

const Family& RequireFamily(const std::string& name, const std::string& where) {
  if (const Family* family = FindFamily(name)) return *family;
  std::vector<std::string> names;
  for (const Family& family : AllFamilies()) names.push_back(family.info.name);
  const std::optional<std::string> nearest = NearestWord(name, names);
  throw Error(ErrorCode::kUsage, where, fmt::format("unknown family \"{}\"", name),
              (nearest ? fmt::format("did you mean \"{}\"? ", *nearest) : "") +
                  fmt::format("almanac features list names all {}", names.size()));
}

std::string ParameterNames(const FamilyInfo& info) {
  std::vector<std::string> names;
  for (const ParameterInfo& parameter : info.parameters) names.push_back(parameter.name);
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

void CheckSpec(const FeatureSpec& spec) {
  const Family& family = RequireFamily(spec.family);
  const FamilyInfo& info = family.info;
  CheckNames(info, spec);
  CheckSymbols(info, spec);
  CheckText(family, spec);
  CheckComposition(spec);
  for (size_t p = 0; p < info.parameters.size(); ++p) {
    const ParameterInfo& parameter = info.parameters[p];
    const int64_t value = spec.parameters[p].second;
    if (value < parameter.smallest || value > parameter.largest) {
      throw Error(ErrorCode::kUsage, "features",
                  fmt::format("{} {} of {}", parameter.name, value, spec.family),
                  fmt::format("it must be in {} to {}", parameter.smallest, parameter.largest));
    }
    if (!parameter.above_previous || value > spec.parameters[p - 1].second) continue;
    throw Error(ErrorCode::kUsage, "features",
                fmt::format("{} {} of {} is not above {} {}", parameter.name, value, spec.family,
                            info.parameters[p - 1].name, spec.parameters[p - 1].second),
                fmt::format("{} must be the greater", parameter.name));
  }
}

Json ParametersToJson(const FeatureSpec& spec) {
  Json json = Json::object();
  for (const auto& [name, value] : spec.parameters) json[name] = value;
  return json;
}

Json SpecToJson(const FeatureSpec& spec) {
  Json entry = {{"family", spec.family}};
  entry.update(ParametersToJson(spec));
  if (!spec.symbol.empty()) entry["symbols"] = spec.symbol;
  if (!spec.against.empty()) entry["against"] = spec.against;
  if (spec.timeframe) entry["timeframes"] = spec.timeframe->name();
  if (spec.combination != Combination::kNone) {
    entry[spec.combination == Combination::kOver ? kOver : kMinus] =
        SpecToJson(spec.operand.front());
  }
  if (!spec.transforms.empty()) entry["transforms"] = TransformNames(spec.transforms, ".");
  if (spec.lag != 0) entry["lags"] = spec.lag;
  if (!spec.text.empty()) entry["text"] = spec.text;
  if (!spec.text_name.empty()) entry["name"] = spec.text_name;
  return entry;
}

}  // namespace almanac
