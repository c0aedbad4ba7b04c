// The probability of backtest overfitting: how often the configuration that was best on one half of
// the time is below the median on the other half.
//
// Combinatorially symmetric cross-validation, Bailey, Borwein, Lopez de Prado and Zhu (2017, "The
// Probability of Backtest Overfitting", Journal of Computational Finance 20): the time is cut into
// S equal blocks; each of the S! / (S/2)!^2 ways to choose half of them is a trial. In each, n* is
// the configuration with the highest Sharpe ratio in the chosen half, w = rank of n* in the other
// half / (N + 1) with rank 1 the worst, lambda = log(w / (1 - w)). PBO is the share of trials with
// lambda <= 0.
//
// It judges the way of choosing among these configurations, not one of them: with configurations
// that are all without skill it is about 1/2, with one that is truly best it goes to 0.
#ifndef ALMANAC_BACKTEST_OVERFITTING_H_
#define ALMANAC_BACKTEST_OVERFITTING_H_

#include <cstddef>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/evaluate/series_panel.h"

namespace almanac {

struct OverfittingOptions {
  size_t blocks = 16;  // S: even, 2 to 20; 16 makes 12,870 trials
};

struct BacktestOverfitting {
  size_t configurations = 0;  // N
  size_t blocks = 0;
  size_t block_length = 0;  // returns; those left over at the start are not used
  size_t left_out = 0;      // ... so many of them
  double probability = 0;   // PBO
  // The least-squares line of the chosen configuration's ratio out of sample on that in sample:
  // a negative slope means that what looks better does worse. NaN if the ratio never varies.
  double slope = 0;
  double intercept = 0;
  double r_squared = 0;
  double loss_probability = 0;             // how often its ratio out of sample is below 0
  double mean_in_sample = 0;               // of the chosen one's Sharpe ratio, per period
  double mean_out_of_sample = 0;           // likewise
  double median_out_of_sample_of_all = 0;  // mean over trials of the median over configurations
  std::vector<double> logits;  // one a trial, in lexicographic order of the chosen blocks
};

// `returns`: one series a configuration, at least 2, with at least 2 returns a block. A ratio is
// mean / standard deviation (divisor n - 1); a configuration that does not vary in a half (it never
// traded) has ratio 0 there. Equal ratios share the mean of their ranks; of several that are best
// the first is chosen. Throws Error(kUsage) for anything else.
BacktestOverfitting ComputeOverfitting(const SeriesPanel& returns,
                                       const OverfittingOptions& options = {});

Json ToJson(const BacktestOverfitting& overfitting);  // the logits as a histogram

}  // namespace almanac

#endif  // ALMANAC_BACKTEST_OVERFITTING_H_
