// Metrics of class forecasts, each beside the naive forecast: the frequencies of the classes in
// training, the same for every row.
//
// With p_c the probability of class c, y the class that happened, n rows:
//   log loss   mean of -log p_y, probabilities kept within [2.2e-16, 1 - 2.2e-16] (scikit-learn's
//              rule)
//   Brier      two classes: mean of (p_1 - [y = 1])^2, class 1 being the second; more: mean of the
//              sum over classes of (p_c - [y = c])^2 (Brier 1950)
//   AP         average precision of each class against the rest: sum over thresholds of (recall_k
//              - recall_{k-1}) precision_k, equal scores at one threshold, not interpolated; macro:
//              the mean over classes that occur. Without skill it is the class's frequency.
//   AUC        area under the receiver operating characteristic of each class against the rest
//              (ties count one half); macro as AP. Without skill 0.5.
//   accuracy   share of rows whose most probable class happened (of equally probable ones the
//              first), and the confusion matrix of that rule
//   reliability  rows by the forecast probability of a class, ten equal parts of [0, 1]: mean
//              probability beside the frequency; ECE is the mean of their distance weighted by rows
#ifndef ALMANAC_EVALUATE_CLASS_METRICS_H_
#define ALMANAC_EVALUATE_CLASS_METRICS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/base/time.h"
#include "almanac/evaluate/bootstrap.h"
#include "almanac/evaluate/diebold_mariano.h"
#include "almanac/evaluate/evaluation_head.h"
#include "almanac/evaluate/metrics.h"
#include "almanac/evaluate/quantile_metrics.h"

namespace almanac {

struct ClassSample {
  std::vector<TimeMs> made_at;                   // not decreasing
  std::vector<std::string> classes;              // at least two
  std::vector<uint32_t> actual;                  // positions in `classes`, one a row
  std::vector<std::vector<double>> probability;  // class by class, one a row; rows sum to 1
  std::vector<double> naive;                     // a probability a class
  size_t horizon = 1;                            // as ForecastSample

  size_t size() const { return made_at.size(); }
};

struct ReliabilityBin {
  double from = 0, to = 0;
  size_t rows = 0;
  double mean_probability = 0;  // NaN without rows
  Estimate frequency;           // of the class among them
};

struct ClassResult {
  std::string name;
  size_t rows = 0;    // in which it happened
  size_t chosen = 0;  // in which it was the most probable
  PairedEstimate average_precision, auc;
  double precision = 0, recall = 0;  // of the most probable class; NaN where 0 / 0
  std::vector<ReliabilityBin> reliability;
  double calibration_error = 0;  // ECE
};

struct ClassEvaluation : EvaluationHead {
  PairedEstimate log_loss, brier, accuracy, macro_average_precision, macro_auc;
  std::vector<ClassResult> classes;
  std::vector<std::vector<size_t>> confusion;  // [what happened][most probable]
  DieboldMariano log_loss_test;                // against naive; the verdict is by it
  DieboldMariano brier_test;
};

// Throws Error(kUsage) for columns of different lengths, fewer than two classes, naive
// probabilities that do not sum to 1; Error(kBadData) naming row and time for probabilities that
// are not in [0, 1] or sum to something else than 1 (within 1e-6), and for a class that there is
// not.
ClassEvaluation EvaluateClasses(const ClassSample& sample, const EvaluateOptions& options);

Json ToJson(const ClassEvaluation& evaluation);

}  // namespace almanac

#endif  // ALMANAC_EVALUATE_CLASS_METRICS_H_
