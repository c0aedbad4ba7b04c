#include "almanac/feature/feature_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "almanac/base/error.h"
#include "almanac/feature/family.h"

namespace almanac {
namespace {

constexpr char kWindow[] = "window";

std::vector<std::string> FamilyNames() {
  std::vector<std::string> names;
  for (const Family& family : AllFamilies()) names.push_back(family.info.name);
  return names;
}

const Family& RequireFamily(const std::string& name) {
  if (const Family* family = FindFamily(name)) return *family;
  const std::vector<std::string> names = FamilyNames();
  const std::optional<std::string> nearest = NearestWord(name, names);
  throw Error(ErrorCode::kUsage, "features", fmt::format("unknown family \"{}\"", name),
              nearest ? fmt::format("did you mean \"{}\"?", *nearest)
                      : fmt::format("known are {}", fmt::join(names, ", ")));
}

int64_t WindowOf(const FeatureSpec& spec) {
  if (spec.parameters.size() != 1 || spec.parameters[0].first != kWindow) {
    throw Error(ErrorCode::kUsage, "features", spec.family + " has other parameters",
                "it takes one, the window");
  }
  return spec.parameters[0].second;
}

void CheckSpec(const FeatureSpec& spec) {
  const int64_t smallest = RequireFamily(spec.family).info.smallest_window;
  const int64_t window = WindowOf(spec);
  if (window >= smallest && window <= FeatureSet::kLargestWindow) return;
  throw Error(ErrorCode::kUsage, "features", fmt::format("window {} of {}", window, spec.family),
              fmt::format("it must be in {} to {}", smallest, FeatureSet::kLargestWindow));
}

Json ParametersToJson(const FeatureSpec& spec) {
  Json json = Json::object();
  for (const auto& [name, value] : spec.parameters) json[name] = value;
  return json;
}

// One mapping of the list: all its windows.
void ReadEntry(const ConfigNode& node, std::vector<FeatureSpec>& specs) {
  const std::string name = node.Choice("family", FamilyNames());
  const Range<int64_t> range =
      Range<int64_t>::Between(RequireFamily(name).info.smallest_window, FeatureSet::kLargestWindow);
  const std::vector<int64_t> windows = node.Ints("windows", {}, range);
  if (windows.empty()) {
    throw Error(ErrorCode::kUsage, node.Place("windows"), "no windows for " + name,
                "give a list of numbers of bars, such as windows: [12, 48]");
  }
  for (const int64_t window : windows) {
    FeatureSpec spec{name, {{kWindow, window}}};
    if (std::find(specs.begin(), specs.end(), spec) != specs.end()) {
      throw Error(ErrorCode::kUsage, node.Place("windows"), spec.Name() + " is there twice",
                  "remove one of them");
    }
    specs.push_back(std::move(spec));
  }
}

FeatureInfo InfoOf(const FeatureSpec& spec) {
  const Family& family = RequireFamily(spec.family);
  FeatureInfo info;
  info.spec = spec;
  info.name = spec.Name();
  info.formula = fmt::format("{}, n = {}", family.info.formula, WindowOf(spec));
  info.unit = family.info.unit;
  info.range = family.info.range;
  info.look_back = WindowOf(spec) + family.bars_before;
  info.unbounded_memory = family.unbounded_memory;
  info.known_at = "close of the bar";
  info.source = family.info.source;
  return info;
}

}  // namespace

std::vector<FamilyInfo> Catalogue() {
  std::vector<FamilyInfo> infos;
  for (const Family& family : AllFamilies()) infos.push_back(family.info);
  return infos;
}

std::string FeatureSpec::Name() const {
  std::string name = family;
  for (const auto& parameter : parameters) name += fmt::format("_{}", parameter.second);
  return name;
}

FeatureSet::FeatureSet(std::vector<FeatureSpec> specs) : specs_(std::move(specs)) {
  if (specs_.empty()) {
    throw Error(ErrorCode::kUsage, "features", "the list is empty", "name at least one feature");
  }
  std::set<std::string> seen;
  for (const FeatureSpec& spec : specs_) {
    CheckSpec(spec);
    if (!seen.insert(spec.Name()).second) {
      throw Error(ErrorCode::kUsage, "features", spec.Name() + " is there twice",
                  "remove one of them");
    }
  }
}

FeatureSet FeatureSet::FromConfig(const ConfigNode& parent, std::string_view key) {
  std::vector<FeatureSpec> specs;
  for (const ConfigNode& node : parent.Maps(key)) ReadEntry(node, specs);
  if (specs.empty()) {
    throw Error(ErrorCode::kUsage, parent.Place(key), "no features",
                "give a list such as [{family: log_return, windows: [1, 12]}]");
  }
  return FeatureSet(std::move(specs));
}

FeatureSet FeatureSet::FromJson(const Json& json) {
  try {
    std::vector<FeatureSpec> specs;
    for (const Json& entry : json) {
      specs.push_back(
          {entry.at("family").get<std::string>(), {{kWindow, entry.at(kWindow).get<int64_t>()}}});
    }
    return FeatureSet(std::move(specs));
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::kBadData, "feature set", error.what(),
                "expected a list of {\"family\": name, \"window\": bars}");
  } catch (const Error& error) {
    throw Error(ErrorCode::kBadData, "feature set", error.problem(), error.remedy());
  }
}

Json FeatureSet::ToJson() const {
  Json list = Json::array();
  for (const FeatureSpec& spec : specs_) {
    Json entry = {{"family", spec.family}};
    entry.update(ParametersToJson(spec));
    list.push_back(std::move(entry));
  }
  return list;
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
  return {{"name", info.name},           {"family", info.spec.family},
          {"formula", info.formula},     {"parameters", ParametersToJson(info.spec)},
          {"unit", info.unit},           {"range", info.range},
          {"look_back", info.look_back}, {"unbounded_memory", info.unbounded_memory},
          {"known_at", info.known_at},   {"source", info.source}};
}

Json ToJson(const FamilyInfo& info) {
  return {{"name", info.name},           {"formula", info.formula},
          {"unit", info.unit},           {"range", info.range},
          {"look_back", info.look_back}, {"smallest_window", info.smallest_window},
          {"source", info.source}};
}

}  // namespace almanac
