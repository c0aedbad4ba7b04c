// Adam (Kingma and Ba 2015), AdamW (Loshchilov and Hutter 2019) and SGD with momentum, as PyTorch
// computes them (float32 on the CPU: within rounding, in one pass, fused_adam.h), with a state that
// can be saved: after Restore the steps are those of a training that was never stopped, bit for
// bit.
#ifndef ALMANAC_NEURAL_OPTIMIZER_H_
#define ALMANAC_NEURAL_OPTIMIZER_H_

#include <ATen/ATen.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "almanac/neural/host/network_options.h"
#include "almanac/neural/parameters.h"

namespace almanac::neural {

class WeightUpdater {
 public:
  // `parameters` must outlive this.
  WeightUpdater(const TrainingOptions& options, Parameters& parameters);

  // One step along the gradients, which are first scaled so that their joint norm is at most `clip`
  // (0: they are not). Returns the norm before. Clears the gradients. `loss_scale`: the gradients
  // are this times too large, which the norm is not; where one is not finite nothing else is
  // changed, and no step counted.
  double Step(double learning_rate, double clip, std::optional<double> loss_scale = {});

  int64_t steps() const { return steps_; }
  NamedTensors Snapshot() const;  // copies on the CPU
  // Throws Error(kBadData) if it is not the state of this optimizer and these parameters.
  void Restore(const NamedTensors& saved, int64_t steps);

 private:
  void UpdateAdam(at::Tensor& weight, size_t index, double learning_rate, double gradient_factor);
  void UpdateSgd(at::Tensor& weight, const at::Tensor& gradient, size_t index,
                 double learning_rate);

  Optimizer kind_;
  double weight_decay_, momentum_;
  Parameters* parameters_;
  std::vector<at::Tensor> first_, second_;  // moments (SGD: the velocity), as the weights
  int64_t steps_ = 0;
};

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_OPTIMIZER_H_
