// Executes the targets of a panel strategy at the opens of its symbols' bars and keeps exact
// accounts of the one portfolio. docs/backtest.md states every convention.
#ifndef ALMANAC_BACKTEST_PANEL_SIMULATOR_H_
#define ALMANAC_BACKTEST_PANEL_SIMULATOR_H_

#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "almanac/backtest/panel.h"
#include "almanac/backtest/panel_strategy.h"
#include "almanac/backtest/simulator.h"

namespace almanac {

struct PanelExecution {
  CostModel costs = {};
  double borrow_bps_per_year = 0;  // of the value of shorts
  double max_share = 0;            // of a bar's volume that the account may trade; 0: no limit
  size_t delay_bars = 0;
  double capital = 10000;
  TimeMs from = kMinTime;  // the simulated bars: those that open in [from, to)
  TimeMs to = kMaxTime;
};

struct PanelSimulation {
  Simulation
      simulation;  // `weight` is the value of all positions (shorts counted positive) / equity
  size_t orders_without_bar = 0;  // dropped: the symbol had no bar there
  size_t orders_cut = 0;          // by max_share
  // The capital with which 95 % of the traded notional would take at most `kCapacityShare` of its
  // bar's volume; NaN without fills.
  double capacity = std::numeric_limits<double>::quiet_NaN();
};
inline constexpr double kCapacityShare = 0.01;

// `targets` in order of decided_at. Throws Error(kUsage) for options out of range, Error(kBadData)
// for targets out of order and where no bar lies in [from, to).
PanelSimulation SimulatePanel(const PanelBars& bars, std::span<const PanelTarget> targets,
                              const PanelExecution& execution);

std::vector<std::string> Describe(const PanelExecution& execution);

}  // namespace almanac

#endif  // ALMANAC_BACKTEST_PANEL_SIMULATOR_H_
