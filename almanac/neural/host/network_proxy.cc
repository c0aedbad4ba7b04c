#include "almanac/neural/host/network_proxy.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "almanac/base/error.h"
#include "almanac/neural/host/module.h"
#include "almanac/neural/host/network_options.h"
#include "almanac/neural/host/pretrained_network.h"

namespace almanac {
namespace {

// The options until Fit; from then on the module's forecaster.
class NetworkProxy final : public Forecaster {
 public:
  explicit NetworkProxy(NetworkOptions options) : options_(std::move(options)) {}

  std::string kind() const override { return std::string(Name(options_.architecture)); }

  void CheckTarget(const std::vector<std::string>& classes) const override {
    options_.CheckTarget(classes);
  }

  bool LooksBack() const override { return true; }

  FitReport Fit(const FitInput& input) override {
    network_ = Networks().MakeForecaster(options_);
    return network_->Fit(input);
  }

  Prediction Predict(const Dataset& data, std::span<const uint32_t> rows) const override {
    return Network("Predict").Predict(data, rows);
  }

  Json Describe() const override {
    if (network_ != nullptr) return network_->Describe();
    return {{"kind", kind()}, {"options", options_.ToJson()}};
  }

  void Save(const std::filesystem::path& folder) const override { Network("Save").Save(folder); }

 private:
  const Forecaster& Network(const char* what) const {
    if (network_ != nullptr) return *network_;
    throw Error(ErrorCode::kUsage, kind(), std::string(what) + " before Fit", "fit it first");
  }

  NetworkOptions options_;
  std::unique_ptr<Forecaster> network_;
};

ForecasterKind NetworkKind() {
  ForecasterKind kind;
  kind.make = [](const ConfigNode& config) -> std::unique_ptr<Forecaster> {
    NetworkOptions options = NetworkOptions::FromConfig(config);
    if (!HasNetworks()) throw MissingNetworks(config.Place("kind"));
    return std::make_unique<NetworkProxy>(std::move(options));
  };
  kind.load = [](const std::filesystem::path& folder) {
    return Networks().LoadForecaster(folder, Checkpoint::kBest);
  };
  return kind;
}

}  // namespace

void AddNetworkKinds(ForecasterKinds& kinds) {
  for (const std::string& name : ArchitectureNames()) kinds.Add(name, NetworkKind());
  kinds.Add(kPretrained, PretrainedKind());
}

}  // namespace almanac
