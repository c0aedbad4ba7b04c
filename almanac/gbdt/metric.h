// How well scores fit labels: LightGBM's metrics, summed in row order.
#ifndef ALMANAC_GBDT_METRIC_H_
#define ALMANAC_GBDT_METRIC_H_

#include <span>
#include <string_view>

#include "almanac/gbdt/objective.h"
#include "almanac/gbdt/params.h"

namespace almanac::gbdt {

// `name`: l2, rmse, l1, huber, quantile, binary_logloss, binary_error, auc, average_precision,
// multi_logloss, multi_error. `predictions` are transformed scores (probabilities), class by class:
// [class * rows + row].
double Evaluate(std::string_view name, std::span<const double> predictions, const Targets& targets,
                const Params& params);

bool IsBiggerBetter(std::string_view metric);

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_METRIC_H_
