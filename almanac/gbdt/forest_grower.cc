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
// Trees that look at a share of the columns no larger than this get copies of their own.
constexpr double kPackedShare = 0.3;

bool PacksTrees(const Params& params) { return params.feature_fraction <= kPackedShare; }

}  // namespace

bool ForestGrower::Suits(const BinnedData& data, const Params& params) {
  return !params.exact && CanGrowByLevels(data, params);
}

ForestGrower::ForestGrower(const BinnedData& data, const Params& params, size_t classes)
    : LevelGrower(data, params, classes, classes * kHistogramsOfClass),
      packed_(classes),
      tiles_(classes),
      searched_(classes) {
  all_.Lay(data);
}

size_t ForestGrower::Bytes(const BinnedData& data, const Params& params) {
  const auto classes = static_cast<size_t>(params.num_class);
  size_t copied = 0;
  if (PacksTrees(params)) {
    copied = classes * static_cast<size_t>(params.feature_fraction *
                                           static_cast<double>(data.features() * data.rows()));
  }
  const size_t words = LargestHistogram(data, params.feature_fraction);
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
  size_t first = 0;
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
      searched.bins = std::max<size_t>(searched.bins, mapper.bins());
      if (mapper.missing() != Missing::kNan) continue;
      searched.missing.bin[slot] = static_cast<int32_t>(mapper.bins() - 1);
      searched.missing.first_is_rest[slot] = mapper.frequent_bin() == 0 ? -1 : 0;
    }
    searched.first = first;
    first += searched.Room();
  }
}

// For histograms of the columns that were chosen. Trees choose others each time: a little more
// than what is needed now.
void ForestGrower::MakeRoom() {
  size_t words = 0;
  for (const size_t k : wanted_) {
    if (searched_[k].empty()) continue;
    const Searched& last = searched_[k].back();
    words = std::max(words, last.first + last.Room());
  }
  pool_.MakeRoom(words, words / 16);
  constexpr size_t kRowsOfBin = 4;
  few_rows_ = words == 0 ? 0 : kRowsOfBin * words / sample_.chosen().size();
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
  while (GrowLevel(wanted_)) {
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

void ForestGrower::GrowRoots() {
  contests_.clear();
  for (const size_t k : wanted_) {
    constexpr uint16_t kAll = std::numeric_limits<uint16_t>::max();
    Open(k, 0, std::make_shared<std::vector<uint16_t>>(tiles_[k]->size(), kAll));
    trees_[k].node(0).histogram = pool_.Take();
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
bool ForestGrower::IsKept(const Node& node) const {
  return Tree::MayHaveGrandchildren(node, params_) && node.rows() > few_rows_;
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
