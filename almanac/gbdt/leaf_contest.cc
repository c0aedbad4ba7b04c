#include "almanac/gbdt/leaf_contest.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace almanac::gbdt {
namespace {

LeafBounds BoundsOf(const LeafSums& sums, const PackedScale& scale, const Params& params) {
  LeafBounds bounds;
  bounds.gradient = PackedGradient(sums.packed);
  bounds.hessian = static_cast<int32_t>(PackedHessian(sums.packed));
  bounds.l2 = static_cast<float>(params.lambda_l2 / scale.hessian);
  bounds.rows = sums.rows;
  bounds.least_rows = params.min_data_in_leaf;
  // As the exact search has them: its rows per hessian, its least sum less a unit for rounding.
  bounds.rows_per_unit =
      static_cast<float>(static_cast<double>(sums.rows) / PackedHessian(sums.packed));
  const double least = params.min_sum_hessian_in_leaf / scale.hessian - 1;
  bounds.least_hessian = static_cast<int32_t>(std::clamp(least, 1.0, 2147483647.0));
  return bounds;
}

// FindSplit asks for more than the leaf's own gain; columns are measured above G^2 / (H + 2 l2).
double AboveParent(const LeafSums& sums, const PackedScale& scale, const Params& params) {
  const double g = PackedGradient(sums.packed) * scale.gradient;
  const double h = PackedHessian(sums.packed) * scale.hessian;
  const double l2 = params.lambda_l2;
  if (GainsReachBounds(params)) {
    return params.min_gain_to_split + (l2 > 0 ? g * g * l2 / ((h + l2) * (h + 2 * l2)) : 0);
  }
  constexpr double kRounding = 1e-12;
  const double parent = g * g / (h + 2 * l2);
  return LeafGain(g, h, params, l2, sums.rows, sums.output) + params.min_gain_to_split -
         parent * (1 + kRounding);
}

}  // namespace

LeafContest::LeafContest(size_t tree_number, int node_number, const GrowingTree& tree,
                         const Params& params)
    : Contest(tree_number, node_number, tree.node(node_number).sums),
      bounds_(BoundsOf(sums(), tree.scale(), params)),
      scale_(bounds_, tree.scale()),
      above_parent_(AboveParent(sums(), tree.scale(), params)) {
  // Otherwise gains do not reach what LargestGains finds.
  Ask(scale_.AtLeast(above_parent_), GainsReachBounds(params)
                                         ? scale_.Surely(above_parent_)
                                         : std::numeric_limits<float>::quiet_NaN());
}

float LeafContest::BarOf(const Split& split) const {
  return scale_.AtLeast(above_parent_ + split.gain);
}

}  // namespace almanac::gbdt
