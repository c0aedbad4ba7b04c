// Which rows a round learns from.
#ifndef ALMANAC_GBDT_BAGGING_H_
#define ALMANAC_GBDT_BAGGING_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "almanac/dataset/lcg.h"
#include "almanac/gbdt/params.h"

namespace almanac::gbdt {

// All rows, or a choice as LightGBM makes it on one thread. Blocks of 1024 rows have a generator
// each, so that the choice does not depend on threads.
//   bagging  every bagging_freq rounds each row is drawn anew with probability bagging_fraction:
//            the size of the bag varies
//   goss     gradient-based one-side sampling (Ke et al. 2017, "LightGBM", algorithm 2): the
//            top_rate of the rows with the largest |gradient * hessian|, and of the others
//            other_rate of all, by chance, whose gradients and hessians are multiplied so that
//            they stand for those left out. Not in the first 1 / learning_rate rounds.
class Bagging {
 public:
  Bagging(const Params& params, size_t rows);

  // Call once a round, from 0 on. Gradients and hessians are [class * rows + row].
  void StartRound(int round, std::span<float> gradients, std::span<float> hessians);
  const std::vector<uint32_t>& in_bag() const { return in_; }       // ascending
  const std::vector<uint32_t>& out_of_bag() const { return out_; }  // ascending

  // What a round leaves for the next. `VisitRows` is for a vector whose length is part of it.
  template <typename Archive, typename VisitRows>
  void Visit(Archive& archive, const VisitRows& visit_rows) {
    archive(random_);
    visit_rows(archive, in_);
    visit_rows(archive, out_);
  }

 private:
  void DrawBag();
  void TakeLargeGradients(std::span<float> gradients, std::span<float> hessians);

  bool is_goss_;
  double top_rate_, other_rate_;
  int first_goss_round_;
  double fraction_;
  int period_;  // 0: all rows, always
  size_t rows_;
  std::vector<Lcg> random_;  // one a block
  std::vector<uint32_t> in_, out_;
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_BAGGING_H_
