#include "almanac/neural/host/pretrained_network.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/hash.h"
#include "almanac/base/json_file.h"
#include "almanac/neural/host/module.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

constexpr const char* kFiles[] = {"network.json", "best.safetensors", "final.safetensors"};

class PretrainedNetwork final : public Forecaster {
 public:
  PretrainedNetwork(fs::path folder, Checkpoint checkpoint, std::string digest)
      : folder_(std::move(folder)),
        checkpoint_(checkpoint),
        digest_(std::move(digest)),
        saved_(ReadJsonFile(folder_ / kFiles[0], "expected a saved network")) {}

  std::string kind() const override { return kPretrained; }

  void CheckTarget(const std::vector<std::string>& classes) const override {
    const auto own = saved_.at("target").at("classes").get<std::vector<std::string>>();
    if (own == classes) return;
    const auto text = [](const std::vector<std::string>& names) {
      return names.empty() ? std::string("a number") : fmt::format("{}", fmt::join(names, ", "));
    };
    throw Error(ErrorCode::kUsage, folder_.string(),
                fmt::format("forecasts {}, and the target is {}", text(own), text(classes)),
                "take the target that the network was trained on");
  }

  // Nothing is learnt here: what is looked at is whether the network forecasts this target.
  bool LooksBack() const override { return true; }

  FitReport Fit(const FitInput& input) override {
    const auto name = saved_.at("target").at("name").get<std::string>();
    const auto horizons = saved_.at("shape").at("horizons").get<size_t>();
    if (name != input.data.target_name() || horizons != input.data.target_steps()) {
      throw Error(ErrorCode::kBadData, folder_.string(),
                  fmt::format("forecasts {} in {} steps, and the target is {} in {}", name,
                              horizons, input.data.target_name(), input.data.target_steps()),
                  "take the target that the network was trained on");
    }
    network_ = Networks().LoadForecaster(folder_, checkpoint_);
    return {};
  }

  Prediction Predict(const Dataset& data, std::span<const uint32_t> rows) const override {
    if (network_ != nullptr) return network_->Predict(data, rows);
    throw Error(ErrorCode::kUsage, kind(), "Predict before Fit", "fit it first");
  }

  Json Describe() const override {
    Json json = {{"kind", kind()}, {"sha256", digest_}};
    if (network_ != nullptr) json["network"] = network_->Describe();
    return json;
  }

  // As a saved network of its own: whoever loads it need not know where it came from.
  void Save(const fs::path& folder) const override {
    const char* const weights = kFiles[checkpoint_ == Checkpoint::kBest ? 1 : 2];
    WriteFileAtomic(folder / kFiles[0], ReadFile(folder_ / kFiles[0]));
    for (const char* file : {kFiles[1], kFiles[2]}) {
      WriteFileAtomic(folder / file, ReadFile(folder_ / weights));
    }
  }

 private:
  fs::path folder_;
  Checkpoint checkpoint_;
  std::string digest_;
  Json saved_;  // network.json
  std::unique_ptr<Forecaster> network_;
};

std::unique_ptr<Forecaster> MakePretrained(const ConfigNode& config) {
  const fs::path folder = config.String("folder");
  const std::string digest = config.String("sha256");
  const bool is_final = config.Choice("weights", {"best", "final"}, "best") == "final";
  if (!fs::exists(folder / kFiles[0])) {
    throw Error(ErrorCode::kUsage, config.Place("folder"), folder.string() + " is no saved network",
                "name the folder that almanac models import or almanac train printed");
  }
  if (!HasNetworks()) throw MissingNetworks(config.Place("kind"));
  const std::string found = NetworkDigest(folder);
  if (found != digest) {
    throw Error(ErrorCode::kUsage, config.Place("sha256"),
                fmt::format("{} has the digest {}", folder.string(), found),
                "write that if these are the weights that you mean");
  }
  return std::make_unique<PretrainedNetwork>(
      folder, is_final ? Checkpoint::kFinal : Checkpoint::kBest, digest);
}

}  // namespace

std::string NetworkDigest(const fs::path& folder) {
  Hasher hasher;
  for (const char* file : kFiles) hasher.Add(ReadFile(folder / file));
  return hasher.Finish();
}

ForecasterKind PretrainedKind() {
  ForecasterKind kind;
  kind.make = MakePretrained;
  kind.load = [](const fs::path& folder) {
    return Networks().LoadForecaster(folder, Checkpoint::kBest);
  };
  return kind;
}

}  // namespace almanac
