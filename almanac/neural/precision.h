// Mixed precision: matrix products, convolutions and recurrent layers in 16 bits, what needs the
// range or the digits (sums, norms, softmax, the loss, weights and moments) in 32, by LibTorch's
// autocast (Micikevicius et al. 2018).
//
// bfloat16 has float32's range, so gradients stay what they are. float16 has 5 bits of exponent:
// the loss is multiplied by a scale, so that small gradients do not vanish, and the gradients are
// divided by it before they are used.
#ifndef ALMANAC_NEURAL_PRECISION_H_
#define ALMANAC_NEURAL_PRECISION_H_

#include <ATen/ATen.h>

#include <cstdint>
#include <optional>
#include <string>

#include "almanac/base/json.h"
#include "almanac/neural/host/network_options.h"

namespace almanac::neural {

// The 16-bit type that a training on this device computes in, none for float32 throughout: on the
// CPU always none, and kMixed is refused there with Error(kUsage). On CUDA kMixed and kAuto take
// bfloat16 where the device multiplies it (compute capability 8.0 and later), else float16.
std::optional<at::ScalarType> MixedType(Precision precision, at::Device device);
// "float32", "mixed (bfloat16)" or "mixed (float16)".
std::string DescribePrecision(std::optional<at::ScalarType> mixed);

// While it lives LibTorch's operations on this kind of device, on this thread, autocast to `type`;
// does nothing without a type. Weights that were cast are kept until the outermost one ends.
class Autocast {
 public:
  Autocast(at::DeviceType device, std::optional<at::ScalarType> type);
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  bool is_on_;
  at::DeviceType device_;
  bool was_enabled_ = false;
  at::ScalarType before_ = at::kHalf;
};

// The scale of the loss, by the rule of PyTorch's GradScaler: halved when a gradient is not finite,
// doubled after 2,000 steps without that.
class LossScale {
 public:
  // 1 and constant unless the type is float16.
  explicit LossScale(std::optional<at::ScalarType> type);

  bool is_dynamic() const { return is_dynamic_; }
  double value() const { return value_; }
  // After a step whose gradients were finite, or that was left out because one was not. Throws
  // Error(kFailed) when the scale falls below 1: then it is not the scale.
  void Update(bool were_finite);

  Json ToJson() const;
  void Restore(const Json& json);

 private:
  bool is_dynamic_;
  double value_ = 1;
  int64_t good_steps_ = 0;  // since the scale was changed
};

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_PRECISION_H_
