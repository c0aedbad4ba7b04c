#include "almanac/gbdt/model.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "almanac/base/file.h"

namespace almanac::gbdt {
namespace {

template <typename T>
std::string JoinNumbers(const std::vector<T>& values) {
  return fmt::format("{}", fmt::join(values, " "));
}

std::string JoinShort(const std::vector<double>& values) {  // as %g
  return fmt::format("{:g}", fmt::join(values, " "));
}

std::string JoinExact(const std::vector<double>& values) {
  return fmt::format("{:.17g}", fmt::join(values, " "));
}

std::string TreeText(const Tree& tree) {
  const std::vector<double> gain(tree.split_gain.begin(), tree.split_gain.end());
  const std::vector<int> decisions(tree.decision_type.begin(), tree.decision_type.end());
  std::string text;
  const auto add = [&](std::string_view key, const std::string& value) {
    text += fmt::format("{}={}\n", key, value);
  };
  add("num_leaves", std::to_string(tree.leaves()));
  add("num_cat", std::to_string(tree.category_sets()));
  add("split_feature", JoinNumbers(tree.split_feature));
  add("split_gain", JoinShort(gain));
  add("threshold", JoinExact(tree.threshold));
  add("decision_type", JoinNumbers(decisions));
  add("left_child", JoinNumbers(tree.left_child));
  add("right_child", JoinNumbers(tree.right_child));
  add("leaf_value", JoinExact(tree.leaf_value));
  add("leaf_weight", JoinExact(tree.leaf_weight));
  add("leaf_count", JoinNumbers(tree.leaf_count));
  add("internal_value", JoinShort(tree.internal_value));
  add("internal_weight", JoinShort(tree.internal_weight));
  add("internal_count", JoinNumbers(tree.internal_count));
  if (tree.category_sets() > 0) {
    add("cat_boundaries", JoinNumbers(tree.cat_boundaries));
    add("cat_threshold", JoinNumbers(tree.cat_threshold));
  }
  add("is_linear", "0");
  add("shrinkage", fmt::format("{:g}", tree.shrinkage));
  return text + "\n";
}

std::string ImportanceText(const Model& model) {
  const auto type = model.importance_type == 1 ? Importance::kGain : Importance::kSplits;
  const std::vector<double> importance = model.FeatureImportance(type);
  std::vector<size_t> order(importance.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto whole = [&](size_t c) { return static_cast<int64_t>(importance[c]); };
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return whole(a) > whole(b); });
  std::string text = "\nfeature_importances:\n";
  for (const size_t c : order) {
    if (whole(c) > 0) text += fmt::format("{}={}\n", model.feature_names[c], whole(c));
  }
  return text;
}

}  // namespace

std::vector<double> Model::FeatureImportance(Importance importance) const {
  std::vector<double> sums(columns(), 0.0);
  for (const Tree& tree : trees) {
    for (size_t node = 0; node < tree.nodes(); ++node) {
      if (!(tree.split_gain[node] > 0)) continue;
      const bool is_gain = importance == Importance::kGain;
      sums[static_cast<size_t>(tree.split_feature[node])] +=
          is_gain ? static_cast<double>(tree.split_gain[node]) : 1.0;
    }
  }
  return sums;
}

std::string Model::ToText() const {
  std::string text = "tree\nversion=v4\n";
  const auto add = [&](std::string_view key, const std::string& value) {
    text += fmt::format("{}={}\n", key, value);
  };
  add("num_class", std::to_string(classes));
  add("num_tree_per_iteration", std::to_string(classes));
  add("label_index", "0");
  add("max_feature_idx", std::to_string(columns() - 1));
  if (!objective.empty()) add("objective", objective);
  if (averages_output) text += "average_output\n";
  add("feature_names", JoinNumbers(feature_names));
  if (!monotone_constraints.empty()) {
    add("monotone_constraints", JoinNumbers(monotone_constraints));
  }
  add("feature_infos", JoinNumbers(feature_infos));
  std::vector<std::string> blocks;
  std::vector<size_t> sizes;
  for (size_t t = 0; t < trees.size(); ++t) {
    blocks.push_back(fmt::format("Tree={}\n{}\n", t, TreeText(trees[t])));
    sizes.push_back(blocks.back().size());
  }
  add("tree_sizes", JoinNumbers(sizes));
  text += "\n";
  for (const std::string& block : blocks) text += block;
  text += "end of trees\n" + ImportanceText(*this);
  if (!parameters.empty()) text += "\nparameters:\n" + parameters + "\nend of parameters\n";
  return text;
}

void Model::Save(const std::filesystem::path& file) const { WriteFileAtomic(file, ToText()); }

Model Model::Load(const std::filesystem::path& file) {
  return FromText(ReadFile(file), file.string());
}

}  // namespace almanac::gbdt
