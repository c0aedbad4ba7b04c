// Training: round after round a tree a class on the gradients of the objective. The same data and
// parameters give the same model, bit for bit, at any number of threads.
#ifndef ALMANAC_GBDT_TRAIN_H_
#define ALMANAC_GBDT_TRAIN_H_

#include <string>
#include <vector>

#include "almanac/gbdt/binned_data.h"
#include "almanac/gbdt/model.h"
#include "almanac/gbdt/objective.h"
#include "almanac/gbdt/params.h"

namespace almanac::gbdt {

// Rows that are not learnt from: for metrics and early stopping. In the bins of the training data.
struct Validation {
  std::string name;
  const BinnedData& data;
  Targets targets;
};

// A metric on one validation set, by round.
struct Evaluation {
  std::string validation, metric;
  std::vector<double> values;
};

struct TrainResult {
  Model model;
  std::vector<Evaluation> evaluations;  // validation by validation, metrics in params' order
  // Rounds up to the best; 0 without early stopping. The model has no more.
  int best_round = 0;
};

// With params.early_stopping_round > 0 and a validation set, training ends once any metric on any
// set has not improved for that many rounds, and the model is cut after that metric's best round
// (as LightGBM's Python interface does), also if all rounds were made. Ends early, too, when no
// tree can be split any more.
// Throws Error(kBadData) for labels and weights (see Objective), if no column is of use, and for
// early stopping without validation Error(kUsage).
TrainResult Train(const Params& params, const BinnedData& data, const Targets& targets,
                  const std::vector<Validation>& validations = {});

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_TRAIN_H_
