#include "almanac/neural/loss.h"

#include "almanac/base/error.h"

namespace almanac::neural {

at::Tensor PointLoss(Loss loss, const at::Tensor& forecasts, const at::Tensor& targets) {
  const at::Tensor values = forecasts.squeeze(-1);
  switch (loss) {
    case Loss::kMse:
      return at::mse_loss(values, targets);
    case Loss::kMae:
      return at::l1_loss(values, targets);
    case Loss::kHuber:
      return at::huber_loss(values, targets);
  }
  throw Error(ErrorCode::kUsage, "loss", "no such loss");
}

at::Tensor PinballLoss(const at::Tensor& forecasts, const at::Tensor& targets,
                       const std::vector<double>& levels) {
  const at::Tensor q = at::tensor(levels, forecasts.options());
  const at::Tensor d = targets.unsqueeze(-1) - forecasts;
  return at::maximum(q * d, (q - 1) * d).mean();
}

at::Tensor ClassLoss(const at::Tensor& forecasts, const at::Tensor& targets) {
  return at::cross_entropy_loss(forecasts.flatten(0, 1), targets.flatten().to(at::kLong));
}

}  // namespace almanac::neural
