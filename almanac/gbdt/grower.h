// Grows one tree leaf by leaf on gradients and hessians, as LightGBM does on one thread: equal
// input gives an equal tree, to the last bit, at any number of threads here.
#ifndef ALMANAC_GBDT_GROWER_H_
#define ALMANAC_GBDT_GROWER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "almanac/gbdt/binned_data.h"
#include "almanac/gbdt/params.h"
#include "almanac/gbdt/random.h"
#include "almanac/gbdt/split.h"
#include "almanac/gbdt/tree.h"

namespace almanac::gbdt {

// A tree that can also be walked by bins: for rows in the same bins as those it was grown on.
struct GrownTree {
  Tree tree;
  std::vector<uint32_t> feature;                // of the binned data, one an inner node
  std::vector<uint32_t> threshold_bin;          // numerical
  std::vector<std::vector<uint8_t>> goes_left;  // categorical: by bin

  bool GoesLeft(size_t node, const BinMapper& mapper, uint32_t bin) const;
  size_t LeafOf(const BinnedData& data, size_t row) const;
};

// For one training. Keeps a histogram for each leaf: num_leaves * (all bins) * 16 bytes.
class TreeGrower {
 public:
  // Both must outlive it.
  TreeGrower(const BinnedData& data, const Params& params);

  // `gradients` and `hessians` are one a row of the data; `rows`, ascending, are those to learn
  // from. The leaf values are not yet shrunk.
  GrownTree Grow(std::span<const float> gradients, std::span<const float> hessians,
                 std::span<const uint32_t> rows);
  // The rows in a leaf of the tree last grown, ascending.
  std::span<const uint32_t> LeafRows(size_t leaf) const;

 private:
  struct Leaf {
    LeafSums sums;
    size_t begin = 0, end = 0;  // of rows_
    int depth = 0;
    int parent = -1;       // node
    bool is_left = false;  // child of it
    Split best;
    std::vector<HistogramBin> histogram;
    std::vector<uint8_t> is_splittable;  // by feature
  };

  void StartTree(std::span<const uint32_t> rows);
  void ChooseFeaturesOfTree();
  std::vector<uint8_t> ChooseFeaturesOfNode();
  // Makes the best splits of two new leaves; `right` is the root's missing sibling if negative.
  void Evaluate(int left, int right);
  bool MayBeSplit(int left, int right) const;
  void FillHistogram(const Leaf& leaf, size_t feature, HistogramBin* bins) const;
  void FindBest(Leaf& leaf, const std::vector<Split>& found, const std::vector<uint8_t>& allowed);
  int BestLeaf() const;
  void Apply(int leaf, GrownTree& grown);
  void AppendNode(const Leaf& leaf, GrownTree& grown, int node) const;
  size_t Partition(const Leaf& leaf, const GrownTree& grown, size_t node);
  void GatherGradients(const Leaf& leaf);

  const BinnedData& data_;
  const Params& params_;
  std::vector<size_t> first_bin_;  // of each feature in a histogram; one more: the end
  Lcg random_;
  std::vector<uint32_t> chosen_;    // features of this tree, ascending
  std::vector<uint8_t> is_chosen_;  // the same, by feature
  std::span<const float> gradients_, hessians_;
  std::vector<float> leaf_gradients_, leaf_hessians_;  // of the leaf being added up, in row order
  std::vector<uint32_t> rows_, scratch_;
  std::vector<Leaf> leaves_;
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_GROWER_H_
