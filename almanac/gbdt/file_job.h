// Training and prediction from files, steered by LightGBM's settings: what `almanac gbdt` does.
#ifndef ALMANAC_GBDT_FILE_JOB_H_
#define ALMANAC_GBDT_FILE_JOB_H_

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "almanac/gbdt/column_roles.h"
#include "almanac/gbdt/params.h"
#include "almanac/gbdt/train.h"

namespace almanac::gbdt {

// The settings of a job: those about files and output, which LightGBM's command line has beside the
// parameters of training, taken apart from these.
struct JobSettings {
  std::string task = "train";  // or "predict"
  std::filesystem::path data, input_model, output_model, output_result;
  std::vector<std::filesystem::path> valid;
  Header header = Header::kAuto;
  RoleTexts roles;
  bool training_metric = false;                  // the metric on the training data too
  int metric_freq = 1;                           // rounds between two reports
  int snapshot_freq = 0;                         // rounds between two snapshots; 0: none
  int threads = 0;                               // 0: not said
  bool raw = false, leaf = false, shap = false;  // what to predict
  Settings parameters;

  // `config` are the lines of a configuration file, `given` what the command line says, which
  // counts more. Throws Error(kUsage) for values out of range, the same setting given twice with
  // two values, and what is not implemented; unknown names are found by Params::Parse.
  static JobSettings Read(const Settings& config, const Settings& given, const std::string& where);
};

struct TrainReport {
  size_t rows = 0, columns = 0, used_columns = 0;
  Model model;
  std::vector<Evaluation> evaluations;
  int best_round = 0;  // 0: no early stopping
  double read_seconds = 0, bin_seconds = 0, train_seconds = 0;
};

// Trains on settings.data, judges on settings.valid, writes settings.output_model. Beside that file
// lie, with snapshot_freq, "<model>.snapshot_iter_N" and, until the end, "<model>.resume", from
// which the same call goes on. `DATA.weight` (a number a line) is read where it lies and there is
// no weight_column. `exact`: in doubles, as LightGBM does.
TrainReport TrainFromFiles(
    const JobSettings& settings, bool exact,
    const std::function<void(int rounds, const std::vector<Evaluation>&)>& on_round);

struct PredictReport {
  size_t rows = 0, columns = 0;  // of the output
  double read_seconds = 0, predict_seconds = 0;
};

// Writes a line a row of settings.data to settings.output_result, 17 significant digits, no header:
// a prediction a class (probabilities, or raw scores), or the leaf of every tree, or Shapley values
// (class after class a value of each column and the expected score).
PredictReport PredictFromFiles(const JobSettings& settings);

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_FILE_JOB_H_
