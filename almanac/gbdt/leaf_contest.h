// The contest for the best split of a leaf in fixed-point sums. Inside this room.
#ifndef ALMANAC_GBDT_LEAF_CONTEST_H_
#define ALMANAC_GBDT_LEAF_CONTEST_H_

#include "almanac/gbdt/contest.h"
#include "almanac/gbdt/gain_kernels.h"
#include "almanac/gbdt/growing_tree.h"
#include "almanac/gbdt/params.h"

namespace almanac::gbdt {

// By LargestGains' numbers (gain_kernels.h).
class LeafContest final : public Contest<float> {
 public:
  LeafContest(size_t tree_number, int node_number, const GrowingTree& tree, const Params& params);

  const LeafBounds& bounds() const { return bounds_; }

 private:
  float BarOf(const Split& split) const override;

  LeafBounds bounds_;
  GainScale scale_;
  double above_parent_;  // what a split must gain above G^2 / W
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_LEAF_CONTEST_H_
