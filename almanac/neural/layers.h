// The layers that networks are built of. Each adds its tensors to a network's Parameters under its
// name, as PyTorch's module of the same kind would, and is applied like a function.
#ifndef ALMANAC_NEURAL_LAYERS_H_
#define ALMANAC_NEURAL_LAYERS_H_

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <vector>

#include "almanac/neural/parameters.h"

namespace almanac::neural {

// x W' + b; Xavier weights, zero biases.
class Linear {
 public:
  Linear() = default;
  Linear(Parameters& parameters, const std::string& name, int64_t inputs, int64_t outputs,
         bool bias = true);
  at::Tensor operator()(const at::Tensor& x) const { return at::linear(x, weight_, bias_); }

 private:
  at::Tensor weight_, bias_;
};

// Over the batch, (B, units) or (B, units, T); running statistics with momentum 0.1.
class BatchNorm {
 public:
  BatchNorm() = default;
  BatchNorm(Parameters& parameters, const std::string& name, int64_t units);
  at::Tensor operator()(const at::Tensor& x, bool training) const;

 private:
  at::Tensor weight_, bias_, mean_, variance_;
};

// (B, channels, T) to (B, outputs, T), zeros beyond both ends.
class Convolution {
 public:
  Convolution() = default;
  Convolution(Parameters& parameters, const std::string& name, int64_t inputs, int64_t outputs,
              int64_t width);
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  at::Tensor weight_, bias_;
  int64_t width_ = 1;
};

enum class RecurrentKind { kGru, kLstm };

// Stacked GRU or LSTM layers with dropout between them; Xavier input weights, orthogonal recurrent
// ones, zero biases. (B, T, inputs) to (B, T, units), from a zero state.
class Recurrent {
 public:
  Recurrent() = default;
  Recurrent(Parameters& parameters, const std::string& name, RecurrentKind kind, int64_t inputs,
            int64_t units, int64_t layers, double dropout);
  at::Tensor operator()(const at::Tensor& x, bool training) const;

 private:
  RecurrentKind kind_ = RecurrentKind::kGru;
  int64_t units_ = 0, layers_ = 0;
  double dropout_ = 0;
  std::vector<at::Tensor> weights_;  // by layer: input, recurrent, their biases
};

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_LAYERS_H_
