#include "almanac/gbdt/flat_forest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace almanac::gbdt {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kWordBits = 32;
// Between the two values of a slot that says whether a category is in a set.
constexpr double kInSetThreshold = 0.5;

bool IsZero(double value) { return std::abs(value) <= kZeroThreshold; }

bool Contains(std::span<const uint32_t> words, double value) {
  const double whole = std::trunc(value);
  if (!(whole >= 0) || whole >= static_cast<double>(words.size()) * kWordBits) return false;
  const auto category = static_cast<size_t>(whole);
  return ((words[category / kWordBits] >> (category % kWordBits)) & 1) != 0;
}

std::vector<uint32_t> SetOf(const Tree& tree, size_t node) {
  const auto set = static_cast<size_t>(tree.threshold[node]);
  return {tree.cat_threshold.begin() + tree.cat_boundaries[set],
          tree.cat_threshold.begin() + tree.cat_boundaries[set + 1]};
}

}  // namespace

FlatForest::Rule FlatForest::RuleOf(const Tree& tree, size_t node) {
  if (tree.IsCategorical(node)) return Rule::kInSet;
  const bool goes_left = tree.DefaultsLeft(node);
  switch (tree.MissingOf(node)) {
    case Missing::kZero:
      return goes_left ? Rule::kZeroGoesLeft : Rule::kZeroGoesRight;
    case Missing::kNan:
      return goes_left ? Rule::kNanGoesLeft : Rule::kAsItIs;
    case Missing::kNone:
      break;
  }
  return Rule::kNanIsZero;
}

uint32_t FlatForest::SlotOf(const Tree& tree, size_t node) {
  Slot slot{static_cast<uint32_t>(tree.split_feature[node]), RuleOf(tree, node), 0};
  std::vector<uint32_t> set;
  if (slot.rule == Rule::kInSet) set = SetOf(tree, node);
  const std::string key =
      fmt::format("{} {} {}", slot.column, static_cast<int>(slot.rule), fmt::join(set, ","));
  const auto [found, is_new] = slot_by_key_.emplace(key, static_cast<uint32_t>(slots_.size()));
  if (!is_new) return found->second;
  slot.set = static_cast<uint32_t>(sets_.size());
  if (slot.rule == Rule::kInSet) sets_.push_back(std::move(set));
  slots_.push_back(slot);
  return found->second;
}

bool FlatForest::Uses(size_t column) const {
  return std::any_of(slots_.begin() + 1, slots_.end(),
                     [&](const Slot& slot) { return slot.column == column; });
}

double FlatForest::DecideRare(const Slot& slot, double value) const {
  switch (slot.rule) {
    case Rule::kNanGoesLeft:
      return std::isnan(value) ? -kInfinity : value;
    case Rule::kZeroGoesLeft:
      return std::isnan(value) || IsZero(value) ? -kInfinity : value;
    case Rule::kZeroGoesRight:
      return IsZero(value) ? std::numeric_limits<double>::quiet_NaN() : value;
    case Rule::kInSet:
      return Contains(sets_[slot.set], value) ? 0.0 : 1.0;
    default:
      return value;
  }
}

void FlatForest::FillSlots(const double* row, double* slots) const {
  slots[0] = 0;
  for (size_t s = 1; s < slots_.size(); ++s) slots[s] = Decide(slots_[s], row[slots_[s].column]);
}

void FlatForest::Place(const Tree& tree, int child, size_t at, int depth, FlatTree& flat) {
  flat.depth = std::max(flat.depth, depth);
  if (child < 0) {
    const size_t leaf = LeafPlace(child);
    nodes_[at] = {kInfinity, 0, static_cast<int32_t>(at)};
    values_[at] = tree.leaf_value[leaf];
    leaves_[at] = static_cast<int32_t>(leaf);
    return;
  }
  const auto node = static_cast<size_t>(child);
  const size_t pair = nodes_.size();
  nodes_.resize(pair + 2);
  values_.resize(pair + 2, 0.0);
  leaves_.resize(pair + 2, 0);
  nodes_[at] = {tree.IsCategorical(node) ? kInSetThreshold : tree.threshold[node],
                SlotOf(tree, node), static_cast<int32_t>(pair)};
  Place(tree, tree.left_child[node], pair, depth + 1, flat);
  Place(tree, tree.right_child[node], pair + 1, depth + 1, flat);
}

uint64_t FlatForest::PlaceBits(const Tree& tree, int child, FlatTree& flat) {
  if (child < 0) {
    const size_t place = bit_values_.size() - flat.first_value;
    bit_values_.push_back(tree.leaf_value[LeafPlace(child)]);
    return uint64_t{1} << place;
  }
  const auto node = static_cast<size_t>(child);
  const uint64_t left = PlaceBits(tree, tree.left_child[node], flat);
  bit_nodes_.push_back({tree.IsCategorical(node) ? kInSetThreshold : tree.threshold[node], ~left,
                        SlotOf(tree, node)});
  return left | PlaceBits(tree, tree.right_child[node], flat);
}

void FlatForest::Append(const Tree& tree) {
  FlatTree flat;
  flat.root = static_cast<int32_t>(nodes_.size());
  nodes_.emplace_back();
  values_.push_back(0);
  leaves_.push_back(0);
  const int root = tree.nodes() == 0 ? ~0 : 0;
  Place(tree, root, static_cast<size_t>(flat.root), 0, flat);
  flat.has_bits = tree.leaves() <= kBits;
  if (flat.has_bits) {
    flat.first_bit = bit_nodes_.size();
    flat.first_value = bit_values_.size();
    PlaceBits(tree, root, flat);
    flat.bits = bit_nodes_.size() - flat.first_bit;
  }
  trees_.push_back(flat);
}

void FlatForest::AddToBlock(size_t t, const double* slots, double* scores) const {
  const FlatTree& tree = trees_[t];
  if (tree.has_bits) {
    AddBitTree(std::span(bit_nodes_).subspan(tree.first_bit, tree.bits),
               bit_values_.data() + tree.first_value, slots, scores);
    return;
  }
  for (size_t first = 0; first < kBlockRows; first += kTogether) {
    int32_t at[kTogether];
    std::fill(std::begin(at), std::end(at), tree.root);
    for (int step = 0; step < tree.depth && !AllAreLeaves(at); ++step) {
      for (size_t j = 0; j < kTogether; ++j) {
        const Node& node = nodes_[static_cast<size_t>(at[j])];
        const double value = slots[node.slot * kBlockRows + first + j];
        at[j] = node.child + (value <= node.threshold ? 0 : 1);
      }
    }
    for (size_t j = 0; j < kTogether; ++j) scores[first + j] += value(at[j]);
  }
}

}  // namespace almanac::gbdt
