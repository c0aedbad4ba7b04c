// From forecasts to target positions: long, flat or short by a threshold on the forecast return.
//
// A strategy knows forecasts and the instants at which they were made, never the bars on which its
// positions are filled; what it decides is a list of targets that a simulator executes.
#ifndef ALMANAC_BACKTEST_STRATEGY_H_
#define ALMANAC_BACKTEST_STRATEGY_H_

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "almanac/base/time.h"

namespace almanac {

// The position that is wanted from now on: the fraction of the account's equity to hold, negative
// for short. A target equal to the one before trades nothing; the units held drift with the price.
struct PositionTarget {
  TimeMs decided_at = 0;  // everything that the decision used was known at this instant
  double weight = 0;
  friend bool operator==(const PositionTarget&, const PositionTarget&) = default;
};

// Long above +threshold, short below -threshold, else flat.
struct ThresholdStrategy {
  double threshold = 0;     // of the forecast return, a fraction, >= 0
  bool allow_short = true;  // false: flat instead of short
  // Only every n-th forecast decides, counted from the first: the horizon in bars for positions
  // that do not overlap, 1 for a decision at every bar. The position is held until the next
  // decision.
  size_t decide_every = 1;
  double size = 1.0;  // the fraction of equity put on, in (0, 1]
};
// Throws Error(kUsage) naming the option and its allowed range.
void CheckStrategy(const ThresholdStrategy& strategy);

// One target for each deciding forecast. `made_at` strictly increasing, forecasts finite, else
// Error(kBadData) naming row and time.
std::vector<PositionTarget> DecideTargets(const ThresholdStrategy& strategy,
                                          std::span<const TimeMs> made_at,
                                          std::span<const double> forecast);

// What the strategy does, as sentences for a report.
std::vector<std::string> Describe(const ThresholdStrategy& strategy);

}  // namespace almanac

#endif  // ALMANAC_BACKTEST_STRATEGY_H_
