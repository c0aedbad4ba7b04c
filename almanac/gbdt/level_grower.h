// What growers that go level by level have in common: for every level a tile of columns is gone
// through once with all leaves of all trees. How a tile's histograms are made and searched is up to
// the grower (forest_grower.h, exact_forest.h). Inside this room.
#ifndef ALMANAC_GBDT_LEVEL_GROWER_H_
#define ALMANAC_GBDT_LEVEL_GROWER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <hwy/aligned_allocator.h>

#include "almanac/base/parallel.h"
#include "almanac/gbdt/binned_data.h"
#include "almanac/gbdt/feature_sample.h"
#include "almanac/gbdt/growing_tree.h"
#include "almanac/gbdt/params.h"

namespace almanac::gbdt {

// Whether trees of such data and parameters can be grown so: numbers in at most 256 bins, features
// drawn tree by tree.
bool CanGrowByLevels(const BinnedData& data, const Params& params);

// The bins of a histogram of this share of the features, at most, about.
size_t LargestHistogram(const BinnedData& data, double feature_fraction);

// Histograms of all tiles that leaves keep for their children.
template <typename Bin>
class HistogramPool {
 public:
  explicit HistogramPool(size_t most) : most_(most) {}

  // Takes all back. From now on they hold so many bins; where they are made anew, so many more.
  void MakeRoom(size_t bins, size_t spare = 0) {
    if (bins > bins_) {
      made_.clear();
      bins_ = bins + spare;
    }
    free_.clear();
    for (const auto& histogram : made_) free_.push_back(histogram.get());
  }
  // Null if no more may be made.
  Bin* Take() {
    if (free_.empty()) {
      if (made_.size() == most_) return nullptr;
      made_.push_back(hwy::AllocateAligned<Bin>(bins_));
      free_.push_back(made_.back().get());
    }
    Bin* histogram = free_.back();
    free_.pop_back();
    return histogram;
  }
  void Return(Bin*& histogram) {
    if (histogram != nullptr) free_.push_back(histogram);
    histogram = nullptr;
  }
  size_t bytes() const { return made_.size() * bins_ * sizeof(Bin); }

 private:
  size_t most_, bins_ = 0;
  std::vector<hwy::AlignedFreeUniquePtr<Bin[]>> made_;
  std::vector<Bin*> free_;
};

template <typename Sums, typename LeafContest>
class LevelGrower {
 public:
  using Tree = GrowingTreeOf<Sums>;
  using Node = typename Tree::Node;
  using Bin = typename Sums::Bin;

  // The rows in a leaf of the class's tree last grown.
  std::span<const uint32_t> LeafRows(size_t k, size_t leaf) const {
    return trees_[k].LeafRows(leaf);
  }

  template <typename Archive>
  void Visit(Archive& archive) {
    archive(sample_);
  }

 protected:
  // Leaves whose histograms come together.
  struct Pair {
    size_t k = 0;
    int smaller = 0, larger = 0;
    Bin* parent = nullptr;  // null: both are added up
    LeafContest *of_smaller = nullptr, *of_larger = nullptr;
  };

  // `data` and `params` must outlive it.
  LevelGrower(const BinnedData& data, const Params& params, size_t classes, size_t most_histograms)
      : data_(data),
        params_(params),
        sample_(params, data.features()),
        pool_(most_histograms),
        trees_(classes) {}
  ~LevelGrower() = default;

  LeafContest* Open(size_t k, int node, const std::shared_ptr<std::vector<uint16_t>>& looked_at) {
    contests_.push_back(std::make_unique<LeafContest>(k, node, trees_[k], params_));
    LeafContest& contest = *contests_.back();
    contest.looked_at = looked_at;
    contest.with_cut = std::make_shared<std::vector<uint16_t>>(Tiles(k), uint16_t{0});
    return &contest;
  }

