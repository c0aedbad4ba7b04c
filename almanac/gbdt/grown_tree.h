// A tree as it grows. Inside this room.
#ifndef ALMANAC_GBDT_GROWN_TREE_H_
#define ALMANAC_GBDT_GROWN_TREE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "almanac/gbdt/binned_data.h"
#include "almanac/gbdt/split.h"
#include "almanac/gbdt/tree.h"

namespace almanac::gbdt {

// A tree that can also be walked by bins: for rows in the same bins as those it was grown on.
struct GrownTree {
  Tree tree;
  std::vector<uint32_t> feature;                // of the binned data, one an inner node
  std::vector<uint32_t> threshold_bin;          // numerical
  std::vector<std::vector<uint8_t>> goes_left;  // categorical: by bin

  // A leaf becomes the next node: the sides of `split` are then two leaves, its own number and
  // `right_leaf`. `leaf` are its sums, `gain` what the model file is to say. Links to the node are
  // the caller's.
  void Append(const BinnedData& data, const LeafSums& leaf, const Split& split, double gain,
              int left_leaf, int right_leaf);
  bool GoesLeft(size_t node, const BinMapper& mapper, uint32_t bin) const;
  size_t LeafOf(const BinnedData& data, size_t row) const;
};

// A tree that was grown on these bins, or on bins of the same cuts.
GrownTree WithBins(const Tree& tree, const BinnedData& data);

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_GROWN_TREE_H_
