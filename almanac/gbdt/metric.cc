#include "almanac/gbdt/metric.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "almanac/gbdt/split.h"

namespace almanac::gbdt {
namespace {

double WeightOf(const Targets& targets, size_t row) {
  return targets.weight.empty() ? 1.0 : static_cast<double>(targets.weight[row]);
}

template <typename Loss>
double MeanLoss(const Targets& targets, const Loss& loss) {
  double sum = 0, weights = 0;
  for (size_t row = 0; row < targets.rows(); ++row) {
    sum += loss(row) * WeightOf(targets, row);
    weights += WeightOf(targets, row);
  }
  return sum / weights;
}

double LogLoss(double probability) {
  return -std::log(probability > kEpsilon ? probability : kEpsilon);
}

double HuberLoss(double error, double alpha) {
  const double size = std::abs(error);
  return size <= alpha ? 0.5 * error * error : alpha * (size - 0.5 * alpha);
}

double QuantileLoss(double shortfall, double alpha) {
  return shortfall < 0 ? (alpha - 1.0) * shortfall : alpha * shortfall;
}

bool IsMisclassified(std::span<const double> predictions, size_t rows, size_t row, size_t label) {
  size_t not_smaller = 0;
  for (size_t k = 0; k * rows < predictions.size(); ++k) {
    if (predictions[k * rows + row] >= predictions[label * rows + row]) ++not_smaller;
  }
  return not_smaller > 1;
}

// The positives' and negatives' weights, in groups of equal predictions, the largest first.
struct Group {
  double positive = 0, negative = 0;
};

std::vector<Group> GroupByPrediction(std::span<const double> predictions, const Targets& targets) {
  std::vector<size_t> order(targets.rows());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return predictions[a] > predictions[b]; });
  std::vector<Group> groups;
  for (size_t i = 0; i < order.size(); ++i) {
    if (i == 0 || predictions[order[i]] != predictions[order[i - 1]]) groups.emplace_back();
    Group& group = groups.back();
    (targets.label[order[i]] > 0 ? group.positive : group.negative) += WeightOf(targets, order[i]);
  }
  return groups;
}

// The share of pairs in order, ties counting half; 1 if there is no pair.
double AreaUnderCurve(const std::vector<Group>& groups) {
  double area = 0, positive = 0, negative = 0;
  for (const Group& group : groups) {
    area += group.negative * (group.positive * 0.5 + positive);
    positive += group.positive;
    negative += group.negative;
  }
  return positive > 0 && negative > 0 ? area / (positive * negative) : 1.0;
}

double AveragePrecision(const std::vector<Group>& groups) {
  double sum = 0, positive = 0, all = 0;
  for (const Group& group : groups) {
    positive += group.positive;
    all += group.positive + group.negative;
    if (all > 0) sum += group.positive * (positive / all);
  }
  return positive > 0 && positive < all ? sum / positive : 1.0;
}

}  // namespace

double Evaluate(std::string_view name, std::span<const double> predictions, const Targets& targets,
                const Params& params) {
  const auto label = [&](size_t row) { return static_cast<double>(targets.label[row]); };
  const auto error = [&](size_t row) { return predictions[row] - label(row); };
  const auto square = [&](size_t row) { return error(row) * error(row); };
  if (name == "l2") return MeanLoss(targets, square);
  if (name == "rmse") return std::sqrt(MeanLoss(targets, square));
  if (name == "l1") return MeanLoss(targets, [&](size_t r) { return std::abs(error(r)); });
  if (name == "huber") {
    return MeanLoss(targets, [&](size_t r) { return HuberLoss(error(r), params.alpha); });
  }
  if (name == "quantile") {
    return MeanLoss(targets, [&](size_t r) { return QuantileLoss(-error(r), params.alpha); });
  }
  if (name == "binary_logloss") {
    return MeanLoss(targets, [&](size_t r) {
      return LogLoss(label(r) > 0 ? predictions[r] : 1.0 - predictions[r]);
    });
  }
  if (name == "binary_error") {
    return MeanLoss(targets,
                    [&](size_t r) { return (predictions[r] > 0.5) != (label(r) > 0) ? 1.0 : 0.0; });
  }
  if (name == "auc") return AreaUnderCurve(GroupByPrediction(predictions, targets));
  if (name == "average_precision") {
    return AveragePrecision(GroupByPrediction(predictions, targets));
  }
  const size_t rows = targets.rows();
  const auto own_class = [&](size_t row) { return static_cast<size_t>(targets.label[row]); };
  if (name == "multi_error") {
    return MeanLoss(targets, [&](size_t r) {
      return IsMisclassified(predictions, rows, r, own_class(r)) ? 1.0 : 0.0;
    });
  }
  return MeanLoss(targets, [&](size_t r) { return LogLoss(predictions[own_class(r) * rows + r]); });
}

bool IsBiggerBetter(std::string_view metric) {
  return metric == "auc" || metric == "average_precision";
}

}  // namespace almanac::gbdt
