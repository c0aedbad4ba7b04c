#include "almanac/gbdt/working_set.h"

#include <algorithm>
#include <numeric>

namespace almanac::gbdt {

// A set that would hold all features is none.
WorkingSet::WorkingSet(const Params& params, size_t features)
    : size_(static_cast<size_t>(params.feature_screen) < features
                ? static_cast<size_t>(params.feature_screen)
                : 0),
      start_(params.feature_screen_start),
      period_(params.feature_screen_freq),
      random_(static_cast<uint32_t>(params.extra_seed)),
      gain_(size_ > 0 ? features : 0, 0.0) {}

bool WorkingSet::StartRound(int round) {
  if (size_ == 0 || round < start_ || (round - start_) % period_ != 0) return false;
  Choose();
  return true;
}

void WorkingSet::Learn(const GrownTree& grown) {
  if (size_ == 0) return;
  for (size_t node = 0; node < grown.feature.size(); ++node) {
    gain_[grown.feature[node]] += grown.tree.split_gain[node];
  }
}

void WorkingSet::Choose() {
  std::vector<uint32_t> order(gain_.size());
  std::iota(order.begin(), order.end(), 0U);
  const size_t best = size_ / 2;
  // Of equal gains, such as none, the first feature.
  std::partial_sort(
      order.begin(), order.begin() + static_cast<std::ptrdiff_t>(best), order.end(),
      [&](uint32_t a, uint32_t b) { return gain_[a] != gain_[b] ? gain_[a] > gain_[b] : a < b; });
  chosen_.assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(best));
  std::sort(order.begin() + static_cast<std::ptrdiff_t>(best), order.end());
  const size_t others = order.size() - best;
  for (const uint32_t place :
       random_.Sample(static_cast<uint32_t>(others), static_cast<uint32_t>(size_ - best))) {
    chosen_.push_back(order[best + place]);
  }
  std::sort(chosen_.begin(), chosen_.end());
}

}  // namespace almanac::gbdt
