// Gradients and hessians as whole numbers, packed for histograms.
#ifndef ALMANAC_GBDT_CODED_GRADIENTS_H_
#define ALMANAC_GBDT_CODED_GRADIENTS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "almanac/gbdt/split.h"

namespace almanac::gbdt {

struct CodedGradients {
  std::vector<PackedBin> codes;  // one a row
  PackedScale scale;             // what one unit is
};

// LightGBM's quantized training with deterministic rounding: gradients in `bins` steps from
// -max|g| to max|g|, hessians in `bins` steps from 0 to the largest (or all 1 of it).
CodedGradients Quantize(std::span<const float> gradients, std::span<const float> hessians, int bins,
                        bool has_unit_hessian);

// As fine as sums over `rows` allow: with n rows, |gradient| and hessian are at most
// floor((2^31 - 1) / n) units. A sum over any of these rows, or any difference of such sums, is
// then within +-(2^31 - 1), and a hessian's is at least 0: no sum leaves its half of the word, nor
// the range of an int32, whatever the values. (Hessians below 0, which a custom objective may give,
// are taken for 0.) Rounds to the nearest.
class FixedPoint {
 public:
  FixedPoint() = default;
  FixedPoint(std::span<const float> gradients, std::span<const float> hessians,
             std::span<const uint32_t> rows);

  // Of one of these rows.
  PackedBin Encode(float gradient, float hessian) const;
  const PackedScale& scale() const { return scale_; }

 private:
  double steps_ = 0, per_gradient_ = 0, per_hessian_ = 0;
  PackedScale scale_;
};

// All rows at once; only the codes of `rows` are meaningful.
CodedGradients ToFixedPoint(std::span<const float> gradients, std::span<const float> hessians,
                            std::span<const uint32_t> rows);

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_CODED_GRADIENTS_H_
