// What training makes small. Forecasts are (B, horizons, outputs), targets (B, horizons).
#ifndef ALMANAC_NEURAL_LOSS_H_
#define ALMANAC_NEURAL_LOSS_H_

#include <ATen/ATen.h>

#include <vector>

#include "almanac/neural/host/network_options.h"

namespace almanac::neural {

// The mean over rows and horizons. mse, mae, huber (delta 1, of scaled targets).
at::Tensor PointLoss(Loss loss, const at::Tensor& forecasts, const at::Tensor& targets);

// The mean over rows, horizons and quantiles of the pinball loss (Koenker and Bassett 1978), with
// d = target - forecast: max(q d, (q - 1) d). `levels` between 0 and 1, one an output.
at::Tensor PinballLoss(const at::Tensor& forecasts, const at::Tensor& targets,
                       const std::vector<double>& levels);

// The mean cross-entropy of logits; targets are the classes' numbers.
at::Tensor ClassLoss(const at::Tensor& forecasts, const at::Tensor& targets);

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_LOSS_H_
