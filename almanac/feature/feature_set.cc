#include "almanac/feature/feature_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "almanac/base/error.h"
#include "almanac/feature/compose.h"
#include "almanac/feature/feature_spec.h"
#include "almanac/feature/set.h"

namespace almanac {
namespace {

FeatureSpec SpecFromJson(const Json& entry) {
  FeatureSpec spec;
  spec.family = entry.at("family").get<std::string>();
  const FamilyInfo& info = RequireFamily(spec.family).info;
  size_t read = 1;
  const auto text = [&](const char* key, std::string& value) {
    if (!entry.contains(key)) return;
    value = entry.at(key).get<std::string>();
    ++read;
  };
  for (const ParameterInfo& parameter : info.parameters) {
    spec.parameters.emplace_back(parameter.name, entry.at(parameter.name).get<int64_t>());
    ++read;
  }
  std::string timeframe, transforms;
  text("symbols", spec.symbol);
  text("against", spec.against);
  text("timeframes", timeframe);
  text("transforms", transforms);
  text("text", spec.text);
  text("name", spec.text_name);
  if (!timeframe.empty()) spec.timeframe = Timeframe::Parse(timeframe);
  if (!transforms.empty()) spec.transforms = ParseTransforms(transforms);
  for (const auto& [key, combination] :
       {std::pair{kOver, Combination::kOver}, std::pair{kMinus, Combination::kMinus}}) {
    if (!entry.contains(key)) continue;
    spec.combination = combination;
    spec.operand.push_back(SpecFromJson(entry.at(key)));
    ++read;
  }
  if (entry.contains("lags")) {
    spec.lag = entry.at("lags").get<int64_t>();
    ++read;
  }
  if (entry.size() == read) return spec;
  throw Error(ErrorCode::kBadData, "feature set", spec.family + " has other parameters",
              "it takes " + ParameterNames(info));
}

// The column of `spec` where it names no symbol: that of `symbol`.
void BindSymbol(FeatureSpec& spec, const std::string& symbol) {
  if (spec.symbol.empty()) spec.symbol = symbol;
  for (FeatureSpec& operand : spec.operand) BindSymbol(operand, spec.symbol);
}

void ForgetSymbol(FeatureSpec& spec) {
  spec.symbol.clear();
  for (FeatureSpec& operand : spec.operand) ForgetSymbol(operand);
}

void RequireSymbols(const FeatureSpec& spec, const std::vector<std::string>& symbols) {
  for (const std::string& symbol : {spec.symbol, spec.against}) {
    if (symbol.empty() || std::find(symbols.begin(), symbols.end(), symbol) != symbols.end()) {
      continue;
    }
    throw Error(ErrorCode::kUsage, "features",
                fmt::format("{} is of {}, which is not in the frame", spec.Name(), symbol),
                fmt::format("the frame has {}", fmt::join(symbols, ", ")));
  }
  for (const FeatureSpec& operand : spec.operand) RequireSymbols(operand, symbols);
}

// The specifications that `spec` gives for `symbol`: one, or one for each other symbol.
void AppendBound(FeatureSpec spec, const std::string& symbol,
                 const std::vector<std::string>& symbols, std::vector<FeatureSpec>& bound) {
  BindSymbol(spec, symbol);
  // "against: BTCUSDT" is meant for all symbols but that one.
  if (spec.against == spec.symbol) return;
  const bool each = RequireFamily(spec.family).info.two_symbols && spec.against.empty();
  if (!each) {
    if (symbols.size() == 1) ForgetSymbol(spec);
    bound.push_back(std::move(spec));
    return;
  }
  if (symbols.size() == 1) {
    throw Error(ErrorCode::kUsage, "features",
                spec.Name() + " needs another symbol, the frame has one",
                "compute it for several symbols, or leave it out");
  }
  for (const std::string& other : symbols) {
    if (other == spec.symbol) continue;
    bound.push_back(spec);
    bound.back().against = other;
  }
}

// The family's part of a column's name.
std::string ValueName(const FeatureSpec& spec) {
  if (!spec.text_name.empty()) return spec.text_name;
  const Family* family = FindFamily(spec.family);
  const bool joined = family != nullptr && !family->info.column.empty();
  std::string name = joined ? family->info.column : spec.family;
  for (const auto& parameter : spec.parameters) {
    name += fmt::format("{}{}", joined ? "" : "_", parameter.second);
  }
  return name;
}

}  // namespace

std::string Transform::Name() const { return fmt::format("{}_{}", kind, window); }

std::string FeatureSpec::Name() const {
  std::string name = symbol.empty() ? "" : symbol + "_";
  name += ValueName(*this);
  if (!against.empty()) name += "_" + against;
  if (combination != Combination::kNone) {
    FeatureSpec other = operand.front();
    if (other.symbol == symbol) other.symbol.clear();
    if (other.timeframe == timeframe) {
      other.timeframe.reset();
    } else if (!other.timeframe) {
      other.family += "_base";
    }
    name += (combination == Combination::kOver ? "_over_" : "_minus_") + other.Name();
  }
  if (timeframe) name += "_" + timeframe->name();
  if (!transforms.empty()) name += "_" + TransformNames(transforms, "_");
  if (lag > 0) name += fmt::format("_lag_{}", lag);
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

FeatureSet FeatureSet::Named(std::string_view name) { return FeatureSet(RequireSet(name).specs()); }

FeatureSet FeatureSet::Named(std::string_view name, const std::vector<std::string>& symbols) {
  std::vector<FeatureSpec> specs = RequireSet(name).specs();
  if (symbols.size() == 1) {
    std::erase_if(specs, [](const FeatureSpec& spec) {
      return spec.against.empty() && RequireFamily(spec.family).info.two_symbols;
    });
  }
  return FeatureSet(std::move(specs)).BoundTo(symbols);
}

FeatureSet FeatureSet::FromJson(const Json& json) {
  try {
    std::vector<FeatureSpec> specs;
    for (const Json& entry : json) specs.push_back(SpecFromJson(entry));
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
  for (const FeatureSpec& spec : specs_) list.push_back(SpecToJson(spec));
  return list;
}

FeatureSet FeatureSet::BoundTo(const std::vector<std::string>& symbols) const {
  std::vector<FeatureSpec> bound;
  for (const std::string& symbol : symbols) {
    for (const FeatureSpec& spec : specs_) {
      RequireSymbols(spec, symbols);
      if (spec.symbol.empty() || spec.symbol == symbol) {
        AppendBound(spec, symbol, symbols, bound);
      }
    }
  }
  return FeatureSet(std::move(bound));
}

}  // namespace almanac
