#include "almanac/gbdt/coded_gradients.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace almanac::gbdt {
namespace {

struct Extremes {
  double gradient = 0, hessian = 0;

  void Include(float g, float h) {
    gradient = std::max(gradient, std::abs(static_cast<double>(g)));
    hessian = std::max(hessian, std::abs(static_cast<double>(h)));
  }
};

double OneOver(double value) { return value > 0 ? 1.0 / value : 0.0; }

}  // namespace

CodedGradients Quantize(std::span<const float> gradients, std::span<const float> hessians, int bins,
                        bool has_unit_hessian) {
  Extremes most;
  for (size_t i = 0; i < gradients.size(); ++i) most.Include(gradients[i], hessians[i]);
  const int half = bins / 2;
  CodedGradients coded;
  coded.scale.gradient = most.gradient / half;
  coded.scale.hessian = has_unit_hessian ? most.hessian : most.hessian / bins;
  const double per_gradient = OneOver(coded.scale.gradient);
  const double per_hessian = OneOver(coded.scale.hessian);
  coded.codes.resize(gradients.size());
  for (size_t i = 0; i < gradients.size(); ++i) {
    const double gradient = static_cast<double>(gradients[i]) * per_gradient;
    const auto g = static_cast<int32_t>(gradient >= 0 ? gradient + 0.5 : gradient - 0.5);
    const double hessian = static_cast<double>(hessians[i]) * per_hessian + 0.5;
    const auto h = static_cast<uint32_t>(hessian);
    coded.codes[i] = Pack(g, has_unit_hessian ? 1 : h);
  }
  return coded;
}

FixedPoint::FixedPoint(std::span<const float> gradients, std::span<const float> hessians,
                       std::span<const uint32_t> rows) {
  Extremes most;
  for (const uint32_t row : rows) most.Include(gradients[row], hessians[row]);
  const auto count = std::max<uint32_t>(1, static_cast<uint32_t>(rows.size()));
  const uint32_t limit = std::numeric_limits<int32_t>::max() / count;
  steps_ = limit;
  scale_.gradient = most.gradient / steps_;
  scale_.hessian = most.hessian / steps_;
  per_gradient_ = OneOver(most.gradient) * steps_;
  per_hessian_ = OneOver(most.hessian) * steps_;
}

// A product may round up past the last step: it is held back there.
PackedBin FixedPoint::Encode(float gradient, float hessian) const {
  const double g = std::clamp(std::nearbyint(gradient * per_gradient_), -steps_, steps_);
  const double h = std::clamp(std::nearbyint(hessian * per_hessian_), 0.0, steps_);
  return Pack(static_cast<int32_t>(g), static_cast<uint32_t>(h));
}

CodedGradients ToFixedPoint(std::span<const float> gradients, std::span<const float> hessians,
                            std::span<const uint32_t> rows) {
  const FixedPoint coder(gradients, hessians, rows);
  CodedGradients coded;
  coded.scale = coder.scale();
  coded.codes.resize(gradients.size());
  for (const uint32_t row : rows) coded.codes[row] = coder.Encode(gradients[row], hessians[row]);
  return coded;
}

}  // namespace almanac::gbdt
