#include "almanac/gbdt/gain_kernels.h"

#include <algorithm>
#include <cmath>

// Few instruction sets are worth their compilation.
#define HWY_DISABLED_TARGETS \
  (HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "almanac/gbdt/gain_kernels.cc"
#include <hwy/foreach_target.h>  // compiles what follows once for each instruction set

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace almanac::gbdt::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR  // without vectors: the plain loops

// Of the cut between a side and the rest; -1 where one is too small.
float NumberOf(PackedBin side, int32_t rows, const LeafBounds& leaf) {
  const auto h = static_cast<int32_t>(PackedHessian(side));
  const int32_t rest = leaf.hessian - h;
  if (h < leaf.least_hessian || rest < leaf.least_hessian) return -1;
  if (rows < leaf.least_rows || leaf.rows - rows < leaf.least_rows) return -1;
  const float mean =
      static_cast<float>(leaf.gradient) / (static_cast<float>(leaf.hessian) + 2 * leaf.l2);
  const float weight = static_cast<float>(h) + leaf.l2;
  const float distance = static_cast<float>(PackedGradient(side)) - mean * weight;
  return distance * distance / (weight * (static_cast<float>(rest) + leaf.l2));
}

void FindLargest(const PackedBin* histogram, size_t bins, const MissingBins& missing,
                 const LeafBounds& leaf, float* gains) {
  for (size_t s = 0; s < kTileWidth; ++s) {
    gains[s] = -1;
    int32_t all_rows = 0;
    for (const bool from_right : {true, false}) {
      if (!from_right && missing.bin[s] == kNoMissing) continue;
      PackedBin side = 0;
      int32_t rows = from_right ? 0 : (leaf.rows - all_rows) & missing.first_is_rest[s];
      for (size_t i = 0; i < bins; ++i) {
        const size_t bin = from_right ? bins - 1 - i : i;
        const PackedBin added = histogram[bin * kTileWidth + s];
        const int32_t added_rows = EstimatedRows(PackedHessian(added), leaf.rows_per_unit);
        if (from_right) all_rows += added_rows;
        if (static_cast<int32_t>(bin) == missing.bin[s]) continue;
        side += added;
        rows += added_rows;
        gains[s] = std::max(gains[s], NumberOf(side, rows, leaf));
      }
    }
  }
}

void FindBounds(const PackedBin* histogram, PackedBin* copy, size_t bins,
                const MissingBins& missing, const LeafBounds& leaf, GainBounds* bounds) {
  if (copy != nullptr) std::copy_n(histogram, bins * kTileWidth, copy);
  FindLargest(histogram, bins, missing, leaf, bounds->upper.data());
  bounds->lower = bounds->upper;
}

void FindBoundsOfRest(const PackedBin* parent, const PackedBin* smaller, PackedBin* larger,
                      size_t bins, const MissingBins& missing, const LeafBounds& leaf,
                      GainBounds* bounds) {
  for (size_t i = 0; i < bins * kTileWidth; ++i) larger[i] = parent[i] - smaller[i];
  FindBounds(larger, nullptr, bins, missing, leaf, bounds);
}

#else

using Ints = hn::CappedTag<int32_t, kTileWidth>;
using Unsigned = hn::RebindToUnsigned<Ints>;
using Floats = hn::RebindToFloat<Ints>;
using IntVector = hn::Vec<Ints>;
using FloatVector = hn::Vec<Floats>;

// The whole part of numbers below 2^31. ConvertTo takes care of larger ones, which takes as many
// operations again.
HWY_INLINE IntVector WholeOf(FloatVector v) {
#if HWY_TARGET == HWY_AVX3
  return IntVector{_mm512_cvttps_epi32(v.raw)};
#elif HWY_TARGET == HWY_AVX2
  return IntVector{_mm256_cvttps_epi32(v.raw)};
#else
  return hn::ConvertTo(Ints(), v);
#endif
}

// What stays the same for all bins. A side of r rows leaves enough to the other one where
// r - least_rows, as an unsigned number, is below choice_of_rows.
struct LeafVectors {
  HWY_INLINE explicit LeafVectors(const LeafBounds& leaf)
      : hessian(hn::Set(Ints(), leaf.hessian)),
        too_light(hn::Set(Ints(), leaf.least_hessian - 1)),
        rows(hn::Set(Ints(), leaf.rows)),
        least_rows(hn::Set(Ints(), leaf.least_rows)),
        choice_of_rows(
            hn::Set(Unsigned(), static_cast<uint32_t>(leaf.rows - 2 * leaf.least_rows) + 1)),
        mean(hn::Set(Floats(), static_cast<float>(leaf.gradient) /
                                   (static_cast<float>(leaf.hessian) + 2 * leaf.l2))),
        rows_per_unit(hn::Set(Floats(), leaf.rows_per_unit)),
        l2(hn::Set(Floats(), leaf.l2)) {}

  HWY_INLINE hn::Mask<Ints> HasEnough(IntVector side_rows, IntVector least) const {
    const auto above = hn::BitCast(Unsigned(), hn::Sub(side_rows, least));
    return hn::RebindMask(Ints(), hn::Lt(above, choice_of_rows));
  }
  // Of a bin, as EstimatedRows has them: rounded after either operation.
  HWY_INLINE IntVector RowsOf(IntVector h) const {
    const auto estimate = hn::Mul(hn::ConvertTo(Floats(), h), rows_per_unit);
    return WholeOf(hn::Add(estimate, hn::Set(Floats(), 0.5F)));
  }

  IntVector hessian, too_light, rows, least_rows;
  hn::Vec<Unsigned> choice_of_rows;
  FloatVector mean, rows_per_unit, l2;
};

// A side that grows bin by bin.
struct SideVectors {
  // Not left to the compiler, which would make it for another instruction set.
  HWY_INLINE SideVectors()
      : gradient(hn::Zero(Ints())), hessian(hn::Zero(Ints())), rows(hn::Zero(Ints())) {}

  HWY_INLINE void Add(IntVector g, IntVector h, IntVector r) {
    gradient = hn::Add(gradient, g);
    hessian = hn::Add(hessian, h);
    rows = hn::Add(rows, r);
  }

  // Of the cut between it and the rest; -1 where a side is too small.
  template <bool kHasL2>
  HWY_INLINE FloatVector Number(const LeafVectors& leaf, hn::Mask<Ints> has_rows) const {
    const Floats tag;
    const auto rest_h = hn::Sub(leaf.hessian, hessian);
    auto weight = hn::ConvertTo(tag, hessian), rest_weight = hn::ConvertTo(tag, rest_h);
    if constexpr (kHasL2) {
      weight = hn::Add(weight, leaf.l2);
      rest_weight = hn::Add(rest_weight, leaf.l2);
    }
    const auto distance = hn::NegMulAdd(leaf.mean, weight, hn::ConvertTo(tag, gradient));
    const auto number = hn::Mul(hn::Mul(distance, distance),
                                hn::ApproximateReciprocal(hn::Mul(weight, rest_weight)));
    const auto is_heavy = hn::Gt(hn::Min(hessian, rest_h), leaf.too_light);
    const auto is_big = hn::RebindMask(tag, hn::And(is_heavy, has_rows));
    return hn::IfThenElse(is_big, number, hn::Set(tag, -1.0F));
  }

  IntVector gradient, hessian, rows;
};

// The bins of some columns, in the lanes.
struct BinVectors {
  using Wide = hn::Repartition<uint64_t, Ints>;

  HWY_INLINE BinVectors(hn::Vec<Wide> first, hn::Vec<Wide> second) {
    const Ints tag;
    const auto low = hn::BitCast(tag, first), high = hn::BitCast(tag, second);
    hessian = hn::ConcatEven(tag, high, low);
    gradient = hn::ConcatOdd(tag, high, low);
  }

  IntVector gradient, hessian;
};

// A histogram as it is.
struct PlainBins {
  HWY_INLINE PackedBin Word(size_t at) const { return histogram[at]; }
  HWY_INLINE PlainBins From(size_t slot) const { return {histogram + slot}; }
  HWY_INLINE BinVectors Bin(size_t bin) const {
    const BinVectors::Wide wide;
    const PackedBin* at = histogram + bin * kTileWidth;
    return BinVectors(hn::LoadU(wide, at), hn::LoadU(wide, at + hn::Lanes(wide)));
  }
  HWY_INLINE PlainBins Plain() const { return *this; }

  const PackedBin* histogram;
};

// One that is copied.
struct CopiedBins {
  HWY_INLINE PackedBin Word(size_t at) const { return histogram[at]; }
  HWY_INLINE CopiedBins From(size_t slot) const { return {histogram + slot, copy + slot}; }
  HWY_INLINE BinVectors Bin(size_t bin) const {
    const BinVectors::Wide wide;
    const size_t first = bin * kTileWidth, second = first + hn::Lanes(wide);
    const auto low = hn::LoadU(wide, histogram + first), high = hn::LoadU(wide, histogram + second);
    hn::StoreU(low, wide, copy + first);
    hn::StoreU(high, wide, copy + second);
    return BinVectors(low, high);
  }
  // Once all bins have been asked for.
  HWY_INLINE PlainBins Plain() const { return {histogram}; }

  const PackedBin* histogram;
  PackedBin* copy;
};

// A parent's less a child's: what is asked for is also stored.
struct RestBins {
  HWY_INLINE PackedBin Word(size_t at) const { return parent[at] - smaller[at]; }
  HWY_INLINE RestBins From(size_t slot) const {
    return {parent + slot, smaller + slot, larger + slot};
  }
  HWY_INLINE BinVectors Bin(size_t bin) const {
    const BinVectors::Wide wide;
    const size_t first = bin * kTileWidth, second = first + hn::Lanes(wide);
    const auto low = hn::Sub(hn::LoadU(wide, parent + first), hn::LoadU(wide, smaller + first));
    const auto high = hn::Sub(hn::LoadU(wide, parent + second), hn::LoadU(wide, smaller + second));
    hn::StoreU(low, wide, larger + first);
    hn::StoreU(high, wide, larger + second);
    return BinVectors(low, high);
  }
  // Once all bins have been asked for.
  HWY_INLINE PlainBins Plain() const { return {larger}; }

  const PackedBin *parent, *smaller;
  PackedBin* larger;
};

// Where nothing is missing in this leaf, whatever may be in others: one scan from the right. A
// column that may have missing values has the same sides in the scan from the left; only its rows
// are summed the other way, which `left_rows`, what they then lack of the leaf's, accounts for.
template <bool kHasL2, bool kIsTwice, typename Source>
HWY_INLINE FloatVector LargestOfComplete(const Source& source, size_t bins, const LeafVectors& leaf,
                                         IntVector left_rows) {
  SideVectors side;
  const auto shifted = hn::Add(leaf.least_rows, left_rows);
  auto best = hn::Set(Floats(), -1.0F);
  for (size_t bin = bins; bin-- > 0;) {
    const BinVectors added = source.Bin(bin);
    side.Add(added.gradient, added.hessian, leaf.RowsOf(added.hessian));
    auto has_rows = leaf.HasEnough(side.rows, leaf.least_rows);
    if constexpr (kIsTwice) has_rows = hn::Or(has_rows, leaf.HasEnough(side.rows, shifted));
    best = hn::Max(best, side.Number<kHasL2>(leaf, has_rows));
  }
  return best;
}

// All rows as they are summed up bin by bin.
template <typename Source>
HWY_INLINE IntVector SumRows(const Source& source, size_t bins, const LeafVectors& leaf) {
  auto rows = hn::Zero(Ints());
  for (size_t bin = 0; bin < bins; ++bin) {
    rows = hn::Add(rows, leaf.RowsOf(source.Bin(bin).hessian));
  }
  return rows;
}

// Bins come from the right or from the left, to a side that has `rows` already.
template <bool kHasL2, bool kFromRight>
HWY_INLINE FloatVector LargestWithMissing(const PlainBins& source, size_t bins,
                                          IntVector missing_at, const LeafVectors& leaf,
                                          IntVector rows) {
  const Ints tag;
  SideVectors side;
  side.rows = rows;
  auto best = hn::Set(Floats(), -1.0F);
  for (size_t i = 0; i < bins; ++i) {
    const size_t bin = kFromRight ? bins - 1 - i : i;
    const BinVectors added = source.Bin(bin);
    const auto is_missing = hn::Eq(hn::Set(tag, static_cast<int32_t>(bin)), missing_at);
    const auto h = hn::IfThenZeroElse(is_missing, added.hessian);
    side.Add(hn::IfThenZeroElse(is_missing, added.gradient), h, leaf.RowsOf(h));
    best = hn::Max(best, side.Number<kHasL2>(leaf, leaf.HasEnough(side.rows, leaf.least_rows)));
  }
  return best;
}

enum class Missingness { kNever, kNotHere, kHere };

// Of some columns in a leaf.
template <typename Source>
Missingness MissingnessOf(const Source& source, const MissingBins& missing) {
  Missingness found = Missingness::kNever;
  PackedBin any = 0;
  for (size_t s = 0; s < kTileWidth; ++s) {
    if (missing.bin[s] == kNoMissing) continue;
    found = Missingness::kNotHere;
    any |= source.Word(static_cast<size_t>(missing.bin[s]) * kTileWidth + s);
  }
  return any != 0 ? Missingness::kHere : found;
}

template <bool kHasL2, typename Source>
HWY_INLINE FloatVector LargestOf(const Source& all_slots, size_t bins, const MissingBins& missing,
                                 const LeafVectors& leaf, size_t first, Missingness missingness) {
  const Ints tag;
  const auto none = hn::Zero(tag);
  const Source source = all_slots.From(first);
  if (missingness == Missingness::kNever) {
    return LargestOfComplete<kHasL2, false>(source, bins, leaf, none);
  }
  const auto missing_at = hn::LoadU(tag, missing.bin.data() + first);
  const auto may_miss = hn::Lt(missing_at, hn::Set(tag, kNoMissing));
  const auto is_rest = hn::LoadU(tag, missing.first_is_rest.data() + first);
  const auto lacking = hn::Sub(leaf.rows, SumRows(source, bins, leaf));
  const PlainBins plain = source.Plain();
  if (missingness == Missingness::kNotHere) {
    const auto left_rows = hn::IfThenElseZero(may_miss, hn::AndNot(is_rest, lacking));
    return LargestOfComplete<kHasL2, true>(plain, bins, leaf, hn::Neg(left_rows));
  }
  const auto best = LargestWithMissing<kHasL2, true>(plain, bins, missing_at, leaf, none);
  const auto other =
      LargestWithMissing<kHasL2, false>(plain, bins, missing_at, leaf, hn::And(lacking, is_rest));
  const auto counts = hn::RebindMask(Floats(), may_miss);
  return hn::Max(best, hn::IfThenElse(counts, other, hn::Set(Floats(), -1.0F)));
}

template <typename Source>
HWY_INLINE void FindLargestIn(const Source& source, size_t bins, const MissingBins& missing,
                              Missingness missingness, const LeafBounds& bounds, float* gains) {
  const Ints tag;
  const LeafVectors leaf(bounds);
  for (size_t first = 0; first < kTileWidth; first += hn::Lanes(tag)) {
    const auto best = bounds.l2 > 0
                          ? LargestOf<true>(source, bins, missing, leaf, first, missingness)
                          : LargestOf<false>(source, bins, missing, leaf, first, missingness);
    hn::StoreU(best, Floats(), gains + first);
  }
}

void FindLargest(const PackedBin* histogram, size_t bins, const MissingBins& missing,
                 const LeafBounds& bounds, float* gains) {
  const PlainBins source{histogram};
  FindLargestIn(source, bins, missing, MissingnessOf(source, missing), bounds, gains);
}

// What some columns miss in a leaf.
struct MissingSums {
  hn::Vec<Ints> gradient, hessian;
  hn::Vec<Ints> at;  // bin, or kNoMissing
  size_t lowest;     // of these
};

template <typename Source>
HWY_INLINE MissingSums SumsOfMissing(const Source& source, const MissingBins& missing,
                                     size_t first) {
  const Ints tag;
  std::array<int32_t, kTileWidth> gradient{}, hessian{};
  size_t lowest = kNoMissing;
  for (size_t s = 0; s < hn::Lanes(tag); ++s) {
    if (missing.bin[first + s] == kNoMissing) continue;
    const auto bin = static_cast<size_t>(missing.bin[first + s]);
    const PackedBin word = source.Word(bin * kTileWidth + s);
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
        // A difference of two distances is off by no more.
        slack_(hn::Set(Floats(), std::abs(static_cast<float>(leaf.gradient)) / (1 << 20))),
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

template <bool kHasL2, bool kHasMissing, typename Source>
HWY_INLINE void BoundAll(const Source& source, size_t bins, const LeafBounds& leaf,
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
  static_cast<void>(source.Bin(0));  // which has to be asked for
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

template <bool kHasL2, typename Source>
HWY_INLINE void FindBoundsIn(const Source& all_slots, size_t bins, const MissingBins& missing,
                             const LeafBounds& leaf, GainBounds* bounds) {
  const Missingness missingness = MissingnessOf(all_slots, missing);
  if (SaysLittle(bins, missing, leaf)) {
    FindLargestIn(all_slots, bins, missing, missingness, leaf, bounds->upper.data());
    bounds->lower = bounds->upper;
    return;
  }
  for (size_t first = 0; first < kTileWidth; first += hn::Lanes(Ints())) {
    const Source source = all_slots.From(first);
    const MissingSums sums = SumsOfMissing(source, missing, first);
    float *upper = bounds->upper.data() + first, *lower = bounds->lower.data() + first;
    if (missingness == Missingness::kHere) {
      BoundAll<kHasL2, true>(source, bins, leaf, sums, upper, lower);
    } else {
      BoundAll<kHasL2, false>(source, bins, leaf, sums, upper, lower);
    }
  }
}

template <typename Source>
HWY_INLINE void FindBoundsIn(const Source& source, size_t bins, const MissingBins& missing,
                             const LeafBounds& leaf, GainBounds* bounds) {
  if (leaf.l2 > 0) {
    FindBoundsIn<true>(source, bins, missing, leaf, bounds);
  } else {
    FindBoundsIn<false>(source, bins, missing, leaf, bounds);
  }
}

void FindBounds(const PackedBin* histogram, PackedBin* copy, size_t bins,
                const MissingBins& missing, const LeafBounds& leaf, GainBounds* bounds) {
  if (copy == nullptr) {
    FindBoundsIn(PlainBins{histogram}, bins, missing, leaf, bounds);
  } else {
    FindBoundsIn(CopiedBins{histogram, copy}, bins, missing, leaf, bounds);
  }
}

void FindBoundsOfRest(const PackedBin* parent, const PackedBin* smaller, PackedBin* larger,
                      size_t bins, const MissingBins& missing, const LeafBounds& leaf,
                      GainBounds* bounds) {
  FindBoundsIn(RestBins{parent, smaller, larger}, bins, missing, leaf, bounds);
}

#endif  // HWY_TARGET == HWY_SCALAR

}  // namespace almanac::gbdt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace almanac::gbdt {
namespace {

HWY_EXPORT(FindLargest);
HWY_EXPORT(FindBounds);
HWY_EXPORT(FindBoundsOfRest);

// Whether no cut can leave enough on both sides.
bool IsTooSmall(const LeafBounds& leaf) {
  return leaf.rows < 2 * leaf.least_rows || leaf.hessian / 2 < leaf.least_hessian;
}

// The distance g - w G / W is off by at most 2^-22 |G| and a part of itself far below kGainError:
// g, w, W, G / W and the product are rounded to 24 bits each, and |w G / W| <= |G|.
constexpr double kRounding = 1.0 / (1 << 21);

}  // namespace

void LargestGains(const PackedBin* histogram, size_t bins, const MissingBins& missing,
                  const LeafBounds& leaf, float* gains) {
  if (IsTooSmall(leaf)) {
    std::fill_n(gains, kTileWidth, -1.0F);
    return;
  }
  HWY_DYNAMIC_DISPATCH(FindLargest)(histogram, bins, missing, leaf, gains);
}

void BoundGains(const PackedBin* histogram, PackedBin* copy, size_t bins,
                const MissingBins& missing, const LeafBounds& leaf, GainBounds* bounds) {
  if (IsTooSmall(leaf)) {
    if (copy != nullptr) std::copy_n(histogram, bins * kTileWidth, copy);
    bounds->upper.fill(-1);
    bounds->lower.fill(-1);
    return;
  }
  HWY_DYNAMIC_DISPATCH(FindBounds)(histogram, copy, bins, missing, leaf, bounds);
}

void BoundGainsOfRest(const PackedBin* parent, const PackedBin* smaller, PackedBin* larger,
                      size_t bins, const MissingBins& missing, const LeafBounds& leaf,
                      GainBounds* bounds) {
  if (IsTooSmall(leaf)) {
    Subtract(parent, smaller, bins * kTileWidth, larger);
    bounds->upper.fill(-1);
    bounds->lower.fill(-1);
    return;
  }
  HWY_DYNAMIC_DISPATCH(FindBoundsOfRest)(parent, smaller, larger, bins, missing, leaf, bounds);
}

GainScale::GainScale(const LeafBounds& leaf, const PackedScale& scale) {
  const double weight = leaf.hessian + 2.0 * leaf.l2;
  gain_of_one_ = scale.gradient * scale.gradient / scale.hessian * weight;
  // Either side weighs at least so much: w (W - w) is at least half of that times W.
  const double least = leaf.least_hessian + double{leaf.l2};
  slack_ =
      kRounding * std::abs(static_cast<double>(leaf.gradient)) * std::sqrt(2 / (least * weight));
}

float GainScale::AtLeast(double gain) const {
  const double root = std::sqrt(std::max(0.0, gain / gain_of_one_)) - slack_;
  return root <= 0 ? 0.0F : static_cast<float>(root * root / (1 + kGainError));
}

float GainScale::Surely(double gain) const {
  const double root = std::sqrt(std::max(0.0, gain / gain_of_one_)) + slack_;
  return static_cast<float>(root * root * (1 + kGainError));
}

}  // namespace almanac::gbdt
#endif  // HWY_ONCE
