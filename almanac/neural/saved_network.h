// A trained network's folder, read whole but not yet built; docs/networks.md lists its files.
#ifndef ALMANAC_NEURAL_SAVED_NETWORK_H_
#define ALMANAC_NEURAL_SAVED_NETWORK_H_

#include <filesystem>
#include <string>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/dataset/scaler.h"
#include "almanac/neural/host/network_options.h"
#include "almanac/neural/network.h"
#include "almanac/neural/parameters.h"
#include "almanac/neural/window_source.h"

namespace almanac::neural {

inline constexpr const char* kNetworkFile = "network.json";
inline constexpr const char* kBestWeights = "best.safetensors";
inline constexpr const char* kFinalWeights = "final.safetensors";

struct SavedNetwork {
  NetworkOptions options;
  NetworkShape shape;
  StandardScaler scaler;
  TargetScale target;
  std::string target_name, target_unit;
  std::vector<std::string> classes;
  std::vector<std::string> symbols;  // by their group's number
  RowCalendar calendar;
  std::string data_hash;
  Json training;
  NamedTensors best, last;
};

// All but the weights, from what network.json holds. Throws Json::exception and Error(kBadData).
SavedNetwork ParseSavedNetwork(const Json& json);
// Throws Error(kBadData) naming the folder and what in it is missing or damaged.
SavedNetwork ReadSavedNetwork(const std::filesystem::path& folder);

Json ToJson(const NetworkShape& shape);

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_SAVED_NETWORK_H_
