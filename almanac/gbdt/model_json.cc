#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "almanac/base/text.h"
#include "almanac/gbdt/model.h"

namespace almanac::gbdt {
namespace {

// JSON has no infinity: LightGBM writes its largest number instead.
constexpr double kLargest = 1e300;

double Finite(double value) {
  if (std::isnan(value)) return 0;
  return std::clamp(value, -kLargest, kLargest);
}

std::string CategoriesOf(const Tree& tree, size_t node) {
  const auto set = static_cast<size_t>(tree.threshold[node]);
  const auto first = static_cast<size_t>(tree.cat_boundaries[set]);
  const auto last = static_cast<size_t>(tree.cat_boundaries[set + 1]);
  std::vector<std::string> categories;
  for (size_t bit = 0; bit < (last - first) * 32; ++bit) {
    if (((tree.cat_threshold[first + bit / 32] >> (bit % 32)) & 1) != 0) {
      categories.push_back(std::to_string(bit));
    }
  }
  return Join(categories, "||");
}

Json LeafJson(const Tree& tree, size_t leaf) {
  return {{"leaf_index", leaf},
          {"leaf_value", tree.leaf_value[leaf]},
          {"leaf_weight", tree.leaf_weight[leaf]},
          {"leaf_count", tree.leaf_count[leaf]}};
}

Json NodeJson(const Tree& tree, int place) {
  if (place < 0) return LeafJson(tree, LeafPlace(place));
  const auto node = static_cast<size_t>(place);
  constexpr const char* kMissing[] = {"None", "Zero", "NaN"};
  const bool is_categorical = tree.IsCategorical(node);
  Json json = {{"split_index", node},
               {"split_feature", tree.split_feature[node]},
               {"split_gain", Finite(tree.split_gain[node])}};
  if (is_categorical) {
    json["threshold"] = CategoriesOf(tree, node);
  } else {
    json["threshold"] = Finite(tree.threshold[node]);
  }
  json["decision_type"] = is_categorical ? "==" : "<=";
  json["default_left"] = tree.DefaultsLeft(node);
  json["missing_type"] = kMissing[static_cast<int>(tree.MissingOf(node))];
  json["internal_value"] = tree.internal_value[node];
  json["internal_weight"] = tree.internal_weight[node];
  json["internal_count"] = tree.internal_count[node];
  json["left_child"] = NodeJson(tree, tree.left_child[node]);
  json["right_child"] = NodeJson(tree, tree.right_child[node]);
  return json;
}

Json InfoJson(const std::string& info) {
  if (info.starts_with("[")) {
    const size_t colon = info.find(':');
    const auto low = ParseDouble(std::string_view(info).substr(1, colon - 1));
    const auto high =
        ParseDouble(std::string_view(info).substr(colon + 1, info.size() - colon - 2));
    return {
        {"min_value", low.value_or(0)}, {"max_value", high.value_or(0)}, {"values", Json::array()}};
  }
  std::vector<int64_t> categories;
  for (const std::string_view word : Split(info, ':')) {
    categories.push_back(ParseInt64(word).value_or(-1));
  }
  const auto [low, high] = std::minmax_element(categories.begin(), categories.end());
  return {{"min_value", *low}, {"max_value", *high}, {"values", categories}};
}

Json TreeJson(const Tree& tree, size_t index) {
  Json json = {{"tree_index", index},
               {"num_leaves", tree.leaves()},
               {"num_cat", tree.category_sets()},
               {"shrinkage", tree.shrinkage}};
  if (tree.nodes() == 0) {
    json["tree_structure"] = {{"leaf_value", tree.leaf_value[0]},
                              {"leaf_count", tree.leaf_count[0]}};
  } else {
    json["tree_structure"] = NodeJson(tree, 0);
  }
  return json;
}

}  // namespace

Json Model::ToJson() const {
  Json infos = Json::object(), importances = Json::object(), tree_info = Json::array();
  const std::vector<double> importance =
      FeatureImportance(importance_type == 1 ? Importance::kGain : Importance::kSplits);
  for (size_t c = 0; c < columns(); ++c) {
    if (feature_infos[c] != "none") infos[feature_names[c]] = InfoJson(feature_infos[c]);
    const auto whole = static_cast<int64_t>(importance[c]);
    if (whole > 0) importances[feature_names[c]] = whole;
  }
  for (size_t t = 0; t < trees.size(); ++t) tree_info.push_back(TreeJson(trees[t], t));
  Json json = {{"name", "tree"},
               {"version", "v4"},
               {"num_class", classes},
               {"num_tree_per_iteration", classes},
               {"label_index", 0},
               {"max_feature_idx", columns() - 1},
               {"objective", objective},
               {"average_output", averages_output},
               {"feature_names", feature_names},
               {"monotone_constraints", monotone_constraints},
               {"feature_infos", infos},
               {"tree_info", tree_info},
               {"feature_importances", importances}};
  if (objective.empty()) json.erase("objective");
  return json;
}

}  // namespace almanac::gbdt
