// Fast growing: all trees of a round at once, level by level, on fixed-point sums. For every level
// a tile of bins is gone through once with all leaves of all classes; the root's histograms of up
// to four classes are made in one pass. Cuts are searched in float32 for many columns at a time;
// what may be the best is searched again in whole numbers and doubles (split.h), so that results
// depend neither on the instruction set nor on the number of threads. Inside this room.
#ifndef ALMANAC_GBDT_FOREST_GROWER_H_
#define ALMANAC_GBDT_FOREST_GROWER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <hwy/aligned_allocator.h>

#include "almanac/gbdt/binned_data.h"
#include "almanac/gbdt/feature_sample.h"
#include "almanac/gbdt/growing_tree.h"
#include "almanac/gbdt/params.h"
#include "almanac/gbdt/tile_kernels.h"

namespace almanac::gbdt {

class ForestGrower {
 public:
  // Whether this grower is for such data and parameters: numbers in at most 256 bins, features
  // drawn tree by tree. TreeGrower takes all.
  static bool Suits(const BinnedData& data, const Params& params);
  // What the histograms of a training take, at most.
  static size_t HistogramBytes(const BinnedData& data, const Params& params);

  // Both must outlive it.
  ForestGrower(const BinnedData& data, const Params& params, size_t classes);
  ~ForestGrower();

  // A tree for each class that is wanted; the others' have no leaf. `gradients` and `hessians` are
  // [class * rows + row]; `rows` are those to learn from. The leaf values are not yet shrunk.
  std::vector<GrownTree> Grow(std::span<const float> gradients, std::span<const float> hessians,
                              std::span<const uint32_t> rows, const std::vector<uint8_t>& wanted);
  // The rows in a leaf of the class's tree last grown.
  std::span<const uint32_t> LeafRows(size_t k, size_t leaf) const {
    return trees_[k].LeafRows(leaf);
  }

  template <typename Archive>
  void Visit(Archive& archive) {
    archive(sample_);
  }

 private:
  // 16 columns side by side.
  struct ColumnTile {
    const uint8_t* bytes = nullptr;
    std::array<uint32_t, kTileWidth> feature{};
    size_t bins = 0;   // of the column with the most
    size_t first = 0;  // word of a histogram of all tiles
  };
  // What a tree looks at in a tile.
  struct Searched {
    TileSlots slots;
    std::array<uint32_t, kTileWidth> feature{};  // by slot
    MissingBins missing;
  };
  struct Contest;  // for the best split of a leaf
  struct Pair;     // of leaves whose histograms come together

  void LayOutTiles();
  PackedBin* Of(size_t tile, PackedBin* histogram) const { return histogram + tiles_[tile].first; }
  size_t Words(size_t tile) const { return tiles_[tile].bins * kTileWidth; }
  void LayOut(size_t k, const std::vector<uint32_t>& features);
  void StartTrees(std::span<const float> gradients, std::span<const float> hessians,
                  std::span<const uint32_t> rows);
  void GrowRoots();
  void GrowRoots(std::span<const size_t> together);
  void InterleaveCodes(std::span<const size_t> together);
  void AddTogether(size_t tile, std::span<const size_t> together) const;
  bool GrowLevel();
  void MakePair(size_t k, int parent);
  bool IsKept(const GrowingTree::Node& node) const;
  Contest* Open(size_t k, int node, std::shared_ptr<std::vector<uint16_t>> looked_at);
  void AddUp(size_t tile, size_t k, int node, PackedBin* histogram) const;
  void SearchPair(size_t tile, const Pair& pair);
  void Search(size_t tile, const PackedBin* histogram, Contest& contest) const;
  // Whether the column has a cut.
  bool Examine(const PackedBin* histogram, size_t slot, uint32_t feature, Contest& contest) const;
  void FinishSearch();
  void RenewOutputs(size_t k, GrownTree& grown) const;
  PackedBin* TakeHistogram();
  void ReturnHistogram(PackedBin*& histogram);

  const BinnedData& data_;
  const Params& params_;
  FeatureSample sample_;
  std::vector<ColumnTile> tiles_;
  size_t histogram_words_ = 0;  // of all tiles
  bool is_tight_;               // gains reach what LargestGains finds
  size_t most_histograms_;
  std::vector<hwy::AlignedFreeUniquePtr<PackedBin[]>> histograms_;
  std::vector<PackedBin*> free_;
  std::vector<GrowingTree> trees_;               // by class
  std::vector<std::vector<Searched>> searched_;  // by class and tile
  std::vector<size_t> wanted_;                   // classes
  std::span<const float> gradients_, hessians_;
  std::vector<PackedBin> interleaved_;  // codes of the trees whose roots are added up together
  std::vector<std::unique_ptr<Contest>> contests_;
  std::vector<Pair> pairs_;
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_FOREST_GROWER_H_
