// A trained model: its trees and what is needed to predict, inspect and store them.
// LightGBM's text format (version v4) both ways: see docs/gbdt.md.
#ifndef ALMANAC_GBDT_MODEL_H_
#define ALMANAC_GBDT_MODEL_H_

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/gbdt/tree.h"

namespace almanac::gbdt {

enum class Importance { kSplits, kGain };

struct Model {
  int classes = 1;                         // scores a row
  std::string objective;                   // "multiclass num_class:3"; empty: a custom one
  std::vector<std::string> feature_names;  // of all columns, without spaces
  std::vector<std::string> feature_infos;  // "[min:max]", "-1:3:1", "none"
  std::vector<int> monotone_constraints;   // kept from a file; empty or one a column
  bool averages_output = false;            // a random forest: the mean of the rounds, not their sum
  std::vector<Tree> trees;                 // round after round, a class each in order
  std::string parameters;                  // lines "[name: value]"; empty if not known
  int importance_type = 0;                 // what the text lists: 0 splits, 1 gain

  size_t columns() const { return feature_names.size(); }
  size_t rounds() const { return trees.size() / static_cast<size_t>(classes); }

  // By column. Gain is summed over the splits with a positive one.
  std::vector<double> FeatureImportance(Importance importance) const;

  std::string ToText() const;
  // `name` (a file's path) is the place in errors: Error(kBadData, "name:line") for a text that is
  // not a whole model. What a model may have and we cannot predict (linear leaves, other
  // objectives) is refused too.
  static Model FromText(std::string_view text, std::string_view name);

  // LightGBM's dump_model: the same keys.
  Json ToJson() const;

  void Save(const std::filesystem::path& file) const;
  static Model Load(const std::filesystem::path& file);
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_MODEL_H_
