// Tensors in files of the safetensors format, which PyTorch, NumPy and others read: eight bytes
// with the header's length, a JSON header with each tensor's type, shape and place, then the
// numbers. docs/networks.md repeats the layout.
#ifndef ALMANAC_NEURAL_TENSOR_FILE_H_
#define ALMANAC_NEURAL_TENSOR_FILE_H_

#include <filesystem>

#include "almanac/neural/parameters.h"

namespace almanac::neural {

// float32, float64, int64 and uint8 tensors on the CPU. Equal tensors give equal bytes. The file
// appears whole or not at all.
void SaveTensors(const NamedTensors& tensors, const std::filesystem::path& file);

// In the file's order. Throws Error(kBadData) naming file and tensor for anything that is not as
// specified.
NamedTensors LoadTensors(const std::filesystem::path& file);

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_TENSOR_FILE_H_
