// A network's tensors by name: those that are learnt, and those that are only kept (the running
// statistics of batch normalisation). Names are those of PyTorch's state dict for the same layers.
#ifndef ALMANAC_NEURAL_PARAMETERS_H_
#define ALMANAC_NEURAL_PARAMETERS_H_

#include <ATen/ATen.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace almanac::neural {

using NamedTensors = std::vector<std::pair<std::string, at::Tensor>>;

class Parameters {
 public:
  // The tensor as a leaf that gradients are wanted for. Handles to it stay valid: Copy and MoveTo
  // change what they show.
  at::Tensor Add(std::string name, const at::Tensor& initial);
  at::Tensor AddBuffer(std::string name, const at::Tensor& initial);

  const NamedTensors& learnt() const { return learnt_; }
  const NamedTensors& buffers() const { return buffers_; }
  int64_t Count() const;  // of learnt numbers
  void MoveTo(at::Device device);
  void ClearGradients();

  // Copies on the CPU of everything, learnt first.
  NamedTensors Snapshot() const;
  // What Snapshot gave, by name. Throws Error(kBadData) naming a tensor that is missing, left over
  // or of another shape.
  void Restore(const NamedTensors& saved);

 private:
  NamedTensors learnt_, buffers_;
};

// Uniform in +-sqrt(6 / (fan in + fan out)) (Glorot and Bengio 2010, Xavier), from the default
// generator. fan in and out count a convolution's width.
at::Tensor XavierUniform(at::IntArrayRef shape);
// `blocks` square or tall orthogonal matrices below each other (Saxe et al. 2014): one a gate.
at::Tensor Orthogonal(int64_t blocks, int64_t rows, int64_t columns);

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_PARAMETERS_H_
