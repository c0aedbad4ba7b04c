// Screening: which of thousands of columns are worth training on. A shallow model for each of many
// variants (targets over the same bars), the columns that gained it most, and over all variants
// those that gained most on the mean. docs/gbdt.md has the rules.
//
// Each variant is finished for itself and kept in a file, so that a screening which was broken off
// goes on where it was and ends with the same bytes.
#ifndef ALMANAC_GBDT_SCREEN_H_
#define ALMANAC_GBDT_SCREEN_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/base/time.h"
#include "almanac/dataset/bin_file.h"
#include "almanac/gbdt/params.h"

namespace almanac::gbdt {

struct ScreenSpec {
  Params params;                  // of every variant's model
  size_t most_rows = 25000;       // of a variant; more are thinned evenly in time
  size_t least_rows = 300;        // a variant with fewer is left out
  double validation_share = 0.2;  // of the rows, the last ones: early stopping looks at them
  size_t best_columns = 200;      // of a variant
  size_t least_chosen = 300, most_chosen = 500;
  double chosen_share = 0.95;  // of the variants' mean gain, which the chosen columns hold
  DurationMs embargo = 0;
  // Bytes that variants in training may take at once; no result depends on it.
  size_t memory = size_t{4} << 30;

  // Throws Error(kUsage) for numbers that contradict each other.
  void Check() const;
  Json ToJson() const;
};

// A target's rows.
struct ScreenVariant {
  std::string name, group;     // of variants that share their candidate events
  std::vector<uint32_t> rows;  // of the bin file, ascending
  std::vector<TimeMs> end;     // of what each label looks at
  std::vector<float> label;    // as the objective wants them
};

// A column that gained a variant's model much.
struct ScreenedColumn {
  uint32_t column = 0;
  double share = 0;  // of the model's whole gain
};

struct VariantResult {
  std::string left_out;  // why; empty: it was trained
  size_t rows = 0, validation_rows = 0;
  int rounds = 0;
  // The first metric on the validation rows, and that of a forecast of the training rows' mean (the
  // shares of the classes): a model that is no better has learnt nothing.
  double metric = 0, naive_metric = 0;
  std::vector<ScreenedColumn> best;  // the largest first

  Json ToJson(const BinFile& file) const;
};

struct ChosenColumn {
  uint32_t column = 0;
  double score = 0;     // the mean over the variants of its share where it is among the best
  size_t variants = 0;  // in how many it is
};

struct Selection {
  std::vector<ChosenColumn> columns;  // the largest score first
  size_t trained = 0, left_out = 0, seen_columns = 0;
  double held_share = 0;  // of the mean gain of all best columns
  // How much the variants agree (Nogueira, Sechidis and Brown 2018, "On the Stability of Feature
  // Selection Algorithms"): 1 all the same columns, 0 as by chance. Of all, and the mean over the
  // groups with at least two variants.
  double stability = 0, group_stability = 0;

  Json ToJson(const BinFile& file) const;
};

// The agreement of sets of `all` columns; NaN for fewer than two sets or sets without columns.
double Stability(const std::vector<std::vector<uint32_t>>& sets, size_t all);

// One variant, trained alone.
VariantResult ScreenOne(const ScreenSpec& spec, const std::shared_ptr<const BinFile>& file,
                        const ScreenVariant& variant);

// `variants` and `results` are the same in number and order.
Selection SelectColumns(const ScreenSpec& spec, const std::vector<ScreenVariant>& variants,
                        const std::vector<VariantResult>& results, size_t columns);

// Called with a variant's place, name and group (its rows are gone), its result, and whether an
// earlier call had left it.
using ScreenDone =
    std::function<void(size_t i, const ScreenVariant&, const VariantResult&, bool was_there)>;

// Screens all variants into `folder`: variants/NAME.json, then selection.json and columns.txt (a
// name a line). Files of the same variant, bins and spec are not made again. `make(i)` gives
// variant i. As many are trained side by side as there are threads and memory for (TrainMany), each
// to the result of ScreenOne; `on_done` is called after each, in any order, one call at a time.
Selection Screen(const ScreenSpec& spec, const std::shared_ptr<const BinFile>& file, size_t count,
                 const std::function<ScreenVariant(size_t)>& make,
                 const std::filesystem::path& folder, const ScreenDone& on_done);

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_SCREEN_H_
