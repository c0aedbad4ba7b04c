#include "almanac/gbdt/largest_cuts.h"

#include <algorithm>
#include <cmath>

// Few instruction sets are worth their compilation.
#define HWY_DISABLED_TARGETS \
  (HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "almanac/gbdt/largest_cuts.cc"
#include <hwy/foreach_target.h>  // compiles what follows once for each instruction set

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace almanac::gbdt::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR  // without vectors: the plain loops

// One slot's cuts, bins coming to a side one after another.
class SlotScan {
 public:
  SlotScan(const CutLeaf& leaf, const HistogramBin& side, int rows)
      : leaf_(leaf), side_(side), rows_(rows) {}

  void Add(const HistogramBin& bin) {
    side_ += bin;
    rows_ += RoundCount(bin.hessian * leaf_.rows_per_hessian);
    Look();
  }
  void Look() {
    const double rest = leaf_.hessian - side_.hessian;
    const bool is_big = side_.hessian >= leaf_.least_hessian && rows_ >= leaf_.least_rows;
    const bool rest_is_big = rest >= leaf_.least_hessian && leaf_.rows - rows_ >= leaf_.least_rows;
    has_ended_ |= is_big && !rest_is_big;
    if (!is_big || has_ended_) return;
    const double mean = leaf_.gradient / (leaf_.hessian + 2 * leaf_.l2);
    const double weight = side_.hessian + leaf_.l2;
    const double distance = side_.gradient - mean * weight;
    largest_ = std::max(largest_, distance * distance / (weight * (rest + leaf_.l2)));
  }
  double largest() const { return largest_; }

 private:
  const CutLeaf& leaf_;
  HistogramBin side_;
  int rows_;
  bool has_ended_ = false;
  double largest_ = -1;
};

double LargestFromLeft(const HistogramBin* histogram, size_t bins, size_t slots, size_t missing,
                       bool first_is_rest, const CutLeaf& leaf) {
  HistogramBin side{0, kEpsilon};
  int rows = 0;
  if (first_is_rest) {
    side = {leaf.gradient, leaf.hessian - kEpsilon};
    rows = leaf.rows;
    for (size_t bin = 1; bin < bins; ++bin) {
      side -= histogram[bin * slots];
      rows -= RoundCount(histogram[bin * slots].hessian * leaf.rows_per_hessian);
    }
  }
  SlotScan scan(leaf, side, rows);
  if (first_is_rest) scan.Look();
  for (size_t bin = first_is_rest ? 1 : 0; bin < bins; ++bin) {
    if (bin != missing) scan.Add(histogram[bin * slots]);
  }
  return scan.largest();
}

void FindLargestCuts(const HistogramBin* histogram, size_t bins, size_t slots,
                     const MissingBins& missing, const CutLeaf& leaf, double* numbers) {
  for (size_t s = 0; s < slots; ++s) {
    const auto missing_at = static_cast<size_t>(missing.bin[s]);
    SlotScan scan(leaf, {0, kEpsilon}, 0);
    for (size_t bin = bins - 1; bin >= 1; --bin) {
      if (bin != missing_at) scan.Add(histogram[bin * slots + s]);
    }
    numbers[s] = scan.largest();
    if (missing.bin[s] == kNoMissing) continue;
    numbers[s] = std::max(numbers[s], LargestFromLeft(histogram + s, bins, slots, missing_at,
                                                      missing.first_is_rest[s] != 0, leaf));
  }
}

#else

using Doubles = hn::CappedTag<double, 8>;
using Vector = hn::Vec<Doubles>;
using Mask = hn::Mask<Doubles>;

// a / b, or nearly.
HWY_INLINE Vector Quotient(Vector a, Vector b) {
#if HWY_TARGET == HWY_AVX3
  return hn::Mul(a, Vector{_mm512_rcp14_pd(b.raw)});
#else
  return hn::Div(a, b);
#endif
}

// A side grows by hessians of at least 0, but for rounding: where it is above the least by this
// share of the leaf's, it stays so.
constexpr double kSureShare = 1e-4;

// What stays the same for all bins.
struct LeafLanes {
  HWY_INLINE explicit LeafLanes(const CutLeaf& leaf)
      : gradient(hn::Set(Doubles(), leaf.gradient)),
        hessian(hn::Set(Doubles(), leaf.hessian)),
        least_hessian(hn::Set(Doubles(), leaf.least_hessian)),
        sure_hessian(hn::Set(Doubles(), leaf.least_hessian + kSureShare * leaf.hessian)),
        rows(hn::Set(Doubles(), static_cast<double>(leaf.rows))),
        least_rows(hn::Set(Doubles(), static_cast<double>(leaf.least_rows))),
        most_rows(hn::Sub(rows, least_rows)),
        rows_per_hessian(hn::Set(Doubles(), leaf.rows_per_hessian)),
        mean(hn::Set(Doubles(), leaf.gradient / (leaf.hessian + 2 * leaf.l2))),
        l2(hn::Set(Doubles(), leaf.l2)) {}

  // RoundCount of a bin's hessian: rounded after either operation.
  HWY_INLINE Vector RowsOf(Vector h) const {
    return hn::Trunc(hn::Add(hn::Mul(h, rows_per_hessian), hn::Set(Doubles(), 0.5)));
  }

  Vector gradient, hessian, least_hessian, sure_hessian, rows, least_rows, most_rows,
      rows_per_hessian, mean, l2;
};

struct BinLanes {
  HWY_INLINE explicit BinLanes(const HistogramBin* bin) {
    const Doubles tag;
    const auto* at = reinterpret_cast<const double*>(bin);
    const auto low = hn::LoadU(tag, at), high = hn::LoadU(tag, at + hn::Lanes(tag));
    gradient = hn::ConcatEven(tag, high, low);
    hessian = hn::ConcatOdd(tag, high, low);
  }
  HWY_INLINE void ZeroWhere(Mask mask) {
    gradient = hn::IfThenZeroElse(mask, gradient);
    hessian = hn::IfThenZeroElse(mask, hessian);
  }

  Vector gradient, hessian;
};

// Sides that grow bin by bin.
struct SideLanes {
  HWY_INLINE SideLanes()
      : gradient(hn::Zero(Doubles())),
        hessian(hn::Set(Doubles(), kEpsilon)),
        rows(hn::Zero(Doubles())),
        best(hn::Set(Doubles(), -1.0)),
        has_ended(hn::Gt(best, hn::Zero(Doubles()))) {}

  HWY_INLINE void Add(const BinLanes& bin, const LeafLanes& leaf) {
    gradient = hn::Add(gradient, bin.gradient);
    hessian = hn::Add(hessian, bin.hessian);
    rows = hn::Add(rows, leaf.RowsOf(bin.hessian));
  }

  // The cuts between the sides and the rest. Behind the first whose rest is too small while its
  // side is not, there are none.
  template <bool kHasL2>
  HWY_INLINE void Look(const LeafLanes& leaf) {
    const auto rest = hn::Sub(leaf.hessian, hessian);
    const auto is_big = hn::And(hn::Ge(hessian, leaf.least_hessian), hn::Ge(rows, leaf.least_rows));
    has_ended = hn::Or(has_ended, hn::AndNot(IsRestBig(leaf, rest), is_big));
    const auto number = Number<kHasL2>(leaf, rest);
    best = hn::IfThenElse(hn::AndNot(has_ended, is_big), hn::Max(best, number), best);
  }

  // Whether all sides are big enough and will stay so, and none has ended; `others` do not count.
  HWY_INLINE bool AreInMiddle(const LeafLanes& leaf, Mask others) const {
    const auto is_big = hn::And(hn::Ge(hessian, leaf.sure_hessian), hn::Ge(rows, leaf.least_rows));
    return hn::AllTrue(Doubles(), hn::Or(hn::AndNot(has_ended, is_big), others));
  }
  // What Look does then; false, and nothing, where some rest is too small.
  template <bool kHasL2>
  HWY_INLINE bool LookInMiddle(const LeafLanes& leaf, Mask others) {
    const auto rest = hn::Sub(leaf.hessian, hessian);
    if (!hn::AllTrue(Doubles(), hn::Or(IsRestBig(leaf, rest), others))) return false;
    best = hn::Max(best, Number<kHasL2>(leaf, rest));
    return true;
  }

  HWY_INLINE Mask IsRestBig(const LeafLanes& leaf, Vector rest) const {
    return hn::And(hn::Ge(rest, leaf.least_hessian), hn::Le(rows, leaf.most_rows));
  }
  template <bool kHasL2>
  HWY_INLINE Vector Number(const LeafLanes& leaf, Vector rest) const {
    auto weight = hessian, rest_weight = rest;
    if constexpr (kHasL2) {
      weight = hn::Add(weight, leaf.l2);
      rest_weight = hn::Add(rest_weight, leaf.l2);
    }
    const auto distance = hn::NegMulAdd(leaf.mean, weight, gradient);
    return Quotient(hn::Mul(distance, distance), hn::Mul(weight, rest_weight));
  }

  Vector gradient, hessian, rows, best;
  Mask has_ended;
};

// Columns without missing values; `others` are lanes without a column. Between the ends all sides
// are big enough, and less is to be asked.
template <bool kHasL2>
HWY_INLINE Vector LargestOfComplete(const HistogramBin* histogram, size_t bins, size_t slots,
                                    const LeafLanes& leaf, Mask others) {
  SideLanes side;
  size_t bin = bins - 1;
  for (bool is_in_middle = false; bin >= 1 && !is_in_middle; --bin) {
    side.Add(BinLanes(histogram + bin * slots), leaf);
    side.Look<kHasL2>(leaf);
    is_in_middle = side.AreInMiddle(leaf, others);
  }
  for (bool is_in_middle = true; bin >= 1 && is_in_middle; --bin) {
    side.Add(BinLanes(histogram + bin * slots), leaf);
    is_in_middle = side.LookInMiddle<kHasL2>(leaf, others);
  }
  // The last one may not have been looked at; twice does no harm.
  side.Look<kHasL2>(leaf);
  for (; bin >= 1; --bin) {
    side.Add(BinLanes(histogram + bin * slots), leaf);
    side.Look<kHasL2>(leaf);
  }
  return side.best;
}

template <bool kHasL2>
HWY_INLINE Vector LargestFromRight(const HistogramBin* histogram, size_t bins, size_t slots,
                                   Vector missing_at, const LeafLanes& leaf) {
  SideLanes side;
  for (size_t bin = bins - 1; bin >= 1; --bin) {
    BinLanes added(histogram + bin * slots);
    added.ZeroWhere(hn::Eq(missing_at, hn::Set(Doubles(), static_cast<double>(bin))));
    side.Add(added, leaf);
    side.Look<kHasL2>(leaf);
  }
  return side.best;
}

template <bool kHasL2>
HWY_INLINE Vector LargestFromLeft(const HistogramBin* histogram, size_t bins, size_t slots,
                                  Vector missing_at, Mask first_is_rest, const LeafLanes& leaf) {
  SideLanes rest;
  rest.gradient = leaf.gradient;
  rest.hessian = hn::Sub(leaf.hessian, hn::Set(Doubles(), kEpsilon));
  rest.rows = leaf.rows;
  for (size_t bin = 1; bin < bins; ++bin) {
    const BinLanes taken(histogram + bin * slots);
    rest.gradient = hn::Sub(rest.gradient, taken.gradient);
    rest.hessian = hn::Sub(rest.hessian, taken.hessian);
    rest.rows = hn::Sub(rest.rows, leaf.RowsOf(taken.hessian));
  }
  SideLanes side;
  side.gradient = hn::IfThenElse(first_is_rest, rest.gradient, side.gradient);
  side.hessian = hn::IfThenElse(first_is_rest, rest.hessian, side.hessian);
  side.rows = hn::IfThenElse(first_is_rest, rest.rows, side.rows);
  for (size_t bin = 0; bin < bins; ++bin) {
    BinLanes added(histogram + bin * slots);
    if (bin == 0) added.ZeroWhere(first_is_rest);
    added.ZeroWhere(hn::Eq(missing_at, hn::Set(Doubles(), static_cast<double>(bin))));
    side.Add(added, leaf);
    side.Look<kHasL2>(leaf);
  }
  return side.best;
}

template <bool kHasL2>
HWY_INLINE void FindLargestIn(const HistogramBin* histogram, size_t bins, size_t slots,
                              const MissingBins& missing, const CutLeaf& bounds, double* numbers) {
  const Doubles tag;
  const hn::Rebind<int32_t, Doubles> ints;
  const LeafLanes leaf(bounds);
  const auto none = hn::Set(tag, static_cast<double>(kNoMissing));
  for (size_t first = 0; first < slots; first += hn::Lanes(tag)) {
    const HistogramBin* from = histogram + first;
    const auto missing_at = hn::PromoteTo(tag, hn::LoadU(ints, missing.bin.data() + first));
    const auto may_miss = hn::Lt(missing_at, none);
    if (hn::AllFalse(tag, may_miss)) {
      const auto others = hn::Not(hn::FirstN(tag, slots - first));
      hn::StoreU(LargestOfComplete<kHasL2>(from, bins, slots, leaf, others), tag, numbers + first);
      continue;
    }
    const auto is_rest = hn::PromoteTo(tag, hn::LoadU(ints, missing.first_is_rest.data() + first));
    const auto right = LargestFromRight<kHasL2>(from, bins, slots, missing_at, leaf);
    const auto left = LargestFromLeft<kHasL2>(from, bins, slots, missing_at,
                                              hn::Lt(is_rest, hn::Zero(tag)), leaf);
    hn::StoreU(hn::IfThenElse(may_miss, hn::Max(right, left), right), tag, numbers + first);
  }
}

void FindLargestCuts(const HistogramBin* histogram, size_t bins, size_t slots,
                     const MissingBins& missing, const CutLeaf& leaf, double* numbers) {
  if (leaf.l2 > 0) {
    FindLargestIn<true>(histogram, bins, slots, missing, leaf, numbers);
  } else {
    FindLargestIn<false>(histogram, bins, slots, missing, leaf, numbers);
  }
}

#endif  // HWY_TARGET == HWY_SCALAR

}  // namespace almanac::gbdt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace almanac::gbdt {
namespace {

HWY_EXPORT(FindLargestCuts);

}  // namespace

void LargestCuts(const HistogramBin* histogram, size_t bins, size_t slots,
                 const MissingBins& missing, const CutLeaf& leaf, double* numbers) {
  std::array<double, kTileWidth> all;
  HWY_DYNAMIC_DISPATCH(FindLargestCuts)(histogram, bins, slots, missing, leaf, all.data());
  std::copy_n(all.data(), slots, numbers);
}

// With u = 2^-53, g - w G / W is off by at most 4 u |G| w / W and a small part of itself. Over the
// root of w (W - w) that is at most 4 u |G| / sqrt(W (W - w)), and W - w is at least what is asked
// of a side.
double NumberSlack(const CutLeaf& leaf) {
  const double weight = leaf.hessian + 2 * leaf.l2, least = leaf.least_hessian + leaf.l2;
  constexpr double kRounding = 1.0 / (int64_t{1} << 50);
  return kRounding * std::abs(leaf.gradient) / std::sqrt(weight * least);
}

}  // namespace almanac::gbdt
#endif  // HWY_ONCE
