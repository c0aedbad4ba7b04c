// A saved network as one file that runs without Almanac.
#ifndef ALMANAC_NEURAL_EXPORT_H_
#define ALMANAC_NEURAL_EXPORT_H_

#include <filesystem>

#include "almanac/neural/host/module.h"

namespace almanac::neural {

// The file appears whole or not at all; the same network gives the same bytes.
void ExportNetwork(const std::filesystem::path& folder, Checkpoint checkpoint, ExportFormat format,
                   const std::filesystem::path& file);

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_EXPORT_H_
