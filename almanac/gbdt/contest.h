// The contest of all columns for the best split of a leaf. Inside this room.
#ifndef ALMANAC_GBDT_CONTEST_H_
#define ALMANAC_GBDT_CONTEST_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "almanac/gbdt/params.h"
#include "almanac/gbdt/split.h"

namespace almanac::gbdt {

// Whether a side's gain is g^2 / (h + l2); otherwise it is less.
inline bool GainsReachBounds(const Params& params) {
  return params.lambda_l1 == 0 && params.max_delta_step <= 0 && params.path_smooth <= kEpsilon;
}

// Columns are first looked at many at a time, which gives a number for each that bounds what its
// cuts gain; only those that may win are searched. Threads that search different tiles meet here.
// Which of them is first does not matter: splits have an order.
template <typename Number>
class Contest {
 public:
  // The number of a column, or NaN where it is not known, says that
  // - no cut gains as much as is asked for:
  bool HasNoCut(Number number) const { return number < least_; }
  // - one surely does:
  bool SurelyHasCut(Number number) const { return number >= surely_; }
  // - it may be the best:
  bool MayWin(Number number) const { return !(number < bar_.load(std::memory_order_relaxed)); }
  void Enter(const Split& split) {
    const std::lock_guard<std::mutex> hold(mutex_);
    if (!split.IsBetterThan(best_)) return;
    best_ = split;
    bar_ = BarOf(best_);
  }

  const LeafSums& sums() const { return sums_; }
  const Split& best() const { return best_; }

  const size_t k;  // of the tree
  const int node;
  std::shared_ptr<std::vector<uint16_t>> looked_at, with_cut;  // by tile, a bit a slot

 protected:
  Contest(size_t tree_number, int node_number, const LeafSums& sums)
      : k(tree_number), node(node_number), sums_(sums) {}
  ~Contest() = default;

  // What a column needs to have a cut, and to be sure of one; NaN if none can be.
  void Ask(Number least, Number surely) {
    bar_ = least_ = least;
    surely_ = surely;
  }

 private:
  // What a column needs to beat the split.
  virtual Number BarOf(const Split& split) const = 0;

  LeafSums sums_;
  Number least_ = 0, surely_ = 0;
  std::mutex mutex_;
  std::atomic<Number> bar_ = 0;
  Split best_;
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_CONTEST_H_
