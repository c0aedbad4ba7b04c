// Many models over the same bins: columns are put into bins once, then every variant trains on
// rows, labels, weights and parameters of its own. Each model is the one that Train gives for it
// alone, bit for bit, whatever the others, the number of threads and the memory limit.
#ifndef ALMANAC_GBDT_TRAIN_MANY_H_
#define ALMANAC_GBDT_TRAIN_MANY_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "almanac/gbdt/binned_data.h"
#include "almanac/gbdt/objective.h"
#include "almanac/gbdt/params.h"
#include "almanac/gbdt/train.h"

namespace almanac::gbdt {

// Rows to judge a variant by; as Validation is for Train.
struct VariantValidation {
  std::string name;
  std::span<const uint32_t> rows;  // of the shared data; empty: all
  Targets targets;                 // one a row, in the order of `rows`
  bool can_stop = true;
};

// What is learnt from. All that the spans point to must stay until TrainMany returns.
struct Variant {
  std::string name;  // for errors
  Params params;
  std::span<const uint32_t> rows;  // of the shared data, in the order of learning; empty: all
  Targets targets;                 // one a row, in the order of `rows`
  std::vector<VariantValidation> validations;
};

struct TrainManyOptions {
  // Bytes that variants in training may have at once beside the shared data (their copies of rows,
  // histograms, scores), by TrainingBytes. Fewer are then trained side by side, at least one.
  size_t memory = size_t{4} << 30;
  // Called after each variant with its place among the variants, in any order, one call at a time.
  // An exception from it ends the work.
  std::function<void(size_t variant, TrainResult result)> on_done;
};

// What training the variant takes in memory beside the shared data, about, in bytes.
size_t TrainingBytes(const BinnedData& data, const Variant& variant);

// Trains all. Gives up at the first that fails: its error, with the variant's name before the
// place. Where params ask for other bins than the data has (max_bin, ...) they are not looked at.
void TrainMany(const BinnedData& data, std::span<const Variant> variants,
               const TrainManyOptions& options);

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_TRAIN_MANY_H_
