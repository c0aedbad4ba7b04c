#include "almanac/forecast/ridge.h"

#include <fmt/format.h>

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "almanac/base/cancel.h"
#include "almanac/base/error.h"
#include "almanac/base/file.h"

namespace almanac {
namespace {

constexpr char kFile[] = "ridge.json";
constexpr size_t kRowsAtOnce = 1024;
constexpr int64_t kMostFolds = 100;
// A pivot this far below the largest has no correct digit left.
constexpr double kSmallestPivot = 1e-13;

// The normal equations of one set of training rows.
struct Gram {
  Eigen::MatrixXd products;  // Z'Z
  Eigen::VectorXd targets;   // Z'(y - mean)
  double target_mean = 0;
};

double MeanTarget(const Dataset& data, const std::vector<uint32_t>& rows) {
  double sum = 0;
  for (const uint32_t row : rows) sum += data.target()[row];
  return sum / static_cast<double>(rows.size());
}

Gram MakeGram(const Dataset& data, const StandardScaler& scaler,
              const std::vector<uint32_t>& rows) {
  const auto features = static_cast<Eigen::Index>(data.features());
  Gram gram;
  gram.products = Eigen::MatrixXd::Zero(features, features);
  gram.targets = Eigen::VectorXd::Zero(features);
  gram.target_mean = MeanTarget(data, rows);
  for (size_t first = 0; first < rows.size(); first += kRowsAtOnce) {
    CheckCancel();
    const size_t count = std::min(kRowsAtOnce, rows.size() - first);
    Eigen::MatrixXd block(static_cast<Eigen::Index>(count), features);
    Eigen::VectorXd target(static_cast<Eigen::Index>(count));
    for (size_t i = 0; i < count; ++i) {
      const uint32_t row = rows[first + i];
      target[static_cast<Eigen::Index>(i)] = data.target()[row] - gram.target_mean;
    }
    for (size_t c = 0; c < data.features(); ++c) {
      const std::span<const float> column = data.feature(c);
      for (size_t i = 0; i < count; ++i) {
        block(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(c)) =
            scaler.Transform(c, column[rows[first + i]]);
      }
    }
    gram.products.selfadjointView<Eigen::Lower>().rankUpdate(block.transpose());
    gram.targets.noalias() += block.transpose() * target;
  }
  return gram;
}

std::vector<double> Solve(const Gram& gram, double lambda) {
  Eigen::MatrixXd penalised = gram.products;
  penalised.diagonal().array() += lambda;
  const Eigen::LDLT<Eigen::MatrixXd, Eigen::Lower> factors(penalised);
  const Eigen::VectorXd pivots = factors.vectorD();
  if (factors.info() != Eigen::Success ||
      !(pivots.minCoeff() > kSmallestPivot * pivots.maxCoeff())) {
    throw Error(ErrorCode::kBadData, "ridge",
                fmt::format("the columns depend on each other, and lambda {} is too small to "
                            "settle their coefficients",
                            lambda),
                "give a larger lambda, or remove constant and doubled columns");
  }
  const Eigen::VectorXd solution = factors.solve(gram.targets);
  return {solution.data(), solution.data() + solution.size()};
}

std::vector<double> Apply(const Dataset& data, const StandardScaler& scaler,
                          const std::vector<double>& coefficients, double intercept,
                          std::span<const uint32_t> rows) {
  std::vector<double> values(rows.size(), intercept);
  for (size_t c = 0; c < coefficients.size(); ++c) {
    const std::span<const float> column = data.feature(c);
    for (size_t i = 0; i < rows.size(); ++i) {
      values[i] += coefficients[c] * scaler.Transform(c, column[rows[i]]);
    }
  }
  for (double& value : values) {
    if (!std::isfinite(value)) value = std::numeric_limits<double>::quiet_NaN();
  }
  return values;
}

// The mean squared error of each lambda over the rows of all folds.
std::vector<double> FoldErrors(const FitInput& input, const RidgeOptions& options) {
  std::vector<double> sums(options.lambdas.size(), 0.0);
  size_t judged = 0;
  for (const TrainingFold& fold : input.training.Folds(options.folds)) {
    const StandardScaler scaler = StandardScaler::Fit(input.data, fold.training);
    const std::vector<uint32_t> learn = DropIncomplete(input.data, fold.training.rows()).rows;
    const std::vector<uint32_t> judge = DropIncomplete(input.data, fold.validation).rows;
    const Gram gram = MakeGram(input.data, scaler, learn);
    for (size_t l = 0; l < options.lambdas.size(); ++l) {
      const std::vector<double> forecasts =
          Apply(input.data, scaler, Solve(gram, options.lambdas[l]), gram.target_mean, judge);
      for (size_t i = 0; i < judge.size(); ++i) {
        const double error = input.data.target()[judge[i]] - forecasts[i];
        sums[l] += error * error;
      }
    }
    judged += judge.size();
  }
  if (judged == 0) {
    throw Error(ErrorCode::kBadData, input.data.symbol(),
                "no row of the folds has all features and a target",
                "give more data, or one lambda instead of a list");
  }
  for (double& sum : sums) sum /= static_cast<double>(judged);
  return sums;
}

double BestLambda(const std::vector<double>& lambdas, const std::vector<double>& errors) {
  size_t best = 0;
  for (size_t l = 1; l < lambdas.size(); ++l) {
    const bool is_tie = errors[l] == errors[best];
    if (errors[l] < errors[best] || (is_tie && lambdas[l] > lambdas[best])) best = l;
  }
  return lambdas[best];
}

void CheckOptions(const RidgeOptions& options) {
  const bool all_good = std::all_of(options.lambdas.begin(), options.lambdas.end(),
                                    [](double l) { return std::isfinite(l) && l >= 0; });
  if (all_good && !options.lambdas.empty() && options.folds >= 1) return;
  throw Error(ErrorCode::kUsage, "ridge", "lambdas or folds out of range",
              "give one lambda or several, each at least 0, and at least 1 fold");
}

}  // namespace

RidgeOptions RidgeOptions::FromConfig(const ConfigNode& node) {
  RidgeOptions options;
  options.lambdas = node.Doubles("lambda", options.lambdas, Range<double>::AtLeast(0));
  if (options.lambdas.empty()) {
    throw Error(ErrorCode::kUsage, node.Place("lambda"), "the list is empty",
                "give a number, or a list to choose from such as [0.1, 1, 10]");
  }
  options.folds = static_cast<size_t>(node.Int("folds", static_cast<int64_t>(options.folds),
                                               Range<int64_t>::Between(1, kMostFolds)));
  return options;
}

RidgeForecaster::RidgeForecaster(RidgeOptions options) : options_(std::move(options)) {
  CheckOptions(options_);
}

FitReport RidgeForecaster::Fit(const FitInput& input) {
  CheckTarget(input.data.target_classes());
  fold_errors_.clear();
  lambda_ = options_.lambdas.front();
  if (options_.lambdas.size() > 1) {
    fold_errors_ = FoldErrors(input, options_);
    lambda_ = BestLambda(options_.lambdas, fold_errors_);
  }
  const UsableRows usable = DropIncomplete(input.data, input.training.rows());
  scaler_ = StandardScaler::Fit(input.data, input.training);
  const Gram gram = MakeGram(input.data, *scaler_, usable.rows);
  coefficients_ = Solve(gram, lambda_);
  intercept_ = gram.target_mean;
  return {usable.rows.size(), usable.dropped};
}

Prediction RidgeForecaster::Predict(const Dataset& data, std::span<const uint32_t> rows) const {
  if (!scaler_) {
    throw Error(ErrorCode::kUsage, "ridge", "Predict before Fit", "fit it first");
  }
  scaler_->RequireColumns(data);
  Prediction prediction;
  prediction.value = Apply(data, *scaler_, coefficients_, intercept_, rows);
  return prediction;
}

Json RidgeForecaster::Describe() const {
  Json coefficients = Json::object();
  for (size_t c = 0; c < coefficients_.size(); ++c) {
    coefficients[scaler_->names()[c]] = coefficients_[c];
  }
  return {{"kind", kind()},
          {"lambda", lambda_},
          {"intercept", intercept_},
          {"coefficients", coefficients},
          {"lambdas", options_.lambdas},
          {"folds", options_.folds},
          {"fold_errors", fold_errors_}};
}

void RidgeForecaster::Save(const std::filesystem::path& folder) const {
  if (!scaler_) throw Error(ErrorCode::kUsage, "ridge", "Save before Fit", "fit it first");
  Json json = Describe();
  json["scaler"] = scaler_->ToJson();
  WriteFileAtomic(folder / kFile, json.dump(2) + "\n");
}

std::unique_ptr<RidgeForecaster> RidgeForecaster::Load(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / kFile;
  const std::string text = ReadFile(file);
  try {
    const Json json = Json::parse(text);
    RidgeOptions options{json.at("lambdas").get<std::vector<double>>(),
                         json.at("folds").get<size_t>()};
    auto ridge = std::make_unique<RidgeForecaster>(std::move(options));
    ridge->lambda_ = json.at("lambda").get<double>();
    ridge->intercept_ = json.at("intercept").get<double>();
    ridge->fold_errors_ = json.at("fold_errors").get<std::vector<double>>();
    ridge->scaler_ = StandardScaler::FromJson(json.at("scaler"));
    for (const std::string& name : ridge->scaler_->names()) {
      ridge->coefficients_.push_back(json.at("coefficients").at(name).get<double>());
    }
    return ridge;
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::kBadData, file.string(), error.what(), "expected a saved ridge");
  } catch (const Error& error) {
    throw Error(ErrorCode::kBadData, file.string(), error.problem(), error.remedy());
  }
}

}  // namespace almanac
