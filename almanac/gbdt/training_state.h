// The file from which a training that was broken off goes on: a line that says what it is, the
// SHA-256 of the rest, whose training it belongs to, then the state as it lies in memory.
// Inside this room.
#ifndef ALMANAC_GBDT_TRAINING_STATE_H_
#define ALMANAC_GBDT_TRAINING_STATE_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <type_traits>
#include <vector>

#include "almanac/feature/state.h"
#include "almanac/gbdt/train.h"

namespace almanac::gbdt {

// Differs where parameters, bins, labels, weights, initial scores or validation sets do.
std::string TrainingKey(const Params& params, const BinnedData& data, const Targets& targets,
                        const std::vector<Validation>& validations);

void WriteTrainingState(const std::filesystem::path& file, const std::string& key,
                        const std::string& state);
// The state. Throws Error(kBadData) if the file is damaged, Error(kUsage) if its key is another.
std::string ReadTrainingState(const std::filesystem::path& file, const std::string& key);

// For a vector whose length is part of the state.
template <typename Archive, typename T>
void VisitSized(Archive& archive, std::vector<T>& values) {
  uint64_t size = values.size();
  archive(size);
  if constexpr (std::is_same_v<Archive, StateReader>) values.resize(size);
  if constexpr (std::is_trivially_copyable_v<T>) {
    archive(values);
  } else {
    for (T& value : values) VisitTree(archive, value);
  }
}

template <typename Archive>
void VisitTree(Archive& archive, Tree& tree) {
  VisitSized(archive, tree.split_feature);
  VisitSized(archive, tree.split_gain);
  VisitSized(archive, tree.threshold);
  VisitSized(archive, tree.decision_type);
  VisitSized(archive, tree.left_child);
  VisitSized(archive, tree.right_child);
  VisitSized(archive, tree.internal_value);
  VisitSized(archive, tree.internal_weight);
  VisitSized(archive, tree.internal_count);
  VisitSized(archive, tree.leaf_value);
  VisitSized(archive, tree.leaf_weight);
  VisitSized(archive, tree.leaf_count);
  VisitSized(archive, tree.cat_boundaries);
  VisitSized(archive, tree.cat_threshold);
  archive(tree.shrinkage);
}

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_TRAINING_STATE_H_
