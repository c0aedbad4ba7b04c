// Grows one tree leaf by leaf on gradients and hessians, as LightGBM does on one thread: equal
// input gives an equal tree, to the last bit, at any number of threads here.
//
// Three kinds of sums: doubles (LightGBM's default), small whole numbers (its quantized training),
// and, where params.exact is off, fixed-point numbers with as many digits as the number of rows
// leaves room for.
#ifndef ALMANAC_GBDT_GROWER_H_
#define ALMANAC_GBDT_GROWER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "almanac/gbdt/binned_data.h"
#include "almanac/gbdt/coded_gradients.h"
#include "almanac/gbdt/feature_sample.h"
#include "almanac/gbdt/grown_tree.h"
#include "almanac/gbdt/params.h"
#include "almanac/gbdt/split.h"
#include "almanac/gbdt/tree.h"

namespace almanac::gbdt {

// For one training. Keeps a histogram for each leaf whose children may be split: 16 bytes a bin, or
// 8.
class TreeGrower {
 public:
  // Both must outlive it. `has_unit_hessian`: all hessians of all trees are 1.
  TreeGrower(const BinnedData& data, const Params& params, bool has_unit_hessian);

  // `gradients` and `hessians` are one a row of the data; `rows`, ascending, are those to learn
  // from. The leaf values are not yet shrunk.
  GrownTree Grow(std::span<const float> gradients, std::span<const float> hessians,
                 std::span<const uint32_t> rows);
  // From the next tree on it looks at these features, ascending, alone.
  void LookAt(const std::vector<uint32_t>& features) { sample_.LookAt(features); }
  // What the histograms of a training take, at most.
  static size_t HistogramBytes(const BinnedData& data, const Params& params);
  // The rows in a leaf of the tree last grown, ascending.
  std::span<const uint32_t> LeafRows(size_t leaf) const;

  // What one tree leaves for the next: the generator that chooses features.
  template <typename Archive>
  void Visit(Archive& archive) {
    archive(sample_);
  }

 private:
  struct Leaf {
    LeafSums sums;
    size_t begin = 0, end = 0;  // of rows_
    int depth = 0;
    int parent = -1;       // node
    bool is_left = false;  // child of it
    Split best;
    std::vector<HistogramBin> histogram;  // of the two, one is used
    std::vector<PackedBin> packed_histogram;
    std::vector<uint8_t> is_splittable;  // by feature
  };
  // A leaf whose histograms are added up, and its larger sibling; the root has none.
  struct Siblings {
    Leaf* smaller;
    Leaf* larger;
    std::vector<Split> found_smaller, found_larger;  // by feature
  };

  void StartTree(std::span<const uint32_t> rows);
  std::vector<uint8_t> ChooseFeaturesOfNode();
  // Whether children of the leaf may need its histogram.
  bool IsKept(const Leaf& leaf) const;
  // Makes the best splits of two new leaves; `right` is the root's missing sibling if negative.
  void Evaluate(int left, int right);
  bool MayBeSplit(int left, int right) const;
  Siblings PairUp(int left, int right);
  void GatherGradients(const Leaf& leaf);
  void SearchGroup(size_t group, Siblings& siblings);
  template <typename Bin>
  void SearchTile(size_t tile, const std::vector<size_t>& features, Siblings& siblings);
  template <typename Bin>
  void SearchFeature(size_t feature, std::span<Bin> smaller, Siblings& siblings);
  template <typename Bin>
  void Search(size_t feature, std::span<const Bin> histogram, Leaf& leaf,
              std::vector<Split>& found);
  template <typename Bin>
  void FillTile(const Leaf& leaf, size_t tile, const std::vector<size_t>& features,
                std::span<Bin> histogram) const;
  template <typename Bin>
  std::span<const Bin> LeafValues() const;
  template <typename Bin>
  static std::vector<Bin>& HistogramOf(Leaf& leaf);
  size_t Bins(size_t feature) const { return first_bin_[feature + 1] - first_bin_[feature]; }
  template <typename Bin>
  std::span<Bin> BinsOf(Leaf& leaf, size_t feature);
  void TakeHistogram(Leaf& leaf);
  void ReturnHistogram(Leaf& leaf);
  void ChooseBest(Leaf& leaf, const std::vector<Split>& found);
  void RenewOutputs();
  int BestLeaf() const;
  void Apply(int leaf, GrownTree& grown);
  size_t Partition(const Leaf& leaf, const GrownTree& grown, size_t node);

  const BinnedData& data_;
  const Params& params_;
  std::vector<size_t> first_bin_;  // of each feature in a histogram; one more: the end
  FeatureSample sample_;
  std::vector<uint8_t> is_chosen_;  // features of this tree, by feature
  std::span<const float> gradients_, hessians_;
  bool is_packed_, has_unit_hessian_;
  CodedGradients coded_;  // if packed, one a row of the data
  // Of the leaf being added up, in row order; of the two, one is used.
  std::vector<HistogramBin> leaf_gradients_;
  std::vector<PackedBin> leaf_codes_;
  std::vector<std::vector<HistogramBin>> free_histograms_;  // to be used again
  std::vector<std::vector<PackedBin>> free_packed_;
  std::vector<uint32_t> rows_, scratch_;
  std::vector<Leaf> leaves_;
};

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_GROWER_H_
