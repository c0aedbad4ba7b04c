#include "almanac/neural/optimizer.h"

#include <cmath>
#include <map>
#include <string>

#include "almanac/base/error.h"

namespace almanac::neural {
namespace {

constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;

double GradientNorm(const NamedTensors& learnt) {
  at::Tensor sum;
  for (const auto& [name, weight] : learnt) {
    if (!weight.grad().defined()) continue;
    const at::Tensor square = weight.grad().pow(2).sum();
    sum = sum.defined() ? sum + square : square;
  }
  return sum.defined() ? std::sqrt(sum.item<double>()) : 0.0;
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

double WeightUpdater::Step(double learning_rate, double clip) {
  const at::NoGradGuard no_gradients;
  const double norm = GradientNorm(parameters_->learnt());
  // As torch.nn.utils.clip_grad_norm_.
  const double factor = clip > 0 ? std::min(1.0, clip / (norm + 1e-6)) : 1.0;
  ++steps_;
  for (size_t i = 0; i < parameters_->learnt().size(); ++i) {
    at::Tensor weight = parameters_->learnt()[i].second;
    if (!weight.grad().defined()) continue;
    const at::Tensor gradient = factor < 1 ? weight.grad() * factor : weight.grad();
    if (kind_ == Optimizer::kSgd) {
      UpdateSgd(weight, gradient, i, learning_rate);
    } else {
      UpdateAdam(weight, gradient, i, learning_rate);
    }
  }
  parameters_->ClearGradients();
  return norm;
}

void WeightUpdater::UpdateAdam(at::Tensor& weight, at::Tensor gradient, size_t index,
                               double learning_rate) {
  if (kind_ == Optimizer::kAdamW) {
    weight.mul_(1 - learning_rate * weight_decay_);
  } else if (weight_decay_ != 0) {
    gradient = gradient + weight * weight_decay_;
  }
  first_[index].mul_(kBeta1).add_(gradient, 1 - kBeta1);
  second_[index].mul_(kBeta2).addcmul_(gradient, gradient, 1 - kBeta2);
  const double correction1 = 1 - std::pow(kBeta1, static_cast<double>(steps_));
  const double correction2 = 1 - std::pow(kBeta2, static_cast<double>(steps_));
  const at::Tensor scale = (second_[index].sqrt() / std::sqrt(correction2)).add_(kEpsilon);
  weight.addcdiv_(first_[index], scale, -learning_rate / correction1);
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
