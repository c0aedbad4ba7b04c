#include "almanac/gbdt/grower.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "almanac/base/parallel.h"
#include "almanac/gbdt/row_blocks.h"
#include "almanac/gbdt/tile_kernels.h"

namespace almanac::gbdt {
namespace {

// What is left of the gain of a split along a monotone column. The 1e-15 is LightGBM's.
double MonotonePenalty(int depth, double penalty) {
  if (penalty >= depth + 1.0) return kEpsilon;
  if (penalty <= 1) return 1.0 - penalty / std::pow(2.0, depth) + kEpsilon;
  return 1.0 - std::pow(2.0, penalty - 1.0 - depth) + kEpsilon;
}

// The most frequent bin is not added up but what the others leave of the sum.
void ReconstructFrequentBin(const LeafSums& sums, uint32_t frequent,
                            std::span<HistogramBin> histogram) {
  if (frequent == 0) return;
  HistogramBin rest{sums.gradient, sums.hessian};
  for (uint32_t bin = 0; bin < histogram.size(); ++bin) {
    if (bin != frequent) rest -= histogram[bin];
  }
  histogram[frequent] = rest;
}

}  // namespace

TreeGrower::TreeGrower(const BinnedData& data, const Params& params, bool has_unit_hessian)
    : data_(data),
      params_(params),
      sample_(params, data.features()),
      is_chosen_(data.features(), 0),
      is_packed_(!params.exact || params.use_quantized_grad),
      has_unit_hessian_(has_unit_hessian) {
  first_bin_.push_back(0);
  for (size_t f = 0; f < data.features(); ++f) {
    first_bin_.push_back(first_bin_.back() + data.mapper(f).bins());
  }
}

size_t TreeGrower::HistogramBytes(const BinnedData& data, const Params& params) {
  size_t bins = 0;
  for (size_t f = 0; f < data.features(); ++f) bins += data.mapper(f).bins();
  const bool is_packed = params.use_quantized_grad || !params.exact;
  const size_t of_leaf = bins * (is_packed ? sizeof(PackedBin) : sizeof(HistogramBin));
  return of_leaf * static_cast<size_t>(params.num_leaves);
}

std::vector<uint8_t> TreeGrower::ChooseFeaturesOfNode() {
  if (params_.feature_fraction_bynode >= 1) return is_chosen_;
  std::vector<uint8_t> allowed(data_.features(), 0);
  for (const uint32_t place : sample_.DrawPlaces(params_.feature_fraction_bynode)) {
    allowed[sample_.chosen()[place]] = 1;
  }
  return allowed;
}

void TreeGrower::StartTree(std::span<const uint32_t> rows) {
  std::fill(is_chosen_.begin(), is_chosen_.end(), uint8_t{0});
  for (const uint32_t feature : sample_.Next()) is_chosen_[feature] = 1;
  rows_.assign(rows.begin(), rows.end());
  scratch_.resize(rows.size());
  for (Leaf& leaf : leaves_) ReturnHistogram(leaf);
  leaves_.clear();
  leaves_.reserve(static_cast<size_t>(params_.num_leaves));
  Leaf& root = leaves_.emplace_back();
  root.end = rows_.size();
  root.sums.rows = static_cast<int>(rows_.size());
  if (is_packed_) {
    coded_ = params_.use_quantized_grad
                 ? Quantize(gradients_, hessians_, params_.num_grad_quant_bins, has_unit_hessian_)
                 : ToFixedPoint(gradients_, hessians_, rows_);
  }
  for (const uint32_t row : rows_) {
    if (is_packed_) {
      const PackedBin code = coded_.codes[row];
      root.sums.packed += code;
      root.sums.gradient += PackedGradient(code) * coded_.scale.gradient;
      root.sums.hessian += PackedHessian(code) * coded_.scale.hessian;
    } else {
      root.sums.gradient += gradients_[row];
      root.sums.hessian += hessians_[row];
    }
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
  const bool renews = params_.use_quantized_grad ? params_.quant_train_renew_leaf
                                                 : is_packed_ && params_.path_smooth <= kEpsilon;
  if (renews && leaves_.size() > 1) RenewOutputs();
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
  if (is_packed_) {
    leaf_codes_.resize(count);
    ForRows(count, [&](size_t i) { leaf_codes_[i] = coded_.codes[rows_[leaf.begin + i]]; });
    return;
  }
  leaf_gradients_.resize(count);
  ForRows(count, [&](size_t i) {
    const uint32_t row = rows_[leaf.begin + i];
    leaf_gradients_[i] = {gradients_[row], hessians_[row]};
  });
}

template <>
std::span<const HistogramBin> TreeGrower::LeafValues() const {
  return leaf_gradients_;
}

template <>
std::span<const PackedBin> TreeGrower::LeafValues() const {
  return leaf_codes_;
}

template <>
std::vector<HistogramBin>& TreeGrower::HistogramOf<HistogramBin>(Leaf& leaf) {
  return leaf.histogram;
}

template <>
std::vector<PackedBin>& TreeGrower::HistogramOf<PackedBin>(Leaf& leaf) {
  return leaf.packed_histogram;
}

template <typename Bin>
std::span<Bin> TreeGrower::BinsOf(Leaf& leaf, size_t feature) {
  return std::span(HistogramOf<Bin>(leaf)).subspan(first_bin_[feature], Bins(feature));
}

// `histogram` has the bins of all the tile's features.
template <typename Bin>
void TreeGrower::FillTile(const Leaf& leaf, size_t tile, const std::vector<size_t>& features,
                          std::span<Bin> histogram) const {
  const std::span<const uint32_t> rows =
      std::span(rows_).subspan(leaf.begin, leaf.end - leaf.begin);
  const std::span<const Bin> values = LeafValues<Bin>();
  const size_t first = first_bin_[data_.first_of_tile(tile)];
  TileSlots slots;
  SlotBins<Bin> bins_of{};
  for (const size_t f : features) {
    const std::span<Bin> bins = histogram.subspan(first_bin_[f] - first, Bins(f));
    std::fill(bins.begin(), bins.end(), Bin());
    if (!data_.is_wide(f)) {
      slots.place[slots.count] = static_cast<uint8_t>(data_.place(f));
      bins_of[slots.count++] = bins.data();
      continue;
    }
    data_.Visit(f, [&](const auto& bin_of) {
      for (size_t i = 0; i < rows.size(); ++i) bins[bin_of[rows[i]]] += values[i];
    });
  }
  AddRowsApart(data_.tile(tile), rows.data(), values.data(), rows.size(), slots, bins_of);
}

bool TreeGrower::IsKept(const Leaf& leaf) const {
  return params_.max_depth <= 0 || leaf.depth + 1 < params_.max_depth;
}

void TreeGrower::TakeHistogram(Leaf& leaf) {
  const auto take = [&](auto& histogram, auto& free) {
    if (!free.empty()) {
      histogram = std::move(free.back());
      free.pop_back();
    }
    histogram.resize(first_bin_.back());
  };
  if (is_packed_) {
    take(leaf.packed_histogram, free_packed_);
  } else {
    take(leaf.histogram, free_histograms_);
  }
}

void TreeGrower::ReturnHistogram(Leaf& leaf) {
  if (!leaf.histogram.empty()) free_histograms_.push_back(std::move(leaf.histogram));
  if (!leaf.packed_histogram.empty()) free_packed_.push_back(std::move(leaf.packed_histogram));
  leaf.histogram.clear();
  leaf.packed_histogram.clear();
}

// Only the smaller child's histogram is added up; the other's is their parent's, which it takes
// over, minus that.
TreeGrower::Siblings TreeGrower::PairUp(int left, int right) {
  const size_t features = data_.features();
  Leaf& first = leaves_[static_cast<size_t>(left)];
  if (right < 0) {
    if (IsKept(first)) TakeHistogram(first);
    first.is_splittable.assign(features, 0);
    return {&first, nullptr, std::vector<Split>(features), {}};
  }
  Leaf& second = leaves_[static_cast<size_t>(right)];
  const bool left_is_smaller = first.sums.rows < second.sums.rows;
  Leaf& smaller = left_is_smaller ? first : second;
  Leaf& larger = left_is_smaller ? second : first;
  if (left_is_smaller) {
    larger.histogram.swap(smaller.histogram);
    larger.packed_histogram.swap(smaller.packed_histogram);
    larger.is_splittable.swap(smaller.is_splittable);
  }
  if (IsKept(smaller)) TakeHistogram(smaller);
  smaller.is_splittable.assign(features, 0);
  return {&smaller, &larger, std::vector<Split>(features), std::vector<Split>(features)};
}

template <typename Bin>
void TreeGrower::Search(size_t feature, std::span<const Bin> histogram, Leaf& leaf,
                        std::vector<Split>& found) {
  const BinMapper& mapper = data_.mapper(feature);
  bool is_splittable = false;
  const int trend = params_.TrendOf(data_.column(feature));
  if constexpr (std::is_same_v<Bin, PackedBin>) {
    found[feature] =
        FindSplit(histogram, mapper, leaf.sums, coded_.scale, params_, trend, &is_splittable);
  } else {
    found[feature] = FindSplit(histogram, mapper, leaf.sums, params_, trend, &is_splittable);
  }
  if (trend != 0) found[feature].gain *= MonotonePenalty(leaf.depth, params_.monotone_penalty);
  found[feature].feature = static_cast<uint32_t>(feature);
  leaf.is_splittable[feature] = is_splittable ? 1 : 0;
}

// With the smaller leaf's histogram of the feature added up. It is copied to where it is kept, and
// the larger's takes its parent's place, while both are in the nearest cache.
template <typename Bin>
void TreeGrower::SearchFeature(size_t feature, std::span<Bin> smaller, Siblings& siblings) {
  Search<Bin>(feature, smaller, *siblings.smaller, siblings.found_smaller);
  if (IsKept(*siblings.smaller)) {
    std::copy(smaller.begin(), smaller.end(), BinsOf<Bin>(*siblings.smaller, feature).begin());
  }
  if (siblings.larger == nullptr) return;
  const std::span<Bin> parent = BinsOf<Bin>(*siblings.larger, feature);
  const std::span<Bin> larger = IsKept(*siblings.larger) ? parent : smaller;
  for (size_t bin = 0; bin < larger.size(); ++bin) {
    Bin rest = parent[bin];
    rest -= smaller[bin];
    larger[bin] = rest;
  }
  Search<Bin>(feature, larger, *siblings.larger, siblings.found_larger);
}

template <typename Bin>
void TreeGrower::SearchTile(size_t tile, const std::vector<size_t>& features, Siblings& siblings) {
  thread_local std::vector<Bin> histogram;  // of the smaller leaf and all features
  const size_t first = first_bin_[data_.first_of_tile(tile)];
  const size_t bins = first_bin_[data_.first_of_tile(tile + 1)] - first;
  if (histogram.size() < bins) histogram.resize(bins);
  FillTile<Bin>(*siblings.smaller, tile, features, histogram);
  for (const size_t f : features) {
    const std::span<Bin> of_feature = std::span(histogram).subspan(first_bin_[f] - first, Bins(f));
    if constexpr (std::is_same_v<Bin, HistogramBin>) {
      ReconstructFrequentBin(siblings.smaller->sums, data_.mapper(f).frequent_bin(), of_feature);
    }
    SearchFeature<Bin>(f, of_feature, siblings);
  }
}

// The features of one tile. Those that could not split the parent are not looked at again.
void TreeGrower::SearchGroup(size_t group, Siblings& siblings) {
  std::vector<size_t> features;
  for (size_t f = data_.first_of_tile(group); f < data_.first_of_tile(group + 1); ++f) {
    const bool could_split = siblings.larger == nullptr || siblings.larger->is_splittable[f] != 0;
    if (is_chosen_[f] != 0 && could_split) features.push_back(f);
  }
  if (is_packed_) {
    SearchTile<PackedBin>(group, features, siblings);
  } else {
    SearchTile<HistogramBin>(group, features, siblings);
  }
}

void TreeGrower::Evaluate(int left, int right) {
  leaves_[static_cast<size_t>(left)].best = Split();
  if (!MayBeSplit(left, right)) {
    ReturnHistogram(leaves_[static_cast<size_t>(left)]);
    return;
  }
  Siblings siblings = PairUp(left, right);
  GatherGradients(*siblings.smaller);
  ParallelFor(data_.tiles(), [&](size_t group) { SearchGroup(group, siblings); });
  ChooseBest(*siblings.smaller, siblings.found_smaller);
  if (siblings.larger == nullptr) return;
  ChooseBest(*siblings.larger, siblings.found_larger);
  if (!IsKept(*siblings.larger)) ReturnHistogram(*siblings.larger);
}

void TreeGrower::ChooseBest(Leaf& leaf, const std::vector<Split>& found) {
  const std::vector<uint8_t> allowed = ChooseFeaturesOfNode();
  for (size_t f = 0; f < found.size(); ++f) {
    if (allowed[f] != 0 && found[f].IsBetterThan(leaf.best)) leaf.best = found[f];
  }
}

// Leaf values from the gradients as they are, not as they were coded.
void TreeGrower::RenewOutputs() {
  Params plain = params_;
  plain.path_smooth = 0;
  ParallelFor(leaves_.size(), [&](size_t l) {
    double gradient = 0, hessian = 0;
    for (const uint32_t row : LeafRows(l)) {
      gradient += gradients_[row];
      hessian += hessians_[row];
    }
    LeafSums& sums = leaves_[l].sums;
    sums.output =
        sums.bounds.Clip(LeafOutput(gradient, hessian, plain, params_.lambda_l2, sums.rows, 0));
  });
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
  grown.Append(data_, left.sums, left.best, left.best.gain + params_.min_gain_to_split, leaf,
               static_cast<int>(leaves_.size()));
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

// Parts the leaf's rows, each side in its old order; returns where the right side begins. Blocks of
// rows are parted at the same time, and then put together.
size_t TreeGrower::Partition(const Leaf& leaf, const GrownTree& grown, size_t node) {
  const uint32_t feature = leaf.best.feature;
  const BinMapper& mapper = data_.mapper(feature);
  std::vector<uint8_t> is_left(mapper.bins());
  for (uint32_t bin = 0; bin < mapper.bins(); ++bin) {
    is_left[bin] = grown.GoesLeft(node, mapper, bin) ? 1 : 0;
  }
  const size_t count = leaf.end - leaf.begin;
  uint32_t* rows = rows_.data() + leaf.begin;
  std::vector<size_t> left_of((count + kRowsOfBlock - 1) / kRowsOfBlock);
  data_.Visit(feature, [&](const auto& bin_of) {
    ForRowBlocks(count, [&](size_t begin, size_t end) {
      size_t left = begin, right = begin;
      for (size_t i = begin; i < end; ++i) {
        // Written to both: which side is a guess that a branch would lose half of the time.
        const uint32_t row = rows[i];
        const size_t side = is_left[bin_of[row]];
        rows[left] = scratch_[right] = row;
        left += side;
        right += 1 - side;
      }
      left_of[begin / kRowsOfBlock] = left - begin;
    });
  });
  size_t left = 0;
  for (size_t block = 0; block < left_of.size(); ++block) {
    std::copy_n(rows + block * kRowsOfBlock, left_of[block], rows + left);
    left += left_of[block];
  }
  size_t right = left;
  for (size_t block = 0; block < left_of.size(); ++block) {
    const size_t begin = block * kRowsOfBlock;
    const size_t moved = std::min(count - begin, kRowsOfBlock) - left_of[block];
    std::copy_n(scratch_.data() + begin, moved, rows + right);
    right += moved;
  }
  return leaf.begin + left;
}

}  // namespace almanac::gbdt
