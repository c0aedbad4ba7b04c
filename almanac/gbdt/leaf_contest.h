// The contest of all columns for the best split of a leaf. Inside this room.
#ifndef ALMANAC_GBDT_LEAF_CONTEST_H_
#define ALMANAC_GBDT_LEAF_CONTEST_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "almanac/gbdt/gain_kernels.h"
#include "almanac/gbdt/growing_tree.h"
#include "almanac/gbdt/params.h"

namespace almanac::gbdt {

// Threads that search different tiles meet here. Which of them is first does not matter: splits
// have an order.
class LeafContest {
 public:
  LeafContest(size_t tree_number, int node_number, const GrowingTree& tree, const Params& params);

  // What LargestGains found for a column says that
  // - no cut gains as much as is asked for:
  bool HasNoCut(float number) const { return number < least_; }
  // - one surely does:
  bool SurelyHasCut(float number) const { return is_tight_ && number >= surely_; }
  // - it may be the best:
  bool MayWin(float number) const { return number >= bar_.load(std::memory_order_relaxed); }
  void Enter(const Split& split);

  const LeafBounds& bounds() const { return bounds_; }
  const LeafSums& sums() const { return sums_; }
  const Split& best() const { return best_; }

  const size_t k;  // of the tree
  const int node;
  std::shared_ptr<std::vector<uint16_t>> looked_at, with_cut;  // by tile, a bit a slot

 private:
  LeafSums sums_;
  LeafBounds bounds_;
  GainScale scale_;
  bool is_tight_;        // gains reach what LargestGains finds
  double above_parent_;  // what a split must gain above G^2 / W (gain_kernels.h)
  float least_, surely_;
  std::mutex mutex_;
  std::atomic<float> bar_;
  Split best_;
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_LEAF_CONTEST_H_
