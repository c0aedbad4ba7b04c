#include "almanac/gbdt/leaf_contest.h"

#include <algorithm>
#include <cmath>

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

bool IsTight(const Params& params) {
  return params.lambda_l1 == 0 && params.max_delta_step <= 0 && params.path_smooth <= kEpsilon;
}

// FindSplit asks for more than the leaf's own gain; columns are measured above G^2 / (H + 2 l2).
double AboveParent(const LeafSums& sums, const PackedScale& scale, const Params& params) {
  const double g = PackedGradient(sums.packed) * scale.gradient;
  const double h = PackedHessian(sums.packed) * scale.hessian;
  const double l2 = params.lambda_l2;
  if (IsTight(params)) {
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
    : k(tree_number),
      node(node_number),
      sums_(tree.node(node_number).sums),
      bounds_(BoundsOf(sums_, tree.scale(), params)),
      scale_(bounds_, tree.scale()),
      is_tight_(IsTight(params)),
      above_parent_(AboveParent(sums_, tree.scale(), params)),
      least_(scale_.AtLeast(above_parent_)),
      surely_(scale_.Surely(above_parent_)),
      bar_(least_) {}

void LeafContest::Enter(const Split& split) {
  const std::lock_guard<std::mutex> hold(mutex_);
  if (!split.IsBetterThan(best_)) return;
  best_ = split;
  bar_ = scale_.AtLeast(above_parent_ + best_.gain);
}

}  // namespace almanac::gbdt
