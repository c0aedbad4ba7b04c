// Dropouts for boosted trees (Rashmi and Gilad-Bachrach 2015, "DART: Dropouts meet Multiple
// Additive Regression Trees"): a round forgets some of the earlier ones, learns what is then
// missing, and shares the weight with them. LightGBM's choices and numbers.
#ifndef ALMANAC_GBDT_DART_H_
#define ALMANAC_GBDT_DART_H_

#include <cstddef>
#include <vector>

#include "almanac/dataset/lcg.h"
#include "almanac/gbdt/params.h"

namespace almanac::gbdt {

class Dart {
 public:
  explicit Dart(const Params& params);

  // Chooses, once a round, which of the rounds 0 ... rounds - 1 it forgets: see dropped().
  void StartRound(int rounds);
  const std::vector<size_t>& dropped() const { return dropped_; }  // ascending
  // The learning rate of the round's trees.
  double shrinkage() const { return shrinkage_; }
  // A forgotten tree, its sign turned, comes back in two steps: multiplied by the first it is what
  // validation scores, which never forgot it, lack; by the second, what training scores lack.
  double first_factor() const;
  double second_factor() const;
  // After the round's trees are made and weighed.
  void FinishRound();

  // `VisitWeights` is for a vector whose length is part of the state.
  template <typename Archive, typename VisitWeights>
  void Visit(Archive& archive, const VisitWeights& visit_weights) {
    archive(random_, sum_);
    visit_weights(archive, weights_);
  }

 private:
  bool MayDropMore() const;
  double dropped_count() const { return static_cast<double>(dropped_.size()); }

  double learning_rate_, drop_rate_, skip_drop_;
  int max_drop_;
  bool is_uniform_, is_xgboost_;
  Lcg random_;
  double shrinkage_;
  std::vector<double> weights_;  // of each round; unused if is_uniform_
  double sum_ = 0;               // of the weights
  std::vector<size_t> dropped_;
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_DART_H_
