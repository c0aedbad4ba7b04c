// Column pruning: which features are worth keeping, judged on training rows alone, with a report of
// what went and why.
//
// The steps, in this order; each sees only the columns that are left:
//   missing        more than `max_missing` of the training rows are not finite
//   missing_rows_with_target   the same above `max_missing_with_target`, among the training rows
//                  that have a target: at events a column may be missing where it is otherwise
//                  there
//   one_value      one value is more than `max_one_value` of the finite ones
//   variance       variance (divisor n) over mean square is at most `min_variance`: free of the
//                  column's unit, 0 for a constant and 1 for a mean of 0
//   correlation    above `max_correlation` in absolute value with an earlier column that is kept
//                  (correlation.h), over at most `correlation_rows` training rows at equal
//                  distances
//   lineage        it is computed, over any number of steps, from the target
// Names do not matter except as keys of the lineage.
#ifndef ALMANAC_DATASET_PRUNE_H_
#define ALMANAC_DATASET_PRUNE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "almanac/base/config.h"
#include "almanac/base/json.h"
#include "almanac/dataset/correlation.h"
#include "almanac/dataset/dataset.h"
#include "almanac/dataset/split.h"

namespace almanac {

struct PruneSpec {
  double max_missing = 0.7;
  double max_missing_with_target = 0.9;
  double max_one_value = 0.95;
  double min_variance = 1e-12;
  double max_correlation = 0.9;
  // A correlation of 0.9 over so many independent rows has a standard error of 0.0012.
  int64_t correlation_rows = 25000;

  // {max_missing: 0.7, ...}: shares in [0, 1].
  static PruneSpec FromConfig(const ConfigNode& node);
  Json ToJson() const;
  // Throws Error(kUsage) for shares outside [0, 1] and fewer than 3 rows.
  void Check() const;
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

// The reasons, in the order of the steps.
const std::vector<std::string>& PruneReasons();

struct PruneReport {
  size_t rows = 0;                   // training rows that were judged on
  std::vector<size_t> kept;          // column indices, increasing
  std::vector<PrunedColumn> pruned;  // in order of step, then of column

  // The next column: kept, or gone for the reason given.
  void Add(size_t column, const std::string& name, const std::optional<PrunedColumn>& verdict);
  // Once all are added. Throws Error(kBadData) if none is left.
  void Finish();
  size_t Count(const std::string& reason) const;
  // {"rows", "kept": [names], "pruned": [{"name", "reason", "value", "because"}]}
  Json ToJson(const std::vector<std::string>& names) const;
};

// The steps that look at one column alone. Thread-safe.
class ColumnJudge {
 public:
  // `with_target`: places of those training rows that have a target, ascending.
  ColumnJudge(const PruneSpec& spec, size_t rows, std::vector<uint32_t> with_target);
  // Why the column goes; `values` are those of the training rows. The name is left empty.
  std::optional<PrunedColumn> Judge(std::span<const float> values) const;

 private:
  PruneSpec spec_;
  size_t rows_;
  std::vector<uint32_t> with_target_;
};

// Which columns are computed from a target. Remembers what it has found.
class LineageJudge {
 public:
  LineageJudge(std::string target, Lineage lineage);
  // The column's direct input that leads to the target, if one does.
  std::optional<PrunedColumn> Judge(const std::string& column) const;

 private:
  std::string target_;
  Lineage lineage_;
};

PrunedColumn RepeatOf(const CorrelatedColumn& found, const std::string& earlier);

// Of so many training rows, those that correlations are computed over: all, or `most` of them at
// equal distances. Ascending places.
std::vector<uint32_t> CorrelationRows(size_t training_rows, int64_t most);

// Throws Error(kUsage) for shares outside [0, 1], Error(kBadData) if no column is left.
PruneReport PruneColumns(const Dataset& data, const TrainingRows& training, const PruneSpec& spec,
                         const Lineage& lineage);

}  // namespace almanac

#endif  // ALMANAC_DATASET_PRUNE_H_
