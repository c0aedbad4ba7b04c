// The grid of swing targets: every combination of its axes is a variant for which a model is
// trained; variants of one symbol, look-back and side are a group (they share candidate events).
#ifndef ALMANAC_TARGET_SWING_GRID_H_
#define ALMANAC_TARGET_SWING_GRID_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "almanac/base/config.h"
#include "almanac/target/swing.h"

namespace almanac {

struct SwingGridSpec {
  std::vector<std::string> symbols;
  std::vector<int64_t> look_backs = {2, 3, 5, 10, 20, 50};
  std::vector<std::string> sides = {"high", "low"};
  std::vector<double> std_devs = {1.0, 1.5, 2.0, 2.5};
  std::vector<double> thresholds = {0.5, 1.0, 1.5};
  std::vector<int64_t> horizons = {6, 12, 24, 48, 96};
  SwingSpec common;  // deviation_window, same_bar and drop_gaps of every variant
  // How many variants and groups there must be; what the recipe's author counted on.
  std::optional<int64_t> variants, groups;

  // {symbols: [BTCUSDT], look_backs: [2, 3], ..., deviation_window: 20, variants: 2160, groups: 36}
  static SwingGridSpec FromConfig(const ConfigNode& node);
};

struct SwingVariant {
  std::string symbol;
  SwingSpec spec;
  size_t group = 0;  // index into SwingGrid::groups

  std::string Name() const;  // "BTCUSDT_swing_high_5_1.5_0.5_24", unique in its grid
};

struct SwingGrid {
  std::vector<SwingVariant> variants;
  std::vector<std::string> groups;  // "BTCUSDT_swing_high_5"
};

// In order of symbol, look-back, side, std_dev, threshold, horizon; a group's variants lie
// together. Throws Error(kUsage) for an empty axis, a value that stands twice on its axis, a value
// out of range, and counts other than those that the spec demands.
SwingGrid ExpandSwingGrid(const SwingGridSpec& spec);

}  // namespace almanac

#endif  // ALMANAC_TARGET_SWING_GRID_H_
