// The trees of a model laid out for prediction. Every question a tree asks becomes "is slot <=
// threshold": the slots of a row are its columns as one kind of node sees them, missing values,
// zeros and categories already decided. Inside this room.
//
// Two layouts of each tree. For one row: nodes of 16 bytes, siblings side by side, leaves that
// point to themselves, so that several trees can be walked in step without a branch. For many rows,
// if it has at most 64 leaves: all of its questions are asked of several rows at once, and each
// "no" strikes out the leaves to its left; the first leaf that is left is the row's (Lucchese et
// al. 2015, "QuickScorer: a Fast Algorithm to Rank Documents with Additive Ensembles of Regression
// Trees", without its order of questions).
#ifndef ALMANAC_GBDT_FLAT_FOREST_H_
#define ALMANAC_GBDT_FLAT_FOREST_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "almanac/gbdt/tree.h"

namespace almanac::gbdt {

// A question of a tree for many rows.
struct BitNode {
  double threshold;
  uint64_t kept;  // the leaves that a "no" leaves
  uint32_t slot;
};

class FlatForest {
 public:
  // Rows that are scored together.
  static constexpr size_t kBlockRows = 64;

  void Append(const Tree& tree);

  size_t trees() const { return trees_.size(); }
  size_t slots() const { return slots_.size(); }
  bool Uses(size_t column) const;

  // The slots of one row; `slots` has slots() places.
  void FillSlots(const double* row, double* slots) const;
  // Of kBlockRows rows: [slot * kBlockRows + row]. `value(column, row)` gives them.
  template <typename Value>
  void FillBlock(const Value& value, size_t rows, double* slots) const {
    for (size_t s = 1; s < slots_.size(); ++s) {
      double* out = slots + s * kBlockRows;
      for (size_t r = 0; r < rows; ++r) out[r] = value(slots_[s].column, r);
      if (slots_[s].rule == Rule::kAsItIs) continue;
      for (size_t r = 0; r < rows; ++r) out[r] = Decide(slots_[s], out[r]);
    }
  }

  // Calls take(tree, place) for every tree in order.
  template <typename Take>
  void Walk(const double* slots, const Take& take) const;
  // Adds tree t's values to the scores of a block of rows.
  void AddToBlock(size_t t, const double* slots, double* scores) const;

  double value(int32_t place) const { return values_[static_cast<size_t>(place)]; }
  int leaf(int32_t place) const { return leaves_[static_cast<size_t>(place)]; }

 private:
  static constexpr size_t kTogether = 8;  // trees, or rows, walked in step
  static constexpr int kBits = 64;

  // What a node sees in place of its column's value.
  enum class Rule : uint8_t {
    kAsItIs,       // NaN goes right
    kNanIsZero,    // NaN is 0
    kNanGoesLeft,  // NaN is -inf
    kZeroGoesLeft,
    kZeroGoesRight,  // so do NaN and 0
    kInSet           // 0 for the categories of the set, 1 for others
  };
  struct Slot {
    uint32_t column;
    Rule rule;
    uint32_t set;  // kInSet: of sets_
  };
  struct Node {
    double threshold;
    uint32_t slot;
    int32_t child;  // where the answer is yes; the other stands behind it. A leaf: itself
  };
  struct FlatTree {
    int32_t root = 0;
    int depth = 0;
    size_t first_bit = 0, bits = 0;  // of bit_nodes_
    size_t first_value = 0;          // of its leaves from left to right
    bool has_bits = false;
  };

  double Decide(const Slot& slot, double value) const {
    // Most are these; the loop over a row's slots is short.
    if (slot.rule == Rule::kNanIsZero) return std::isnan(value) ? 0.0 : value;
    return slot.rule == Rule::kAsItIs ? value : DecideRare(slot, value);
  }
  double DecideRare(const Slot& slot, double value) const;
  static Rule RuleOf(const Tree& tree, size_t node);
  uint32_t SlotOf(const Tree& tree, size_t node);
  void Place(const Tree& tree, int child, size_t at, int depth, FlatTree& flat);
  // Returns the leaves below as bits.
  uint64_t PlaceBits(const Tree& tree, int child, FlatTree& flat);
  void Step(const double* slots, std::span<int32_t, kTogether> at) const;
  bool AllAreLeaves(std::span<const int32_t, kTogether> at) const;

  std::vector<Slot> slots_ = {{0, Rule::kAsItIs, 0}};  // the first is 0, which leaves ask for
  std::vector<std::vector<uint32_t>> sets_;            // of categories: bit c for category c
  std::map<std::string, uint32_t> slot_by_key_;
  // The first is a leaf of no tree.
  std::vector<Node> nodes_ = {{std::numeric_limits<double>::infinity(), 0, 0}};
  std::vector<double> values_ = {0};  // one a node
  std::vector<int32_t> leaves_ = {0};
  std::vector<BitNode> bit_nodes_;
  std::vector<double> bit_values_;
  std::vector<FlatTree> trees_;
};

template <typename Take>
void FlatForest::Walk(const double* slots, const Take& take) const {
  for (size_t first = 0; first < trees_.size(); first += kTogether) {
    const size_t count = std::min(kTogether, trees_.size() - first);
    int32_t at[kTogether] = {};
    int depth = 0;
    for (size_t j = 0; j < count; ++j) {
      at[j] = trees_[first + j].root;
      depth = std::max(depth, trees_[first + j].depth);
    }
    // Deep trees are mostly shallow: from here on it pays to look whether all have arrived.
    constexpr int kFirstLook = 6, kLooks = 2;
    for (int step = 0; step < depth; ++step) {
      if (step >= kFirstLook && step % kLooks == 0 && AllAreLeaves(at)) break;
      Step(slots, at);
    }
    for (size_t j = 0; j < count; ++j) take(first + j, at[j]);
  }
}

inline void FlatForest::Step(const double* slots, std::span<int32_t, kTogether> at) const {
  for (size_t j = 0; j < kTogether; ++j) {
    const Node& node = nodes_[static_cast<size_t>(at[j])];
    at[j] = node.child + (slots[node.slot] <= node.threshold ? 0 : 1);
  }
}

inline bool FlatForest::AllAreLeaves(std::span<const int32_t, kTogether> at) const {
  bool all = true;
  for (const int32_t place : at) all &= nodes_[static_cast<size_t>(place)].child == place;
  return all;
}

// Adds, for each of FlatForest::kBlockRows rows, the value of its leaf to its score.
void AddBitTree(std::span<const BitNode> nodes, const double* values, const double* slots,
                double* scores);

}  // namespace almanac::gbdt

#endif  // ALMANAC_GBDT_FLAT_FOREST_H_