  // Splits what may be split of these classes' trees and searches the new leaves; false if there is
  // nothing to split.
  bool GrowLevel(std::span<const size_t> classes) {
    std::vector<std::pair<size_t, int>> parted;  // class and node
    for (const size_t k : classes) {
      for (const int node : trees_[k].ToSplit()) {
        trees_[k].MakeChildren(node);
        parted.emplace_back(k, node);
      }
    }
    if (parted.empty()) return false;
    ParallelFor(parted.size(), [&](size_t i) { trees_[parted[i].first].Part(parted[i].second); });
    contests_.clear();
    pairs_.clear();
    size_t tiles = 0;
    for (const auto& [k, node] : parted) {
      MakePair(k, node);
      tiles = std::max(tiles, Tiles(k));
    }
    ForTiles(tiles, pairs_.size(), [&](size_t t, size_t i) {
      if (t < Tiles(pairs_[i].k)) SearchPair(t, pairs_[i]);
    });
    FinishSearch();
    return true;
  }

  // Calls work(tile, i) for all tiles and i < count. Few tiles are halved, so that no thread waits
  // long for the last of them.
  template <typename Work>
  static void ForTiles(size_t tiles, size_t count, const Work& work) {
    constexpr size_t kFewTiles = 64;
    const size_t parts = tiles < kFewTiles ? 2 : 1;
    if (count == 0) return;
    ParallelFor(tiles * parts, [&](size_t task) {
      for (size_t i = task % parts; i < count; i += parts) work(task / parts, i);
    });
  }

  void FinishSearch() {
    for (const auto& contest : contests_) {
      Node& node = trees_[contest->k].node(contest->node);
      node.best = contest->best();
      node.with_cut = contest->with_cut;
      if (!IsKept(node) || !(node.best.gain > 0)) pool_.Return(node.histogram);
    }
  }

  // Of all slots of a tile that may have the best cut. Calls examine(slot), which enters it and
  // says whether there is a cut. Returns which slots have one, a bit each.
  template <typename Numbers, typename Examine>
  static uint32_t ExamineSlots(size_t t, size_t slots, const Numbers& numbers,
                               const LeafContest& contest, const Examine& examine) {
    uint32_t with_cut = 0;
    for (size_t slot = 0; slot < slots; ++slot) {
      const uint32_t bit = 1U << slot;
      if (((*contest.looked_at)[t] & bit) == 0 || contest.HasNoCut(numbers[slot])) continue;
      bool has_cut = contest.SurelyHasCut(numbers[slot]);
      if (!has_cut || contest.MayWin(numbers[slot])) has_cut |= examine(slot);
      if (has_cut) with_cut |= bit;
    }
    return with_cut;
  }

  const BinnedData& data_;
  const Params& params_;
  FeatureSample sample_;
  HistogramPool<Bin> pool_;
  std::vector<Tree> trees_;  // by class
  std::vector<std::unique_ptr<LeafContest>> contests_;

 private:
  virtual size_t Tiles(size_t k) const = 0;
  // Whether children of the node may need its histogram.
  virtual bool IsKept(const Node& node) const = 0;
  virtual void SearchPair(size_t t, const Pair& pair) = 0;

  void MakePair(size_t k, int parent_node) {
    Tree& tree = trees_[k];
    Node& parent = tree.node(parent_node);
    Node& left = tree.node(parent.left);
    Node& right = tree.node(parent.right);
    const bool is_deep = params_.max_depth > 0 && left.depth >= params_.max_depth;
    const int least = 2 * params_.min_data_in_leaf;
    if (is_deep || (left.sums.rows < least && right.sums.rows < least)) {
      pool_.Return(parent.histogram);
      return;
    }
    const bool left_is_smaller = left.rows() < right.rows();
    Node& smaller = left_is_smaller ? left : right;
    Node& larger = left_is_smaller ? right : left;
    Pair pair;
    pair.k = k;
    pair.smaller = left_is_smaller ? parent.left : parent.right;
    pair.larger = left_is_smaller ? parent.right : parent.left;
    pair.parent = parent.histogram;
    pair.of_smaller = Open(k, pair.smaller, parent.with_cut);
    pair.of_larger = Open(k, pair.larger, parent.with_cut);
    if (IsKept(smaller)) smaller.histogram = pool_.Take();
    // It takes its parent's place, which the next level gets back if it is not kept.
    larger.histogram = std::exchange(parent.histogram, nullptr);
    if (larger.histogram == nullptr && IsKept(larger)) larger.histogram = pool_.Take();
    pairs_.push_back(pair);
  }

  std::vector<Pair> pairs_;
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_LEVEL_GROWER_H_
