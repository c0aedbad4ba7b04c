// Networks as ONNX: a model of operator set 17 that ONNX Runtime and others run without Almanac.
// docs/networks-export.md describes its inputs, output and metadata.
#ifndef ALMANAC_NEURAL_EXPORT_ONNX_H_
#define ALMANAC_NEURAL_EXPORT_ONNX_H_

#include <string>

#include "almanac/neural/export_graph.h"

namespace almanac::neural {

// The file's bytes. Throws Error(kFailed) for a network beyond the format's 2 GiB.
std::string OnnxOf(const ExportSource& source);

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_EXPORT_ONNX_H_
