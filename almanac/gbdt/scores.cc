#include "almanac/gbdt/scores.h"

#include <algorithm>

#include "almanac/gbdt/metric.h"
#include "almanac/gbdt/predictor.h"
#include "almanac/gbdt/row_blocks.h"

namespace almanac::gbdt {
namespace {

// `row_at(i)` is the i-th of `count` rows.
template <typename RowAt>
void AddAll(const GrownTree& grown, const BinnedData& data, size_t count, const RowAt& row_at,
            std::span<double> scores) {
  ForRows(count, [&](size_t i) {
    scores[row_at(i)] += grown.tree.leaf_value[grown.LeafOf(data, row_at(i))];
  });
}

}  // namespace

void AddScores(const GrownTree& grown, const BinnedData& data, std::span<double> scores) {
  AddAll(
      grown, data, data.rows(), [](size_t i) { return i; }, scores);
}

void AddScores(const GrownTree& grown, const BinnedData& data, std::span<const uint32_t> rows,
               std::span<double> scores) {
  AddAll(
      grown, data, rows.size(), [rows](size_t i) { return size_t{rows[i]}; }, scores);
}

Judges::Judges(const std::vector<Validation>& validations, const Params& params,
               const std::vector<CustomMetric>& custom, size_t classes)
    : validations_(validations), params_(params), custom_(custom), classes_(classes) {
  for (const Validation& validation : validations) {
    scores_.emplace_back(classes, validation.data.rows());
  }
}

std::vector<Evaluation> Judges::Announce() const {
  std::vector<Evaluation> evaluations;
  for (const Validation& validation : validations_) {
    for (const std::string& metric : params_.metric) {
      evaluations.push_back(
          {validation.name, metric, {}, validation.can_stop, IsBiggerBetter(metric)});
    }
    for (const CustomMetric& metric : custom_) {
      evaluations.push_back(
          {validation.name, metric.name, {}, validation.can_stop, metric.is_bigger_better});
    }
  }
  return evaluations;
}

void Judges::StartFromInitialScores() {
  for (size_t v = 0; v < validations_.size(); ++v) {
    const std::span<const double> initial = validations_[v].targets.initial_score;
    std::copy(initial.begin(), initial.end(), scores_[v].values.begin());
  }
}

void Judges::Add(size_t k, double score) {
  for (Scores& scores : scores_) {
    for (double& value : scores.of(k)) value += score;
  }
}

void Judges::Add(size_t k, const GrownTree& grown) {
  for (size_t v = 0; v < validations_.size(); ++v) {
    AddScores(grown, validations_[v].data, scores_[v].of(k));
  }
}

std::vector<double> Judges::Predictions(const Scores& scores) const {
  const OutputTransform transform(ObjectiveText(params_), classes_, "objective");
  std::vector<double> predictions = scores.values, one(classes_);
  const size_t rows = scores.row_count;
  for (size_t row = 0; row < rows; ++row) {
    for (size_t k = 0; k < classes_; ++k) one[k] = predictions[k * rows + row];
    transform.Apply(one);
    for (size_t k = 0; k < classes_; ++k) predictions[k * rows + row] = one[k];
  }
  return predictions;
}

void Judges::Evaluate(std::vector<Evaluation>& evaluations) const {
  size_t place = 0;
  for (size_t v = 0; v < validations_.size(); ++v) {
    const Targets& targets = validations_[v].targets;
    const std::vector<double> predictions = Predictions(scores_[v]);
    for (const std::string& metric : params_.metric) {
      evaluations[place++].values.push_back(gbdt::Evaluate(metric, predictions, targets, params_));
    }
    for (const CustomMetric& metric : custom_) {
      evaluations[place++].values.push_back(metric.evaluate(predictions, targets));
    }
  }
}

}  // namespace almanac::gbdt
