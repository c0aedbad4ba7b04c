// What is carried from one step of a training to the next, in files: a training that was stopped is
// taken up from it.
#ifndef ALMANAC_NEURAL_TRAINING_STATE_H_
#define ALMANAC_NEURAL_TRAINING_STATE_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/neural/parameters.h"
#include "almanac/neural/trainer.h"

namespace almanac::neural {

struct TrainingProgress {
  int64_t epoch = 0;     // that are complete
  int64_t position = 0;  // windows of this epoch's order that were learnt from
  int64_t steps = 0;     // of the optimizer
  int64_t batch_size = 0;
  double loss_sum = 0;  // of this epoch so far
  int64_t loss_rows = 0;
  int64_t best_epoch = 0;
  std::vector<EpochLoss> losses;
};

struct TrainingState {
  TrainingProgress progress;
  Json schedule, loss_scale;
  NamedTensors weights, optimizer, best;
};

// As `folder`/state; what was there is replaced when all of it is written.
void SaveState(const TrainingState& state, const std::filesystem::path& folder,
               const std::string& identity);

// None if there is none, or it is of another training. Error(kBadData) for a damaged one.
std::optional<TrainingState> LoadState(const std::filesystem::path& folder,
                                       const std::string& identity);

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_TRAINING_STATE_H_
