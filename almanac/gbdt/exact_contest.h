// The contest for the best split of a leaf in exact mode. Inside this room.
#ifndef ALMANAC_GBDT_EXACT_CONTEST_H_
#define ALMANAC_GBDT_EXACT_CONTEST_H_

#include "almanac/gbdt/contest.h"
#include "almanac/gbdt/cut_scan.h"
#include "almanac/gbdt/growing_tree.h"
#include "almanac/gbdt/params.h"

namespace almanac::gbdt {

// By LargestCuts' numbers (largest_cuts.h).
class ExactContest final : public Contest<double> {
 public:
  ExactContest(size_t tree_number, int node_number, const GrowingTreeOf<DoubleSums>& tree,
               const Params& params);

  // The leaf has too few rows for any cut.
  bool IsTooSmall() const { return leaf_.rows < 2 * leaf_.least_rows; }
  // LargestCuts' numbers may mean nothing: they are taken for not known.
  bool ExaminesAll() const { return examines_all_; }
  const CutLeaf& leaf() const { return leaf_; }

 private:
  double AtLeast(double gain) const;
  double Surely(double gain) const;
  double BarOf(const Split& split) const override;

  CutLeaf leaf_;
  double weight_, parent_gain_;  // H + 2 l2 = W and G^2 / W
  double slack_;                 // of the root of a number
  double above_parent_;          // what a split must gain above G^2 / W
  double least_;                 // the number of such a gain
  bool examines_all_;
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_EXACT_CONTEST_H_
