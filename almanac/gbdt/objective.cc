#include "almanac/gbdt/objective.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "almanac/base/error.h"
#include "almanac/base/text.h"
#include "almanac/gbdt/quantile.h"
#include "almanac/gbdt/row_blocks.h"
#include "almanac/gbdt/split.h"

namespace almanac::gbdt {
namespace {

double Sign(double value) { return value > 0 ? 1.0 : value < 0 ? -1.0 : 0.0; }

class Regression : public Objective {
 public:
  explicit Regression(const Targets& targets) : targets_(targets) {}

  void Gradients(std::span<const double> scores, std::span<float> gradients,
                 std::span<float> hessians) const override {
    ForRows(targets_.rows(), [&](size_t i) {
      const double error = scores[i] - static_cast<double>(targets_.label[i]);
      gradients[i] = GradientOf(error, i);
      hessians[i] = targets_.weight.empty() ? 1.0F : targets_.weight[i];
    });
  }

  double Start(size_t) const override {
    double sum = 0, weights = 0;
    for (size_t i = 0; i < targets_.rows(); ++i) {
      const double weight = targets_.weight.empty() ? 1.0 : targets_.weight[i];
      sum += static_cast<double>(targets_.label[i]) * weight;
      weights += weight;
    }
    return sum / weights;
  }
  bool HasUnitHessian() const override { return targets_.weight.empty(); }

 protected:
  virtual float GradientOf(double error, size_t row) const {
    const auto gradient = static_cast<float>(error);
    return targets_.weight.empty() ? gradient : gradient * targets_.weight[row];
  }

  double WeightOf(size_t row) const {
    return targets_.weight.empty() ? 1.0 : static_cast<double>(targets_.weight[row]);
  }

  Targets targets_;
};

class Huber final : public Regression {
 public:
  Huber(const Targets& targets, double alpha) : Regression(targets), alpha_(alpha) {}

 protected:
  float GradientOf(double error, size_t row) const override {
    if (std::abs(error) <= alpha_) return static_cast<float>(error * WeightOf(row));
    return static_cast<float>(Sign(error) * WeightOf(row) * alpha_);
  }

 private:
  double alpha_;
};

// Absolute error and its asymmetric kin: the quantile of the residuals is what a leaf should give.
class QuantileObjective : public Regression {
 public:
  QuantileObjective(const Targets& targets, double alpha) : Regression(targets), alpha_(alpha) {}

  double Start(size_t) const override {
    std::vector<float> labels(targets_.label.begin(), targets_.label.end());
    return targets_.weight.empty() ? Quantile<float>(std::move(labels), alpha_)
                                   : WeightedQuantile<float>(labels, targets_.weight, alpha_);
  }
  bool RenewsLeaves() const override { return true; }
  double RenewedOutput(const std::vector<double>& residual,
                       std::span<const float> weight) const override {
    return weight.empty() ? Quantile<double>(residual, alpha_)
                          : WeightedQuantile<double>(residual, weight, alpha_);
  }

 protected:
  double alpha_;
};

class AbsoluteError final : public QuantileObjective {
 public:
  explicit AbsoluteError(const Targets& targets) : QuantileObjective(targets, 0.5) {}

 protected:
  float GradientOf(double error, size_t row) const override {
    return static_cast<float>(Sign(error) * WeightOf(row));
  }
};

class Pinball final : public QuantileObjective {
 public:
  // LightGBM keeps alpha as a float.
  Pinball(const Targets& targets, double alpha)
      : QuantileObjective(targets, static_cast<float>(alpha)) {}

