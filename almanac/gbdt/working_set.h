// The columns that most rounds look at where feature_screen is set. Inside this room.
//
// Among thousands of columns few are worth splitting along, and looking at all of them is what a
// round's time goes to. The first feature_screen_start rounds look at all. Each later round looks
// at feature_screen columns, chosen anew every feature_screen_freq rounds: half of them those along
// which the splits so far gained most (all classes, all rounds), the others drawn by chance from
// the rest, so that no column is left out for good.
#ifndef ALMANAC_GBDT_WORKING_SET_H_
#define ALMANAC_GBDT_WORKING_SET_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "almanac/dataset/lcg.h"
#include "almanac/gbdt/grown_tree.h"
#include "almanac/gbdt/params.h"

namespace almanac::gbdt {

class WorkingSet {
 public:
  WorkingSet(const Params& params, size_t features);

  // Call once a round, from 0 on: whether its features are others than those of the round before.
  bool StartRound(int round);
  // Ascending; none: all are looked at.
  const std::vector<uint32_t>& features() const { return chosen_; }
  // Of a tree of the round.
  void Learn(const GrownTree& grown);

  // What a round leaves for the next. `VisitRows` is for a vector whose length is part of it.
  template <typename Archive, typename VisitSized>
  void Visit(Archive& archive, const VisitSized& visit_sized) {
    archive(random_, gain_);
    visit_sized(archive, chosen_);
  }

 private:
  void Choose();

  size_t size_;  // 0: all features, always
  int start_, period_;
  Lcg random_;
  std::vector<double> gain_;  // by feature
  std::vector<uint32_t> chosen_;
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_WORKING_SET_H_
