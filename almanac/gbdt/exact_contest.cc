#include "almanac/gbdt/exact_contest.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "almanac/gbdt/largest_cuts.h"

namespace almanac::gbdt {
namespace {

// A histogram's errors of rounding, which grow with the sums of the root, are then far below a
// row's share of the leaf's hessian.
constexpr double kLeastShareOfRoot = 1e-6;
// Gains are computed to this part of G^2 / W and of themselves, and far better.
constexpr double kGainRounding = 1e-12;

// As FindSplit has it.
CutLeaf LeafOf(const LeafSums& sums, const Params& params) {
  CutLeaf leaf;
  leaf.gradient = sums.gradient;
  leaf.hessian = sums.hessian + 2 * kEpsilon;
  leaf.l2 = params.lambda_l2;
  leaf.least_hessian = params.min_sum_hessian_in_leaf;
  leaf.rows_per_hessian = sums.rows / leaf.hessian;
  leaf.rows = sums.rows;
  leaf.least_rows = params.min_data_in_leaf;
  return leaf;
}

}  // namespace

ExactContest::ExactContest(size_t tree_number, int node_number,
                           const GrowingTreeOf<DoubleSums>& tree, const Params& params)
    : Contest(tree_number, node_number, tree.node(node_number).sums),
      leaf_(LeafOf(sums(), params)),
      weight_(leaf_.hessian + 2 * leaf_.l2),
      parent_gain_(leaf_.gradient * leaf_.gradient / weight_),
      slack_(NumberSlack(leaf_)) {
  const double own =
      LeafGain(leaf_.gradient, leaf_.hessian, params, params.lambda_l2, leaf_.rows, sums().output);
  above_parent_ = own + params.min_gain_to_split - parent_gain_;
  least_ = AtLeast(above_parent_);
  double surely = Surely(above_parent_);
  const double of_root = tree.node(0).sums.hessian;
  examines_all_ = !std::isfinite(surely + slack_) || !tree.has_usual_hessians() ||
                  !(leaf_.hessian >= kLeastShareOfRoot * of_root);
  // Gains do not reach their bounds; and where nobody will ask what has a cut, all have.
  if (!GainsReachBounds(params)) surely = std::numeric_limits<double>::quiet_NaN();
  if (!tree.MayHaveGrandchildren(tree.node(node_number), params)) surely = least_;
  Ask(least_, surely);
}

// A column whose best cut gains as much above G^2 / W has at least this number ...
double ExactContest::AtLeast(double gain) const {
  const double low = gain - kGainRounding * (parent_gain_ + std::abs(gain));
  const double root = std::sqrt(std::max(0.0, low / weight_)) - slack_;
  return root > 0 && std::isfinite(root) ? root * root * (1 - kNumberError) : 0;
}

// ... and one that has at least this number gains more.
double ExactContest::Surely(double gain) const {
  const double high = gain + kGainRounding * (parent_gain_ + std::abs(gain));
  const double root = std::sqrt(std::max(0.0, high / weight_)) + slack_;
  return std::max(root * root * (1 + kNumberError), std::numeric_limits<double>::min());
}

double ExactContest::BarOf(const Split& split) const {
  return std::max(least_, AtLeast(above_parent_ + split.gain));
}

}  // namespace almanac::gbdt
