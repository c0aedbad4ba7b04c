// The test of Diebold and Mariano (1995, "Comparing Predictive Accuracy", JBES 13): do two
// forecasts of the same thing lose equally much on average? With the small-sample correction of
// Harvey, Leybourne and Newbold (1997, International Journal of Forecasting 13).
#ifndef ALMANAC_EVALUATE_DIEBOLD_MARIANO_H_
#define ALMANAC_EVALUATE_DIEBOLD_MARIANO_H_

#include <cstddef>
#include <span>
#include <string>

#include "almanac/base/json.h"

namespace almanac {

struct DieboldMariano {
  size_t count = 0;            // instants compared
  size_t horizon = 1;          // successive instants that one forecast reaches over
  double mean_difference = 0;  // mean loss of a minus mean loss of b: negative, a is better
  double statistic = 0;        // corrected; NaN where the test is not defined
  double p_value = 1;  // two-sided, Student t with count - 1 degrees; NaN with the statistic
  // "rectangular": gamma_0 + 2 sum of gamma_1 .. gamma_{h-1}, as in the papers. Where that is not
  // positive, "bartlett": the same lags with Newey-West weights.
  std::string kernel = "rectangular";
};

// `loss_a` and `loss_b`: losses (such as squared errors) at the same instants in time order, one
// each. horizon >= 1: h for h-bar forecasts made at every bar, 1 if their targets do not overlap.
// Not defined (NaN) for count <= horizon; for two forecasts with equal losses everywhere the
// statistic is 0 and p is 1. Throws Error(kUsage) for different lengths or horizon 0,
// Error(kBadData) for a loss that is not finite.
DieboldMariano TestDieboldMariano(std::span<const double> loss_a, std::span<const double> loss_b,
                                  size_t horizon);

Json ToJson(const DieboldMariano& test);

}  // namespace almanac

#endif  // ALMANAC_EVALUATE_DIEBOLD_MARIANO_H_
