// Boosted trees as a forecaster for recipes:
//   {kind: gbdt, parameters: {num_leaves: 30, learning_rate: 0.05}, quantiles: [5, 95], exact:
//   true}
// `parameters` are LightGBM's (params.h). `exact` (default false) takes LightGBM's own arithmetic
// instead of the faster fixed point. `quantiles`, percentages, add a model each, trained on
// the same bins with objective quantile, and give the columns "q5", "q95".
//
// Of a target of classes it forecasts their probabilities, in the columns "p_up" and so on: the
// objective is then binary for two classes and multiclass for more (given or not), and there are no
// quantiles.
//
// Rows with missing features are learnt from and forecast: trees know what to do with NaN. With
// early_stopping_round the validation part decides the number of rounds; quantile models have the
// same parameters and stop for themselves.
#ifndef ALMANAC_GBDT_GBDT_FORECASTER_H_
#define ALMANAC_GBDT_GBDT_FORECASTER_H_

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "almanac/forecast/forecaster.h"
#include "almanac/gbdt/model.h"
#include "almanac/gbdt/params.h"
#include "almanac/gbdt/predictor.h"

namespace almanac {

struct GbdtOptions {
  gbdt::Settings parameters;
  bool exact = false;
  std::vector<double> quantiles;  // percentages, each above 0 and below 100, ascending

  // Error(kUsage) for parameters that gbdt::Params refuses.
  static GbdtOptions FromConfig(const ConfigNode& node);
};

class GbdtForecaster final : public Forecaster {
 public:
  // Throws like FromConfig.
  explicit GbdtForecaster(GbdtOptions options);
  static std::unique_ptr<GbdtForecaster> Load(const std::filesystem::path& folder);

  std::string kind() const override { return "gbdt"; }
  void CheckTarget(const std::vector<std::string>& classes) const override;
  FitReport Fit(const FitInput& input) override;
  Prediction Predict(const Dataset& data, std::span<const uint32_t> rows) const override;
  Json Describe() const override;
  void Save(const std::filesystem::path& folder) const override;

  // Of the value; after it one a quantile.
  const std::vector<gbdt::Model>& models() const { return models_; }

 private:
  gbdt::Params ParamsOf(size_t model) const;
  std::string NameOf(size_t model) const;  // "value", "q5", "classes"
  void AddProbabilities(const std::vector<double>& scores, Prediction& prediction) const;

  GbdtOptions options_;
  std::vector<std::string> features_, classes_;
  std::vector<gbdt::Model> models_;
  std::vector<gbdt::Predictor> predictors_;
  std::vector<std::vector<double>> evaluations_;  // by model, the first metric by round
};

// For ForecasterKinds::Add("gbdt", GbdtForecasterKind()).
ForecasterKind GbdtForecasterKind();

}  // namespace almanac

#endif  // ALMANAC_GBDT_GBDT_FORECASTER_H_
