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

// As fine as sums over `rows` allow: with n rows, |gradient| <= floor((2^31 - 1) / n) and hessian
// <= floor((2^32 - 1) / n), so no sum over any of these rows leaves its half of the word. Only the
// codes of `rows` are meaningful. Rounds to the nearest.
CodedGradients ToFixedPoint(std::span<const float> gradients, std::span<const float> hessians,
                            std::span<const uint32_t> rows);

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_CODED_GRADIENTS_H_
