// The architectures. docs/networks.md has each one's diagram, shapes and parameter count.
#ifndef ALMANAC_NEURAL_NETWORK_H_
#define ALMANAC_NEURAL_NETWORK_H_

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>

#include "almanac/neural/host/network_options.h"
#include "almanac/neural/parameters.h"

namespace almanac::neural {

// What a network takes and gives, besides its own sizes.
struct NetworkShape {
  int64_t steps = 1;     // T, rows of a window
  int64_t features = 1;  // F
  int64_t horizons = 1;  // steps ahead that it forecasts, all at once
  int64_t outputs = 1;   // numbers for each: 1, one a quantile, or one a class
  int64_t known = 0;     // inputs that are known for the horizons too; tft
  int64_t groups = 1;    // symbols; tft
};

// What a network looks at.
struct NetworkInput {
  at::Tensor windows;  // (B, T, F)
  at::Tensor known;    // (B, T + horizons, known); tft
  at::Tensor groups;   // (B), int64: which symbol; tft
};

class Network {
 public:
  virtual ~Network() = default;
  // Gives (B, horizons, outputs). `training`: with dropout, and batch statistics, which are
  // then folded into the running ones.
  virtual at::Tensor Forward(const NetworkInput& input, bool training) = 0;

  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }

 protected:
  Parameters parameters_;
};

// Initialised from LibTorch's default generator. Throws Error(kUsage) where sizes do not fit.
std::unique_ptr<Network> MakeNetwork(const NetworkOptions& options, const NetworkShape& shape);

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_NETWORK_H_