 protected:
  float GradientOf(double error, size_t row) const override {
    const auto alpha = static_cast<float>(alpha_);
    const float slope = static_cast<float>(error) >= 0 ? 1.0F - alpha : -alpha;
    return targets_.weight.empty() ? slope : slope * targets_.weight[row];
  }
};

class Binary final : public Objective {
 public:
  Binary(const Targets& targets, const Params& params)
      : targets_(targets), sigmoid_(params.sigmoid) {
    size_t positive = 0;
    for (const float label : targets.label) positive += IsPositive(label) ? 1 : 0;
    const size_t negative = targets.rows() - positive;
    needs_training_ = positive > 0 && negative > 0;
    if (params.is_unbalance && needs_training_) {
      const auto p = static_cast<double>(positive), n = static_cast<double>(negative);
      if (positive > negative) {
        negative_weight_ = p / n;
      } else {
        positive_weight_ = n / p;
      }
    }
    positive_weight_ *= params.scale_pos_weight;
  }

  void Gradients(std::span<const double> scores, std::span<float> gradients,
                 std::span<float> hessians) const override {
    ForRows(targets_.rows(), [&](size_t i) {
      const bool is_positive = IsPositive(targets_.label[i]);
      const double label = is_positive ? 1 : -1;
      const double label_weight = is_positive ? positive_weight_ : negative_weight_;
      const double response = -label * sigmoid_ / (1.0 + std::exp(label * sigmoid_ * scores[i]));
      const double size = std::abs(response);
      const double weight = targets_.weight.empty() ? 1.0 : targets_.weight[i];
      gradients[i] = static_cast<float>(response * label_weight * weight);
      hessians[i] = static_cast<float>(size * (sigmoid_ - size) * label_weight * weight);
    });
  }

  double Start(size_t) const override {
    double positive = 0, all = 0;
    for (size_t i = 0; i < targets_.rows(); ++i) {
      const double weight = targets_.weight.empty() ? 1.0 : targets_.weight[i];
      positive += IsPositive(targets_.label[i]) ? weight : 0.0;
      all += weight;
    }
    const double share = std::max(std::min(positive / all, 1.0 - kEpsilon), kEpsilon);
    return std::log(share / (1.0 - share)) / sigmoid_;
  }

  bool NeedsTraining(size_t) const override { return needs_training_; }

 private:
  static bool IsPositive(float label) { return label > 0; }

  Targets targets_;
  double sigmoid_;
  double positive_weight_ = 1, negative_weight_ = 1;
  bool needs_training_ = true;
};

class Multiclass final : public Objective {
 public:
  Multiclass(const Targets& targets, size_t classes)
      : targets_(targets),
        factor_(static_cast<double>(classes) / (static_cast<double>(classes) - 1.0)),
        share_(classes, 0.0) {
    double all = 0;
    for (size_t i = 0; i < targets.rows(); ++i) {
      const double weight = targets.weight.empty() ? 1.0 : targets.weight[i];
      share_[static_cast<size_t>(targets.label[i])] += weight;
      all += weight;
    }
    for (double& share : share_) share /= all;
  }

  size_t classes() const override { return share_.size(); }

  void Gradients(std::span<const double> scores, std::span<float> gradients,
                 std::span<float> hessians) const override {
    const size_t rows = targets_.rows();
    ForRowBlocks(rows, [&](size_t begin, size_t end) {
      std::vector<double> p(classes());
      for (size_t i = begin; i < end; ++i) {
        for (size_t k = 0; k < p.size(); ++k) p[k] = scores[k * rows + i];
        Softmax(p);
        const auto label = static_cast<size_t>(targets_.label[i]);
        const double weight = targets_.weight.empty() ? 1.0 : targets_.weight[i];
        for (size_t k = 0; k < p.size(); ++k) {
          const double gradient = k == label ? p[k] - 1.0 : p[k];
          gradients[k * rows + i] = static_cast<float>(gradient * weight);
          hessians[k * rows + i] = static_cast<float>((factor_ * p[k] * (1.0 - p[k])) * weight);
        }
      }
    });
  }

  double Start(size_t of_class) const override {
    return std::log(std::max(kEpsilon, share_[of_class]));
  }
  bool NeedsTraining(size_t of_class) const override {
    return share_[of_class] > kEpsilon && share_[of_class] < 1.0 - kEpsilon;
  }

