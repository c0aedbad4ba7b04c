// The part of ForestGrower that goes through the tiles: histograms and their search.
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>

#include "almanac/gbdt/forest_grower.h"
#include "almanac/gbdt/row_blocks.h"

namespace almanac::gbdt {
namespace {

constexpr size_t kTogetherWords = kTileBins * kTogether;  // of a column

// Of one thread: histograms of a tile that are not kept.
struct Scratch {
  alignas(64) std::array<PackedBin, kTileBins * kTileWidth> smaller, larger;
  alignas(64) std::array<PackedBin, kTileWidth * kTogetherWords> together;
};

Scratch& OfThread() {
  thread_local const std::unique_ptr<Scratch> scratch = std::make_unique<Scratch>();
  return *scratch;
}

}  // namespace

// Up to four classes in one pass: [row * 4 + tree].
void ForestGrower::InterleaveCodes(std::span<const size_t> together) {
  const size_t rows = trees_[together[0]].codes().size();
  interleaved_.resize(rows * kTogether);
  ForRowBlocks(rows, [&](size_t begin, size_t end) {
    for (size_t i = 0; i < kTogether; ++i) {
      PackedBin* to = interleaved_.data() + i;
      if (i >= together.size()) {
        for (size_t row = begin; row < end; ++row) to[row * kTogether] = 0;
        continue;
      }
      const std::span<const PackedBin> codes = trees_[together[i]].codes();
      for (size_t row = begin; row < end; ++row) to[row * kTogether] = codes[row];
    }
  });
}

void ForestGrower::AddTogether(size_t t, std::span<const size_t> together) const {
  const ColumnTile& tile = (*tiles_[together[0]])[t];
  const GrowingTree& any = trees_[together[0]];
  PackedBin* sums = OfThread().together.data();
  for (size_t column = 0; column < kTileWidth; ++column) {
    std::fill_n(sums + column * kTogetherWords, tile.bins * kTogether, PackedBin{0});
  }
  for (size_t first = 0; first < kTileWidth; first += kHalfTile) {
    AddRowsTogether(tile.bytes, any.RowsOf(0).data(), interleaved_.data(), any.node(0).rows(),
                    first, sums + first * kTogetherWords);
  }
  for (size_t i = 0; i < together.size(); ++i) {
    const TileSlots& slots = searched_[together[i]][t].slots;
    PackedBin* bin = Of(tile, trees_[together[i]].node(0).histogram);
    const PackedBin* from = sums + i;
    for (const PackedBin* end = bin + Words(tile); bin < end; bin += kTileWidth) {
      for (size_t s = 0; s < slots.count; ++s) bin[s] = from[slots.place[s] * kTogetherWords];
      for (size_t s = slots.count; s < kTileWidth; ++s) bin[s] = 0;
      from += kTogether;
    }
  }
}

void ForestGrower::AddUp(size_t t, size_t k, int node, PackedBin* histogram, Soon soon) const {
  const ColumnTile& tile = (*tiles_[k])[t];
  std::fill_n(histogram, Words(tile), PackedBin{0});
  const std::span<const uint32_t> rows = trees_[k].RowsOf(node);
  AddRows(tile.bytes, rows.data(), trees_[k].CodesOf(node).data(), rows.size(),
          searched_[k][t].slots, histogram, soon);
}

void ForestGrower::SearchPair(size_t t, const Pair& pair) {
  if (searched_[pair.k][t].slots.count == 0) return;
  if ((*pair.of_smaller->looked_at)[t] == 0) return;
  const ColumnTile& tile = (*tiles_[pair.k])[t];
  GrowingTree& tree = trees_[pair.k];
  const auto place_of = [&](int node, PackedBin* otherwise) {
    PackedBin* kept = tree.node(node).histogram;
    return kept == nullptr ? otherwise : Of(tile, kept);
  };
  Scratch& scratch = OfThread();
  PackedBin* smaller = place_of(pair.smaller, scratch.smaller.data());
  Soon soon;
  if (pair.parent != nullptr) {
    soon = {Of(tile, pair.parent), Of(tile, pair.parent) + Words(tile)};
  }
  AddUp(t, pair.k, pair.smaller, smaller, soon);
  Search(t, smaller, *pair.of_smaller);
  PackedBin* larger = place_of(pair.larger, scratch.smaller.data());
  if (pair.parent == nullptr) {
    AddUp(t, pair.k, pair.larger, larger);
    Search(t, larger, *pair.of_larger);
    return;
  }
  if (!IsKept(tree.node(pair.larger))) larger = scratch.larger.data();
  SlotNumbers numbers;
  LargestGainsOfRest(Of(tile, pair.parent), smaller, larger, tile.bins,
                     searched_[pair.k][t].missing, pair.of_larger->bounds(), numbers.data());
  Settle(t, larger, numbers, *pair.of_larger);
}

void ForestGrower::Search(size_t t, const PackedBin* histogram, LeafContest& contest) const {
  SlotNumbers numbers;
  LargestGains(histogram, (*tiles_[contest.k])[t].bins, searched_[contest.k][t].missing,
               contest.bounds(), numbers.data());
  Settle(t, histogram, numbers, contest);
}

void ForestGrower::Settle(size_t t, const PackedBin* histogram, const SlotNumbers& numbers,
                          LeafContest& contest) const {
  const Searched& searched = searched_[contest.k][t];
  uint16_t& with_cut = (*contest.with_cut)[t];
  for (size_t slot = 0; slot < searched.slots.count; ++slot) {
    const float number = numbers[slot];
    const uint32_t bit = 1U << slot;
    if (((*contest.looked_at)[t] & bit) == 0 || contest.HasNoCut(number)) continue;
    bool has_cut = contest.SurelyHasCut(number);
    if (!has_cut || contest.MayWin(number)) {
      has_cut |= Examine(histogram, slot, searched.feature[slot], contest);
    }
    if (has_cut) with_cut = static_cast<uint16_t>(with_cut | bit);
  }
}

bool ForestGrower::Examine(const PackedBin* histogram, size_t slot, uint32_t feature,
                           LeafContest& contest) const {
  const BinMapper& mapper = data_.mapper(feature);
  std::array<PackedBin, kTileBins> bins;
  for (size_t bin = 0; bin < mapper.bins(); ++bin) bins[bin] = histogram[bin * kTileWidth + slot];
  bool is_splittable = false;
  Split found = FindSplit(std::span(bins).first(mapper.bins()), mapper, contest.sums(),
                          trees_[contest.k].scale(), params_, 0, &is_splittable);
  found.feature = feature;
  if (std::isfinite(found.gain)) contest.Enter(found);
  return is_splittable;
}

}  // namespace almanac::gbdt
