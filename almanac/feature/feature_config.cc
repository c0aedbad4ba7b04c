// Feature sets from configuration.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "almanac/base/error.h"
#include "almanac/feature/compose.h"
#include "almanac/feature/feature_spec.h"
#include "almanac/feature/set.h"

namespace almanac {
namespace {

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
  const std::string name = node.Has(kExpression) ? kExpression : node.String("family");
  const Family& family = RequireFamily(name, node.Place("family"));
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

}  // namespace

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

}  // namespace almanac
