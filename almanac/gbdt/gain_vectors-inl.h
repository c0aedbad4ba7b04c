// Vectors that the search of a tile's histograms and its bounds have in common: for each
// instruction set. Inside this room.
#if defined(ALMANAC_GBDT_GAIN_VECTORS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ALMANAC_GBDT_GAIN_VECTORS_INL_H_
#undef ALMANAC_GBDT_GAIN_VECTORS_INL_H_
#else
#define ALMANAC_GBDT_GAIN_VECTORS_INL_H_
#endif

#include <hwy/highway.h>

#include "almanac/gbdt/gain_kernels.h"

HWY_BEFORE_NAMESPACE();
namespace almanac::gbdt::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR

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

// A tile's histogram from one of its slots on.
struct Bins {
  HWY_INLINE PackedBin Word(size_t bin, size_t slot) const { return first[bin * slots + slot]; }
  HWY_INLINE Bins From(size_t slot) const { return {first + slot, slots}; }
  HWY_INLINE BinVectors Bin(size_t bin) const {
    const BinVectors::Wide wide;
    const PackedBin* at = first + bin * slots;
    return BinVectors(hn::LoadU(wide, at), hn::LoadU(wide, at + hn::Lanes(wide)));
  }

  const PackedBin* first;
  size_t slots;  // of the tile
};

// Where nothing is missing in this leaf, whatever may be in others: one scan from the right. A
// column that may have missing values has the same sides in the scan from the left; only its rows
// are summed the other way, which `left_rows`, what they then lack of the leaf's, accounts for.
template <bool kHasL2, bool kIsTwice>
HWY_INLINE FloatVector LargestOfComplete(const Bins& source, size_t bins, const LeafVectors& leaf,
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
HWY_INLINE IntVector SumRows(const Bins& source, size_t bins, const LeafVectors& leaf) {
  auto rows = hn::Zero(Ints());
  for (size_t bin = 0; bin < bins; ++bin) {
    rows = hn::Add(rows, leaf.RowsOf(source.Bin(bin).hessian));
  }
  return rows;
}

// Bins come from the right or from the left, to a side that has `rows` already.
template <bool kHasL2, bool kFromRight>
HWY_INLINE FloatVector LargestWithMissing(const Bins& source, size_t bins, IntVector missing_at,
                                          const LeafVectors& leaf, IntVector rows) {
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
inline Missingness MissingnessOf(const Bins& source, const MissingBins& missing) {
  Missingness found = Missingness::kNever;
  PackedBin any = 0;
  for (size_t s = 0; s < kTileWidth; ++s) {
    if (missing.bin[s] == kNoMissing) continue;
    found = Missingness::kNotHere;
    any |= source.Word(static_cast<size_t>(missing.bin[s]), s);
  }
  return any != 0 ? Missingness::kHere : found;
}

template <bool kHasL2>
HWY_INLINE FloatVector LargestOf(const Bins& all_slots, size_t bins, const MissingBins& missing,
                                 const LeafVectors& leaf, size_t first, Missingness missingness) {
  const Ints tag;
  const auto none = hn::Zero(tag);
  const Bins source = all_slots.From(first);
  if (missingness == Missingness::kNever) {
    return LargestOfComplete<kHasL2, false>(source, bins, leaf, none);
  }
  const auto missing_at = hn::LoadU(tag, missing.bin.data() + first);
  const auto may_miss = hn::Lt(missing_at, hn::Set(tag, kNoMissing));
  const auto is_rest = hn::LoadU(tag, missing.first_is_rest.data() + first);
  const auto lacking = hn::Sub(leaf.rows, SumRows(source, bins, leaf));
  if (missingness == Missingness::kNotHere) {
    const auto left_rows = hn::IfThenElseZero(may_miss, hn::AndNot(is_rest, lacking));
    return LargestOfComplete<kHasL2, true>(source, bins, leaf, hn::Neg(left_rows));
  }
  const auto best = LargestWithMissing<kHasL2, true>(source, bins, missing_at, leaf, none);
  const auto other =
      LargestWithMissing<kHasL2, false>(source, bins, missing_at, leaf, hn::And(lacking, is_rest));
  const auto counts = hn::RebindMask(Floats(), may_miss);
  return hn::Max(best, hn::IfThenElse(counts, other, hn::Set(Floats(), -1.0F)));
}

HWY_INLINE void FindLargestIn(const Bins& source, size_t bins, const MissingBins& missing,
                              Missingness missingness, const LeafBounds& bounds, float* gains) {
  const Ints tag;
  const LeafVectors leaf(bounds);
  for (size_t first = 0; first < source.slots; first += hn::Lanes(tag)) {
    const auto best = bounds.l2 > 0
                          ? LargestOf<true>(source, bins, missing, leaf, first, missingness)
                          : LargestOf<false>(source, bins, missing, leaf, first, missingness);
    hn::StoreU(best, Floats(), gains + first);
  }
}

#endif  // HWY_TARGET != HWY_SCALAR

}  // namespace almanac::gbdt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard of each instruction set
