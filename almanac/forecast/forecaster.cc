#include "almanac/forecast/forecaster.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/forecast/baseline.h"
#include "almanac/forecast/momentum.h"
#include "almanac/forecast/ridge.h"

namespace almanac {
namespace {

constexpr char kFile[] = "forecaster.json";

ForecasterKind BaselineKind(BaselineForecaster::Rule rule) {
  ForecasterKind kind;
  kind.make = [rule](const ConfigNode&) { return std::make_unique<BaselineForecaster>(rule); };
  kind.load = [rule](const std::filesystem::path& folder) {
    return BaselineForecaster::Load(rule, folder);
  };
  return kind;
}

ForecasterKind RidgeKind() {
  ForecasterKind kind;
  kind.make = [](const ConfigNode& config) {
    return std::make_unique<RidgeForecaster>(RidgeOptions::FromConfig(config));
  };
  kind.load = [](const std::filesystem::path& folder) { return RidgeForecaster::Load(folder); };
  return kind;
}

}  // namespace

std::string ClassColumn(const std::string& class_name) { return "p_" + class_name; }

void Forecaster::CheckTarget(const std::vector<std::string>& classes) const {
  if (classes.empty()) return;
  throw Error(
      ErrorCode::kUsage, kind(),
      fmt::format("forecasts numbers, and the target is of classes: {}", fmt::join(classes, ", ")),
      "take a kind that forecasts classes, such as gbdt, or a target of numbers");
}

ForecasterKinds ForecasterKinds::BuiltIn() {
  ForecasterKinds kinds;
  kinds.Add("naive", BaselineKind(BaselineForecaster::Rule::kNaive));
  kinds.Add("drift", BaselineKind(BaselineForecaster::Rule::kDrift));
  kinds.Add("ridge", RidgeKind());
  kinds.Add("momentum", {[](const ConfigNode& config) -> std::unique_ptr<Forecaster> {
                           return MomentumForecaster::FromConfig(config);
                         },
                         [](const std::filesystem::path& folder) -> std::unique_ptr<Forecaster> {
                           return MomentumForecaster::Load(folder);
                         }});
  return kinds;
}

void ForecasterKinds::Add(const std::string& name, ForecasterKind kind) {
  kinds_[name] = std::move(kind);
}

std::vector<std::string> ForecasterKinds::Names() const {
  std::vector<std::string> names;
  for (const auto& entry : kinds_) names.push_back(entry.first);
  return names;
}

std::unique_ptr<Forecaster> ForecasterKinds::Make(const ConfigNode& config) const {
  return kinds_.at(config.Choice("kind", Names())).make(config);
}

std::unique_ptr<Forecaster> ForecasterKinds::Load(const std::filesystem::path& folder) const {
  const std::filesystem::path file = folder / kFile;
  const std::string text = ReadFile(file);
  std::string name;
  try {
    name = Json::parse(text).at("kind").get<std::string>();
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::kBadData, file.string(), error.what(), "expected a saved forecaster");
  }
  const auto kind = kinds_.find(name);
  if (kind == kinds_.end()) {
    throw Error(ErrorCode::kBadData, file.string(),
                fmt::format("unknown kind of forecaster \"{}\"", name),
                fmt::format("known are {}", fmt::join(Names(), ", ")));
  }
  return kind->second.load(folder);
}

void SaveForecaster(const Forecaster& forecaster, const std::filesystem::path& folder) {
  forecaster.Save(folder);
  WriteFileAtomic(folder / kFile, Json{{"kind", forecaster.kind()}}.dump(2) + "\n");
}

}  // namespace almanac
