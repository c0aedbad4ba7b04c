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
// With so many rows or more the halves of codes are below 2^15 (FixedPoint).
constexpr size_t kShortRows = 65536;

// Of one thread: histograms of a tile that are not kept.
struct Scratch {
  alignas(64) std::array<PackedBin, kTileBins * kTileWidth + kWordsBehind> smaller, larger;
  alignas(64) std::array<PackedBin, kTileWidth * kTogetherWords> together;
};

Scratch& OfThread() {
  thread_local const std::unique_ptr<Scratch> scratch = std::make_unique<Scratch>();
  return *scratch;  // NOLINT(clang-analyzer-cplusplus.NewDelete): it lives as long as the thread
}

}  // namespace

// Up to four classes in one pass: [row * 4 + tree].
void ForestGrower::InterleaveCodes(std::span<const size_t> together) {
  const size_t rows = trees_[together[0]].codes().size();
  are_short_ = rows >= kShortRows;
  const auto interleave = [&](auto& interleaved, const auto& code_of) {
    interleaved.resize(rows * kTogether);
    ForRowBlocks(rows, [&](size_t begin, size_t end) {
      for (size_t i = 0; i < kTogether; ++i) {
        auto* to = interleaved.data() + i;
        if (i >= together.size()) {
          for (size_t row = begin; row < end; ++row) to[row * kTogether] = {};
          continue;
        }
        const std::span<const PackedBin> codes = trees_[together[i]].codes();
        for (size_t row = begin; row < end; ++row) to[row * kTogether] = code_of(codes[row]);
      }
    });
  };
  if (are_short_) {
    interleave(short_codes_, [](PackedBin code) {
      return ShortCode{static_cast<int16_t>(PackedHessian(code)),
                       static_cast<int16_t>(PackedGradient(code))};
    });
  } else {
    interleave(interleaved_, [](PackedBin code) { return code; });
  }
}

// All trees' sums of a tile, in the thread's `together`.
void ForestGrower::AddTogether(size_t t, std::span<const size_t> together) const {
  const ColumnTile& tile = (*tiles_[together[0]])[t];
  const GrowingTree& any = trees_[together[0]];
  PackedBin* sums = OfThread().together.data();
  for (size_t column = 0; column < kTileWidth; ++column) {
    std::fill_n(sums + column * kTogetherWords, tile.bins * kTogether, PackedBin{0});
  }
  const std::span<const uint32_t> rows = any.RowsOf(0);
  const auto add = [&](const auto& codes) {
    for (size_t first = 0; first < kTileWidth; first += kHalfTile) {
      AddRowsTogether(tile.bytes, rows.data(), codes.data(), rows.size(), first,
                      sums + first * kTogetherWords);
    }
  };
  if (are_short_) {
    add(short_codes_);
  } else {
    add(interleaved_);
  }
}

// Of the tree with this place among those that were added up together.
void ForestGrower::TakeApart(size_t t, size_t place, size_t k, PackedBin* histogram) const {
  const Searched& searched = searched_[k][t];
  const size_t slots = searched.slots.count;
  const PackedBin* from = OfThread().together.data() + place;
  for (size_t bin = 0; bin < searched.bins; ++bin, from += kTogether, histogram += slots) {
    for (size_t s = 0; s < slots; ++s) {
      histogram[s] = from[searched.slots.place[s] * kTogetherWords];
    }
  }
}

void ForestGrower::SearchRoots(size_t t, std::span<const size_t> together) {
  const bool is_one = together.size() == 1;
  if (!is_one) AddTogether(t, together);
  const auto first = static_cast<size_t>(together.data() - wanted_.data());
  PackedBin* histogram = OfThread().smaller.data();
  for (size_t i = 0; i < together.size(); ++i) {
    if (is_one) {
      AddUp(t, together[i], 0, histogram);
    } else {
      TakeApart(t, i, together[i], histogram);
    }
    Search(t, histogram, *contests_[first + i]);
    Keep(t, histogram, *contests_[first + i]);
  }
}

