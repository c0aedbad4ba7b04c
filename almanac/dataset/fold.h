// Cross-validation: many splits of the same rows, each purged by label interval.
//
// A row looks at [t0, t1] (closed). In every fold no training row's interval, widened by the
// embargo on both sides, meets the interval of a validation or test row; nor does a validation
// row's meet a test row's. docs/datasets.md has the schemes' drawings.
//   rolling        test windows of length `test` follow one another every `step`; each fold learns
//                  from the `train` before its test window
//   expanding      the same, but each fold learns from everything before (at least `train`)
//   purged_k_fold  rows in order of t0 are cut into `folds` blocks; each is the test part once, and
//                  training rows lie on both sides of it (López de Prado 2018, chapter 7)
//   combinatorial  rows are cut into `groups` blocks; every choice of `test_groups` of them is the
//                  test part once, and the test parts join to whole backtest paths (ibid., chapter
//                  12)
#ifndef ALMANAC_DATASET_FOLD_H_
#define ALMANAC_DATASET_FOLD_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "almanac/base/config.h"
#include "almanac/base/json.h"
#include "almanac/base/time.h"
#include "almanac/dataset/split.h"

namespace almanac {

enum class FoldScheme { kRolling, kExpanding, kPurgedKFold, kCombinatorial };
std::string_view Name(FoldScheme scheme);  // "rolling", ...

struct FoldSpec {
  FoldScheme scheme = FoldScheme::kPurgedKFold;
  // Rolling and expanding. The first test window begins `train` (and `validation`) after the first
  // row; the last one may be cut short by the end of the rows. step 0: the length of `test`.
  DurationMs train = 0, validation = 0, test = 0, step = 0;
  size_t folds = 5;                    // purged k-fold, >= 2
  size_t groups = 6, test_groups = 2;  // combinatorial, 1 <= test_groups < groups
  DurationMs embargo = 0;

  // {scheme: rolling, train: 90d, validation: 10d, test: 30d, step: 30d, embargo: 1d},
  // {scheme: purged_k_fold, folds: 5}, {scheme: combinatorial, groups: 6, test_groups: 2}.
  static FoldSpec FromConfig(const ConfigNode& node);
  Json ToJson() const;
};

struct Fold {
  TrainingRows training;
  std::vector<uint32_t> validation;  // empty unless asked for
  std::vector<uint32_t> test;        // in order of t0
  std::vector<size_t> test_groups;   // which blocks the test part is; empty for windows
  size_t purged = 0;                 // rows inside the fold's range that are in no part
};

class CrossValidation {
 public:
  // Rows as in DataSplit::Chronological; those of one t0 stay together. Windows without a training,
  // validation (if asked for) or test row are skipped and counted. Throws Error(kUsage) for a spec
  // out of range, a block that would have no rows, a fold of blocks without training rows, and
  // where no window is left.
  static CrossValidation Make(std::span<const TimeMs> t0, std::span<const TimeMs> t1,
                              const FoldSpec& spec);
  // The same of some rows alone, such as those of events.
  static CrossValidation Make(std::span<const TimeMs> t0, std::span<const TimeMs> t1,
                              const FoldSpec& spec, std::span<const uint32_t> rows);

  const std::vector<Fold>& folds() const { return folds_; }
  size_t skipped() const { return skipped_; }
  // Combinatorial: path p judges block g by fold paths()[p][g]; together the blocks of a path are
  // all rows, each forecast by a model that did not learn from it. There are
  // C(groups - 1, test_groups - 1) paths. Empty for the other schemes.
  const std::vector<std::vector<size_t>>& paths() const { return paths_; }

 private:
  class Maker;
  std::vector<Fold> folds_;
  std::vector<std::vector<size_t>> paths_;
  size_t skipped_ = 0;
};

}  // namespace almanac

#endif  // ALMANAC_DATASET_FOLD_H_
