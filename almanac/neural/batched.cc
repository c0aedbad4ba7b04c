#include "almanac/neural/batched.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/grad_mode.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "almanac/base/error.h"
#include "almanac/neural/fused_adam.h"

namespace almanac::neural {
namespace {

constexpr double kBeta1 = 0.9, kBeta2 = 0.999, kEpsilon = 1e-8;  // as PyTorch's defaults
constexpr size_t kLayerTensors = 4;

void CheckModel(const BatchedModel& model, size_t k) {
  const std::string where = fmt::format("model {}", k);
  if (!(model.dropout >= 0 && model.dropout < 1)) {
    throw Error(ErrorCode::kUsage, where, fmt::format("dropout is {}", model.dropout),
                "give a rate from 0 to below 1");
  }
  if (!(model.learning_rate >= 0) || !(model.weight_decay >= 0)) {
    throw Error(ErrorCode::kUsage, where,
                fmt::format("learning rate {} and weight decay {}", model.learning_rate,
                            model.weight_decay),
                "give numbers that are not negative");
  }
}

// The tensor of that name in every model, one above the other.
at::Tensor Stack(const std::vector<ModelTensors>& models, const std::string& name,
                 const std::vector<int64_t>& sizes, at::Device device) {
  std::vector<at::Tensor> all;
  for (size_t k = 0; k < models.size(); ++k) {
    at::Tensor found;
    for (const auto& [own_name, tensor] : models[k]) {
      if (own_name == name) found = tensor;
    }
    const std::string where = fmt::format("model {}, {}", k, name);
    const std::string wanted = fmt::format("it is to have the shape ({})", fmt::join(sizes, ", "));
    if (!found.defined()) throw Error(ErrorCode::kUsage, where, "is missing", wanted);
    if (found.sizes() != at::IntArrayRef(sizes)) {
      throw Error(ErrorCode::kUsage, where,
                  fmt::format("has the shape ({})", fmt::join(found.sizes().vec(), ", ")), wanted);
    }
    all.push_back(found.detach().to(device));
  }
  return at::stack(all).set_requires_grad(true);
}

// The sum of each model's squares, (K). LibTorch's sums over all of one model depend on the number
// of threads.
at::Tensor SquaresOf(const std::vector<at::Tensor>& gradients) {
  at::Tensor sums = at::zeros({gradients[0].size(0)}, gradients[0].options());
  if (!sums.device().is_cpu() || sums.scalar_type() != at::kFloat) {
    for (const at::Tensor& gradient : gradients) sums += gradient.flatten(1).square().sum(1);
    return sums;
  }
  for (int64_t k = 0; k < sums.size(0); ++k) {
    double sum = 0;
    for (const at::Tensor& gradient : gradients) {
      const at::Tensor own = gradient.select(0, k).contiguous();
      const float* values = own.data_ptr<float>();
      for (int64_t i = 0; i < own.numel(); ++i) sum += static_cast<double>(values[i]) * values[i];
    }
    sums[k] = sum;
  }
  return sums;
}

}  // namespace

std::vector<std::pair<std::string, std::vector<int64_t>>> BatchedShape::Tensors() const {
  std::vector<std::pair<std::string, std::vector<int64_t>>> all;
  int64_t width = cell ? hidden : steps * features;
  if (cell) {
    const char* name = *cell == Cell::kGru ? "gru" : "lstm";
    const int64_t rows = (*cell == Cell::kGru ? 3 : 4) * hidden;
    for (int64_t layer = 0; layer < layers; ++layer) {
      const int64_t inputs = layer == 0 ? features : hidden;
      all.push_back({fmt::format("{}.weight_ih_l{}", name, layer), {rows, inputs}});
      all.push_back({fmt::format("{}.weight_hh_l{}", name, layer), {rows, hidden}});
      all.push_back({fmt::format("{}.bias_ih_l{}", name, layer), {rows}});
      all.push_back({fmt::format("{}.bias_hh_l{}", name, layer), {rows}});
    }
  }
  for (size_t i = 0; i < dense.size(); ++i) {
    all.push_back({fmt::format("dense.{}.weight", i), {dense[i], width}});
    all.push_back({fmt::format("dense.{}.bias", i), {dense[i]}});
    width = dense[i];
  }
  all.push_back({"output.weight", {outputs, width}});
  all.push_back({"output.bias", {outputs}});
  return all;
}

BatchedNetwork::BatchedNetwork(BatchedShape shape, std::vector<BatchedModel> models,
                               const std::vector<ModelTensors>& initial, at::Device device)
    : shape_(std::move(shape)), models_(std::move(models)) {
  if (models_.empty() || models_.size() != initial.size()) {
    throw Error(ErrorCode::kUsage, "batched models",
                fmt::format("{} options for {} sets of weights", models_.size(), initial.size()),
                "give one of each for every model, at least one");
  }
  if (shape_.cell && (shape_.layers < 1 || shape_.hidden < 1)) {
    throw Error(ErrorCode::kUsage, "batched models",
                fmt::format("{} recurrent layers of {} units", shape_.layers, shape_.hidden),
                "give at least one of each");
  }
  for (size_t k = 0; k < models_.size(); ++k) CheckModel(models_[k], k);
  for (const auto& [name, sizes] : shape_.Tensors()) {
    weights_.push_back(Stack(initial, name, sizes, device));
    first_.push_back(at::zeros_like(weights_.back()));
    second_.push_back(at::zeros_like(weights_.back()));
  }
  for (const BatchedModel& model : models_) {
    at::Generator generator = device.is_cpu()
                                  ? at::make_generator<at::CPUGeneratorImpl>(model.seed)
                                  : at::globalContext().defaultGenerator(device).clone();
    generator.set_current_seed(model.seed);
    generators_.push_back(generator);
  }
}

at::Tensor BatchedNetwork::Forward(const at::Tensor& windows, bool training) {
  std::vector<double> rates;
  bool drops = false;
  for (const BatchedModel& model : models_) {
    rates.push_back(model.dropout);
    drops = drops || (training && model.dropout > 0);
  }
  const auto drop = [&](const at::Tensor& x) {
    return drops ? BatchedDropout(x, rates, generators_) : x;
  };
  at::Tensor x;
  size_t next = 0;
  if (shape_.cell) {
    at::Tensor sequence = windows.transpose(1, 2);  // (K, T, B, F)
    for (int64_t layer = 0; layer < shape_.layers; ++layer, next += kLayerTensors) {
      const std::vector<at::Tensor> results = BatchedLayer(
          *shape_.cell, layer == 0 ? sequence : drop(sequence),
          {weights_[next], weights_[next + 1], weights_[next + 2], weights_[next + 3]});
      sequence = results[0];
      x = results[1];
    }
    x = drop(x);
  } else {
    x = windows.flatten(2);
  }
  for (; next + 2 < weights_.size(); next += 2) {
    x = drop(at::relu(BatchedLinear(x, weights_[next], weights_[next + 1])));
  }
  return BatchedLinear(x, weights_[next], weights_[next + 1]);
}

at::Tensor BatchedNetwork::PerModel(double BatchedModel::*field) const {
  std::vector<double> values;
  for (const BatchedModel& model : models_) values.push_back(model.*field);
  return at::tensor(values, at::kDouble).to(weights_[0].options().requires_grad(false));
}

void BatchedNetwork::Step(const at::Tensor& losses, double clip) {
  // The models share no weight: the sum's derivatives are each one's own.
  const std::vector<at::Tensor> gradients =
      torch::autograd::grad({losses.sum()}, weights_, {}, c10::nullopt, false,
                            /*allow_unused=*/false);
  const at::NoGradGuard no_gradients;
  at::Tensor factors = at::ones({models()}, gradients[0].options());
  if (clip > 0) {
    const at::Tensor norms = SquaresOf(gradients).sqrt();
    factors = (clip / (norms + 1e-6)).clamp_max(1.0);  // as clip_grad_norm_
  }
  ++steps_;
  if (weights_[0].device().is_cpu() && weights_[0].scalar_type() == at::kFloat) {
    UpdateByKernel(gradients, factors);
  } else {
    Update(gradients, factors);
  }
}

void BatchedNetwork::UpdateByKernel(const std::vector<at::Tensor>& gradients,
                                    const at::Tensor& factors) {
  const at::Tensor by_model = factors.to(at::kDouble);
  for (size_t i = 0; i < weights_.size(); ++i) {
    for (int64_t k = 0; k < models(); ++k) {
      const BatchedModel& model = models_[static_cast<size_t>(k)];
      AdamOptions options;
      options.learning_rate = model.learning_rate;
      options.weight_decay = model.weight_decay;
      options.gradient_factor = by_model.data_ptr<double>()[k];
      FusedAdam(weights_[i].select(0, k), gradients[i].select(0, k), first_[i].select(0, k),
                second_[i].select(0, k), options, steps_);
    }
  }
}

void BatchedNetwork::Update(const std::vector<at::Tensor>& gradients, const at::Tensor& factors) {
  const at::Tensor rates = PerModel(&BatchedModel::learning_rate);
  const at::Tensor decays = PerModel(&BatchedModel::weight_decay);
  const double correction1 = 1 - std::pow(kBeta1, static_cast<double>(steps_));
  const double correction2 = 1 - std::pow(kBeta2, static_cast<double>(steps_));
  for (size_t i = 0; i < weights_.size(); ++i) {
    std::vector<int64_t> each(static_cast<size_t>(gradients[i].dim()), 1);
    each[0] = models();
    const at::Tensor gradient = gradients[i] * factors.view(each), rate = rates.view(each);
    weights_[i].mul_(1 - rate * decays.view(each));
    first_[i].mul_(kBeta1).add_(gradient, 1 - kBeta1);
    second_[i].mul_(kBeta2).addcmul_(gradient, gradient, 1 - kBeta2);
    const at::Tensor scale = (second_[i].sqrt() / std::sqrt(correction2)).add_(kEpsilon);
    weights_[i].sub_(first_[i] / scale * (rate / correction1));
  }
}

ModelTensors BatchedNetwork::Model(int64_t k) const {
  ModelTensors all;
  const auto names = shape_.Tensors();
  for (size_t i = 0; i < names.size(); ++i) {
    all.emplace_back(names[i].first, weights_[i].detach().select(0, k).to(at::kCPU).clone());
  }
  return all;
}

}  // namespace almanac::neural
