// The Model Confidence Set of Hansen, Lunde and Nason (2011, "The Model Confidence Set",
// Econometrica 79): the models that cannot be told from the best one, so that the best is among
// them with a stated probability. It has no benchmark.
//
// From the set of all models, the worst is removed again and again while equal predictive ability
// is rejected. With L_i the mean loss, * a replicate of the stationary bootstrap and M the models
// left:
//   kMax    t_i = (L_i - mean_M L) / sd, T = max_i t_i, the model with the largest t_i leaves
//   kRange  t_ij = (L_i - L_j) / sd,  T = max_ij |t_ij|, the model with the largest max_j t_ij
//   leaves
// where sd comes from the replicates of the same difference. The p-value of a model is the largest
// p of the tests up to the one that removed it; the last one has 1. A model is in the set of
// confidence 1 - alpha if its p-value is at least alpha.
#ifndef ALMANAC_EVALUATE_MODEL_CONFIDENCE_SET_H_
#define ALMANAC_EVALUATE_MODEL_CONFIDENCE_SET_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/evaluate/series_panel.h"

namespace almanac {

enum class ConfidenceSetStatistic { kMax, kRange };
std::string_view Name(ConfidenceSetStatistic statistic);  // "max", "range"

struct ModelConfidenceSet {
  ConfidenceSetStatistic statistic = ConfidenceSetStatistic::kMax;
  size_t instants = 0;
  double block_length = 0;
  int replicates = 0;
  std::vector<size_t> removed;  // positions in the panel in order of removal, the last one stays
  std::vector<double> p_value;  // by position in the panel

  std::vector<size_t> Members(double alpha) const;  // in order of position
};

// `losses`: one series a model. Errors as TestSuperiorAbility. Memory: replicates x models doubles,
// and models^2 for kRange.
ModelConfidenceSet ComputeConfidenceSet(
    const SeriesPanel& losses, const BootstrapOptions& options, double least_block = 1,
    ConfidenceSetStatistic statistic = ConfidenceSetStatistic::kMax);

Json ToJson(const ModelConfidenceSet& set, const std::vector<std::string>& names);

}  // namespace almanac

#endif  // ALMANAC_EVALUATE_MODEL_CONFIDENCE_SET_H_
