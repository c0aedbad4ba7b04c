// Column pruning: which features are worth keeping, judged on training rows alone, with a report of
// what went and why.
//
// The steps, in this order; each sees only the columns that are left:
//   missing        more than `max_missing` of the training rows are not finite
//   missing_rows_with_target   the same above `max_missing_with_target`, among the training rows
//   that
//                  have a target: at events a column may be missing where it is otherwise there
//   one_value      one value is more than `max_one_value` of the finite ones
//   variance       variance (divisor n) over mean square is at most `min_variance`: free of the
//                  column's unit, 0 for a constant and 1 for a mean of 0
//   correlation    above `max_correlation` in absolute value with an earlier column that is kept
//                  (correlation.h)
//   lineage        it is computed, over any number of steps, from the target
// Names do not matter except as keys of the lineage.
#ifndef ALMANAC_DATASET_PRUNE_H_
#define ALMANAC_DATASET_PRUNE_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "almanac/base/config.h"
#include "almanac/base/json.h"
#include "almanac/dataset/dataset.h"
#include "almanac/dataset/split.h"

namespace almanac {

struct PruneSpec {
  double max_missing = 0.7;
  double max_missing_with_target = 0.9;
  double max_one_value = 0.95;
  double min_variance = 1e-12;
  double max_correlation = 0.9;

  // {max_missing: 0.7, ...}: shares in [0, 1].
  static PruneSpec FromConfig(const ConfigNode& node);
};

// For a name (a column or what columns are made of), what it is computed from. The target's own
// name is Dataset::target_name().
using Lineage = std::map<std::string, std::vector<std::string>>;

struct PrunedColumn {
  std::string name;
  std::string reason;   // as above
  double value = 0;     // the share, variance ratio or correlation that decided; 0 for lineage
  std::string because;  // the earlier column; for lineage the direct input that leads to the target
};

struct PruneReport {
  size_t rows = 0;                   // training rows that were judged on
  std::vector<size_t> kept;          // column indices, increasing
  std::vector<PrunedColumn> pruned;  // in order of step, then of column

  // {"rows", "kept": [names], "pruned": [{"name", "reason", "value", "because"}]}
  Json ToJson(const Dataset& data) const;
};

// Throws Error(kUsage) for shares outside [0, 1], Error(kBadData) if no column is left.
PruneReport PruneColumns(const Dataset& data, const TrainingRows& training, const PruneSpec& spec,
                         const Lineage& lineage);

}  // namespace almanac

#endif  // ALMANAC_DATASET_PRUNE_H_
