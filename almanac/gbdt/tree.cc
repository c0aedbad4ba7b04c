#include "almanac/gbdt/tree.h"

#include <fmt/format.h>

#include <cmath>

#include "almanac/base/error.h"

namespace almanac::gbdt {
namespace {

constexpr int kWordBits = 32;
constexpr int kDeepest = 4096;

double ZeroIfTiny(double value) { return std::abs(value) <= kZeroThreshold ? 0.0 : value; }

bool IsInSet(std::span<const uint32_t> words, double value) {
  if (!(value >= 0) || value >= static_cast<double>(words.size()) * kWordBits) return false;
  const auto category = static_cast<size_t>(value);
  return ((words[category / kWordBits] >> (category % kWordBits)) & 1) != 0;
}

}  // namespace

uint8_t Tree::DecisionType(bool is_categorical, bool defaults_left, Missing missing) {
  return static_cast<uint8_t>((is_categorical ? 1 : 0) | (defaults_left ? 2 : 0) |
                              (static_cast<int>(missing) << 2));
}

bool Tree::GoesLeft(size_t node, double value) const {
  if (IsCategorical(node)) {
    const auto set = static_cast<size_t>(threshold[node]);
    const auto first = static_cast<size_t>(cat_boundaries[set]);
    const auto last = static_cast<size_t>(cat_boundaries[set + 1]);
    // Fractions count as the category below; those between -1 and 0 are category 0.
    return IsInSet(std::span(cat_threshold).subspan(first, last - first), std::trunc(value));
  }
  const Missing missing = MissingOf(node);
  if (std::isnan(value)) {
    if (missing == Missing::kNan) return DefaultsLeft(node);
    value = 0;
  }
  if (missing == Missing::kZero && std::abs(value) <= kZeroThreshold) return DefaultsLeft(node);
  return value <= threshold[node];
}

size_t Tree::LeafOf(std::span<const double> row) const {
  if (nodes() == 0) return 0;
  int at = 0;
  while (at >= 0) {
    const auto node = static_cast<size_t>(at);
    const double value = row[static_cast<size_t>(split_feature[node])];
    at = GoesLeft(node, value) ? left_child[node] : right_child[node];
  }
  return LeafPlace(at);
}

void Tree::Shrink(double rate) {
  for (double& value : leaf_value) value = ZeroIfTiny(value * rate);
  for (double& value : internal_value) value = ZeroIfTiny(value * rate);
  shrinkage *= rate;
}

void Tree::AddBias(double bias) {
  for (double& value : leaf_value) value = ZeroIfTiny(value + bias);
  for (double& value : internal_value) value = ZeroIfTiny(value + bias);
  shrinkage = 1;
}

Tree Tree::Constant(double value, int rows) {
  Tree tree;
  tree.leaf_value = {value};
  tree.leaf_weight = {0};
  tree.leaf_count = {rows};
  return tree;
}

void Tree::Validate(size_t columns, const std::string& where) const {
  const auto require = [&](bool holds, const std::string& what) {
    if (!holds) throw Error(ErrorCode::kBadData, where, what, "the tree is damaged");
  };
  require(leaves() >= 1 && nodes() == leaves() - 1,
          fmt::format("{} leaves and {} inner nodes", leaves(), nodes()));
  for (const size_t length :
       {split_gain.size(), threshold.size(), decision_type.size(), left_child.size(),
        right_child.size(), internal_value.size(), internal_weight.size(), internal_count.size()}) {
    require(length == nodes(), fmt::format("{} entries for {} inner nodes", length, nodes()));
  }
  require(leaf_weight.size() == leaves() && leaf_count.size() == leaves(),
          "leaf_weight or leaf_count is not as long as leaf_value");
  require(cat_boundaries.front() == 0 &&
              static_cast<size_t>(cat_boundaries.back()) == cat_threshold.size(),
          "cat_boundaries do not span cat_threshold");
  for (size_t set = 0; set < category_sets(); ++set) {
    require(cat_boundaries[set] <= cat_boundaries[set + 1], "cat_boundaries fall");
  }
  // Every node and leaf but the root is the child of one node with a smaller number, hence every
  // path from the root ends in a leaf.
  std::vector<bool> node_seen(nodes(), false), leaf_seen(leaves(), false);
  std::vector<int> depth(nodes(), 0);
  for (size_t node = 0; node < nodes(); ++node) {
    const int feature = split_feature[node];
    require(feature >= 0 && static_cast<size_t>(feature) < columns,
            fmt::format("node {} splits column {} of {}", node, feature, columns));
    require((decision_type[node] >> 2) <= static_cast<int>(Missing::kNan),
            fmt::format("node {} has decision_type {}", node, decision_type[node]));
    require(IsCategorical(node) || !std::isnan(threshold[node]),
            fmt::format("node {} has no threshold", node));
    require(!IsCategorical(node) ||
                (threshold[node] >= 0 && threshold[node] < static_cast<double>(category_sets())),
            fmt::format("node {} has no set of categories", node));
    for (const int child : {left_child[node], right_child[node]}) {
      const size_t place = child >= 0 ? static_cast<size_t>(child) : LeafPlace(child);
      std::vector<bool>& seen = child >= 0 ? node_seen : leaf_seen;
      require(place < seen.size() && !seen[place] && (child < 0 || place > node),
              fmt::format("node {} has the child {}", node, child));
      seen[place] = true;
      // Some of what walks trees calls itself once a level.
      if (child >= 0) depth[place] = depth[node] + 1;
      require(child < 0 || depth[place] <= kDeepest,
              fmt::format("node {} is deeper than {}", child, kDeepest));
    }
  }
}

}  // namespace almanac::gbdt
