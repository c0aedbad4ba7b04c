// The forecasts that every model must beat.
//   naive  tomorrow equals today: the forward return is 0. For a target in prices there is no such
//          constant, so forward_close is refused: forecast its return.
//          Of a target that is a level, a volatility: what it was over the last equally long time,
//          which was known at the origin (LastEnded of the labels).
//          Of a target of classes: how often each was in training.
//   drift  the mean of the training target, whatever the features say.
#ifndef ALMANAC_FORECAST_BASELINE_H_
#define ALMANAC_FORECAST_BASELINE_H_

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "almanac/forecast/forecaster.h"

namespace almanac {

// The frequencies of the classes among `outcomes`, each with half a row more, so that a class that
// did not occur is not impossible.
std::vector<double> NaiveFrequencies(const std::vector<uint32_t>& outcomes, size_t classes);

// A forecaster that looks at no feature.
class BaselineForecaster final : public Forecaster {
 public:
  enum class Rule { kNaive, kDrift };
  explicit BaselineForecaster(Rule rule) : rule_(rule) {}
  static std::unique_ptr<BaselineForecaster> Load(Rule rule, const std::filesystem::path& folder);

  std::string kind() const override { return rule_ == Rule::kNaive ? "naive" : "drift"; }
  void CheckTarget(const std::vector<std::string>& classes) const override;
  FitReport Fit(const FitInput& input) override;
  Prediction Predict(const Dataset& data, std::span<const uint32_t> rows) const override;
  Json Describe() const override;
  void Save(const std::filesystem::path& folder) const override;

 private:
  Rule rule_;
  FitReport FitClasses(const FitInput& input);

  std::optional<double> value_;  // NaN for classes and levels
  bool last_ = false;            // the target is a level: the last one known
  std::vector<std::string> classes_;
  std::vector<double> probability_;
};

}  // namespace almanac

#endif  // ALMANAC_FORECAST_BASELINE_H_
