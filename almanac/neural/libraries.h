// Which libraries the networks compute with.
#ifndef ALMANAC_NEURAL_LIBRARIES_H_
#define ALMANAC_NEURAL_LIBRARIES_H_

#include "almanac/neural/host/module.h"

namespace almanac {

NeuralLibraries FindLibraries();

}  // namespace almanac

#endif  // ALMANAC_NEURAL_LIBRARIES_H_
