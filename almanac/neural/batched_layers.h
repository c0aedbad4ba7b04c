// Layers of K models of one shape, computed at once: every tensor has a leading K, and model k
// meets its own weights and its own data alone. With float32 on the CPU by the kernels of
// recurrent.h, each model on one thread; elsewhere by LibTorch's batched products.
//
// A model's results do not depend, bit for bit, on which other models it is computed with.
#ifndef ALMANAC_NEURAL_BATCHED_LAYERS_H_
#define ALMANAC_NEURAL_BATCHED_LAYERS_H_

#include <ATen/ATen.h>

#include <vector>

#include "almanac/neural/recurrent.h"

namespace almanac::neural {

// x W' + b of every model. x: (K, B, inputs), weight: (K, outputs, inputs), bias: (K, outputs).
at::Tensor BatchedLinear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

// A recurrent layer of every model from a zero state: fused.h's RunLayer where the kernels fit, and
// step by step elsewhere. input: (K, T, B, inputs); weights: weight_ih, weight_hh, bias_ih,
// bias_hh, each with a leading K. The output, (K, T, B, hidden), and the last hidden state, (K, B,
// hidden).
std::vector<at::Tensor> BatchedLayer(Cell cell, const at::Tensor& input, at::TensorList weights);

// Each model's own rate and random numbers: of model k, x's values are 0 with probability rates[k]
// and divided by 1 - rates[k] otherwise. A rate of 0 takes no random numbers.
at::Tensor BatchedDropout(const at::Tensor& x, const std::vector<double>& rates,
                          std::vector<at::Generator>& generators);

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_BATCHED_LAYERS_H_
