// Networks as TorchScript: a file that torch.jit.load of Python and torch::jit::load of C++ run
// without Almanac. docs/networks-export.md describes its inputs, output and names.
#ifndef ALMANAC_NEURAL_EXPORT_TORCHSCRIPT_H_
#define ALMANAC_NEURAL_EXPORT_TORCHSCRIPT_H_

#include <string>

#include "almanac/neural/export_graph.h"

namespace almanac::neural {

// The file's bytes.
std::string TorchScriptOf(const ExportSource& source);

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_EXPORT_TORCHSCRIPT_H_
