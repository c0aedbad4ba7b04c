// Training: round after round a tree a class on the gradients of the objective. The same data and
// parameters give the same model, bit for bit, at any number of threads.
#ifndef ALMANAC_GBDT_TRAIN_H_
#define ALMANAC_GBDT_TRAIN_H_

#include <filesystem>
#include <functional>
#include <span>
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
  bool can_stop = true;  // whether early stopping looks at it
};

// A metric on one validation set, by round.
struct Evaluation {
  std::string validation, metric;
  std::vector<double> values;
  bool can_stop = true;
  bool is_bigger_better = false;
};

// A metric of the caller's: of the predictions (raw scores where the objective is custom), which
// are [class * rows + row].
struct CustomMetric {
  std::string name;
  std::function<double(std::span<const double> predictions, const Targets& targets)> evaluate;
  bool is_bigger_better = false;
};

struct TrainResult {
  Model model;
  std::vector<Evaluation> evaluations;  // validation by validation, metrics in params' order
  // Rounds up to the best; 0 without early stopping. The model has no more.
  int best_round = 0;
};

struct TrainOptions {
  // With params.objective "custom", and only then.
  CustomObjective objective;
  // After params.metric. Resuming asks for the same names.
  std::vector<CustomMetric> metrics;
  // After each round, with the number of rounds so far.
  std::function<void(int rounds, const std::vector<Evaluation>&)> on_round;
  // The model so far, every `snapshot_every` rounds (0: never).
  int snapshot_every = 0;
  std::function<void(int rounds, const Model&)> on_snapshot;
  // Where what is needed to go on is kept, written with every snapshot. If it is there, training
  // goes on from it and ends with the same bytes as one that was never broken off; it is deleted at
  // the end. Error(kUsage) if it belongs to other parameters or data, Error(kBadData) if damaged.
  std::filesystem::path resume_file;
};

// With params.early_stopping_round > 0 and a validation set, training ends once any metric on any
// set has not improved for that many rounds, and the model is cut after that metric's best round
// (as LightGBM's Python interface does), also if all rounds were made. Ends early, too, when no
// tree can be split any more.
// Throws Error(kBadData) for labels and weights (see Objective), if no column is of use, and for
// early stopping without validation Error(kUsage).
TrainResult Train(const Params& params, const BinnedData& data, const Targets& targets,
                  const std::vector<Validation>& validations = {},
                  const TrainOptions& options = {});

// `base`, then the trees of `more`, which was trained with the raw scores of `base` as initial
// scores (Targets::initial_score): what LightGBM's input_model gives.
// Throws Error(kUsage) if the two do not have the same columns and classes.
Model ContinueModel(const Model& base, Model more);
// The raw scores of all rows as Targets::initial_score wants them.
std::vector<double> InitialScores(const Model& base, const ColumnSource& source);

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_TRAIN_H_
