// GRU and LSTM layers for LibTorch that run on the kernels of recurrent.h wherever these can:
// forward and backward are one autograd function a layer.
//
// Gru and Lstm take and give what at::gru and at::lstm do, with weights in PyTorch's order and
// layouts (for each layer weight_ih, weight_hh and, if there are biases, bias_ih, bias_hh), so that
// a state dict fits both. Outputs and gradients are within 1e-5 of LibTorch's, relative to the
// largest value. On the CPU, with float32 and something to compute, they take the kernels;
// otherwise (other devices, double, float16) they call LibTorch. The kernels have no second
// derivatives: asking for them (create_graph) is an error.
//
// They run on LibTorch's threads (at::set_num_threads), and their bits do not depend on how many.
#ifndef ALMANAC_NEURAL_FUSED_H_
#define ALMANAC_NEURAL_FUSED_H_

#include <ATen/ATen.h>

#include <cstdint>
#include <tuple>

#include "almanac/neural/recurrent.h"

namespace almanac::neural {

// Whether the kernels can run a layer with this input and these weights.
bool FitsKernels(const at::Tensor& input, at::TensorList weights);

struct RecurrentLayers {
  bool has_biases = true;
  int64_t layers = 1;
  double dropout = 0;  // between layers, when training
  bool training = false;
  bool batch_first = false;
};

// input: (T, B, inputs), or (B, T, inputs) with batch_first. start: (layers, B, hidden), as are the
// states after the last step, which follow the output.
std::tuple<at::Tensor, at::Tensor> Gru(const at::Tensor& input, const at::Tensor& start,
                                       at::TensorList weights, const RecurrentLayers& options);
// start: the hidden states and the cells.
std::tuple<at::Tensor, at::Tensor, at::Tensor> Lstm(const at::Tensor& input, at::TensorList start,
                                                    at::TensorList weights,
                                                    const RecurrentLayers& options);

// One layer of K models of one shape at once, by the kernels; all tensors float32 on the CPU.
// input: (K, T, B, inputs). weights: weight_ih (K, gates * hidden, inputs), weight_hh, and bias_ih,
// bias_hh or neither. hidden, cell: (K, B, hidden), the state before the first step, or undefined
// for zeros. The result: (K, T, B, hidden), the last hidden state and, of a LSTM, the last cell.
std::vector<at::Tensor> RunLayer(Cell cell, const at::Tensor& input, at::TensorList weights,
                                 const at::Tensor& hidden, const at::Tensor& cells);

// LibTorch's threads.
Runner TorchRunner();

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_FUSED_H_
