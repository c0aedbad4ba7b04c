#include "almanac/target/swing_grid.h"

#include <fmt/format.h>

#include <algorithm>

#include "almanac/base/error.h"

namespace almanac {
namespace {

[[noreturn]] void ThrowGrid(std::string what, std::string remedy) {
  throw Error(ErrorCode::kUsage, "swing grid", std::move(what), std::move(remedy));
}

template <typename T>
void RequireAxis(const char* name, const std::vector<T>& values) {
  if (values.empty()) ThrowGrid(fmt::format("{} is empty", name), "give at least one value");
  for (size_t i = 0; i < values.size(); ++i) {
    if (std::find(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(i), values[i]) ==
        values.begin() + static_cast<std::ptrdiff_t>(i)) {
      continue;
    }
    ThrowGrid(fmt::format("{} has {} twice", name, values[i]),
              "each value is one step of the axis");
  }
}

void RequireAxes(const SwingGridSpec& spec) {
  RequireAxis("symbols", spec.symbols);
  RequireAxis("look_backs", spec.look_backs);
  RequireAxis("sides", spec.sides);
  RequireAxis("std_devs", spec.std_devs);
  RequireAxis("thresholds", spec.thresholds);
  RequireAxis("horizons", spec.horizons);
}

SwingSide SideOf(const std::string& name) {
  for (const SwingSide side : {SwingSide::kHigh, SwingSide::kLow}) {
    if (Name(side) == name) return side;
  }
  ThrowGrid(fmt::format("a side is \"{}\"", name), "known are high and low");
}

void RequireCount(const char* what, const std::optional<int64_t>& expected, size_t count) {
  if (!expected || *expected == static_cast<int64_t>(count)) return;
  ThrowGrid(fmt::format("its axes give {} {}, not {}", count, what, *expected),
            fmt::format("change an axis, or the count of {} that is asked for", what));
}

// The variants of one symbol, look-back and side, which `base` holds.
void AppendGroup(const SwingGridSpec& axes, const std::string& symbol, SwingSpec base,
                 SwingGrid* grid) {
  const size_t group = grid->groups.size();
  grid->groups.push_back(fmt::format("{}_swing_{}_{}", symbol, Name(base.side), base.look_back));
  for (const double std_dev : axes.std_devs) {
    for (const double threshold : axes.thresholds) {
      for (const int64_t horizon : axes.horizons) {
        base.std_dev = std_dev;
        base.threshold = threshold;
        base.horizon = horizon;
        CheckFields(base);
        grid->variants.push_back({symbol, base, group});
      }
    }
  }
}

}  // namespace

SwingGridSpec SwingGridSpec::FromConfig(const ConfigNode& node) {
  SwingGridSpec spec;
  spec.symbols = node.Strings("symbols");
  spec.look_backs = node.Ints("look_backs", spec.look_backs, Range<int64_t>::AtLeast(1));
  spec.sides = node.Strings("sides", spec.sides);
  spec.std_devs = node.Doubles("std_devs", spec.std_devs, Range<double>::AtLeast(0));
  spec.thresholds = node.Doubles("thresholds", spec.thresholds, Range<double>::Above(0));
  spec.horizons = node.Ints("horizons", spec.horizons, Range<int64_t>::Between(1, kLongestHorizon));
  ConfigReader reader(node);
  reader.Int("deviation_window", &spec.common.deviation_window, 2, kLongestHorizon);
  reader.Enumerated("same_bar", &spec.common.same_bar, SameBarNames());
  reader.Bool("drop_gaps", &spec.common.drop_gaps);
  if (node.Has("variants")) spec.variants = node.Int("variants", Range<int64_t>::AtLeast(1));
  if (node.Has("groups")) spec.groups = node.Int("groups", Range<int64_t>::AtLeast(1));
  try {
    ExpandSwingGrid(spec);
  } catch (const Error& error) {
    throw Error(error.code(), node.Place(), error.problem(), error.remedy());
  }
  return spec;
}

std::string SwingVariant::Name() const { return symbol + "_" + spec.ColumnName(); }

SwingGrid ExpandSwingGrid(const SwingGridSpec& spec) {
  RequireAxes(spec);
  SwingGrid grid;
  for (const std::string& symbol : spec.symbols) {
    for (const int64_t look_back : spec.look_backs) {
      for (const std::string& side : spec.sides) {
        SwingSpec base = spec.common;
        base.look_back = look_back;
        base.side = SideOf(side);
        AppendGroup(spec, symbol, base, &grid);
      }
    }
  }
  RequireCount("variants", spec.variants, grid.variants.size());
  RequireCount("groups", spec.groups, grid.groups.size());
  return grid;
}

}  // namespace almanac
