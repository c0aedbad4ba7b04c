// Is the best of many better than a benchmark, or only the luckiest? Tests that know how many were
// tried, because they resample all of them together.
//
// With d_k the performance of series k over the benchmark at each of n instants (positive: better),
// dbar_k its mean, w_k the standard deviation of sqrt(n) dbar_k (StationaryDeviations), and * a
// replicate of the stationary bootstrap:
//   reality check  White (2000, "A Reality Check for Data Snooping", Econometrica 68):
//                  V = max_k sqrt(n) dbar_k against V* = max_k sqrt(n) (dbar*_k - dbar_k).
//   SPA            Hansen (2005, "A Test for Superior Predictive Ability", JBES 23):
//                  T = max(0, max_k sqrt(n) dbar_k / w_k) against max(0, max_k sqrt(n) (dbar*_k -
//                  g(dbar_k)) / w_k) with three ways to centre: lower g = max(0, dbar), consistent
//                  g = dbar where dbar >= -sqrt(w^2 / n 2 log log n), else 0, upper g = dbar. The
//                  p-values are ordered lower <= consistent <= upper; the consistent one counts.
//   stepwise       Romano and Wolf (2005, "Stepwise Multiple Testing as Formalized Data Snooping",
//                  Econometrica 73), as adjusted p-values (Romano and Wolf 2016): for each series,
//                  the smallest familywise error rate at which it is found better. Studentised by
//                  w_k, which stays fixed over the replicates as in SPA.
// All are one-sided: none of the series beats the benchmark. A series that never differs from the
// benchmark takes no part.
#ifndef ALMANAC_EVALUATE_SUPERIOR_ABILITY_H_
#define ALMANAC_EVALUATE_SUPERIOR_ABILITY_H_

#include <cstddef>
#include <string>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/evaluate/series_panel.h"

namespace almanac {

struct SuperiorAbility {
  size_t instants = 0;
  size_t series = 0;        // tested: those that differ from the benchmark
  size_t not_tested = 0;    // those that never do
  double block_length = 0;  // mean, instants
  int replicates = 0;
  size_t best = 0;            // position in the panel of the largest t-statistic
  double best_mean = 0;       // dbar of it; NaN if none was tested
  double best_statistic = 0;  // sqrt(n) dbar / w
  double reality_check = 1;   // p-values
  double spa_lower = 1;
  double spa = 1;
  double spa_upper = 1;
  // By position in the panel; NaN and 1 for those not tested.
  std::vector<double> statistic;
  std::vector<double> stepwise;
};

// `performance`: of each series over the benchmark. The mean block is options.block_length or that
// of PanelBlockLength with `least_block` (the horizon of overlapping forecasts). Throws
// Error(kUsage) for options out of range, no replicates, an empty panel or fewer than 10 instants;
// Error(kBadData) naming a series that differs from the benchmark by the same amount always: it
// has no standard error.
SuperiorAbility TestSuperiorAbility(const SeriesPanel& performance, const BootstrapOptions& options,
                                    double least_block = 1);

// Without the vectors if `names` is empty.
Json ToJson(const SuperiorAbility& test, const std::vector<std::string>& names);

}  // namespace almanac

#endif  // ALMANAC_EVALUATE_SUPERIOR_ABILITY_H_
