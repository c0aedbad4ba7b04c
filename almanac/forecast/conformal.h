// Prediction intervals around any forecaster of numbers, from how wrong it was on rows that it did
// not learn from. No distribution is assumed.
//
//   split     value +- q, with q the ceil((n + 1) c)-th smallest of the n absolute errors on the
//             calibration rows (Lei et al. 2018, "Distribution-Free Predictive Inference for
//             Regression"): holds an outcome with probability at least c if rows are exchangeable.
//   adaptive  the same, but the errors are those of the last `window` rows whose outcome was known,
//             and the miss rate a that q is taken for follows what happened: after every outcome
//             a += rate ((1 - c) - missed) (Gibbs and Candes 2021, "Adaptive Conformal Inference
//             Under Distribution Shift"): in the long run it holds a share of c of the outcomes,
//             also of series that change. Where a is 0 or less, the interval is the largest error
//             of the window (not infinite, as the paper's); where it is 1 or more, it is empty.
//
// The wrapped forecaster learns with the first half of the validation rows to stop by, without
// those whose label reaches into the second half, on which errors are measured. Without a
// validation part, the last tenth of the training rows is the second half and the wrapped one gets
// none.
#ifndef ALMANAC_FORECAST_CONFORMAL_H_
#define ALMANAC_FORECAST_CONFORMAL_H_

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "almanac/base/time.h"
#include "almanac/forecast/forecaster.h"

namespace almanac {

struct ConformalOptions {
  bool adaptive = false;
  double coverage = 0.8;  // c, above 0 and below 1
  double rate = 0.005;    // adaptive
  size_t window = 500;    // adaptive: rows, at least 20

  // {method: adaptive, coverage: 0.9, rate: 0.005, window: 500}.
  static ConformalOptions FromConfig(const ConfigNode& node);
  Json ToJson() const;
  static ConformalOptions FromJson(const Json& json);
};

// The half width that holds a share of `coverage` of errors like these (which are sorted): the
// ceil((n + 1) coverage)-th smallest, the largest where that is beyond the last, 0 for a coverage
// of 0 or less. `errors` must not be empty.
double ConformalWidth(std::span<const double> sorted_errors, double coverage);

class ConformalForecaster final : public Forecaster {
 public:
  ConformalForecaster(ConformalOptions options, std::unique_ptr<Forecaster> inner);
  static std::unique_ptr<ConformalForecaster> Load(const std::filesystem::path& folder,
                                                   const ForecasterKinds& kinds);

  std::string kind() const override { return "conformal"; }
  bool LooksBack() const override { return inner_->LooksBack(); }
  FitReport Fit(const FitInput& input) override;
  // The wrapped forecaster's value, and as columns the ends of the interval: "q10" and "q90" for a
  // coverage of 0.8. Adaptive intervals of a row use outcomes of earlier rows of `data` that were
  // known at its time, whichever rows are asked for. NaN where the value is.
  Prediction Predict(const Dataset& data, std::span<const uint32_t> rows) const override;
  Json Describe() const override;
  void Save(const std::filesystem::path& folder) const override;

 private:
  std::vector<double> AdaptiveWidths(const Dataset& data, std::span<const uint32_t> rows) const;

  ConformalOptions options_;
  std::unique_ptr<Forecaster> inner_;
  std::vector<double> errors_;          // absolute, of the calibration rows, in order of time
  TimeMs calibrated_until_ = kMinTime;  // time of the last of them
};

// {kind: conformal, coverage: 0.9, model: {kind: ridge}}, around any of `kinds`.
ForecasterKind ConformalKind(const ForecasterKinds& kinds);

}  // namespace almanac

#endif  // ALMANAC_FORECAST_CONFORMAL_H_
