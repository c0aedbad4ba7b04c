#include "almanac/neural/optimizer.h"

#include <ATen/core/grad_mode.h>
#include <cmath>
#include <map>
#include <optional>
#include <string>

#include "almanac/base/error.h"
#include "almanac/neural/fused_adam.h"

namespace almanac::neural {
namespace {

// Elsewhere than on the CPU the sums stay on the device until all are made.
double GradientNorm(const NamedTensors& learnt) {
  double here = 0;
  at::Tensor there;
  for (const auto& [name, weight] : learnt) {
    if (!weight.grad().defined()) continue;
    if (const std::optional<double> squares = FusedSumOfSquares(weight.grad())) {
      here += *squares;
    } else {
      const at::Tensor sum = weight.grad().pow(2).sum();
      there = there.defined() ? there + sum : sum;
    }
  }
  return std::sqrt(here + (there.defined() ? there.item<double>() : 0.0));
}

}  // namespace

WeightUpdater::WeightUpdater(const TrainingOptions& options, Parameters& parameters)
    : kind_(options.optimizer),
      weight_decay_(options.weight_decay),
      momentum_(options.momentum),
      parameters_(&parameters) {
  const at::NoGradGuard no_gradients;
  for (const auto& [name, weight] : parameters.learnt()) {
    first_.push_back(at::zeros_like(weight));
    if (kind_ != Optimizer::kSgd) second_.push_back(at::zeros_like(weight));
  }
}

double WeightUpdater::Step(double learning_rate, double clip, std::optional<double> loss_scale) {
  const at::NoGradGuard no_gradients;
  const double norm = GradientNorm(parameters_->learnt()) / loss_scale.value_or(1);
  if (loss_scale && !std::isfinite(norm)) {
    parameters_->ClearGradients();
    return norm;
  }
  // As torch.nn.utils.clip_grad_norm_.
  const double clipped = clip > 0 ? std::min(1.0, clip / (norm + 1e-6)) : 1.0;
  const double factor = clipped / loss_scale.value_or(1);
  ++steps_;
  for (size_t i = 0; i < parameters_->learnt().size(); ++i) {
    at::Tensor weight = parameters_->learnt()[i].second;
    if (!weight.grad().defined()) continue;
    if (kind_ == Optimizer::kSgd) {
      UpdateSgd(weight, factor != 1 ? weight.grad() * factor : weight.grad(), i, learning_rate);
    } else {
      UpdateAdam(weight, i, learning_rate, factor);
    }
  }
  parameters_->ClearGradients();
  return norm;
}

void WeightUpdater::UpdateAdam(at::Tensor& weight, size_t index, double learning_rate,
                               double gradient_factor) {
  AdamOptions options;
  options.learning_rate = learning_rate;
  options.weight_decay = weight_decay_;
  options.is_decoupled = kind_ == Optimizer::kAdamW;
  options.gradient_factor = gradient_factor;
  at::Tensor &first = first_[index], &second = second_[index];
  if (FusedAdam(weight, weight.grad(), first, second, options, steps_)) return;
  // Other devices and other numbers than float32: the same in LibTorch's operations.
  at::Tensor gradient = gradient_factor != 1 ? weight.grad() * gradient_factor : weight.grad();
  if (options.is_decoupled) {
    weight.mul_(1 - learning_rate * weight_decay_);
  } else if (weight_decay_ != 0) {
    gradient = gradient + weight * weight_decay_;
  }
  first.mul_(options.beta1).add_(gradient, 1 - options.beta1);
  second.mul_(options.beta2).addcmul_(gradient, gradient, 1 - options.beta2);
  const double correction1 = 1 - std::pow(options.beta1, static_cast<double>(steps_));
  const double correction2 = 1 - std::pow(options.beta2, static_cast<double>(steps_));
  const at::Tensor scale = (second.sqrt() / std::sqrt(correction2)).add_(options.epsilon);
  weight.addcdiv_(first, scale, -learning_rate / correction1);
}

void WeightUpdater::UpdateSgd(at::Tensor& weight, const at::Tensor& gradient, size_t index,
                              double learning_rate) {
  const at::Tensor decayed = weight_decay_ != 0 ? gradient + weight * weight_decay_ : gradient;
  first_[index].mul_(momentum_).add_(decayed);
  weight.add_(first_[index], -learning_rate);
}

NamedTensors WeightUpdater::Snapshot() const {
  NamedTensors saved;
  for (size_t i = 0; i < first_.size(); ++i) {
    const std::string& name = parameters_->learnt()[i].first;
    saved.emplace_back(name + ".first", first_[i].to(at::kCPU).clone());
    if (!second_.empty()) saved.emplace_back(name + ".second", second_[i].to(at::kCPU).clone());
  }
  return saved;
}

void WeightUpdater::Restore(const NamedTensors& saved, int64_t steps) {
  const at::NoGradGuard no_gradients;
  const std::map<std::string, at::Tensor> by_name(saved.begin(), saved.end());
  const auto copy = [&](const std::string& name, at::Tensor& moment) {
    const auto found = by_name.find(name);
    if (found == by_name.end() || found->second.sizes() != moment.sizes()) {
      throw Error(ErrorCode::kBadData, name, "is not in the optimizer's state or has another shape",
                  "give the state of the same training");
    }
    moment.copy_(found->second);
  };
  for (size_t i = 0; i < first_.size(); ++i) {
    const std::string& name = parameters_->learnt()[i].first;
    copy(name + ".first", first_[i]);
    if (!second_.empty()) copy(name + ".second", second_[i]);
  }
  steps_ = steps;
}

}  // namespace almanac::neural
