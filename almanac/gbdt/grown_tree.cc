#include "almanac/gbdt/grown_tree.h"

namespace almanac::gbdt {

bool GrownTree::GoesLeft(size_t node, const BinMapper& mapper, uint32_t bin) const {
  if (mapper.is_categorical()) return goes_left[node][bin] != 0;
  const bool is_missing = (mapper.missing() == Missing::kNan && bin == mapper.bins() - 1) ||
                          (mapper.missing() == Missing::kZero && bin == mapper.zero_bin());
  return is_missing ? tree.DefaultsLeft(node) : bin <= threshold_bin[node];
}

size_t GrownTree::LeafOf(const BinnedData& data, size_t row) const {
  if (tree.nodes() == 0) return 0;
  int at = 0;
  while (at >= 0) {
    const auto node = static_cast<size_t>(at);
    const bool is_left = GoesLeft(node, data.mapper(feature[node]), data.bin(feature[node], row));
    at = is_left ? tree.left_child[node] : tree.right_child[node];
  }
  return LeafPlace(at);
}

GrownTree WithBins(const Tree& tree, const BinnedData& data) {
  GrownTree grown{tree, {}, {}, {}};
  std::vector<uint32_t> feature_of(data.column_names().size(), Split::kNoFeature);
  for (uint32_t f = 0; f < data.features(); ++f) feature_of[data.column(f)] = f;
  for (size_t node = 0; node < tree.nodes(); ++node) {
    const uint32_t feature = feature_of[static_cast<size_t>(tree.split_feature[node])];
    const BinMapper& mapper = data.mapper(feature);
    grown.feature.push_back(feature);
    std::vector<uint8_t>& goes_left = grown.goes_left.emplace_back();
    grown.threshold_bin.push_back(mapper.is_categorical() ? 0 : mapper.BinOf(tree.threshold[node]));
    if (!mapper.is_categorical()) continue;
    goes_left.assign(mapper.bins(), 0);
    for (uint32_t bin = 1; bin < mapper.bins(); ++bin) {
      goes_left[bin] = tree.GoesLeft(node, mapper.category(bin)) ? 1 : 0;
    }
  }
  return grown;
}

void GrownTree::Append(const BinnedData& data, const LeafSums& leaf, const Split& split,
                       double gain, int left_leaf, int right_leaf) {
  const BinMapper& mapper = data.mapper(split.feature);
  tree.split_feature.push_back(static_cast<int>(data.column(split.feature)));
  tree.split_gain.push_back(static_cast<float>(gain));
  tree.decision_type.push_back(Tree::DecisionType(
      mapper.is_categorical(), split.defaults_left && !mapper.is_categorical(), mapper.missing()));
  tree.left_child.push_back(~left_leaf);
  tree.right_child.push_back(~right_leaf);
  tree.internal_value.push_back(leaf.output);
  tree.internal_weight.push_back(split.left.hessian + split.right.hessian);
  tree.internal_count.push_back(leaf.rows);
  feature.push_back(split.feature);
  threshold_bin.push_back(split.threshold);
  std::vector<uint8_t>& sides = goes_left.emplace_back();
  if (!mapper.is_categorical()) {
    tree.threshold.push_back(mapper.upper_bound(split.threshold));
    return;
  }
  sides.assign(mapper.bins(), 0);
  std::vector<uint32_t> words;
  for (const uint32_t bin : split.left_bins) {
    sides[bin] = 1;
    const auto category = static_cast<size_t>(mapper.category(bin));
    if (category / 32 >= words.size()) words.resize(category / 32 + 1, 0);
    words[category / 32] |= uint32_t{1} << (category % 32);
  }
  tree.threshold.push_back(static_cast<double>(tree.category_sets()));
  tree.cat_threshold.insert(tree.cat_threshold.end(), words.begin(), words.end());
  tree.cat_boundaries.push_back(static_cast<int>(tree.cat_threshold.size()));
}

}  // namespace almanac::gbdt