void ForestGrower::AddUp(size_t t, size_t k, int node, PackedBin* histogram, Soon soon) const {
  const Searched& searched = searched_[k][t];
  std::fill_n(histogram, searched.Words(), PackedBin{0});
  const std::span<const uint32_t> rows = trees_[k].RowsOf(node);
  AddRows((*tiles_[k])[t].bytes, rows.data(), trees_[k].CodesOf(node).data(), rows.size(),
          searched.slots, histogram, soon);
}

void ForestGrower::SearchPair(size_t t, const Pair& pair) {
  const Searched& searched = searched_[pair.k][t];
  if (searched.slots.count == 0 || (*pair.of_smaller->looked_at)[t] == 0) return;
  Scratch& scratch = OfThread();
  PackedBin* smaller = scratch.smaller.data();
  if (pair.parent == nullptr) {
    for (const auto& [node, contest] :
         {std::pair(pair.smaller, pair.of_smaller), std::pair(pair.larger, pair.of_larger)}) {
      AddUp(t, pair.k, node, smaller);
      Search(t, smaller, *contest);
      Keep(t, smaller, *contest);
    }
    return;
  }
  const size_t words = searched.Words();
  PackedBin* parent = pair.parent + searched.first;
  AddUp(t, pair.k, pair.smaller, smaller, {parent, parent + words});
  Search(t, smaller, *pair.of_smaller);
  Keep(t, smaller, *pair.of_smaller);
  PackedBin* larger = IsKept(trees_[pair.k].node(pair.larger)) ? parent : scratch.larger.data();
  Subtract(parent, smaller, words, larger);
  Search(t, larger, *pair.of_larger);
}

// Copies a histogram of the thread's own to the node's place for it, if it has one.
void ForestGrower::Keep(size_t t, const PackedBin* histogram, const LeafContest& contest) const {
  const Searched& searched = searched_[contest.k][t];
  PackedBin* kept = trees_[contest.k].node(contest.node).histogram;
  if (kept != nullptr) std::copy_n(histogram, searched.Words(), kept + searched.first);
}

// Which columns have a cut, and the best of them.
void ForestGrower::Search(size_t t, const PackedBin* histogram, LeafContest& contest) const {
  const Searched& searched = searched_[contest.k][t];
  GainBounds bounds;
  BoundGains(histogram, searched.bins, searched.slots.count, searched.missing, contest.bounds(),
             &bounds);
  uint32_t with_cut = 0;
  if (!IsSettled(t, bounds, contest, &with_cut)) {
    if (!bounds.are_numbers) {
      LargestGains(histogram, searched.bins, searched.slots.count, searched.missing,
                   contest.bounds(), bounds.upper.data());
    }
    with_cut = ExamineSlots(t, searched.slots.count, bounds.upper, contest, [&](size_t slot) {
      return Examine(histogram, searched, slot, contest);
    });
  }
  (*contest.with_cut)[t] = static_cast<uint16_t>(with_cut);
}

bool ForestGrower::IsSettled(size_t t, const GainBounds& bounds, const LeafContest& contest,
                             uint32_t* with_cut) const {
  const uint16_t looked_at = (*contest.looked_at)[t];
  for (size_t slot = 0; slot < searched_[contest.k][t].slots.count; ++slot) {
    const float upper = bounds.upper[slot];
    if ((looked_at >> slot & 1U) == 0 || contest.HasNoCut(upper)) continue;
    if (!contest.SurelyHasCut(bounds.lower[slot]) || contest.MayWin(upper)) return false;
    *with_cut |= 1U << slot;
  }
  return true;
}

bool ForestGrower::Examine(const PackedBin* histogram, const Searched& searched, size_t slot,
                           LeafContest& contest) const {
  const BinMapper& mapper = data_.mapper(searched.feature[slot]);
  std::array<PackedBin, kTileBins> bins;
  for (size_t bin = 0; bin < mapper.bins(); ++bin) {
    bins[bin] = histogram[bin * searched.slots.count + slot];
  }
  bool is_splittable = false;
  Split found = FindSplit(std::span(bins).first(mapper.bins()), mapper, contest.sums(),
                          trees_[contest.k].scale(), params_, 0, &is_splittable);
  found.feature = searched.feature[slot];
  if (std::isfinite(found.gain)) contest.Enter(found);
  return is_splittable;
}

}  // namespace almanac::gbdt
