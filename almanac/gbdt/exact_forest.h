// Exact growing as ForestGrower grows: the trees of a round at once, level by level, so that a tile
// of bins stays in the near caches while all leaves of all classes are added up. Sums are made in
// doubles in LightGBM's order, and splits decided by LightGBM's operations (split.h): the trees are
// those of TreeGrower, to the last bit. Inside this room.
#ifndef ALMANAC_GBDT_EXACT_FOREST_H_
#define ALMANAC_GBDT_EXACT_FOREST_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "almanac/gbdt/binned_data.h"
#include "almanac/gbdt/exact_contest.h"
#include "almanac/gbdt/exact_kernels.h"
#include "almanac/gbdt/gain_kernels.h"
#include "almanac/gbdt/grown_tree.h"
#include "almanac/gbdt/level_grower.h"
#include "almanac/gbdt/params.h"

namespace almanac::gbdt {

class ExactForest final : public LevelGrower<DoubleSums, ExactContest> {
 public:
  // Whether this grower is for such data and parameters. TreeGrower takes all.
  static bool Suits(const BinnedData& data, const Params& params);
  // What histograms of a training take, at most.
  static size_t Bytes(const BinnedData& data, const Params& params);

  // `data` and `params` must outlive it. Classes grow together as long as the histograms that they
  // may keep take no more than `most_bytes`, else one after another.
  static constexpr size_t kMostBytes = size_t{512} << 20;
  ExactForest(const BinnedData& data, const Params& params, size_t classes,
              size_t most_bytes = kMostBytes);

  // A tree for each class that is wanted; the others' have no leaf. `gradients` and `hessians` are
  // [class * rows + row]; `rows`, ascending, are those to learn from. The leaf values are not yet
  // shrunk.
  std::vector<GrownTree> Grow(std::span<const float> gradients, std::span<const float> hessians,
                              std::span<const uint32_t> rows, const std::vector<uint8_t>& wanted);

 private:
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
  void ChooseColumns(size_t k);
  void MakeRoom();
  void StartTree(size_t k, std::span<const float> gradients, std::span<const float> hessians,
                 std::span<const uint32_t> rows);
  void GrowRoots();
  size_t Tiles(size_t) const override { return data_.tiles(); }
  bool IsKept(const Node& node) const override { return Tree::MayHaveGrandchildren(node, params_); }
  void GrowRoots(std::span<const size_t> together);
  void Interleave(std::span<const size_t> together);
  void AddUp(size_t t, size_t k, int node, HistogramBin* histogram, const HistogramBin* soon) const;
  void AddRootsTogether(size_t t, std::span<const size_t> together) const;
  void Reconstruct(size_t t, size_t k, int node, HistogramBin* histogram) const;
  void SearchRoots(size_t t, std::span<const size_t> together);
  void SearchPair(size_t t, const Pair& pair) override;
  void Search(size_t t, const HistogramBin* histogram, ExactContest& contest) const;
  // Whether the column has a cut.
  bool Examine(const HistogramBin* histogram, const Searched& searched, size_t slot,
               ExactContest& contest) const;
  void Keep(const HistogramBin* bins, size_t count, HistogramBin* to) const;

  size_t most_together_;                         // classes
  std::vector<std::vector<Searched>> searched_;  // by class and tile
  std::span<const size_t> together_;             // classes that grow
  std::vector<GradientPair> interleaved_;        // of the roots that are added up together
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_EXACT_FOREST_H_
