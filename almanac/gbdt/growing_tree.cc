#include "almanac/gbdt/growing_tree.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <type_traits>

namespace almanac::gbdt {
namespace {

constexpr int kUnknown = -1;
// How many rows ahead a row's bin is asked for: they lie far apart.
constexpr size_t kAhead = 32;

}  // namespace

template <typename Sums>
void GrowingTreeOf<Sums>::Start(const BinnedData* data, const Params* params,
                                std::span<const uint32_t> rows, const PackedScale& scale) {
  data_ = data;
  params_ = params;
  scale_ = scale;
  rows_.assign(rows.begin(), rows.end());
  row_scratch_.resize(rows.size());
  codes_.resize(rows.size());
  code_scratch_.resize(rows.size());
  nodes_.assign(1, Node());
  nodes_[0].end = rows.size();
}

template <>
void GrowingTreeOf<FixedPointSums>::AddUpCodes(LeafSums& sums) {
  for (const PackedBin code : codes_) sums.packed += code;
  sums.gradient = PackedGradient(sums.packed) * scale_.gradient;
  sums.hessian = PackedHessian(sums.packed) * scale_.hessian;
}

template <>
void GrowingTreeOf<DoubleSums>::AddUpCodes(LeafSums& sums) {
  has_usual_hessians_ = true;
  for (const DoubleSums::Value& code : codes_) {
    has_usual_hessians_ &= code.hessian >= 0;
    sums.gradient += code.gradient;
    sums.hessian += code.hessian;
  }
}

template <typename Sums>
void GrowingTreeOf<Sums>::SumUp() {
  LeafSums& sums = nodes_[0].sums;
  AddUpCodes(sums);
  sums.rows = static_cast<int>(rows_.size());
  // Not smoothed: the root has no parent.
  Params plain = *params_;
  plain.path_smooth = 0;
  sums.output = LeafOutput(sums.gradient, sums.hessian, plain, plain.lambda_l2, sums.rows, 0);
}

// Calls on_split(leaf number, node, number of leaves) split by split; nodes without children have
// unknown ones. Returns the node of each leaf.
template <typename Sums>
template <typename OnSplit>
std::vector<int> GrowingTreeOf<Sums>::GrowLeafWise(const OnSplit& on_split) const {
  std::vector<int> leaves = {0};
  const Split none;
  const auto best_of = [&](int n) -> const Split& { return n == kUnknown ? none : node(n).best; };
  while (leaves.size() < static_cast<size_t>(params_->num_leaves)) {
    size_t best = 0;
    for (size_t leaf = 1; leaf < leaves.size(); ++leaf) {
      if (best_of(leaves[leaf]).IsBetterThan(best_of(leaves[best]))) best = leaf;
    }
    const int chosen = leaves[best];
    if (!(best_of(chosen).gain > 0)) break;
    on_split(best, chosen, leaves.size());
    leaves[best] = node(chosen).left;
    leaves.push_back(node(chosen).right);
  }
  return leaves;
}

template <typename Sums>
std::vector<int> GrowingTreeOf<Sums>::ToSplit() const {
  std::vector<int> nodes;
  GrowLeafWise([&](size_t, int n, size_t) {
    if (node(n).left == kUnknown) nodes.push_back(n);
  });
  return nodes;
}

template <typename Sums>
void GrowingTreeOf<Sums>::MakeChildren(int n) {
  const int left = static_cast<int>(nodes_.size());
  nodes_.resize(nodes_.size() + 2);
  Node& parent = node(n);
  parent.left = left;
  parent.right = left + 1;
  Node& first = node(left);
  Node& second = node(left + 1);
  first.sums = parent.best.left;
  second.sums = parent.best.right;
  first.depth = second.depth = parent.depth + 1;
}

// Both sides keep their order.
template <typename Sums>
void GrowingTreeOf<Sums>::Part(int n) {
  const Node& parent = node(n);
  const BinMapper& mapper = data_->mapper(parent.best.feature);
  std::array<uint8_t, 256> is_left{};
  for (uint32_t bin = 0; bin < mapper.bins(); ++bin) {
    const bool is_missing = mapper.missing() == Missing::kNan && bin == mapper.bins() - 1;
    is_left[bin] = is_missing ? parent.best.defaults_left : bin <= parent.best.threshold;
  }
  const size_t place = data_->place(parent.best.feature);
  const uint8_t* bins = data_->tile(data_->tile_of(parent.best.feature)) + place;
  const auto bin_of = [&](size_t i) { return bins + size_t{rows_[i]} * BinnedData::kTileColumns; };
  size_t left = parent.begin, right = parent.begin;
  for (size_t i = parent.begin; i < parent.end; ++i) {
    if (i + kAhead < parent.end) __builtin_prefetch(bin_of(i + kAhead));
    const uint8_t bin = *bin_of(i);
    const uint32_t row = rows_[i];
    const Value code = codes_[i];
    const size_t side = is_left[bin];
    rows_[left] = row_scratch_[right] = row;
    codes_[left] = code_scratch_[right] = code;
    left += side;
    right += 1 - side;
  }
  const auto count = static_cast<std::ptrdiff_t>(right - parent.begin);
  const auto begin = static_cast<std::ptrdiff_t>(parent.begin);
  const auto middle = static_cast<std::ptrdiff_t>(left);
  std::copy_n(row_scratch_.begin() + begin, count, rows_.begin() + middle);
  std::copy_n(code_scratch_.begin() + begin, count, codes_.begin() + middle);
  Node& first = node(parent.left);
  Node& second = node(parent.right);
  first.begin = parent.begin;
  first.end = second.begin = left;
  second.end = parent.end;
  first.sums.rows = static_cast<int>(first.rows());
  second.sums.rows = static_cast<int>(second.rows());
}

template <typename Sums>
GrownTree GrowingTreeOf<Sums>::Finish() {
  GrownTree grown;
  struct Link {
    int node;
    bool is_left;
  };
  std::vector<Link> links = {{kUnknown, false}};  // by leaf: where it hangs
  leaf_node_ = GrowLeafWise([&](size_t leaf, int n, size_t leaves) {
    const auto place = static_cast<int>(grown.tree.nodes());
    const Link link = links[leaf];
    if (link.node != kUnknown) {
      auto& children = link.is_left ? grown.tree.left_child : grown.tree.right_child;
      children[static_cast<size_t>(link.node)] = place;
    }
    const Node& at = node(n);
    grown.Append(*data_, at.sums, at.best, at.best.gain + params_->min_gain_to_split,
                 static_cast<int>(leaf), static_cast<int>(leaves));
    links[leaf] = {place, true};
    links.push_back({place, false});
  });
  for (const int n : leaf_node_) {
    if constexpr (std::is_same_v<Sums, DoubleSums>) {
      // It was parted in vain; sums of doubles depend on the order of rows.
      const auto rows = rows_.begin() + static_cast<std::ptrdiff_t>(node(n).begin);
      if (node(n).left != kUnknown) {
        std::sort(rows, rows + static_cast<std::ptrdiff_t>(node(n).rows()));
      }
    }
    const LeafSums& sums = node(n).sums;
    grown.tree.leaf_value.push_back(std::isnan(sums.output) ? 0 : sums.output);
    grown.tree.leaf_weight.push_back(sums.hessian);
    grown.tree.leaf_count.push_back(sums.rows);
  }
  return grown;
}

template class GrowingTreeOf<FixedPointSums>;
template class GrowingTreeOf<DoubleSums>;

}  // namespace almanac::gbdt
