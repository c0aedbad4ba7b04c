// One tree of a round while it grows level by level. Leaf-wise growth splits the best leaf next;
// here every leaf that may still be chosen is split at once, so that many histograms are made in
// one pass over the bins, and the order of leaf-wise growth is found afterwards: the tree is the
// same. Inside this room.
#ifndef ALMANAC_GBDT_GROWING_TREE_H_
#define ALMANAC_GBDT_GROWING_TREE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "almanac/gbdt/binned_data.h"
#include "almanac/gbdt/coded_gradients.h"
#include "almanac/gbdt/grown_tree.h"
#include "almanac/gbdt/params.h"
#include "almanac/gbdt/split.h"

namespace almanac::gbdt {

// What a tree is grown on: fixed-point numbers or doubles.
struct FixedPointSums {
  using Value = PackedBin;  // of a row
  using Bin = PackedBin;    // of a histogram
};
struct DoubleSums {
  // As objectives give them.
  struct Value {
    float gradient = 0, hessian = 0;
  };
  using Bin = HistogramBin;
};

template <typename Sums>
class GrowingTreeOf {
 public:
  using Value = typename Sums::Value;
  using Bin = typename Sums::Bin;

  struct Node {
    size_t begin = 0, end = 0;  // of the rows and their codes
    int depth = 0;
    LeafSums sums;
    Split best;
    int left = -1, right = -1;  // nodes, once it is split
    Bin* histogram = nullptr;   // of all tiles, if it is kept
    // By tile, a bit a slot: the columns that had a cut here. Descendants look at no others.
    std::shared_ptr<std::vector<uint16_t>> with_cut;
    size_t rows() const { return end - begin; }
  };

  // Begins a tree of one leaf with room for the codes of `rows`; Encode and SumUp are to follow.
  void Start(const BinnedData* data, const Params* params, std::span<const uint32_t> rows,
             const PackedScale& scale = {});
  std::span<Value> codes() { return codes_; }
  void SumUp();  // of the root, from the codes, in order

  // The leaves that may be split next: those that leaf-wise growth reaches if what is not known yet
  // were never better.
  std::vector<int> ToSplit() const;
  // Makes the children of a leaf, then parts its rows, which different threads may do for different
  // nodes.
  void MakeChildren(int node);
  void Part(int node);

  // The tree in the order of leaf-wise growth; the places of its leaves are then known, and of
  // doubles their rows ascend.
  GrownTree Finish();
  std::span<const uint32_t> LeafRows(size_t leaf) const { return RowsOf(leaf_node_[leaf]); }
  const LeafSums& leaf_sums(size_t leaf) const { return node(leaf_node_[leaf]).sums; }

  // Whether children of the node may be split in turn.
  static bool MayHaveGrandchildren(const Node& node, const Params& params) {
    const bool may_be_deeper = params.max_depth <= 0 || node.depth + 1 < params.max_depth;
    return may_be_deeper && node.sums.rows >= 2 * params.min_data_in_leaf;
  }

  Node& node(int n) { return nodes_[static_cast<size_t>(n)]; }
  const Node& node(int n) const { return nodes_[static_cast<size_t>(n)]; }
  std::span<const uint32_t> RowsOf(int n) const {
    return std::span(rows_).subspan(node(n).begin, node(n).rows());
  }
  std::span<const Value> CodesOf(int n) const {
    return std::span(codes_).subspan(node(n).begin, node(n).rows());
  }
  const PackedScale& scale() const { return scale_; }
  // Whether no row's hessian is below 0 (or no number).
  bool has_usual_hessians() const { return has_usual_hessians_; }

 private:
  void AddUpCodes(LeafSums& sums);
  template <typename OnSplit>
  std::vector<int> GrowLeafWise(const OnSplit& on_split) const;

  const BinnedData* data_ = nullptr;
  const Params* params_ = nullptr;
  PackedScale scale_;
  bool has_usual_hessians_ = true;
  std::vector<Node> nodes_;
  // Of all nodes, leaf beside leaf.
  std::vector<uint32_t> rows_, row_scratch_;
  std::vector<Value> codes_, code_scratch_;
  std::vector<int> leaf_node_;
};

using GrowingTree = GrowingTreeOf<FixedPointSums>;

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_GROWING_TREE_H_
