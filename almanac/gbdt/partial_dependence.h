// Partial dependence (Friedman 2001, "Greedy Function Approximation", section 8.2): what a model
// predicts on the mean when one or two columns are held at a value, with the two methods that
// scikit-learn calls "brute" and "recursion".
#ifndef ALMANAC_GBDT_PARTIAL_DEPENDENCE_H_
#define ALMANAC_GBDT_PARTIAL_DEPENDENCE_H_

#include <cstddef>
#include <span>
#include <vector>

#include "almanac/gbdt/binned_data.h"
#include "almanac/gbdt/model.h"
#include "almanac/gbdt/predictor.h"

namespace almanac::gbdt {

// Where to look along one column: all of its values if they are fewer than `points`, else `points`
// equally spaced between two of its percentiles (those of scipy's mquantiles). NaN is left out.
// Throws Error(kBadData) for a column without a value, Error(kUsage) for fewer than 2 points or
// shares out of order.
struct DependenceGrid {
  size_t points = 100;
  double low = 0.05, high = 0.95;

  std::vector<double> Along(std::span<const double> values) const;
};

// The columns that are held, one or two, and the values that they take: all combinations.
struct HeldColumns {
  std::vector<size_t> columns;
  std::vector<std::vector<double>> axes;  // one a column

  size_t points() const;
  // The values of the columns at a point; the last column's change fastest.
  std::vector<double> Point(size_t point) const;
};

// The mean over the source's rows of the predictions with the columns held: [point * classes +
// class]. O(points * rows). Throws as Predictor::PredictAll does.
std::vector<double> AverageDependence(const Model& model, const ColumnSource& source,
                                      const HeldColumns& held, Output output);

// The same of raw scores without data: where a tree asks for another column, both ways are gone,
// weighed by the training rows that went them. Equal to the average where the held columns are
// independent of the others. O(points * leaves).
std::vector<double> PathDependence(const Model& model, const HeldColumns& held);

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_PARTIAL_DEPENDENCE_H_
