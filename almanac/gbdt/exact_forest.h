// Exact growing as ForestGrower grows: the trees of a round at once, level by level, so that a tile
// of bins stays in the near caches while all leaves of all classes are added up. Sums are made in
// doubles in LightGBM's order, and splits decided by LightGBM's operations (split.h): the trees are
// those of TreeGrower, to the last bit. Inside this room.
#ifndef ALMANAC_GBDT_EXACT_FOREST_H_
#define ALMANAC_GBDT_EXACT_FOREST_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include <hwy/aligned_allocator.h>

#include "almanac/gbdt/binned_data.h"
#include "almanac/gbdt/exact_contest.h"
#include "almanac/gbdt/exact_kernels.h"
#include "almanac/gbdt/feature_sample.h"
#include "almanac/gbdt/growing_tree.h"
#include "almanac/gbdt/params.h"

namespace almanac::gbdt {

class ExactForest {
 public:
  // Whether this grower is for such data and parameters: numbers in at most 256 bins, features
  // drawn tree by tree, leaves that must hold something. TreeGrower takes all.
  static bool Suits(const BinnedData& data, const Params& params);
  // What histograms of a training take, at most.
  static size_t Bytes(const BinnedData& data, const Params& params);

  // Both must outlive it.
  ExactForest(const BinnedData& data, const Params& params, size_t classes);

  // A tree for each class that is wanted; the others' have no leaf. `gradients` and `hessians` are
  // [class * rows + row]; `rows`, ascending, are those to learn from. The leaf values are not yet
  // shrunk.
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
  using ExactTree = GrowingTreeOf<DoubleSums>;
  // What a tree looks at in a tile.
  struct Searched {
    TileSlots slots;
    std::array<uint32_t, kTileWidth> feature{}, frequent_bin{};  // by slot
    MissingBins missing;
    size_t bins = 0;   // of the column with the most
    size_t first = 0;  // bin of a histogram of all tiles

    void Append(uint32_t f, const BinnedData& data);
    // Of its histogram.
    size_t Bins() const { return bins * slots.count; }
    // With what may be read behind it; whole cache lines.
    size_t Room() const { return (Bins() + kBinsBehind + kLineBins - 1) / kLineBins * kLineBins; }
  };
  // Leaves whose histograms come together.
  struct Pair {
    size_t k = 0;
    int smaller = 0, larger = 0;
    HistogramBin* parent = nullptr;
    ExactContest *of_smaller = nullptr, *of_larger = nullptr;
  };

  void ChooseColumns(size_t k);
  void MakeRoom();
  void StartTree(size_t k, std::span<const float> gradients, std::span<const float> hessians,
                 std::span<const uint32_t> rows);
  void GrowRoots();
  bool GrowLevel();
  void MakePair(size_t k, int parent);
  // Calls work(tile, i) for all tiles and i < count.
  template <typename Work>
  void ForTiles(size_t count, const Work& work) const;
  bool IsKept(const ExactTree::Node& node) const;
  ExactContest* Open(size_t k, int node, std::shared_ptr<std::vector<uint16_t>> looked_at);
  void AddUp(size_t t, size_t k, int node, HistogramBin* histogram, const HistogramBin* soon) const;
  void SearchRoot(size_t t, ExactContest& contest);
  void SearchPair(size_t t, const Pair& pair);
  void Search(size_t t, const HistogramBin* histogram, ExactContest& contest) const;
  // Whether the column has a cut.
  bool Examine(const HistogramBin* histogram, const Searched& searched, size_t slot,
               ExactContest& contest) const;
  void FinishSearch();
  void Keep(const HistogramBin* bins, size_t count, HistogramBin* to) const;
  HistogramBin* TakeHistogram();
  void ReturnHistogram(HistogramBin*& histogram);

  const BinnedData& data_;
  const Params& params_;
  FeatureSample sample_;
  size_t most_together_;       // classes
  size_t histogram_bins_ = 0;  // that a histogram has room for
  std::vector<hwy::AlignedFreeUniquePtr<HistogramBin[]>> histograms_;
  std::vector<HistogramBin*> free_;
  std::vector<ExactTree> trees_;                 // by class
  std::vector<std::vector<Searched>> searched_;  // by class and tile
  std::span<const size_t> together_;             // classes that grow
  std::vector<std::unique_ptr<ExactContest>> contests_;
  std::vector<Pair> pairs_;
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_EXACT_FOREST_H_
