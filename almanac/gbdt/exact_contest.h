// The contest of all columns for the best split of a leaf in exact mode. Inside this room.
#ifndef ALMANAC_GBDT_EXACT_CONTEST_H_
#define ALMANAC_GBDT_EXACT_CONTEST_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "almanac/gbdt/cut_scan.h"
#include "almanac/gbdt/growing_tree.h"
#include "almanac/gbdt/params.h"

namespace almanac::gbdt {

// Threads that search different tiles meet here. Which of them is first does not matter: splits
// have an order.
class ExactContest {
 public:
  // `has_children`: whether children of the leaf will be searched.
  ExactContest(size_t tree_number, int node_number, const GrowingTreeOf<DoubleSums>& tree,
               const Params& params, bool has_children);

  // The leaf has too few rows for any cut.
  bool IsTooSmall() const { return leaf_.rows < 2 * leaf_.least_rows; }
  // LargestCuts' numbers may mean nothing: each column is to be examined.
  bool ExaminesAll() const { return examines_all_; }
  // What LargestCuts found for a column, or NaN where that is not known, says that
  // - no cut gains as much as is asked for:
  bool HasNoCut(double number) const { return number < least_; }
  // - one surely does, or nobody will ask:
  bool SurelyHasCut(double number) const {
    return !has_children_ || (is_tight_ && number >= surely_);
  }
  // - it may be the best:
  bool MayWin(double number) const { return !(number < bar_.load(std::memory_order_relaxed)); }
  void Enter(const Split& split);

  const CutLeaf& leaf() const { return leaf_; }
  const LeafSums& sums() const { return sums_; }
  const Split& best() const { return best_; }

  const size_t k;  // of the tree
  const int node;
  std::shared_ptr<std::vector<uint16_t>> looked_at, with_cut;  // by tile, a bit a slot

 private:
  double AtLeast(double gain) const;
  double Surely(double gain) const;

  LeafSums sums_;
  CutLeaf leaf_;
  bool has_children_, examines_all_;
  bool is_tight_;                // gains reach what LargestCuts finds
  double weight_, parent_gain_;  // H + 2 l2 = W and G^2 / W
  double above_parent_;          // what a split must gain above that
  double slack_;                 // of the root of a number
  double least_, surely_;
  std::mutex mutex_;
  std::atomic<double> bar_;
  Split best_;
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_EXACT_CONTEST_H_
