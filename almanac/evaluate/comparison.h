// Several models beside each other on the instants that all of them forecast: every pair by
// Diebold and Mariano, which can be told from the best (Model Confidence Set), and whether any
// beats the naive forecast although several were tried (superior predictive ability, stepwise).
#ifndef ALMANAC_EVALUATE_COMPARISON_H_
#define ALMANAC_EVALUATE_COMPARISON_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/evaluate/diebold_mariano.h"
#include "almanac/evaluate/judged_rows.h"
#include "almanac/evaluate/model_confidence_set.h"
#include "almanac/evaluate/superior_ability.h"

namespace almanac {

struct PairTest {
  size_t a = 0, b = 0;  // positions in `models`; a negative mean difference says a is better
  DieboldMariano test;
};

struct Comparison {
  std::vector<std::string> models;  // the naive forecast last
  size_t rows = 0, instants = 0, horizon = 1;
  Space space = Space::kReturn;   // of the errors
  std::vector<double> mean_loss;  // of the squared error, one a model
  std::vector<PairTest> pairs;    // all pairs a < b
  // None for fewer than 10 instants, or where the bootstrap has no replicates.
  std::optional<ModelConfidenceSet> confidence_set;
  std::optional<SuperiorAbility> superior;  // of the models over naive
  std::string verdict;
};

struct NamedRows {
  std::string model;
  const JudgedRows* rows = nullptr;  // not owned
};

// Losses are squared errors in the rows' space, averaged over the rows of an instant. At least one
// model; all at one horizon and in one space. Throws Error(kUsage) for other input, Error(kBadData)
// if no row is common to all of them.
Comparison CompareModels(std::span<const NamedRows> models, const std::string& naive,
                         const BootstrapOptions& options, double significance);

Json ToJson(const Comparison& comparison);

}  // namespace almanac

#endif  // ALMANAC_EVALUATE_COMPARISON_H_
