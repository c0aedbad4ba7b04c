// Whether a network's forecasts say anything: training can end in forecasts that are one number, or
// that repeat the last value.
#ifndef ALMANAC_NEURAL_COLLAPSE_H_
#define ALMANAC_NEURAL_COLLAPSE_H_

#include <span>
#include <string>

#include "almanac/base/json.h"

namespace almanac::neural {

struct CollapseReport {
  double spread = 0;     // standard deviation of the forecasts over that of the targets
  double magnitude = 0;  // root mean square of the forecasts over that of the targets
  // Of the forecasts' differences with those of the value that was known when each was made; NaN
  // for targets that are changes, whose last value is not a forecast of them.
  double echo = 0;
  std::string verdict;  // what is wrong, empty if nothing is
  Json ToJson() const;
};

// Forecasts and targets of rows in order of time, in the target's unit, `horizon` rows ahead.
// `is_level`: targets are prices, not changes of them.
//   constant  spread below 1 %
//   echo      of levels: the differences of the forecasts are those of the last known values
//             (correlation above 0.99); of changes: magnitude below 5 %, so that every forecast
//             means "as now"
CollapseReport FindCollapse(std::span<const double> forecasts, std::span<const double> targets,
                            size_t horizon, bool is_level);

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_COLLAPSE_H_
