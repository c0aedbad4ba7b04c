// What a model is to minimise: gradients and hessians of a loss at the present scores, where to
// start, and how scores become predictions. LightGBM's formulas in its order of operations.
//
//   regression     squared error / 2 (hessian 1)
//   regression_l1  absolute error; leaf values become medians of the residuals
//   huber          squared up to |error| = alpha, linear beyond
//   quantile       pinball loss at quantile alpha; leaf values become that quantile
//   binary         logistic loss of labels <= 0 and > 0, with slope `sigmoid`
//   multiclass     softmax cross entropy of labels 0 ... num_class - 1; one tree a class a round
//   custom         the caller's gradients; scores start at 0 and are the predictions
#ifndef ALMANAC_GBDT_OBJECTIVE_H_
#define ALMANAC_GBDT_OBJECTIVE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "almanac/gbdt/params.h"

namespace almanac::gbdt {

// Labels and weights of the rows; weights may be empty (all 1).
struct Targets {
  std::span<const float> label;
  std::span<const float> weight;
  // Raw scores to start from, [class * rows + row], in place of the objective's; may be empty.
  std::span<const double> initial_score = {};

  size_t rows() const { return label.size(); }
};

// The caller's own loss: writes the first and second derivatives by the raw scores. All but the
// targets are [class * rows + row]; weights are the function's business.
using CustomObjective = std::function<void(std::span<const double> scores, const Targets& targets,
                                           std::span<float> gradients, std::span<float> hessians)>;

class Objective {
 public:
  // Throws Error(kBadData) for labels that the objective cannot have, for weights that are negative
  // or not finite or not one a row, and later for gradients of `custom` that are not finite.
  // Error(kUsage) unless `custom` is there just if params.objective is "custom". `targets` must
  // stay.
  static std::unique_ptr<Objective> Make(const Params& params, const Targets& targets,
                                         const CustomObjective& custom = {});
  virtual ~Objective() = default;

  virtual size_t classes() const { return 1; }
  // Scores and results are one row after another, class by class: [class * rows + row].
  virtual void Gradients(std::span<const double> scores, std::span<float> gradients,
                         std::span<float> hessians) const = 0;
  // The best constant score.
  virtual double Start(size_t of_class) const = 0;
  // False where all labels are alike.
  virtual bool NeedsTraining(size_t /*of_class*/) const { return true; }
  // Whether all hessians are 1.
  virtual bool HasUnitHessian() const { return false; }
  // Whether leaf values are replaced by RenewedOutput.
  virtual bool RenewsLeaves() const { return false; }
  // The leaf value for rows whose label minus score is `residual`, their `weight`s or none.
  virtual double RenewedOutput(const std::vector<double>& /*residual*/,
                               std::span<const float> /*weight*/) const {
    return 0;
  }
};

// The text of a model file ("binary sigmoid:1"), and the scores' way to predictions that it tells.
std::string ObjectiveText(const Params& params);

// Turns the scores of one row (one a class) into predictions: probabilities, or themselves.
class OutputTransform {
 public:
  OutputTransform() = default;
  // From a model file's text; unknown objectives are Error(kBadData, `where`).
  OutputTransform(const std::string& objective, size_t classes, const std::string& where);
  void Apply(std::span<double> scores) const;

 private:
  enum class Kind { kNone, kLogistic, kSoftmax };
  Kind kind_ = Kind::kNone;
  double sigmoid_ = 1;
};

// The rows' weights times those of their classes (params.class_weight); throws Error(kUsage) for
// a text that is no list of num_class numbers.
std::vector<float> ClassWeighted(const Params& params, const Targets& targets);

// In place; the largest is subtracted first.
void Softmax(std::span<double> scores);

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_OBJECTIVE_H_
