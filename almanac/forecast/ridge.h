// Ridge regression: least squares with a penalty on the squared coefficients of the standardised
// columns (Hoerl and Kennard 1970, "Ridge Regression", Technometrics 12).
//
// With Z the training columns, each standardised by its training mean and standard deviation
// (divisor n), and y the target minus its mean, the coefficients b solve
//   (Z'Z + lambda I) b = Z'y
// by LDLT in double; the intercept, the mean of y, is not penalised. This is scikit-learn's
// Ridge(alpha=lambda) on StandardScaler's output. Where a grid of lambdas is given, the one with
// the smallest mean squared error over time-ordered, purged folds inside the training part is
// taken (the larger lambda if equal); every fold standardises for itself.
#ifndef ALMANAC_FORECAST_RIDGE_H_
#define ALMANAC_FORECAST_RIDGE_H_

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "almanac/dataset/scaler.h"
#include "almanac/forecast/forecaster.h"

namespace almanac {

struct RidgeOptions {
  std::vector<double> lambdas = {1.0};  // each >= 0 and finite; more than one: chosen by folds
  size_t folds = 5;                     // used with more than one lambda

  // {lambda: 1.0} or {lambda: [0.1, 1, 10], folds: 5}.
  static RidgeOptions FromConfig(const ConfigNode& node);
};

class RidgeForecaster final : public Forecaster {
 public:
  explicit RidgeForecaster(RidgeOptions options = {});
  static std::unique_ptr<RidgeForecaster> Load(const std::filesystem::path& folder);

  std::string kind() const override { return "ridge"; }
  FitReport Fit(const FitInput& input) override;
  Prediction Predict(const Dataset& data, std::span<const uint32_t> rows) const override;
  Json Describe() const override;
  void Save(const std::filesystem::path& folder) const override;

  double lambda() const { return lambda_; }
  double intercept() const { return intercept_; }
  const std::vector<double>& coefficients() const { return coefficients_; }  // of standardised
  // Mean squared error over the folds, one a lambda; empty if there was nothing to choose.
  const std::vector<double>& fold_errors() const { return fold_errors_; }

 private:
  RidgeOptions options_;
  std::optional<StandardScaler> scaler_;
  std::vector<double> coefficients_;
  std::vector<double> fold_errors_;
  double lambda_ = 0, intercept_ = 0;
};

}  // namespace almanac

#endif  // ALMANAC_FORECAST_RIDGE_H_
