// The features that a tree or a node may use: LightGBM's draws. Inside this room.
#ifndef ALMANAC_GBDT_FEATURE_SAMPLE_H_
#define ALMANAC_GBDT_FEATURE_SAMPLE_H_

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "almanac/dataset/lcg.h"
#include "almanac/gbdt/params.h"
#include "almanac/gbdt/split.h"

namespace almanac::gbdt {

class FeatureSample {
 public:
  FeatureSample(const Params& params, size_t features)
      : fraction_(params.feature_fraction),
        random_(static_cast<uint32_t>(params.feature_fraction_seed)),
        chosen_(features) {
    std::iota(chosen_.begin(), chosen_.end(), 0U);
    features_ = features;
    // LightGBM chooses once when it is given its data, and again for the first tree.
    Next();
  }

  // For the next tree, ascending.
  const std::vector<uint32_t>& Next() {
    if (set_.empty()) {
      if (fraction_ < 1) chosen_ = Draw(features_, fraction_);
      return chosen_;
    }
    chosen_ = set_;
    if (fraction_ == 1) return chosen_;
    const std::vector<uint32_t> places = Draw(set_.size(), fraction_);
    chosen_.clear();
    for (const uint32_t place : places) chosen_.push_back(set_[place]);
    return chosen_;
  }
  // From now on features are drawn from these, ascending, alone.
  void LookAt(const std::vector<uint32_t>& features) { set_ = features; }
  // For a node of that tree: places among the chosen.
  std::vector<uint32_t> DrawPlaces(double fraction) { return Draw(chosen_.size(), fraction); }
  const std::vector<uint32_t>& chosen() const { return chosen_; }

  // What one tree leaves for the next.
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(random_);
  }

 private:
  std::vector<uint32_t> Draw(size_t total, double fraction) {
    const int count = RoundCount(static_cast<double>(total) * fraction);
    return random_.Sample(static_cast<uint32_t>(total),
                          static_cast<uint32_t>(std::max(count, total > 0 ? 1 : 0)));
  }

  double fraction_;
  Lcg random_;
  size_t features_ = 0;
  std::vector<uint32_t> set_;  // empty: all
  std::vector<uint32_t> chosen_;
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_FEATURE_SAMPLE_H_
