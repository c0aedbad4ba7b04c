#include "almanac/neural/saved_network.h"

#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/json_file.h"
#include "almanac/neural/tensor_file.h"

namespace almanac::neural {
namespace fs = std::filesystem;
namespace {

constexpr const char* kRemedy = "expected a saved network";

NetworkShape ShapeFrom(const Json& json) {
  return {json.at("steps").get<int64_t>(),    json.at("features").get<int64_t>(),
          json.at("horizons").get<int64_t>(), json.at("outputs").get<int64_t>(),
          json.at("known").get<int64_t>(),    json.at("groups").get<int64_t>()};
}

}  // namespace

Json ToJson(const NetworkShape& shape) {
  return {{"steps", shape.steps},     {"features", shape.features}, {"horizons", shape.horizons},
          {"outputs", shape.outputs}, {"known", shape.known},       {"groups", shape.groups}};
}

SavedNetwork ParseSavedNetwork(const Json& json) {
  const Json& target = json.at("target");
  const Json& data = json.at("data");
  SavedNetwork saved{
      .options = NetworkOptions::FromJson(json.at("options")),
      .shape = ShapeFrom(json.at("shape")),
      .scaler = StandardScaler::FromJson(json.at("scaler")),
      .target = TargetScale::FromJson(target.at("scale")),
      .target_name = target.at("name").get<std::string>(),
      .target_unit = target.at("unit").get<std::string>(),
      .classes = target.at("classes").get<std::vector<std::string>>(),
      .symbols = data.at("symbols").get<std::vector<std::string>>(),
      .calendar = RowCalendar::FromJson(data.at("calendar")),
      .data_hash = data.at("hash").get<std::string>(),
      .training = json.at("training"),
      .best = {},
      .last = {},
  };
  if (saved.scaler.size() != static_cast<size_t>(saved.shape.features)) {
    throw Error(ErrorCode::kBadData, "scaler", "has another number of features than the network",
                kRemedy);
  }
  return saved;
}

SavedNetwork ReadSavedNetwork(const fs::path& folder) {
  const fs::path file = folder / kNetworkFile;
  const Json json = ReadJsonFile(file, kRemedy);
  try {
    SavedNetwork saved = ParseSavedNetwork(json);
    saved.best = LoadTensors(folder / kBestWeights);
    saved.last = LoadTensors(folder / kFinalWeights);
    return saved;
  } catch (const Json::exception& error) {
    throw Error(ErrorCode::kBadData, file.string(), error.what(), kRemedy);
  } catch (const Error& error) {
    throw error.Within(folder.string());
  }
}

}  // namespace almanac::neural