 private:
  Targets targets_;
  double factor_;
  std::vector<double> share_;
};

class Custom final : public Objective {
 public:
  Custom(const Targets& targets, size_t classes, CustomObjective custom)
      : targets_(targets), classes_(classes), custom_(std::move(custom)) {}

  size_t classes() const override { return classes_; }
  void Gradients(std::span<const double> scores, std::span<float> gradients,
                 std::span<float> hessians) const override {
    custom_(scores, targets_, gradients, hessians);
    for (size_t i = 0; i < gradients.size(); ++i) {
      if (std::isfinite(gradients[i]) && std::isfinite(hessians[i]) && hessians[i] >= 0) continue;
      throw Error(ErrorCode::kBadData, fmt::format("row {}", i % targets_.rows()),
                  fmt::format("the custom objective gave the gradient {} and the hessian {}",
                              gradients[i], hessians[i]),
                  "give finite numbers and hessians of at least 0");
    }
  }
  double Start(size_t) const override { return 0; }

 private:
  Targets targets_;
  size_t classes_;
  CustomObjective custom_;
};

[[noreturn]] void Refuse(size_t row, const std::string& what, const std::string& remedy) {
  throw Error(ErrorCode::kBadData, fmt::format("row {}", row), what, remedy);
}

void CheckTargets(const Params& params, const Targets& targets) {
  if (!targets.weight.empty() && targets.weight.size() != targets.rows()) {
    throw Error(ErrorCode::kBadData, "weights",
                fmt::format("{} weights for {} rows", targets.weight.size(), targets.rows()),
                "give one weight a row, or none");
  }
  double weights = 0;
  for (size_t i = 0; i < targets.weight.size(); ++i) {
    const float weight = targets.weight[i];
    if (!std::isfinite(weight) || weight < 0) {
      Refuse(i, fmt::format("the weight {}", weight), "weights are finite and at least 0");
    }
    weights += weight;
  }
  if (!targets.weight.empty() && weights <= 0) Refuse(0, "all weights are 0", "give some weight");
  const bool is_multiclass = params.objective == "multiclass";
  for (size_t i = 0; i < targets.rows(); ++i) {
    const float label = targets.label[i];
    if (!std::isfinite(label)) {
      Refuse(i, fmt::format("the label {}", label), "leave out rows without a finite label");
    }
    const bool is_class = label >= 0 && label < static_cast<float>(params.num_class);
    if (is_multiclass && (!is_class || label != std::trunc(label))) {
      Refuse(i, fmt::format("the label {}", label),
             fmt::format("labels are whole numbers from 0 to {}", params.num_class - 1));
    }
  }
}

}  // namespace

std::unique_ptr<Objective> Objective::Make(const Params& params, const Targets& targets,
                                           const CustomObjective& custom) {
  CheckTargets(params, targets);
  const std::string& name = params.objective;
  if ((name == "custom") != static_cast<bool>(custom)) {
    throw Error(ErrorCode::kUsage, "objective",
                custom ? fmt::format("a function is given with objective {}", name)
                       : "objective custom is for callers in C++, who give a function",
                custom ? "set objective to custom" : "take one of docs/gbdt.md's objectives");
  }
  if (custom) {
    return std::make_unique<Custom>(targets, static_cast<size_t>(params.num_class), custom);
  }
  if (name == "binary") return std::make_unique<Binary>(targets, params);
  if (name == "multiclass") {
    return std::make_unique<Multiclass>(targets, static_cast<size_t>(params.num_class));
  }
  if (name == "huber") return std::make_unique<Huber>(targets, params.alpha);
  if (name == "quantile") return std::make_unique<Pinball>(targets, params.alpha);
  if (name == "regression_l1") return std::make_unique<AbsoluteError>(targets);
  return std::make_unique<Regression>(targets);
}

std::string ObjectiveText(const Params& params) {
  if (params.objective == "binary") return fmt::format("binary sigmoid:{:g}", params.sigmoid);
  if (params.objective == "multiclass") {
    return fmt::format("multiclass num_class:{}", params.num_class);
  }
  return params.objective == "custom" ? "" : params.objective;
}

std::vector<float> ClassWeighted(const Params& params, const Targets& targets) {
  const size_t classes = params.objective == "binary" ? 2 : static_cast<size_t>(params.num_class);
  const auto class_of = [&](size_t row) {
    return classes == 2 && params.objective == "binary"
               ? static_cast<size_t>(targets.label[row] > 0)
               : static_cast<size_t>(targets.label[row]);
  };
  std::vector<double> factors;
  if (params.class_weight == "balanced") {
    std::vector<double> rows(classes, 0.0);
    for (size_t row = 0; row < targets.rows(); ++row) ++rows[class_of(row)];
    const auto there = static_cast<double>(
        std::count_if(rows.begin(), rows.end(), [](double count) { return count > 0; }));
    for (const double count : rows) {
      factors.push_back(static_cast<double>(targets.rows()) / (there * count));
    }
  } else {
    for (const std::string_view word : almanac::Split(params.class_weight, ',')) {
      const std::optional<double> factor = ParseDouble(Trim(word));
      if (factor && *factor >= 0 && std::isfinite(*factor)) factors.push_back(*factor);
    }
  }
  if (factors.size() != classes) {
    throw Error(ErrorCode::kUsage, "class_weight",
                fmt::format("\"{}\" does not weigh {} classes", params.class_weight, classes),
                "give \"balanced\" or a number of at least 0 for each, separated by commas");
  }
  std::vector<float> weights(targets.rows());
  for (size_t row = 0; row < weights.size(); ++row) {
    const double weight = targets.weight.empty() ? 1.0 : targets.weight[row];
    weights[row] = static_cast<float>(weight * factors[class_of(row)]);
  }
  return weights;
}

void Softmax(std::span<double> scores) {
  const double most = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (double& score : scores) {
    score = std::exp(score - most);
    sum += score;
  }
  for (double& score : scores) score /= sum;
}

OutputTransform::OutputTransform(const std::string& objective, size_t classes,
                                 const std::string& where) {
  const std::vector<std::string_view> words = almanac::Split(objective, ' ');
  const auto fail = [&](const std::string& what) {
    throw Error(ErrorCode::kBadData, where, what,
                "objectives are regression, regression_l1, huber, quantile, binary sigmoid:S, "
                "multiclass num_class:N");
  };
  if (words[0] == "binary") {
    kind_ = Kind::kLogistic;
    for (const std::string_view word : words) {
      if (!word.starts_with("sigmoid:")) continue;
      const std::optional<double> slope =
          ParseDouble(word.substr(std::string_view("sigmoid:").size()));
      if (!slope || *slope <= 0) fail(fmt::format("the objective \"{}\"", objective));
      sigmoid_ = *slope;
    }
  } else if (words[0] == "multiclass") {
    kind_ = Kind::kSoftmax;
    if (objective != fmt::format("multiclass num_class:{}", classes)) {
      fail(fmt::format("the objective \"{}\" for {} classes", objective, classes));
    }
  } else if (!objective.empty() && words[0] != "regression" && words[0] != "regression_l1" &&
             words[0] != "huber" && words[0] != "quantile") {
    fail(fmt::format("the objective \"{}\" is unknown or not implemented", objective));
  } else if (words.size() > 1) {
    fail(fmt::format("the objective \"{}\" is not implemented", objective));
  }
}

void OutputTransform::Apply(std::span<double> scores) const {
  if (kind_ == Kind::kSoftmax) Softmax(scores);
  if (kind_ == Kind::kLogistic) {
    for (double& score : scores) score = 1.0 / (1.0 + std::exp(-sigmoid_ * score));
  }
}

}  // namespace almanac::gbdt
