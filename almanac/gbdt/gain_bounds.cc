#include "almanac/gbdt/gain_bounds.h"

#include <algorithm>
#include <cmath>

// Few instruction sets are worth their compilation.
#define HWY_DISABLED_TARGETS \
  (HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "almanac/gbdt/gain_bounds.cc"
#include <hwy/foreach_target.h>  // compiles what follows once for each instruction set

#include <hwy/highway.h>

#include "almanac/gbdt/gain_vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace almanac::gbdt::HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR  // without vectors: the numbers themselves

void FindBounds(const PackedBin* histogram, size_t bins, size_t slots, const MissingBins& missing,
                const LeafBounds& leaf, GainBounds* bounds) {
  LargestGains(histogram, bins, slots, missing, leaf, bounds->upper.data());
  bounds->lower = bounds->upper;
  bounds->are_numbers = true;
}

#else

// What some columns miss in a leaf.
struct MissingSums {
  hn::Vec<Ints> gradient, hessian;
  hn::Vec<Ints> at;  // bin, or kNoMissing
  size_t lowest;     // of these
};

HWY_INLINE MissingSums SumsOfMissing(const Bins& source, const MissingBins& missing, size_t first) {
  const Ints tag;
  std::array<int32_t, kTileWidth> gradient{}, hessian{};
  size_t lowest = kNoMissing;
  for (size_t s = 0; s < hn::Lanes(tag); ++s) {
    if (missing.bin[first + s] == kNoMissing) continue;
    const auto bin = static_cast<size_t>(missing.bin[first + s]);
    const PackedBin word = source.Word(bin, s);
    gradient[s] = PackedGradient(word);
    hessian[s] = static_cast<int32_t>(PackedHessian(word));
    lowest = std::min(lowest, bin);
  }
  return {hn::LoadU(tag, gradient.data()), hn::LoadU(tag, hessian.data()),
          hn::LoadU(tag, missing.bin.data() + first), lowest};
}

// w (W - w).
inline float ProductOfWeights(const LeafBounds& leaf, float hessian) {
  return (hessian + leaf.l2) * (static_cast<float>(leaf.hessian) - hessian + leaf.l2);
}

// The largest of a block of cuts' numbers, d^2 / (w (W - w)) with d = g - w G / W, is at most its
// largest d^2 over its least w (W - w), which, as w only grows, is at one of the block's ends.
class BlockLargest {
 public:
  explicit BlockLargest(const LeafBounds& leaf)
      : least_(hn::Set(Floats(), ProductOfWeights(leaf, static_cast<float>(leaf.least_hessian)))),
        farthest_(hn::Zero(Floats())),
        below_(least_),
        largest_(hn::Zero(Floats())) {}

  HWY_INLINE void Add(FloatVector distance) { farthest_ = hn::Max(farthest_, hn::Abs(distance)); }
  // With w (W - w) behind the block's first bin and its last; where both sides have enough it is no
  // less than least_.
  HWY_INLINE void EndBlock(FloatVector at_first, FloatVector at_last, FloatVector slack) {
    below_ = hn::Max(at_last, least_);
    const auto farthest = hn::Add(farthest_, slack);
    const auto over = hn::ApproximateReciprocal(hn::Min(below_, hn::Max(at_first, least_)));
    largest_ = hn::Max(largest_, hn::Mul(hn::Mul(farthest, farthest), over));
    farthest_ = hn::Zero(Floats());
  }
  HWY_INLINE FloatVector below() const { return below_; }
  HWY_INLINE FloatVector largest() const { return largest_; }

 private:
  FloatVector least_, farthest_, below_, largest_;
};

constexpr size_t kBoundedBlock = 8;
constexpr size_t kTriedBlocks = 4;  // one of so many ends is tried as a cut

// Bounds of the numbers of all cuts, right sides growing bin by bin. If something is missing, it
// may be on either side: on the left one, or, which is as if left sides were collected, on the
// right one. A left side's d is what all but the missing rows have less the right side's.
template <bool kHasL2, bool kHasMissing>
class CutBounds {
 public:
  HWY_INLINE CutBounds(const LeafBounds& leaf, const MissingSums& missing)
      : leaf_(leaf),
        missing_(missing),
        rows_per_unit_(hn::Set(Floats(), leaf.rows_per_unit)),
        least_rows_(hn::Set(Floats(), static_cast<float>(leaf.least_rows))),
        most_rows_(hn::Set(Floats(), static_cast<float>(leaf.rows - leaf.least_rows))),
        slack_(hn::Zero(Floats())),
        gradient_(hn::Zero(Ints())),
        hessian_(hn::Zero(Ints())),
        distance_(hn::Zero(Floats())),
        present_distance_(hn::Zero(Floats())),
        lower_(hn::Set(Floats(), -1.0F)),
        right_least_(LeastAfterNone(leaf, missing)),
        right_first_(hn::Zero(Floats())),
        left_first_(hn::Zero(Floats())),
        right_(leaf),
        left_(leaf) {
    if constexpr (kHasMissing) {
      auto weight = hn::ConvertTo(Floats(), hn::Sub(leaf_.hessian, missing.hessian));
      if constexpr (kHasL2) weight = hn::Add(weight, hn::Add(leaf_.l2, leaf_.l2));
      const auto gradient = hn::Sub(hn::Set(Ints(), leaf.gradient), missing.gradient);
      present_distance_ = hn::NegMulAdd(leaf_.mean, weight, hn::ConvertTo(Floats(), gradient));
      // A difference of two distances is off by no more than 2^-21 |G|, twice what either is, and
      // 2^-22 of the larger, which is present_distance_ or not much more than the difference.
      const auto whole = hn::Set(Floats(), std::abs(static_cast<float>(leaf.gradient)));
      slack_ = hn::Mul(hn::Add(whole, hn::Abs(present_distance_)), hn::Set(Floats(), 0x1p-20F));
    }
  }

  HWY_INLINE void Add(const BinVectors& bin) { AddSums(bin.gradient, bin.hessian); }

  // Where it may be a column's missing one.
  HWY_INLINE void Add(const BinVectors& bin, size_t number) {
    const auto is_missing = hn::Eq(hn::Set(Ints(), static_cast<int32_t>(number)), missing_.at);
    AddSums(hn::IfThenZeroElse(is_missing, bin.gradient),
            hn::IfThenZeroElse(is_missing, bin.hessian));
  }

  // After the first bin of a block, and after its last.
  HWY_INLINE void BeginBlock() {
    const auto has_none = hn::RebindMask(Floats(), hn::Eq(hessian_, hn::Zero(Ints())));
    right_first_ = hn::IfThenElse(has_none, right_least_, RightWeights());
    if constexpr (kHasMissing) left_first_ = LeftWeights();
  }
  HWY_INLINE void EndBlock() {
    right_.EndBlock(right_first_, RightWeights(), hn::Zero(Floats()));
    if constexpr (kHasMissing) left_.EndBlock(left_first_, LeftWeights(), slack_);
  }

  // The number of the cut behind the block's last bin, if both sides surely have enough. The rows
  // of `count` bins are rounded one by one.
  HWY_INLINE void TryCut(size_t count) {
    const Floats tag;
    const auto rest = hn::Sub(leaf_.hessian, hessian_);
    const auto rows = hn::Mul(hn::ConvertTo(tag, hessian_), rows_per_unit_);
    const auto slack = hn::Set(tag, 0.5F * static_cast<float>(count) + 1);
    const auto has_rows = hn::And(hn::Ge(hn::Sub(rows, slack), least_rows_),
                                  hn::Le(hn::Add(rows, slack), most_rows_));
    const auto is_heavy = hn::Gt(hn::Min(hessian_, rest), leaf_.too_light);
    const auto number =
        hn::Mul(hn::Mul(distance_, distance_), hn::ApproximateReciprocal(right_.below()));
    const auto is_cut = hn::And(hn::RebindMask(tag, is_heavy), has_rows);
    lower_ = hn::Max(lower_, hn::IfThenElse(is_cut, number, hn::Set(tag, -1.0F)));
  }

  HWY_INLINE FloatVector upper() const {
    auto largest = right_.largest();
    if constexpr (kHasMissing) {  // else both scans have the same sides
      const auto has = hn::RebindMask(Floats(), hn::Gt(missing_.hessian, hn::Zero(Ints())));
      largest = hn::Max(largest, hn::IfThenElseZero(has, left_.largest()));
    }
    // Twice the error of a reciprocal: both numbers that are compared may have it.
    return hn::Mul(largest, hn::Set(Floats(), 1 + 2 * static_cast<float>(kGainError)));
  }
  HWY_INLINE FloatVector lower() const { return lower_; }

 private:
  // The least w (W - w) of a cut with enough on its right side, whose rows are all in one block.
  // Where something may be missing rows may be counted on the left side.
  static HWY_INLINE FloatVector LeastAfterNone(const LeafBounds& leaf, const MissingSums& missing) {
    const Floats tag;
    constexpr float kRounded = 0.5F * kBoundedBlock + 1;
    const auto any = static_cast<float>(leaf.least_hessian);
    const float of_rows = (static_cast<float>(leaf.least_rows) - kRounded) / leaf.rows_per_unit;
    const auto may_miss = hn::RebindMask(tag, hn::Lt(missing.at, hn::Set(Ints(), kNoMissing)));
    return hn::IfThenElse(may_miss, hn::Set(tag, ProductOfWeights(leaf, any)),
                          hn::Set(tag, ProductOfWeights(leaf, std::max(any, of_rows))));
  }
  HWY_INLINE FloatVector WeightOf(IntVector hessian) const {
    const auto weight = hn::ConvertTo(Floats(), hessian);
    return kHasL2 ? hn::Add(weight, leaf_.l2) : weight;
  }
  // w (W - w) of the side as it is.
  HWY_INLINE FloatVector RightWeights() const {
    return hn::Mul(WeightOf(hessian_), WeightOf(hn::Sub(leaf_.hessian, hessian_)));
  }
  HWY_INLINE FloatVector LeftWeights() const {
    const auto rest = hn::Add(hessian_, missing_.hessian);
    return hn::Mul(WeightOf(rest), WeightOf(hn::Sub(leaf_.hessian, rest)));
  }
  HWY_INLINE void AddSums(IntVector gradient, IntVector hessian) {
    gradient_ = hn::Add(gradient_, gradient);
    hessian_ = hn::Add(hessian_, hessian);
    distance_ = hn::NegMulAdd(leaf_.mean, WeightOf(hessian_), hn::ConvertTo(Floats(), gradient_));
    right_.Add(distance_);
    if constexpr (kHasMissing) left_.Add(hn::Sub(present_distance_, distance_));
  }

  LeafVectors leaf_;
  const MissingSums& missing_;
  FloatVector rows_per_unit_, least_rows_, most_rows_, slack_;
  IntVector gradient_, hessian_;
  FloatVector distance_, present_distance_, lower_, right_least_, right_first_, left_first_;
  BlockLargest right_, left_;
};

// Blocks are short where sides are small: there w (W - w) changes fast, or, where bins may be
// empty, begins with 0. So many bins at either end are blocks of their own:
constexpr size_t kDenseRows = 8, kDenseEdge = 4, kSparseEdge = 12;

template <bool kHasL2, bool kHasMissing>
HWY_INLINE void BoundAll(const Bins& source, size_t bins, const LeafBounds& leaf,
                         const MissingSums& missing, float* upper, float* lower) {
  CutBounds<kHasL2, kHasMissing> bounds(leaf, missing);
  const bool is_dense = static_cast<size_t>(leaf.rows) >= kDenseRows * bins;
  const size_t edge = is_dense ? kDenseEdge : kSparseEdge;
  size_t bin = bins, block = 0;
  while (bin > 1) {  // all rows are on one side of the cut at the first
    const size_t length = bin + edge > bins || bin <= edge
                              ? 1
                              : std::min({kBoundedBlock, (bins - bin) / 2, (bin - 1) / 3});
    const auto add = [&](size_t number) HWY_ATTR {
      if (kHasMissing && number >= missing.lowest) {
        bounds.Add(source.Bin(number), number);
      } else {
        bounds.Add(source.Bin(number));
      }
    };
    add(bin - 1);
    bounds.BeginBlock();
    if (length == kBoundedBlock && (!kHasMissing || bin <= missing.lowest)) {  // nearly always
      HWY_UNROLL(8)
      for (size_t i = 2; i <= kBoundedBlock; ++i) bounds.Add(source.Bin(bin - i));
    } else {
      for (size_t i = 2; i <= length; ++i) add(bin - i);
    }
    bin -= length;
    bounds.EndBlock();
    if (++block % kTriedBlocks == 0) bounds.TryCut(bins - bin);
  }
  hn::StoreU(bounds.upper(), Floats(), upper);
  hn::StoreU(bounds.lower(), Floats(), lower);
}

// Whether bounds would say little: of leaves with fewer rows than bins, and where columns that may
// miss values have far fewer bins than others.
bool SaysLittle(size_t bins, const MissingBins& missing, const LeafBounds& leaf) {
  if (static_cast<size_t>(leaf.rows) < bins) return true;
  return std::any_of(missing.bin.begin(), missing.bin.end(),
                     [&](int32_t at) { return static_cast<size_t>(at) + kDenseEdge < bins; });
}

template <bool kHasL2>
HWY_INLINE void FindBoundsIn(const Bins& all_slots, size_t bins, const MissingBins& missing,
                             Missingness missingness, const LeafBounds& leaf, GainBounds* bounds) {
  for (size_t first = 0; first < all_slots.slots; first += hn::Lanes(Ints())) {
    const Bins source = all_slots.From(first);
    const MissingSums sums = SumsOfMissing(source, missing, first);
    float *upper = bounds->upper.data() + first, *lower = bounds->lower.data() + first;
    if (missingness == Missingness::kHere) {
      BoundAll<kHasL2, true>(source, bins, leaf, sums, upper, lower);
    } else {
      BoundAll<kHasL2, false>(source, bins, leaf, sums, upper, lower);
    }
  }
}

void FindBounds(const PackedBin* histogram, size_t bins, size_t slots, const MissingBins& missing,
                const LeafBounds& leaf, GainBounds* bounds) {
  const Bins source{histogram, slots};
  const Missingness missingness = MissingnessOf(source, missing);
  bounds->are_numbers = SaysLittle(bins, missing, leaf);
  if (bounds->are_numbers) {
    FindLargestIn(source, bins, missing, missingness, leaf, bounds->upper.data());
    bounds->lower = bounds->upper;
  } else if (leaf.l2 > 0) {
    FindBoundsIn<true>(source, bins, missing, missingness, leaf, bounds);
  } else {
    FindBoundsIn<false>(source, bins, missing, missingness, leaf, bounds);
  }
}

#endif  // HWY_TARGET == HWY_SCALAR

}  // namespace almanac::gbdt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace almanac::gbdt {
namespace {

HWY_EXPORT(FindBounds);

}  // namespace

void BoundGains(const PackedBin* histogram, size_t bins, size_t slots, const MissingBins& missing,
                const LeafBounds& leaf, GainBounds* bounds) {
  if (IsTooSmall(leaf)) {
    bounds->upper.fill(-1);
    bounds->lower.fill(-1);
    bounds->are_numbers = true;
    return;
  }
  HWY_DYNAMIC_DISPATCH(FindBounds)(histogram, bins, slots, missing, leaf, bounds);
}

}  // namespace almanac::gbdt
#endif  // HWY_ONCE
