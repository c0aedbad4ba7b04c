// A saved network as a model of a recipe that is not trained again: one that was imported, or
// trained by another recipe. {kind: pretrained, folder: networks/gru, sha256: 0a1b...}
#ifndef ALMANAC_NEURAL_HOST_PRETRAINED_NETWORK_H_
#define ALMANAC_NEURAL_HOST_PRETRAINED_NETWORK_H_

#include <filesystem>
#include <string>

#include "almanac/forecast/forecaster.h"

namespace almanac {

inline constexpr const char* kPretrained = "pretrained";

// Of everything that a saved network's folder says: the recipe names it, so that results belong to
// these weights and no others.
std::string NetworkDigest(const std::filesystem::path& folder);

// Making one throws Error(kUsage) for a folder that is no saved network, or has another digest.
// Fit throws Error(kBadData) if the dataset's target is another than the network's; the columns are
// compared by Predict.
ForecasterKind PretrainedKind();

}  // namespace almanac

#endif  // ALMANAC_NEURAL_HOST_PRETRAINED_NETWORK_H_
