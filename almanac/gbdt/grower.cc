#include "almanac/gbdt/grower.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "almanac/base/parallel.h"

namespace almanac::gbdt {
namespace {

// Features whose histograms one task makes: enough work to be worth a task.
constexpr size_t kFeaturesPerTask = 8;

// What LightGBM takes of `total` things for a share of them.
uint32_t ShareOf(size_t total, double fraction) {
  const int count = static_cast<int>(static_cast<double>(total) * fraction + 0.5);
  return static_cast<uint32_t>(std::max(count, total > 0 ? 1 : 0));
}

// The most frequent bin is not added up but what the others leave of the sum.
void ReconstructFrequentBin(const LeafSums& sums, uint32_t frequent,
                            std::span<HistogramBin> histogram) {
  if (frequent == 0) return;
  HistogramBin rest{sums.gradient, sums.hessian};
  for (uint32_t bin = 0; bin < histogram.size(); ++bin) {
    if (bin == frequent) continue;
    rest.gradient -= histogram[bin].gradient;
    rest.hessian -= histogram[bin].hessian;
  }
  histogram[frequent] = rest;
}

}  // namespace

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
  return static_cast<size_t>(~at);
}

TreeGrower::TreeGrower(const BinnedData& data, const Params& params)
    : data_(data),
      params_(params),
      random_(static_cast<uint32_t>(params.feature_fraction_seed)),
      is_chosen_(data.features(), 1) {
  first_bin_.push_back(0);
  for (size_t f = 0; f < data.features(); ++f) {
    first_bin_.push_back(first_bin_.back() + data.mapper(f).bins());
  }
  chosen_.resize(data.features());
  std::iota(chosen_.begin(), chosen_.end(), 0U);
  // LightGBM chooses once when it is given its data, and again for the first tree.
  ChooseFeaturesOfTree();
}

void TreeGrower::ChooseFeaturesOfTree() {
  if (params_.feature_fraction >= 1) return;
  const size_t features = data_.features();
  chosen_ =
      random_.Sample(static_cast<uint32_t>(features), ShareOf(features, params_.feature_fraction));
  std::fill(is_chosen_.begin(), is_chosen_.end(), uint8_t{0});
  for (const uint32_t feature : chosen_) is_chosen_[feature] = 1;
}

std::vector<uint8_t> TreeGrower::ChooseFeaturesOfNode() {
  if (params_.feature_fraction_bynode >= 1) return is_chosen_;
  std::vector<uint8_t> allowed(data_.features(), 0);
  const auto total = static_cast<uint32_t>(chosen_.size());
  for (const uint32_t place :
       random_.Sample(total, ShareOf(total, params_.feature_fraction_bynode))) {
    allowed[chosen_[place]] = 1;
  }
  return allowed;
}

void TreeGrower::StartTree(std::span<const uint32_t> rows) {
  ChooseFeaturesOfTree();
  rows_.assign(rows.begin(), rows.end());
  scratch_.resize(rows.size());
  leaves_.clear();
  leaves_.reserve(static_cast<size_t>(params_.num_leaves));
  Leaf& root = leaves_.emplace_back();
  root.end = rows_.size();
  root.sums.rows = static_cast<int>(rows_.size());
  for (const uint32_t row : rows_) {
    root.sums.gradient += gradients_[row];
    root.sums.hessian += hessians_[row];
  }
  // Not smoothed: the root has no parent.
  Params plain = params_;
  plain.path_smooth = 0;
  root.sums.output = LeafOutput(root.sums.gradient, root.sums.hessian, plain, params_.lambda_l2,
                                root.sums.rows, 0);
}

GrownTree TreeGrower::Grow(std::span<const float> gradients, std::span<const float> hessians,
                           std::span<const uint32_t> rows) {
  gradients_ = gradients;
  hessians_ = hessians;
  StartTree(rows);
  GrownTree grown;
  int left = 0, right = -1;
  while (leaves_.size() < static_cast<size_t>(params_.num_leaves)) {
    Evaluate(left, right);
    left = BestLeaf();
    if (!(leaves_[static_cast<size_t>(left)].best.gain > 0)) break;
    right = static_cast<int>(leaves_.size());
    Apply(left, grown);
  }
  Tree& tree = grown.tree;
  for (const Leaf& leaf : leaves_) {
    tree.leaf_value.push_back(std::isnan(leaf.sums.output) ? 0 : leaf.sums.output);
    tree.leaf_weight.push_back(leaf.sums.hessian);
    tree.leaf_count.push_back(leaf.sums.rows);
  }
  return grown;
}

