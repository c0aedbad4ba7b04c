// Shapley values of a model's raw scores: how much each column moved a row's score away from the
// mean over the training rows. Path-dependent TreeSHAP (Lundberg, Erion and Lee 2018, "Consistent
// Individualized Feature Attribution for Tree Ensembles", algorithm 2): a column that is not known
// is averaged over by the training rows that went each way.
#ifndef ALMANAC_GBDT_SHAP_H_
#define ALMANAC_GBDT_SHAP_H_

#include <cstddef>
#include <span>
#include <vector>

#include "almanac/gbdt/model.h"

namespace almanac::gbdt {

// For one row: class after class, a value of each column and then the class's expected score;
// together they sum to its raw score. O(trees * leaves * depth^2).
std::vector<double> ShapValues(const Model& model, std::span<const double> row);

// The mean of a tree over its training rows, by the counts of its leaves.
double ExpectedValue(const Tree& tree);

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_SHAP_H_
