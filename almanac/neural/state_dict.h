// PyTorch's state dicts: the tensors by name that torch.save(model.state_dict(), FILE) puts into a
// file, and how they become the weights of a network here. docs/networks-export.md has the module
// definitions in Python whose names these are.
#ifndef ALMANAC_NEURAL_STATE_DICT_H_
#define ALMANAC_NEURAL_STATE_DICT_H_

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "almanac/neural/parameters.h"

namespace almanac::neural {

// In the file's order. Read are files of torch.save since PyTorch 1.6 (zip archives) and
// safetensors files. A dictionary of more than tensors is searched for a state dict under
// "state_dict", "model_state_dict" or "model". Nothing in the file is run. Throws Error(kBadData)
// naming the file and what is wrong with it.
NamedTensors LoadStateDict(const std::filesystem::path& file);

// A prefix of names in the file, and what takes its place.
using Renames = std::vector<std::pair<std::string, std::string>>;

// The state dict as weights with the names, shapes and order of `wanted` (a network's snapshot), in
// float32. Renames are applied first, then: prefixes that wrappers put before every name go
// ("module.", "_orig_mod.", "model."), "head." and the "_" of "forward_" go, and counts of batches
// and what an exported graph keeps beside its weights are left out. Throws Error(kBadData) that
// names every tensor which is missing, left over, not finite or of another shape, with the nearest
// name.
NamedTensors MatchStateDict(const NamedTensors& state, const NamedTensors& wanted,
                            const Renames& renames);

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_STATE_DICT_H_
