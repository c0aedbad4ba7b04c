// Decides when more rounds no longer help.
#ifndef ALMANAC_GBDT_EARLY_STOPPING_H_
#define ALMANAC_GBDT_EARLY_STOPPING_H_

#include <vector>

#include "almanac/gbdt/params.h"
#include "almanac/gbdt/train.h"

namespace almanac::gbdt {

// Metrics of sets that can_stop are watched. A metric improves if it beats its best by more than
// early_stopping_min_delta. With first_metric_only only the first metric of each validation set
// counts.
class EarlyStopping {
 public:
  EarlyStopping(const Params& params, const std::vector<Evaluation>& evaluations);

  // After each round. True: a metric has not improved for early_stopping_round rounds.
  bool Update(const std::vector<Evaluation>& evaluations);
  // Rounds up to the best of the metric that stopped the training, or of the first one.
  int best_round() const { return best_round_; }

  template <typename Archive>
  void Visit(Archive& archive) {
    archive(bests_, round_, best_round_);
  }

 private:
  struct Best {
    double value = 0;
    int round = 0;  // 0: none yet
  };

  int patience_;
  double min_delta_;
  bool first_only_;
  std::vector<Best> bests_;
  int round_ = 0, best_round_ = 0;
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_EARLY_STOPPING_H_
