// K small networks of one shape trained as one computation, as tuning and epochs train hundreds:
// each with its own weights, seed, learning rate, dropout and data. What a single one leaves idle
// (its products are small, its calls many) K of them use.
//
// Training is the same, bit for bit, when it is repeated, with any number of threads, and whichever
// other models there are; training a model with LibTorch's own layers ends within 1e-4 of it.
#ifndef ALMANAC_NEURAL_BATCHED_H_
#define ALMANAC_NEURAL_BATCHED_H_

#include <ATen/ATen.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "almanac/neural/batched_layers.h"

namespace almanac::neural {

// The recurrent layers (none: windows are taken flat), whose last state goes through the dense
// layers, each followed by ReLU, to the outputs. Dropout is between recurrent layers, before and
// between dense ones: the architectures lstm and dnn, and lstm with GRU layers.
struct BatchedShape {
  std::optional<Cell> cell;
  int64_t steps = 1, features = 1;  // of a window
  int64_t hidden = 0, layers = 0;   // of the recurrent part
  std::vector<int64_t> dense;
  int64_t outputs = 1;

  // The tensors of one model by name, in PyTorch's layouts: lstm.weight_ih_l0 (or gru.…), …,
  // dense.0.weight, dense.0.bias, …, output.weight, output.bias.
  std::vector<std::pair<std::string, std::vector<int64_t>>> Tensors() const;
};

// What the models do not share.
struct BatchedModel {
  uint64_t seed = 1;  // of its dropout
  double learning_rate = 0.001;
  double dropout = 0;
  double weight_decay = 0;
};

using ModelTensors = std::vector<std::pair<std::string, at::Tensor>>;

class BatchedNetwork {
 public:
  // initial[k]: model k's tensors, named and shaped as shape.Tensors() says. Throws Error(kUsage)
  // if there are none, their number is not that of the models, one does not fit, or a rate is
  // outside its range.
  BatchedNetwork(BatchedShape shape, std::vector<BatchedModel> models,
                 const std::vector<ModelTensors>& initial, at::Device device = at::kCPU);

  int64_t models() const { return static_cast<int64_t>(models_.size()); }
  // (K, B, T, F) to (K, B, outputs). training: with dropout.
  at::Tensor Forward(const at::Tensor& windows, bool training);
  // One step of Adam (AdamW where a model has weight decay) by the derivatives of the models'
  // losses, (K), each clipped to a norm of `clip` (0: not). As if each were trained alone.
  void Step(const at::Tensor& losses, double clip = 1.0);

  std::vector<BatchedModel>& options() { return models_; }  // rates may change between steps
  ModelTensors Model(int64_t k) const;                      // copies on the CPU

 private:
  // By the gradients times the models' factors, (K).
  void UpdateByKernel(const std::vector<at::Tensor>& gradients, const at::Tensor& factors);
  void Update(const std::vector<at::Tensor>& gradients, const at::Tensor& factors);
  at::Tensor PerModel(double BatchedModel::*field) const;

  BatchedShape shape_;
  std::vector<BatchedModel> models_;
  std::vector<at::Tensor> weights_, first_, second_;  // as shape_.Tensors(), with a leading K
  std::vector<at::Generator> generators_;
  int64_t steps_ = 0;
};

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_BATCHED_H_
