#include "almanac/feature/feature_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "almanac/base/error.h"
#include "almanac/feature/compose.h"
#include "almanac/feature/family.h"
#include "almanac/feature/set.h"

namespace almanac {
namespace {

constexpr char kWindow[] = "window";
constexpr char kExpression[] = "expression";
constexpr char kBase[] = "base";
constexpr char kNoTransform[] = "none";
constexpr char kOver[] = "over";
constexpr char kMinus[] = "minus";

std::string TransformNames(const std::vector<Transform>& transforms, std::string_view between) {
  std::vector<std::string> names;
  for (const Transform& transform : transforms) names.push_back(transform.Name());
  return fmt::format("{}", fmt::join(names, between));
}

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

void CheckSpec(const FeatureSpec& spec);

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

// Each of `begun` followed by each of `values`, which `set` puts into a specification; the values
// change fastest.
template <typename Value, typename Set>
std::vector<FeatureSpec> Multiply(const std::vector<FeatureSpec>& begun,
                                  const std::vector<Value>& values, const Set& set) {
  std::vector<FeatureSpec> all;
  all.reserve(begun.size() * values.size());
  for (const FeatureSpec& spec : begun) {
    for (const Value& value : values) {
      all.push_back(spec);
      set(all.back(), value);
    }
  }
  return all;
}

// What an entry's columns inherit where it is an operand.
struct Outer {
  std::vector<std::optional<Timeframe>> timeframes = {std::nullopt};
};

std::vector<std::optional<Timeframe>> ReadTimeframes(const ConfigNode& node, const Outer& outer) {
  if (!node.Has("timeframes")) return outer.timeframes;
  std::vector<std::optional<Timeframe>> timeframes;
  for (const std::string& name : node.Strings("timeframes")) {
    if (name == kBase) {
      timeframes.emplace_back();
    } else if (const auto timeframe = Timeframe::TryParse(name)) {
      timeframes.emplace_back(timeframe);
    } else {
      std::vector<std::string> names = {kBase};
      for (const Timeframe& known : Timeframe::All()) names.push_back(known.name());
      throw Error(ErrorCode::kUsage, node.Place("timeframes"),
                  fmt::format("unknown timeframe \"{}\"", name),
                  fmt::format("known are {}", fmt::join(names, ", ")));
    }
  }
  return timeframes;
}

std::vector<std::vector<Transform>> ReadTransforms(const ConfigNode& node) {
  std::vector<std::vector<Transform>> all;
  for (const std::string& text : node.Strings("transforms", {kNoTransform})) {
    try {
      all.push_back(ParseTransforms(text));
    } catch (const Error& error) {
      throw Error(ErrorCode::kUsage, node.Place("transforms"), error.problem(), error.remedy());
    }
  }
  return all;
}

std::vector<FeatureSpec> ReadEntry(const ConfigNode& node, const Outer& outer);

// `over` or `minus`: one column. It has the timeframe of the outer one unless it names its own.
void ReadOperand(const ConfigNode& node, Combination combination, std::vector<FeatureSpec>& entry) {
  const std::string key = combination == Combination::kOver ? kOver : kMinus;
  if (!node.Has(key)) return;
  if (entry.front().combination != Combination::kNone) {
    throw Error(ErrorCode::kUsage, node.Place(key), "both over and minus",
                "a column has one operand; an operand may have one of its own");
  }
  for (FeatureSpec& spec : entry) {
    const std::vector<FeatureSpec> operand = ReadEntry(node.Map(key), {{spec.timeframe}});
    if (operand.size() != 1) {
      throw Error(ErrorCode::kUsage, node.Place(key), fmt::format("{} columns", operand.size()),
                  "an operand is one column");
    }
    spec.combination = combination;
    spec.operand = operand;
  }
}

// One mapping of the list: all combinations of its values.
std::vector<FeatureSpec> ReadEntry(const ConfigNode& node, const Outer& outer) {
  const std::string name =
      node.Has(kExpression) ? kExpression : node.Choice("family", FamilyNames());
  const Family& family = RequireFamily(name);
  const FamilyInfo& info = family.info;
  std::vector<FeatureSpec> entry = {{name, {}}};
  if (info.reads_text) entry = family.read_text(node);
  entry = Multiply(entry, node.Strings("symbols", {""}),
                   [](FeatureSpec& spec, const std::string& symbol) { spec.symbol = symbol; });
  if (info.two_symbols) {
    entry = Multiply(entry, node.Strings("against", {""}),
                     [](FeatureSpec& spec, const std::string& other) { spec.against = other; });
  }
  entry = Multiply(entry, ReadTimeframes(node, outer),
                   [](FeatureSpec& spec, const std::optional<Timeframe>& timeframe) {
                     spec.timeframe = timeframe;
                   });
  for (const ParameterInfo& parameter : info.parameters) {
    entry =
        Multiply(entry, ReadValues(node, name, parameter), [&](FeatureSpec& spec, int64_t value) {
          spec.parameters.emplace_back(parameter.name, value);
        });
  }
  ReadOperand(node, Combination::kOver, entry);
  ReadOperand(node, Combination::kMinus, entry);
  entry = Multiply(entry, ReadTransforms(node),
                   [](FeatureSpec& spec, const std::vector<Transform>& transforms) {
                     spec.transforms = transforms;
                   });
  return Multiply(entry,
                  node.Ints("lags", {0}, Range<int64_t>::Between(0, FeatureSet::kLargestWindow)),
                  [](FeatureSpec& spec, int64_t lag) { spec.lag = lag; });
}

void ReadFamily(const ConfigNode& node, Reading& reading) {
  std::vector<FeatureSpec> entry = ReadEntry(node, {});
  const FamilyInfo& info = RequireFamily(entry.front().family).info;
  const std::string place =
      node.Has(kExpression)
          ? node.Place(kExpression)
          : node.Place(info.parameters.empty() ? "family" : KeyOf(info.parameters.front()));
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

std::string Transform::Name() const { return fmt::format("{}_{}", kind, window); }

namespace {

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
               {"source", info.source}};
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
