// Past winners go on winning: the forecast is one past return, scaled to the size of forecasts.
//
// By Grinold's rule (1994, "Alpha is volatility times IC times score", Journal of Portfolio
// Management 20): ic * standard deviation of the target * x / standard deviation of x, with x the
// column `feature` (such as log_return_126) and both deviations about 0 over the training rows. The
// rank of forecasts is that of x; `ic` is what the rule assumes, not what is measured.
#ifndef ALMANAC_FORECAST_MOMENTUM_H_
#define ALMANAC_FORECAST_MOMENTUM_H_

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "almanac/forecast/forecaster.h"

namespace almanac {

struct MomentumOptions {
  std::string feature;
  double ic = 0.05;  // (0, 1]
};

class MomentumForecaster final : public Forecaster {
 public:
  explicit MomentumForecaster(MomentumOptions options);
  // {kind: momentum, feature: log_return_126, ic: 0.05}
  static std::unique_ptr<MomentumForecaster> FromConfig(const ConfigNode& config);
  static std::unique_ptr<MomentumForecaster> Load(const std::filesystem::path& folder);

  std::string kind() const override { return "momentum"; }
  // Throws Error(kUsage) if there is no such column or the target is a price or classes.
  FitReport Fit(const FitInput& input) override;
  Prediction Predict(const Dataset& data, std::span<const uint32_t> rows) const override;
  Json Describe() const override;
  void Save(const std::filesystem::path& folder) const override;

 private:
  size_t ColumnIn(const Dataset& data) const;

  MomentumOptions options_;
  std::optional<double> scale_;
};

}  // namespace almanac

#endif  // ALMANAC_FORECAST_MOMENTUM_H_
