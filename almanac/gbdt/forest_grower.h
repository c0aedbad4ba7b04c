// Fast growing: all trees of a round at once, level by level, on fixed-point sums. For every level
// a tile of bins is gone through once with all leaves of all classes; the root's histograms of up
// to four classes are made in one pass. Cuts are searched in float32 for many columns at a time;
// what may be the best is searched again in whole numbers and doubles (split.h), so that results
// depend neither on the instruction set nor on the number of threads. Where trees look at few of
// the columns, those are copied together first. Inside this room.
#ifndef ALMANAC_GBDT_FOREST_GROWER_H_
#define ALMANAC_GBDT_FOREST_GROWER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "almanac/gbdt/binned_data.h"
#include "almanac/gbdt/column_tiles.h"
#include "almanac/gbdt/gain_bounds.h"
#include "almanac/gbdt/grown_tree.h"
#include "almanac/gbdt/leaf_contest.h"
#include "almanac/gbdt/level_grower.h"
#include "almanac/gbdt/params.h"
#include "almanac/gbdt/tile_kernels.h"

namespace almanac::gbdt {

class ForestGrower final : public LevelGrower<FixedPointSums, LeafContest> {
 public:
  // Whether this grower is for such data and parameters. TreeGrower takes all.
  static bool Suits(const BinnedData& data, const Params& params);
  // What histograms and copied columns of a training take, about.
  static size_t Bytes(const BinnedData& data, const Params& params);

  // Both must outlive it.
  ForestGrower(const BinnedData& data, const Params& params, size_t classes);

  // From the next trees on they look at these features, ascending, alone.
  void LookAt(const std::vector<uint32_t>& features);

  // A tree for each class that is wanted; the others' have no leaf. `gradients` and `hessians` are
  // [class * rows + row]; `rows` are those to learn from. The leaf values are not yet shrunk.
  std::vector<GrownTree> Grow(std::span<const float> gradients, std::span<const float> hessians,
                              std::span<const uint32_t> rows, const std::vector<uint8_t>& wanted);

 private:
  // What a tree looks at in a tile.
  struct Searched {
    TileSlots slots;
    std::array<uint32_t, kTileWidth> feature{};  // by slot
    MissingBins missing;
    size_t bins = 0;   // of the column with the most
    size_t first = 0;  // word of a histogram of all tiles

    // Of its histogram, in whole cache lines, and with what may be read behind it.
    size_t Words() const { return (bins * slots.count + kLine - 1) / kLine * kLine; }
    size_t Room() const { return Words() + kWordsBehind; }
    static constexpr size_t kLine = 8;
  };
  void ChooseColumns(size_t k);
  void LayOut(size_t k, std::span<const uint32_t> features);
  void MakeRoom();
  void StartTrees(std::span<const float> gradients, std::span<const float> hessians,
                  std::span<const uint32_t> rows);
  void GrowRoots();
  void GrowRoots(std::span<const size_t> together);
  void InterleaveCodes(std::span<const size_t> together);
  void SearchRoots(size_t t, std::span<const size_t> together);
  void AddTogether(size_t t, std::span<const size_t> together) const;
  void TakeApart(size_t t, size_t place, size_t k, PackedBin* histogram) const;
  size_t Tiles(size_t k) const override { return tiles_[k]->size(); }
  bool IsKept(const Node& node) const override;
  void AddUp(size_t t, size_t k, int node, PackedBin* histogram, Soon soon = {}) const;
  void SearchPair(size_t t, const Pair& pair) override;
  void Keep(size_t t, const PackedBin* histogram, const LeafContest& contest) const;
  void Search(size_t t, const PackedBin* histogram, LeafContest& contest) const;
  // Whether bounds say of every column whether it has a cut, a bit each, and that none is the best.
  bool IsSettled(size_t t, const GainBounds& bounds, const LeafContest& contest,
                 uint32_t* with_cut) const;
  // Whether the column has a cut.
  bool Examine(const PackedBin* histogram, const Searched& searched, size_t slot,
               LeafContest& contest) const;
  void RenewOutputs(size_t k, GrownTree& grown) const;

  ColumnTiles all_, of_set_;
  bool has_set_ = false;                         // whether only some features are looked at
  std::vector<ColumnTiles> packed_;              // by class: of the tree that grows
  std::vector<const ColumnTiles*> tiles_;        // by class: one of these
  size_t few_rows_ = 0;                          // up to which both children of a leaf are added up
  std::vector<std::vector<Searched>> searched_;  // by class and tile
  std::vector<size_t> wanted_;                   // classes
  std::span<const float> gradients_, hessians_;
  // Codes of the trees whose roots are added up together: of the two, one is used.
  std::vector<PackedBin> interleaved_;
  std::vector<ShortCode> short_codes_;
  bool are_short_ = false;
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_FOREST_GROWER_H_
