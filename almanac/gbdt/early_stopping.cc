#include "almanac/gbdt/early_stopping.h"

#include <algorithm>

namespace almanac::gbdt {

EarlyStopping::EarlyStopping(const Params& params, const std::vector<Evaluation>& evaluations)
    : patience_(params.early_stopping_round),
      min_delta_(params.early_stopping_min_delta),
      first_only_(params.first_metric_only),
      bests_(evaluations.size()) {}

bool EarlyStopping::Update(const std::vector<Evaluation>& evaluations) {
  ++round_;
  for (size_t i = 0; i < evaluations.size(); ++i) {
    if (!evaluations[i].can_stop) continue;
    if (first_only_ && evaluations[i].metric != evaluations[0].metric) continue;
    Best& best = bests_[i];
    const double value = evaluations[i].values.back();
    const bool is_better = evaluations[i].is_bigger_better ? value > best.value + min_delta_
                                                           : value < best.value - min_delta_;
    if (best.round == 0 || is_better) best = {value, round_};
    if (round_ - best.round < patience_) continue;
    best_round_ = best.round;
    return true;
  }
  // That of the first metric that counts.
  const auto counted =
      std::find_if(bests_.begin(), bests_.end(), [](const Best& best) { return best.round > 0; });
  if (counted != bests_.end()) best_round_ = counted->round;
  return false;
}

}  // namespace almanac::gbdt
