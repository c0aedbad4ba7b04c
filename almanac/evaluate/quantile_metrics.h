// Metrics of probabilistic forecasts given as quantiles, each beside the naive distribution: the
// quantiles of the training outcomes, the same for every row.
//
// With q_k the forecast of level t_k (0 < t_1 < ... < t_K < 1) and y what happened:
//   pinball    mean of max(t (y - q), (t - 1)(y - q)) per level (Koenker and Bassett 1978), and
//              their mean over the levels
//   crps       2 sum_k w_k pinball_k, w_k the width of the part of (0, 1) nearer to t_k than to
//              another level: the continuous ranked probability score, 2 times the integral of the
//              pinball loss over the levels (Gneiting and Raftery 2007, JASA 102, eq. 22), by that
//              rule. Its error falls with the number of levels: compare models on equal levels.
//   coverage   share of rows with q_low <= y <= q_high for each pair of levels t, 1 - t; nominal is
//              1 - 2 t
//   width      mean of q_high - q_low
//   interval score  width + 2 / alpha (how far y is outside), alpha = 2 t (Gneiting and Raftery
//              2007, eq. 43)
//   PIT        share of rows between successive quantiles, beside the share that a calibrated
//              forecast has there, t_{k+1} - t_k (Diebold, Gunther and Tay 1998)
#ifndef ALMANAC_EVALUATE_QUANTILE_METRICS_H_
#define ALMANAC_EVALUATE_QUANTILE_METRICS_H_

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/base/time.h"
#include "almanac/evaluate/bootstrap.h"
#include "almanac/evaluate/diebold_mariano.h"
#include "almanac/evaluate/evaluation_head.h"
#include "almanac/evaluate/metrics.h"

namespace almanac {

struct QuantileSample {
  std::vector<TimeMs> made_at;             // not decreasing
  std::vector<double> actual;              // one a row
  std::vector<double> levels;              // increasing, in (0, 1)
  std::vector<std::vector<double>> model;  // level by level, one a row
  std::vector<std::vector<double>> naive;  // likewise
  size_t horizon = 1;                      // as ForecastSample

  size_t size() const { return made_at.size(); }
};

struct PairedEstimate {
  Estimate model, naive, difference;
};

struct LevelResult {
  double level = 0;
  PairedEstimate pinball;
  double below = 0;        // share of rows with y below the model's quantile: the level if
                           // calibrated
  double naive_below = 0;  // the same of the naive distribution
};

struct CoverageResult {
  double low = 0, high = 0;  // levels
  double nominal = 0;        // high - low
  PairedEstimate coverage, width, score;
};

struct PitCell {
  double from = 0, to = 1;  // levels
  Estimate share;           // of the rows; to - from if calibrated
  double naive_share = 0;
};

struct QuantileEvaluation : EvaluationHead {
  PairedEstimate crps, pinball;
  double skill = 0;  // 1 - crps / naive's crps; NaN if that is 0
  std::vector<LevelResult> levels;
  std::vector<CoverageResult> intervals;  // widest first
  std::vector<PitCell> pit;
  size_t crossings = 0;  // rows of the model in which a higher level has a lower quantile
  DieboldMariano test;   // on the crps of each instant
};

// Throws Error(kUsage) for columns of different lengths, levels out of order or outside (0, 1);
// Error(kBadData) naming row and time for a value that is not finite.
QuantileEvaluation EvaluateQuantiles(const QuantileSample& sample, const EvaluateOptions& options);

// The quantiles of `outcomes` (which must not be empty) at `levels`.
std::vector<double> NaiveQuantiles(std::vector<double> outcomes, std::span<const double> levels);

Json ToJson(const PairedEstimate& estimate);
Json ToJson(const QuantileEvaluation& evaluation);

}  // namespace almanac

#endif  // ALMANAC_EVALUATE_QUANTILE_METRICS_H_
