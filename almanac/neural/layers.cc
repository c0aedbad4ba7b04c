#include "almanac/neural/layers.h"

#include <fmt/format.h>

#include <tuple>

#include "almanac/neural/fused.h"

namespace almanac::neural {

Linear::Linear(Parameters& parameters, const std::string& name, int64_t inputs, int64_t outputs,
               bool bias) {
  weight_ = parameters.Add(name + ".weight", XavierUniform({outputs, inputs}));
  if (bias) bias_ = parameters.Add(name + ".bias", at::zeros({outputs}));
}

BatchNorm::BatchNorm(Parameters& parameters, const std::string& name, int64_t units) {
  weight_ = parameters.Add(name + ".weight", at::ones({units}));
  bias_ = parameters.Add(name + ".bias", at::zeros({units}));
  mean_ = parameters.AddBuffer(name + ".running_mean", at::zeros({units}));
  variance_ = parameters.AddBuffer(name + ".running_var", at::ones({units}));
}

at::Tensor BatchNorm::operator()(const at::Tensor& x, bool training) const {
  constexpr double kMomentum = 0.1, kEpsilon = 1e-5;
  return at::batch_norm(x, weight_, bias_, mean_, variance_, training, kMomentum, kEpsilon,
                        /*cudnn_enabled=*/false);
}

Convolution::Convolution(Parameters& parameters, const std::string& name, int64_t inputs,
                         int64_t outputs, int64_t width)
    : width_(width) {
  weight_ = parameters.Add(name + ".weight", XavierUniform({outputs, inputs, width}));
  bias_ = parameters.Add(name + ".bias", at::zeros({outputs}));
}

at::Tensor Convolution::operator()(const at::Tensor& x) const {
  return at::conv1d(x, weight_, bias_, /*stride=*/1, /*padding=*/width_ / 2);
}

Recurrent::Recurrent(Parameters& parameters, const std::string& name, RecurrentKind kind,
                     int64_t inputs, int64_t units, int64_t layers, double dropout)
    : kind_(kind), units_(units), layers_(layers), dropout_(dropout) {
  const int64_t gates = kind == RecurrentKind::kGru ? 3 : 4;
  for (int64_t layer = 0; layer < layers; ++layer) {
    const int64_t width = layer == 0 ? inputs : units;
    const auto add = [&](const char* what, const at::Tensor& initial) {
      weights_.push_back(parameters.Add(fmt::format("{}.{}_l{}", name, what, layer), initial));
    };
    add("weight_ih", XavierUniform({gates * units, width}));
    add("weight_hh", Orthogonal(gates, units, units));
    add("bias_ih", at::zeros({gates * units}));
    add("bias_hh", at::zeros({gates * units}));
  }
}

at::Tensor Recurrent::operator()(const at::Tensor& x, bool training) const {
  const at::Tensor start = at::zeros({layers_, x.size(0), units_}, x.options());
  const RecurrentLayers options{/*has_biases=*/true, layers_, dropout_, training,
                                /*batch_first=*/true};
  if (kind_ == RecurrentKind::kGru) return std::get<0>(Gru(x, start, weights_, options));
  return std::get<0>(Lstm(x, {start, start}, weights_, options));
}

}  // namespace almanac::neural
