// A PyTorch state dict as a saved network.
#ifndef ALMANAC_NEURAL_IMPORT_H_
#define ALMANAC_NEURAL_IMPORT_H_

#include "almanac/neural/host/module.h"

namespace almanac::neural {

// Both checkpoints of the new folder get the state dict's weights. Throws Error(kUsage) for a
// folder that exists or a description with a wrong value, Error(kBadData) for tensors that do not
// fit.
void ImportNetwork(const ImportRequest& request);

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_IMPORT_H_