std::span<const uint32_t> TreeGrower::LeafRows(size_t leaf) const {
  const Leaf& l = leaves_[leaf];
  return std::span(rows_).subspan(l.begin, l.end - l.begin);
}

bool TreeGrower::MayBeSplit(int left, int right) const {
  const Leaf& first = leaves_[static_cast<size_t>(left)];
  if (params_.max_depth > 0 && first.depth >= params_.max_depth) return false;
  const int least = 2 * params_.min_data_in_leaf;
  const int other = right < 0 ? 0 : leaves_[static_cast<size_t>(right)].sums.rows;
  return first.sums.rows >= least || other >= least;
}

void TreeGrower::GatherGradients(const Leaf& leaf) {
  const size_t count = leaf.end - leaf.begin;
  leaf_gradients_.resize(count);
  leaf_hessians_.resize(count);
  for (size_t i = 0; i < count; ++i) {
    leaf_gradients_[i] = gradients_[rows_[leaf.begin + i]];
    leaf_hessians_[i] = hessians_[rows_[leaf.begin + i]];
  }
}

void TreeGrower::FillHistogram(const Leaf& leaf, size_t feature, HistogramBin* bins) const {
  const size_t count = leaf.end - leaf.begin;
  std::fill_n(bins, data_.mapper(feature).bins(), HistogramBin());
  data_.Visit(feature, [&](const auto* bin_of) {
    for (size_t i = 0; i < count; ++i) {
      HistogramBin& bin = bins[bin_of[rows_[leaf.begin + i]]];
      bin.gradient += leaf_gradients_[i];
      bin.hessian += leaf_hessians_[i];
    }
  });
}

// Only the smaller child's histogram is added up; the other's is their parent's, which it takes
// over, minus that.
void TreeGrower::Evaluate(int left, int right) {
  leaves_[static_cast<size_t>(left)].best = Split();
  if (!MayBeSplit(left, right)) return;
  const size_t features = data_.features();
  const bool has_parent = right >= 0;
  const auto first = static_cast<size_t>(left);
  const auto second = static_cast<size_t>(has_parent ? right : left);
  const bool left_is_smaller = !has_parent || leaves_[first].sums.rows < leaves_[second].sums.rows;
  Leaf& smaller = leaves_[left_is_smaller ? first : second];
  Leaf& larger = leaves_[left_is_smaller ? second : first];
  if (has_parent && left_is_smaller) {
    larger.histogram = std::move(smaller.histogram);
    larger.is_splittable = std::move(smaller.is_splittable);
  }
  smaller.histogram.resize(first_bin_.back());
  smaller.is_splittable.assign(features, 0);
  GatherGradients(smaller);

  const std::vector<uint8_t> allowed_smaller = ChooseFeaturesOfNode();
  const std::vector<uint8_t> allowed_larger =
      has_parent ? ChooseFeaturesOfNode() : std::vector<uint8_t>();
  std::vector<Split> found_smaller(features), found_larger(has_parent ? features : 0);
  const auto search = [&](Leaf& leaf, size_t f, std::vector<Split>& found) {
    bool is_splittable = false;
    const std::span bins(leaf.histogram.data() + first_bin_[f], data_.mapper(f).bins());
    found[f] = FindSplit(bins, data_.mapper(f), leaf.sums, params_, &is_splittable);
    found[f].feature = static_cast<uint32_t>(f);
    leaf.is_splittable[f] = is_splittable ? 1 : 0;
  };
  const auto evaluate = [&](size_t f) {
    if (is_chosen_[f] == 0 || (has_parent && larger.is_splittable[f] == 0)) return;
    HistogramBin* small_bins = smaller.histogram.data() + first_bin_[f];
    const BinMapper& mapper = data_.mapper(f);
    FillHistogram(smaller, f, small_bins);
    ReconstructFrequentBin(smaller.sums, mapper.frequent_bin(), {small_bins, mapper.bins()});
    search(smaller, f, found_smaller);
    if (!has_parent) return;
    HistogramBin* large_bins = larger.histogram.data() + first_bin_[f];
    for (uint32_t bin = 0; bin < mapper.bins(); ++bin) {
      large_bins[bin].gradient -= small_bins[bin].gradient;
      large_bins[bin].hessian -= small_bins[bin].hessian;
    }
    search(larger, f, found_larger);
  };
  ParallelFor((features + kFeaturesPerTask - 1) / kFeaturesPerTask, [&](size_t task) {
    const size_t end = std::min(features, (task + 1) * kFeaturesPerTask);
    for (size_t f = task * kFeaturesPerTask; f < end; ++f) evaluate(f);
  });
  FindBest(smaller, found_smaller, allowed_smaller);
  if (has_parent) FindBest(larger, found_larger, allowed_larger);
}

