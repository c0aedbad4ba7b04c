#include "almanac/gbdt/exact_forest.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "almanac/base/parallel.h"
#include "almanac/gbdt/largest_cuts.h"
#include "almanac/gbdt/row_blocks.h"

namespace almanac::gbdt {
namespace {

// What the last cache may hold.
constexpr size_t kCacheBytes = size_t{128} << 20;
// Less hessian in a side may be lost in rounding, and its gain mean nothing.
constexpr double kLeastWeight = 1e-9;

using TileHistogram = std::array<HistogramBin, kTileBins * kTileWidth + kBinsBehind>;
constexpr size_t kColumnBins = kTileBins * kTogether;  // of trees that are added up together

// Of one thread: histograms of a tile that are not kept.
struct Scratch {
  alignas(64) TileHistogram smaller, larger;
  alignas(64) std::array<TileHistogram, kTogether> roots;
  alignas(64) std::array<HistogramBin, kQuarterTile * kColumnBins> together;
};

Scratch& OfThread() {
  thread_local const std::unique_ptr<Scratch> scratch = std::make_unique<Scratch>();
  return *scratch;  // NOLINT(clang-analyzer-cplusplus.NewDelete): it lives as long as the thread
}

// A tree's histograms, at most.
size_t BytesOfTree(const BinnedData& data, const Params& params) {
  auto leaves = static_cast<size_t>(params.num_leaves);
  // The last level is not searched, and what is above it not kept.
  constexpr int kDeep = 20;
  if (params.max_depth > 0 && params.max_depth < kDeep) {
    leaves = std::min(leaves, size_t{1} << std::max(0, params.max_depth - 2));
  }
  return leaves * LargestHistogram(data, params.feature_fraction) * sizeof(HistogramBin);
}

}  // namespace

bool ExactForest::Suits(const BinnedData& data, const Params& params) {
  if (!params.exact || params.min_data_in_leaf < 1) return false;
  if (params.min_sum_hessian_in_leaf + params.lambda_l2 < kLeastWeight) return false;
  return CanGrowByLevels(data, params);
}

ExactForest::ExactForest(const BinnedData& data, const Params& params, size_t classes,
                         size_t most_bytes)
    : LevelGrower(data, params, classes, std::numeric_limits<size_t>::max()),
      most_together_(std::clamp<size_t>(most_bytes / std::max<size_t>(1, BytesOfTree(data, params)),
                                        1, classes)),
      searched_(classes) {}

size_t ExactForest::Bytes(const BinnedData& data, const Params& params) {
  const size_t of_tree = BytesOfTree(data, params);
  return std::max(of_tree, std::min(kMostBytes, of_tree * static_cast<size_t>(params.num_class)));
}

std::vector<GrownTree> ExactForest::Grow(std::span<const float> gradients,
                                         std::span<const float> hessians,
                                         std::span<const uint32_t> rows,
                                         const std::vector<uint8_t>& wanted) {
  std::vector<size_t> classes;
  for (size_t k = 0; k < trees_.size(); ++k) {
    if (wanted[k] != 0) classes.push_back(k);
  }
  std::vector<GrownTree> grown(trees_.size());
  for (size_t first = 0; first < classes.size(); first += most_together_) {
    const size_t count = std::min(most_together_, classes.size() - first);
    together_ = std::span(classes).subspan(first, count);
    for (const size_t k : together_) ChooseColumns(k);
    MakeRoom();
    ParallelFor(count, [&](size_t i) { StartTree(together_[i], gradients, hessians, rows); });
    GrowRoots();
    while (GrowLevel(together_)) {
    }
    ParallelFor(count, [&](size_t i) { grown[together_[i]] = trees_[together_[i]].Finish(); });
  }
  return grown;
}

void ExactForest::ChooseColumns(size_t k) {
  std::vector<uint8_t> is_chosen(data_.features(), 0);
  for (const uint32_t feature : sample_.Next()) is_chosen[feature] = 1;
  searched_[k].assign(data_.tiles(), Searched());
  size_t first = 0;
  for (size_t t = 0; t < data_.tiles(); ++t) {
    Searched& searched = searched_[k][t];
    searched.missing.bin.fill(kNoMissing);
    for (size_t f = data_.first_of_tile(t); f < data_.first_of_tile(t + 1); ++f) {
      if (is_chosen[f] != 0) searched.Append(static_cast<uint32_t>(f), data_);
    }
    searched.first = first;
    first += searched.Room();
  }
}

void ExactForest::Searched::Append(uint32_t f, const BinnedData& data) {
  const BinMapper& mapper = data.mapper(f);
  const size_t slot = slots.count++;
  slots.place[slot] = static_cast<uint8_t>(data.place(f));
  feature[slot] = f;
  frequent_bin[slot] = mapper.frequent_bin();
  bins = std::max<size_t>(bins, mapper.bins());
  // Missing values of two bins go nowhere else than their bin does.
  if (mapper.missing() != Missing::kNan || mapper.bins() <= 2) return;
  missing.bin[slot] = static_cast<int32_t>(mapper.bins() - 1);
  missing.first_is_rest[slot] = mapper.frequent_bin() == 0 ? -1 : 0;
}

// For histograms of the columns that were chosen. Trees choose others each time: a little more
// than what is needed now.
void ExactForest::MakeRoom() {
  size_t bins = 0;
  for (const size_t k : together_) {
    const Searched& last = searched_[k].back();
    bins = std::max(bins, last.first + last.Room());
  }
  pool_.MakeRoom(bins, bins / 16);
}

void ExactForest::StartTree(size_t k, std::span<const float> gradients,
                            std::span<const float> hessians, std::span<const uint32_t> rows) {
  trees_[k].Start(&data_, &params_, rows);
  const size_t first = k * data_.rows();
  const std::span<GradientPair> values = trees_[k].codes();
  for (size_t i = 0; i < rows.size(); ++i) {
    values[i] = {gradients[first + rows[i]], hessians[first + rows[i]]};
  }
  trees_[k].SumUp();
}

void ExactForest::GrowRoots() {
  contests_.clear();
  constexpr uint16_t kAll = std::numeric_limits<uint16_t>::max();
  for (const size_t k : together_) {
    Open(k, 0, std::make_shared<std::vector<uint16_t>>(data_.tiles(), kAll));
    Node& root = trees_[k].node(0);
    if (IsKept(root)) root.histogram = pool_.Take();
  }
  for (size_t first = 0; first < together_.size(); first += kTogether) {
    GrowRoots(together_.subspan(first, std::min(kTogether, together_.size() - first)));
  }
  FinishSearch();
}

void ExactForest::GrowRoots(std::span<const size_t> together) {
  if (together.size() > 1) Interleave(together);
  ParallelFor(data_.tiles(), [&](size_t t) { SearchRoots(t, together); });
}

// The values of up to four classes: [row * 4 + tree].
void ExactForest::Interleave(std::span<const size_t> together) {
  const size_t rows = trees_[together[0]].codes().size();
  interleaved_.assign(rows * kTogether, GradientPair());
  ForRowBlocks(rows, [&](size_t begin, size_t end) {
    for (size_t i = 0; i < together.size(); ++i) {
      const std::span<const GradientPair> values = trees_[together[i]].codes();
      for (size_t row = begin; row < end; ++row) interleaved_[row * kTogether + i] = values[row];
    }
  });
}

// The sums of the node's rows in the tile; what is behind `soon` is asked for meanwhile.
void ExactForest::AddUp(size_t t, size_t k, int node, HistogramBin* histogram,
                        const HistogramBin* soon) const {
  const Searched& searched = searched_[k][t];
  const Tree& tree = trees_[k];
  const size_t bins = searched.Bins();
  std::fill_n(histogram, bins, HistogramBin());
  const std::span<const uint32_t> rows = tree.RowsOf(node);
  AddPairs(data_.tile(t), rows.data(), tree.CodesOf(node).data(), rows.size(), searched.slots,
           histogram, {soon, soon == nullptr ? 0 : bins / kLineBins});
}

void ExactForest::Reconstruct(size_t t, size_t k, int node, HistogramBin* histogram) const {
  const Searched& searched = searched_[k][t];
  const LeafSums& sums = trees_[k].node(node).sums;
  ReconstructFrequentBins(histogram, searched.bins, searched.slots.count, searched.frequent_bin,
                          {sums.gradient, sums.hessian});
}

// All columns of the tile, four at a time, for all these trees, which then take theirs.
void ExactForest::AddRootsTogether(size_t t, std::span<const size_t> together) const {
  Scratch& scratch = OfThread();
  const std::span<const uint32_t> rows = trees_[together[0]].RowsOf(0);
  for (size_t first = 0; first < kTileWidth; first += kQuarterTile) {
    scratch.together.fill({});
    AddPairsTogether(data_.tile(t), rows.data(), interleaved_.data(), rows.size(), first,
                     scratch.together.data());
    for (size_t i = 0; i < together.size(); ++i) {
      const Searched& searched = searched_[together[i]][t];
      for (size_t s = 0; s < searched.slots.count; ++s) {
        const size_t column = searched.slots.place[s] - first;
        if (column >= kQuarterTile) continue;
        const HistogramBin* from = scratch.together.data() + column * kColumnBins + i;
        HistogramBin* to = scratch.roots[i].data() + s;
        for (size_t bin = 0; bin < searched.bins; ++bin) {
          to[bin * searched.slots.count] = from[bin * kTogether];
        }
      }
    }
  }
}

// Histograms that find room in the caches together are left there.
void ExactForest::Keep(const HistogramBin* bins, size_t count, HistogramBin* to) const {
  if (pool_.bytes() > kCacheBytes) {
    KeepBins(bins, count, to);
  } else {
    std::copy_n(bins, count, to);
  }
}

void ExactForest::SearchRoots(size_t t, std::span<const size_t> together) {
  size_t slots = 0;
  for (const size_t k : together) slots += searched_[k][t].slots.count;
  const bool adds_together = together.size() > 1 && PaysTogether(slots);
  if (adds_together) AddRootsTogether(t, together);
  const auto first = static_cast<size_t>(together.data() - together_.data());
  for (size_t i = 0; i < together.size(); ++i) {
    const size_t k = together[i];
    const Searched& searched = searched_[k][t];
    if (searched.slots.count == 0) continue;
    HistogramBin* histogram = OfThread().roots[i].data();
    if (!adds_together) AddUp(t, k, 0, histogram, nullptr);
    Reconstruct(t, k, 0, histogram);
    Search(t, histogram, *contests_[first + i]);
    HistogramBin* kept = trees_[k].node(0).histogram;
    if (kept != nullptr) Keep(histogram, searched.Bins(), kept + searched.first);
  }
}

void ExactForest::SearchPair(size_t t, const Pair& pair) {
  const Searched& searched = searched_[pair.k][t];
  const size_t bins = searched.Bins();
  if (bins == 0 || (*pair.of_smaller->looked_at)[t] == 0) return;
  Tree& tree = trees_[pair.k];
  HistogramBin* parent = pair.parent + searched.first;
  HistogramBin* smaller = OfThread().smaller.data();
  AddUp(t, pair.k, pair.smaller, smaller, parent);
  Reconstruct(t, pair.k, pair.smaller, smaller);
  Search(t, smaller, *pair.of_smaller);
  HistogramBin* kept = tree.node(pair.smaller).histogram;
  if (kept != nullptr) Keep(smaller, bins, kept + searched.first);
  HistogramBin* larger = IsKept(tree.node(pair.larger)) ? parent : OfThread().larger.data();
  SubtractBins(parent, smaller, bins, larger);
  Search(t, larger, *pair.of_larger);
}

void ExactForest::Search(size_t t, const HistogramBin* histogram, ExactContest& contest) const {
  if (contest.IsTooSmall()) return;
  const Searched& searched = searched_[contest.k][t];
  std::array<double, kTileWidth> numbers;
  if (contest.ExaminesAll()) {
    numbers.fill(std::numeric_limits<double>::quiet_NaN());
  } else {
    LargestCuts(histogram, searched.bins, searched.slots.count, searched.missing, contest.leaf(),
                numbers.data());
  }
  const uint32_t with_cut =
      ExamineSlots(t, searched.slots.count, numbers, contest,
                   [&](size_t slot) { return Examine(histogram, searched, slot, contest); });
  (*contest.with_cut)[t] = static_cast<uint16_t>(with_cut);
}

bool ExactForest::Examine(const HistogramBin* histogram, const Searched& searched, size_t slot,
                          ExactContest& contest) const {
  const BinMapper& mapper = data_.mapper(searched.feature[slot]);
  std::array<HistogramBin, kTileBins> bins;
  for (size_t bin = 0; bin < mapper.bins(); ++bin) {
    bins[bin] = histogram[bin * searched.slots.count + slot];
  }
  bool is_splittable = false;
  Split found = FindSplit(std::span(bins).first(mapper.bins()), mapper, contest.sums(), params_, 0,
                          &is_splittable);
  found.feature = searched.feature[slot];
  if (found.gain > -std::numeric_limits<double>::infinity()) contest.Enter(found);
  return is_splittable;
}

}  // namespace almanac::gbdt
