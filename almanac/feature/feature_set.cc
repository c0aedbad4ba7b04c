#include "almanac/feature/feature_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "almanac/base/error.h"
#include "almanac/feature/family.h"
#include "almanac/feature/set.h"

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

std::string ParameterNames(const FamilyInfo& info) {
  std::vector<std::string> names;
  for (const ParameterInfo& parameter : info.parameters) names.push_back(parameter.name);
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

void CheckNames(const FamilyInfo& info, const FeatureSpec& spec) {
  const bool same = std::equal(spec.parameters.begin(), spec.parameters.end(),
                               info.parameters.begin(), info.parameters.end(),
                               [](const auto& a, const auto& b) { return a.first == b.name; });
  if (same) return;
  throw Error(ErrorCode::kUsage, "features", spec.family + " has other parameters",
              "it takes " + ParameterNames(info));
}

void CheckSpec(const FeatureSpec& spec) {
  const FamilyInfo& info = RequireFamily(spec.family).info;
  CheckNames(info, spec);
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

std::string KeyOf(const ParameterInfo& parameter) {
  return parameter.name == kWindow ? "windows" : parameter.name;
}

std::vector<int64_t> ReadValues(const ConfigNode& node, const std::string& family,
                                const ParameterInfo& parameter) {
  const std::string key = KeyOf(parameter);
  std::vector<int64_t> values =
      node.Ints(key, {}, Range<int64_t>::Between(parameter.smallest, parameter.largest));
  if (!values.empty()) return values;
  throw Error(ErrorCode::kUsage, node.Place(key), fmt::format("no {} for {}", key, family),
              parameter.name == kWindow
                  ? "give a list of numbers of bars, such as windows: [12, 48]"
                  : fmt::format("give one whole number or a list of them, from {} to {}",
                                parameter.smallest, parameter.largest));
}

// Columns in the order in which they are read, each once.
struct Reading {
  std::vector<FeatureSpec> specs;
  std::set<std::string> names;

  void Add(FeatureSpec spec, const std::string& place) {
    if (!names.insert(spec.Name()).second) {
      throw Error(ErrorCode::kUsage, place, spec.Name() + " is there twice", "remove one of them");
    }
    specs.push_back(std::move(spec));
  }
};

void ReadSet(const ConfigNode& node, Reading& reading) {
  std::vector<std::string> names;
  for (const NamedSet& set : AllSets()) names.push_back(set.info.name);
  const NamedSet& set = RequireSet(node.Choice("set", names));
  for (FeatureSpec& spec : set.specs()) reading.Add(std::move(spec), node.Place("set"));
}

// All combinations of the values, the last parameter changing fastest.
void ReadFamily(const ConfigNode& node, Reading& reading) {
  const std::string name = node.Choice("family", FamilyNames());
  const FamilyInfo& info = RequireFamily(name).info;
  std::vector<FeatureSpec> entry = {{name, {}}};
  for (const ParameterInfo& parameter : info.parameters) {
    const std::vector<int64_t> values = ReadValues(node, name, parameter);
    std::vector<FeatureSpec> longer;
    for (const FeatureSpec& begun : entry) {
      for (const int64_t value : values) {
        longer.push_back(begun);
        longer.back().parameters.emplace_back(parameter.name, value);
      }
    }
    entry = std::move(longer);
  }
  const std::string place =
      node.Place(info.parameters.empty() ? "family" : KeyOf(info.parameters.front()));
  for (FeatureSpec& spec : entry) {
    try {
      CheckSpec(spec);
    } catch (const Error& error) {
      throw Error(ErrorCode::kUsage, place, error.problem(), error.remedy());
    }
    reading.Add(std::move(spec), place);
  }
}

// "n = 12", "fast = 12, slow = 26".
std::string ValuesInWords(const FeatureSpec& spec) {
  std::vector<std::string> words;
  for (const auto& [name, value] : spec.parameters) {
    words.push_back(fmt::format("{} = {}", name == kWindow ? "n" : name, value));
  }
  return fmt::format("{}", fmt::join(words, ", "));
}

FeatureInfo InfoOf(const FeatureSpec& spec) {
  const Family& family = RequireFamily(spec.family);
  FeatureInfo info;
  info.spec = spec;
  info.name = spec.Name();
  info.formula = family.info.formula;
  if (!spec.parameters.empty()) info.formula += ", " + ValuesInWords(spec);
  info.unit = family.info.unit;
  info.range = family.info.range;
  info.look_back = LookBackOf(family, spec);
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

std::vector<SetInfo> NamedSets() {
  std::vector<SetInfo> infos;
  for (const NamedSet& set : AllSets()) infos.push_back(set.info);
  return infos;
}

std::string FeatureSpec::Name() const {
  const Family* known = FindFamily(family);
  if (known != nullptr && !known->info.column.empty()) {
    std::string name = known->info.column;
    for (const auto& parameter : parameters) name += std::to_string(parameter.second);
    return name;
  }
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
  Reading reading;
  for (const ConfigNode& node : parent.Maps(key)) {
    node.Has("set") ? ReadSet(node, reading) : ReadFamily(node, reading);
  }
  if (reading.specs.empty()) {
    throw Error(ErrorCode::kUsage, parent.Place(key), "no features",
                "give a list such as [{family: log_return, windows: [1, 12]}]");
  }
  return FeatureSet(std::move(reading.specs));
}

FeatureSet FeatureSet::Named(std::string_view name) { return FeatureSet(RequireSet(name).specs()); }

FeatureSet FeatureSet::FromJson(const Json& json) {
  try {
    std::vector<FeatureSpec> specs;
    for (const Json& entry : json) {
      FeatureSpec spec{entry.at("family").get<std::string>(), {}};
      for (const ParameterInfo& parameter : RequireFamily(spec.family).info.parameters) {
        spec.parameters.emplace_back(parameter.name, entry.at(parameter.name).get<int64_t>());
      }
      if (entry.size() != 1 + spec.parameters.size()) {
        throw Error(ErrorCode::kBadData, "feature set", spec.family + " has other parameters",
                    "it takes " + ParameterNames(RequireFamily(spec.family).info));
      }
      specs.push_back(std::move(spec));
    }
    return FeatureSet(std::move(specs));
  } catch (const Json::exception& error) {
    throw Error(
        ErrorCode::kBadData, "feature set", error.what(),
        "expected a list of {\"family\": name, \"window\": bars}, or the family's parameters");
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