void TreeGrower::FindBest(Leaf& leaf, const std::vector<Split>& found,
                          const std::vector<uint8_t>& allowed) {
  for (size_t f = 0; f < found.size(); ++f) {
    if (allowed[f] != 0 && found[f].IsBetterThan(leaf.best)) leaf.best = found[f];
  }
}

int TreeGrower::BestLeaf() const {
  size_t best = 0;
  for (size_t leaf = 1; leaf < leaves_.size(); ++leaf) {
    if (leaves_[leaf].best.IsBetterThan(leaves_[best].best)) best = leaf;
  }
  return static_cast<int>(best);
}

void TreeGrower::Apply(int leaf, GrownTree& grown) {
  Leaf& left = leaves_[static_cast<size_t>(leaf)];
  const auto node = static_cast<int>(grown.tree.nodes());
  if (left.parent >= 0) {
    auto& children = left.is_left ? grown.tree.left_child : grown.tree.right_child;
    children[static_cast<size_t>(left.parent)] = node;
  }
  AppendNode(left, grown, leaf);
  const size_t middle = Partition(left, grown, static_cast<size_t>(node));

  Leaf& right = leaves_.emplace_back();  // within the reserved capacity
  right.begin = middle;
  right.end = left.end;
  left.end = middle;
  right.sums = left.best.right;
  left.sums = left.best.left;
  left.sums.rows = static_cast<int>(left.end - left.begin);
  right.sums.rows = static_cast<int>(right.end - right.begin);
  left.depth = right.depth = left.depth + 1;
  left.parent = right.parent = node;
  left.is_left = true;
}

void TreeGrower::AppendNode(const Leaf& leaf, GrownTree& grown, int left_leaf) const {
  Tree& tree = grown.tree;
  const Split& split = leaf.best;
  const BinMapper& mapper = data_.mapper(split.feature);
  tree.split_feature.push_back(static_cast<int>(data_.column(split.feature)));
  tree.split_gain.push_back(static_cast<float>(split.gain + params_.min_gain_to_split));
  tree.decision_type.push_back(Tree::DecisionType(
      mapper.is_categorical(), split.defaults_left && !mapper.is_categorical(), mapper.missing()));
  tree.left_child.push_back(~left_leaf);
  tree.right_child.push_back(~static_cast<int>(leaves_.size()));
  tree.internal_value.push_back(leaf.sums.output);
  tree.internal_weight.push_back(split.left.hessian + split.right.hessian);
  tree.internal_count.push_back(leaf.sums.rows);
  grown.feature.push_back(split.feature);
  grown.threshold_bin.push_back(split.threshold);
  std::vector<uint8_t>& goes_left = grown.goes_left.emplace_back();
  if (!mapper.is_categorical()) {
    tree.threshold.push_back(mapper.upper_bound(split.threshold));
    return;
  }
  goes_left.assign(mapper.bins(), 0);
  std::vector<uint32_t> words;
  for (const uint32_t bin : split.left_bins) {
    goes_left[bin] = 1;
    const auto category = static_cast<size_t>(mapper.category(bin));
    if (category / 32 >= words.size()) words.resize(category / 32 + 1, 0);
    words[category / 32] |= uint32_t{1} << (category % 32);
  }
  tree.threshold.push_back(static_cast<double>(tree.category_sets()));
  tree.cat_threshold.insert(tree.cat_threshold.end(), words.begin(), words.end());
  tree.cat_boundaries.push_back(static_cast<int>(tree.cat_threshold.size()));
}

// Parts the leaf's rows, each side in its old order; returns where the right side begins.
size_t TreeGrower::Partition(const Leaf& leaf, const GrownTree& grown, size_t node) {
  const uint32_t feature = leaf.best.feature;
  const BinMapper& mapper = data_.mapper(feature);
  std::vector<uint8_t> is_left(mapper.bins());
  for (uint32_t bin = 0; bin < mapper.bins(); ++bin) {
    is_left[bin] = grown.GoesLeft(node, mapper, bin) ? 1 : 0;
  }
  size_t left = leaf.begin, right = 0;
  data_.Visit(feature, [&](const auto* bin_of) {
    for (size_t i = leaf.begin; i < leaf.end; ++i) {
      const uint32_t row = rows_[i];
      if (is_left[bin_of[row]] != 0) {
        rows_[left++] = row;
      } else {
        scratch_[right++] = row;
      }
    }
  });
  std::copy_n(scratch_.begin(), right, rows_.begin() + static_cast<std::ptrdiff_t>(left));
  return left;
}

}  // namespace almanac::gbdt
