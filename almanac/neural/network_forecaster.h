// A network as a forecaster: scales, windows, training, checkpoints.
//
// A saved one is a folder: network.json (options, shapes, the names and order of the features,
// scalers, target, losses by epoch, hash of the training data), best.safetensors and
// final.safetensors (weights after the epoch with the best validation loss, and after the last).
#ifndef ALMANAC_NEURAL_NETWORK_FORECASTER_H_
#define ALMANAC_NEURAL_NETWORK_FORECASTER_H_

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "almanac/forecast/forecaster.h"
#include "almanac/neural/collapse.h"
#include "almanac/neural/host/module.h"
#include "almanac/neural/host/network_options.h"
#include "almanac/neural/network.h"
#include "almanac/neural/trainer.h"
#include "almanac/neural/window_source.h"

namespace almanac::neural {

class NetworkForecaster final : public Forecaster {
 public:
  explicit NetworkForecaster(NetworkOptions options);
  ~NetworkForecaster() override;
  static std::unique_ptr<NetworkForecaster> Load(const std::filesystem::path& folder,
                                                 Checkpoint checkpoint);

  std::string kind() const override;
  void CheckTarget(const std::vector<std::string>& classes) const override;
  bool LooksBack() const override { return true; }
  FitReport Fit(const FitInput& input) override;
  Prediction Predict(const Dataset& data, std::span<const uint32_t> rows) const override;
  Json Describe() const override;
  void Save(const std::filesystem::path& folder) const override;

 private:
  struct Fitted;
  void Train(const FitInput& input, const TrainingRows& training,
             std::span<const uint32_t> validation, FitReport* report);
  // Answers for one horizon (from 0) as forecasts; window w is the row at places[w] of `rows`.
  Prediction ReadStep(const at::Tensor& answers, int64_t horizon, const std::vector<size_t>& places,
                      size_t rows) const;
  WindowSource::Options WindowsOf(const NetworkShape& shape, bool with_target) const;
  int64_t GroupOf(const std::string& symbol) const;
  CollapseReport JudgeForecasts(const Fitted& fitted, const WindowSource& judge) const;

  NetworkOptions options_;
  std::unique_ptr<Fitted> fitted_;
};

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_NETWORK_FORECASTER_H_
