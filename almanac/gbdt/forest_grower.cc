#include "almanac/gbdt/forest_grower.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "almanac/base/parallel.h"
#include "almanac/gbdt/row_blocks.h"

namespace almanac::gbdt {
namespace {

// Kept histograms a class: what a tree of depth 5 needs. Deeper trees add up both children of a
// leaf whose histogram was not kept.
constexpr size_t kHistogramsOfClass = 8;
// Fewer tiles than this are halved, so that no thread waits long for the last of them.
constexpr size_t kFewTiles = 64;
// Trees that look at a share of the columns no larger than this get copies of their own.
constexpr double kPackedShare = 0.3;

bool PacksTrees(const Params& params) { return params.feature_fraction <= kPackedShare; }

}  // namespace

bool ForestGrower::Suits(const BinnedData& data, const Params& params) {
  if (params.exact || params.use_quantized_grad || params.feature_fraction_bynode < 1) return false;
  if (!params.monotone_constraints.empty()) return false;
  for (size_t f = 0; f < data.features(); ++f) {
    const BinMapper& mapper = data.mapper(f);
    if (mapper.is_categorical() || mapper.missing() == Missing::kZero || data.is_wide(f)) {
      return false;
    }
  }
  return true;
}

ForestGrower::ForestGrower(const BinnedData& data, const Params& params, size_t classes)
    : data_(data),
      params_(params),
      sample_(params, data.features()),
      packed_(classes),
      tiles_(classes),
      most_histograms_(classes * kHistogramsOfClass),
      trees_(classes),
      searched_(classes) {
  all_.Lay(data);
}

size_t ForestGrower::Bytes(const BinnedData& data, const Params& params) {
  ColumnTiles all;
  all.Lay(data);
  size_t words = all.histogram_words(), copied = 0;
  const auto classes = static_cast<size_t>(params.num_class);
  if (PacksTrees(params)) {
    copied = classes * static_cast<size_t>(params.feature_fraction *
                                           static_cast<double>(data.features() * data.rows()));
    words = static_cast<size_t>(2 * params.feature_fraction * static_cast<double>(words));
  }
  const auto leaves = static_cast<size_t>(params.num_leaves);
  return copied + words * sizeof(PackedBin) * classes * std::min(leaves, kHistogramsOfClass);
}

void ForestGrower::LookAt(const std::vector<uint32_t>& features) {
  sample_.LookAt(features);
  has_set_ = true;
  if (!PacksTrees(params_)) of_set_.Pack(data_, features);
}

void ForestGrower::ChooseColumns(size_t k) {
  const std::vector<uint32_t>& chosen = sample_.Next();
  tiles_[k] = has_set_ ? &of_set_ : &all_;
  if (PacksTrees(params_)) {
    packed_[k].Pack(data_, chosen);
    tiles_[k] = &packed_[k];
  }
  LayOut(k, chosen);
}

void ForestGrower::LayOut(size_t k, std::span<const uint32_t> features) {
  const ColumnTiles& tiles = *tiles_[k];
  std::vector<uint8_t> is_chosen(data_.features(), 0);
  for (const uint32_t feature : features) is_chosen[feature] = 1;
  searched_[k].assign(tiles.size(), Searched());
  for (size_t t = 0; t < tiles.size(); ++t) {
    Searched& searched = searched_[k][t];
    searched.missing.bin.fill(kNoMissing);
    for (size_t place = 0; place < kTileWidth; ++place) {
      const uint32_t feature = tiles[t].feature[place];
      if (feature == Split::kNoFeature || is_chosen[feature] == 0) continue;
      const size_t slot = searched.slots.count++;
      searched.slots.place[slot] = static_cast<uint8_t>(place);
      searched.feature[slot] = feature;
      const BinMapper& mapper = data_.mapper(feature);
      if (mapper.missing() != Missing::kNan) continue;
      searched.missing.bin[slot] = static_cast<int32_t>(mapper.bins() - 1);
      searched.missing.first_is_rest[slot] = mapper.frequent_bin() == 0 ? -1 : 0;
    }
  }
}

// For histograms of the columns that were chosen.
void ForestGrower::MakeRoom() {
  size_t words = 0;
  for (const size_t k : wanted_) words = std::max(words, tiles_[k]->histogram_words());
  if (words > histogram_words_) {
    histograms_.clear();
    histogram_words_ = words;
  }
  constexpr size_t kRowsOfBin = 4;
  const size_t columns = wanted_.empty() ? 0 : tiles_[wanted_[0]]->size() * kTileWidth;
  few_rows_ = columns == 0 ? 0 : kRowsOfBin * words / columns;
  free_.clear();
  for (const auto& histogram : histograms_) free_.push_back(histogram.get());
}

PackedBin* ForestGrower::TakeHistogram() {
  if (free_.empty()) {
    if (histograms_.size() == most_histograms_) return nullptr;
    histograms_.push_back(hwy::AllocateAligned<PackedBin>(histogram_words_));
    free_.push_back(histograms_.back().get());
  }
  PackedBin* histogram = free_.back();
  free_.pop_back();
  return histogram;
}

void ForestGrower::ReturnHistogram(PackedBin*& histogram) {
  if (histogram != nullptr) free_.push_back(histogram);
  histogram = nullptr;
}

std::vector<GrownTree> ForestGrower::Grow(std::span<const float> gradients,
                                          std::span<const float> hessians,
                                          std::span<const uint32_t> rows,
                                          const std::vector<uint8_t>& wanted) {
  gradients_ = gradients;
  hessians_ = hessians;
  wanted_.clear();
  for (size_t k = 0; k < trees_.size(); ++k) {
    if (wanted[k] == 0) continue;
    wanted_.push_back(k);
    ChooseColumns(k);
  }
  MakeRoom();
  StartTrees(gradients, hessians, rows);
  GrowRoots();
  while (GrowLevel()) {
  }
  std::vector<GrownTree> grown(trees_.size());
  ParallelFor(wanted_.size(), [&](size_t i) {
    const size_t k = wanted_[i];
    grown[k] = trees_[k].Finish();
    if (params_.path_smooth <= kEpsilon && grown[k].tree.leaves() > 1) RenewOutputs(k, grown[k]);
  });
  return grown;
}

void ForestGrower::StartTrees(std::span<const float> gradients, std::span<const float> hessians,
                              std::span<const uint32_t> rows) {
  const size_t all = data_.rows();
  std::vector<FixedPoint> coders(wanted_.size());
  ParallelFor(wanted_.size(), [&](size_t i) {
    const size_t first = wanted_[i] * all;
    coders[i] = FixedPoint(gradients.subspan(first, all), hessians.subspan(first, all), rows);
    trees_[wanted_[i]].Start(&data_, &params_, rows, coders[i].scale());
  });
  ForRowBlocks(rows.size(), [&](size_t begin, size_t end) {
    for (size_t i = 0; i < wanted_.size(); ++i) {
      const std::span<PackedBin> codes = trees_[wanted_[i]].codes();
      const size_t first = wanted_[i] * all;
      for (size_t r = begin; r < end; ++r) {
        codes[r] = coders[i].Encode(gradients[first + rows[r]], hessians[first + rows[r]]);
      }
    }
  });
  ParallelFor(wanted_.size(), [&](size_t i) { trees_[wanted_[i]].SumUp(); });
}

LeafContest* ForestGrower::Open(size_t k, int node,
                                std::shared_ptr<std::vector<uint16_t>> looked_at) {
  contests_.push_back(std::make_unique<LeafContest>(k, node, trees_[k], params_));
  LeafContest& contest = *contests_.back();
  contest.looked_at = std::move(looked_at);
  contest.with_cut = std::make_shared<std::vector<uint16_t>>(tiles_[k]->size(), uint16_t{0});
  return &contest;
}

void ForestGrower::GrowRoots() {
  contests_.clear();
  for (const size_t k : wanted_) {
    constexpr uint16_t kAll = std::numeric_limits<uint16_t>::max();
    Open(k, 0, std::make_shared<std::vector<uint16_t>>(tiles_[k]->size(), kAll));
    trees_[k].node(0).histogram = TakeHistogram();
  }
  const bool can_split = !wanted_.empty() && trees_[wanted_[0]].node(0).sums.rows >=
                                                 2 * std::max(1, params_.min_data_in_leaf);
  if (can_split) {
    // Trees with columns of their own have no pass in common.
    const size_t most = PacksTrees(params_) ? 1 : kTogether;
    for (size_t first = 0; first < wanted_.size(); first += most) {
      GrowRoots(std::span(wanted_).subspan(first, std::min(most, wanted_.size() - first)));
    }
  }
  FinishSearch();
}

void ForestGrower::GrowRoots(std::span<const size_t> together) {
  if (together.size() > 1) InterleaveCodes(together);
  ParallelFor(tiles_[together[0]]->size(), [&](size_t t) { SearchRoots(t, together); });
}

// Whether children of the node may need its histogram. Those of few rows are added up sooner than
// taken from it: it would have to come from far memory.
bool ForestGrower::IsKept(const GrowingTree::Node& node) const {
  const bool may_be_deeper = params_.max_depth <= 0 || node.depth + 1 < params_.max_depth;
  return may_be_deeper && node.sums.rows >= 2 * params_.min_data_in_leaf && node.rows() > few_rows_;
}

// Splits what may be split and searches the new leaves; false if there is nothing to split.
bool ForestGrower::GrowLevel() {
  struct Parted {
    size_t k;
    int node;
  };
  std::vector<Parted> parted;
  for (const size_t k : wanted_) {
    for (const int node : trees_[k].ToSplit()) {
      trees_[k].MakeChildren(node);
      parted.push_back({k, node});
    }
  }
  if (parted.empty()) return false;
  ParallelFor(parted.size(), [&](size_t i) { trees_[parted[i].k].Part(parted[i].node); });
  contests_.clear();
  pairs_.clear();
  for (const Parted& p : parted) MakePair(p.k, p.node);
  if (!pairs_.empty()) {
    size_t most = 0;
    for (const Pair& pair : pairs_) most = std::max(most, tiles_[pair.k]->size());
    const size_t parts = most < kFewTiles ? 2 : 1;
    ParallelFor(most * parts, [&](size_t task) {
      const size_t t = task / parts;
      for (size_t p = task % parts; p < pairs_.size(); p += parts) {
        if (t < tiles_[pairs_[p].k]->size()) SearchPair(t, pairs_[p]);
      }
    });
  }
  FinishSearch();
  return true;
}

void ForestGrower::MakePair(size_t k, int parent_node) {
  GrowingTree& tree = trees_[k];
  GrowingTree::Node& parent = tree.node(parent_node);
  GrowingTree::Node& left = tree.node(parent.left);
  GrowingTree::Node& right = tree.node(parent.right);
  const bool is_deep = params_.max_depth > 0 && left.depth >= params_.max_depth;
  const int least = 2 * params_.min_data_in_leaf;
  if (is_deep || (left.sums.rows < least && right.sums.rows < least)) {
    ReturnHistogram(parent.histogram);
    return;
  }
  const bool left_is_smaller = left.rows() < right.rows();
  GrowingTree::Node& smaller = left_is_smaller ? left : right;
  GrowingTree::Node& larger = left_is_smaller ? right : left;
  Pair pair;
  pair.k = k;
  pair.smaller = left_is_smaller ? parent.left : parent.right;
  pair.larger = left_is_smaller ? parent.right : parent.left;
  pair.parent = parent.histogram;
  pair.of_smaller = Open(k, pair.smaller, parent.with_cut);
  pair.of_larger = Open(k, pair.larger, parent.with_cut);
  if (IsKept(smaller)) smaller.histogram = TakeHistogram();
  // It takes its parent's place, which the next level gets back if it is not kept.
  larger.histogram = parent.histogram;
  if (larger.histogram == nullptr && IsKept(larger)) larger.histogram = TakeHistogram();
  parent.histogram = nullptr;
  pairs_.push_back(pair);
}

void ForestGrower::FinishSearch() {
  for (const auto& contest : contests_) {
    GrowingTree::Node& node = trees_[contest->k].node(contest->node);
    node.best = contest->best();
    node.with_cut = contest->with_cut;
    if (!IsKept(node)) ReturnHistogram(node.histogram);
  }
}

// Leaf values from the gradients as they are, not as they were coded.
void ForestGrower::RenewOutputs(size_t k, GrownTree& grown) const {
  const size_t first = k * data_.rows();
  ParallelFor(grown.tree.leaves(), [&](size_t leaf) {
    double gradient = 0, hessian = 0;
    const std::span<const uint32_t> rows = LeafRows(k, leaf);
    for (const uint32_t row : rows) {
      gradient += gradients_[first + row];
      hessian += hessians_[first + row];
    }
    grown.tree.leaf_value[leaf] =
        LeafOutput(gradient, hessian, params_, params_.lambda_l2, static_cast<int>(rows.size()), 0);
  });
}

}  // namespace almanac::gbdt
