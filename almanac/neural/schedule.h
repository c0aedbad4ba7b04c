// When training lowers its learning rate, and when it ends: by what the validation loss of each
// epoch says, or by a curve over the steps. The whole state can be saved.
#ifndef ALMANAC_NEURAL_SCHEDULE_H_
#define ALMANAC_NEURAL_SCHEDULE_H_

#include <cstdint>
#include <limits>

#include "almanac/base/json.h"
#include "almanac/neural/host/network_options.h"

namespace almanac::neural {

class TrainingSchedule {
 public:
  // `total_steps`: of all epochs.
  TrainingSchedule(const TrainingOptions& options, int64_t total_steps);

  // For the optimizer's step with this number, from 0.
  //   constant   the given rate r
  //   plateau    r, times plateau_factor after every plateau_patience epochs without a better loss
  //   cosine     r (1 + cos(pi step / total)) / 2
  //   one_cycle  from r / 25 up to r over the first 30 % of the steps and down to r / 250,000, both
  //              along a cosine (Smith and Topin 2019, as PyTorch's OneCycleLR)
  double LearningRate(int64_t step) const;

  // What an epoch's validation loss was. Returns whether it is the best so far.
  bool Judge(double loss);
  bool IsOver() const { return waited_ >= options_.patience; }  // early stopping
  double best() const { return best_; }

  Json ToJson() const;
  void Restore(const Json& json);

 private:
  TrainingOptions options_;
  int64_t total_steps_;
  double best_ = std::numeric_limits<double>::infinity();
  double plateau_rate_;
  int64_t waited_ = 0, plateau_waited_ = 0;
};

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_SCHEDULE_H_
