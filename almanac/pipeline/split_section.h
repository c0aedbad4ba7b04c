// The `split` section of a recipe: how rows are parted into those that models learn from and those
// that they are judged on. docs/recipes.md lists its keys.
#ifndef ALMANAC_PIPELINE_SPLIT_SECTION_H_
#define ALMANAC_PIPELINE_SPLIT_SECTION_H_

#include <optional>
#include <vector>

#include "almanac/base/config.h"
#include "almanac/base/json.h"
#include "almanac/dataset/dataset.h"
#include "almanac/dataset/fold.h"
#include "almanac/dataset/split.h"

namespace almanac {

// One chronological split, or folds: a model is trained for each, and their test rows are judged
// together.
struct SplitSection {
  SplitSpec parts;
  std::optional<FoldSpec> folds;  // instead of `parts`

  // Whether rows are forecast several times, by as many folds (paths.h).
  bool repeats() const { return folds && folds->scheme == FoldScheme::kCombinatorial; }
  DurationMs embargo() const { return folds ? folds->embargo : parts.embargo; }
  Json ToJson() const;
};

// {validation: 0.15, test: 0.15} or {scheme: rolling, train: 180d, test: 30d}. Throws Error(kUsage)
// naming key and line; for test windows that overlap, too: a forecast table has one forecast of a
// model at a time.
SplitSection ReadSplitSection(const ConfigNode& node);

// The rows of a dataset that a section asks for.
struct RunSplit {
  // A chronological split is one fold.
  std::vector<Fold> folds;
  std::optional<DataSplit> parts;  // of a chronological split
  TimeMs test_from = 0;            // of the first test row
  // Labels that end by then were known before anything was judged; kMaxTime where models learn from
  // both sides of what they are judged on.
  TimeMs known_by = 0;
  size_t skipped = 0;  // windows without rows in all their parts

  Json ToJson(const Dataset& data) const;
};
RunSplit SplitFor(const SplitSection& section, const Dataset& data);

}  // namespace almanac

#endif  // ALMANAC_PIPELINE_SPLIT_SECTION_H_
