#include "almanac/gbdt/tile_kernels.h"

#include <algorithm>
#include <utility>

// Few instruction sets are worth their compilation; sizeless vectors do not fit into arrays.
#define HWY_DISABLED_TARGETS \
  (HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "almanac/gbdt/tile_kernels.cc"
#include <hwy/foreach_target.h>  // compiles what follows once for each instruction set

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace almanac::gbdt::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR  // without vectors: the plain loops

void AddRows(const uint8_t* tile, const uint32_t* rows, const PackedBin* codes, size_t count,
             const TileSlots& slots, PackedBin* histogram) {
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* row = tile + size_t{rows[i]} * kTileWidth;
    for (size_t s = 0; s < slots.count; ++s) {
      histogram[row[slots.place[s]] * kTileWidth + s] += codes[i];
    }
  }
}

void AddRowsTogether(const uint8_t* tile, const uint32_t* rows, const PackedBin* codes,
                     size_t count, size_t first, PackedBin* sums) {
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* row = tile + size_t{rows[i]} * kTileWidth + first;
    for (size_t c = 0; c < kHalfTile; ++c) {
      PackedBin* sum = sums + (row[c] * kHalfTile + c) * kTogether;
      for (size_t k = 0; k < kTogether; ++k) sum[k] += codes[i * kTogether + k];
    }
  }
}

void SubtractAll(const PackedBin* parent, const PackedBin* smaller, size_t words,
                 PackedBin* larger) {
  for (size_t i = 0; i < words; ++i) larger[i] = parent[i] - smaller[i];
}

// A side that grows bin by bin against the rest of the leaf.
float GainOf(PackedBin side, int32_t rows, const LeafBounds& leaf) {
  const auto h = static_cast<int32_t>(PackedHessian(side));
  const int32_t rest_h = leaf.hessian - h;
  if (h < leaf.least_hessian || rest_h < leaf.least_hessian) return 0;
  if (rows < leaf.least_rows || leaf.rows - rows < leaf.least_rows) return 0;
  const auto g = static_cast<float>(PackedGradient(side));
  const auto rest_g = static_cast<float>(leaf.gradient - PackedGradient(side));
  const float weight = static_cast<float>(h) + leaf.l2;
  const float rest_weight = static_cast<float>(rest_h) + leaf.l2;
  return (g * g * rest_weight + rest_g * rest_g * weight) / (weight * rest_weight);
}

void FindLargest(const PackedBin* histogram, size_t bins, const MissingBins& missing,
                 const LeafBounds& leaf, float* gains) {
  for (size_t s = 0; s < kTileWidth; ++s) {
    gains[s] = 0;
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
        gains[s] = std::max(gains[s], GainOf(side, rows, leaf));
      }
    }
  }
}

#else

// How many rows ahead a row's bins are asked for: the rows of a leaf lie scattered in memory.
constexpr size_t kAhead = 16;

using Bytes = hn::FixedTag<uint8_t, kTileWidth>;
using Offsets = hn::FixedTag<uint16_t, kTileWidth / 2>;

// offsets[s] = bin * 2^kShift of the slots of a row.
template <int kShift>
HWY_INLINE void StoreOffsets(hn::Vec<Bytes> bins, uint16_t* offsets) {
  const Offsets words;
  const auto low = hn::PromoteTo(words, hn::LowerHalf(bins));
  const auto high = hn::PromoteTo(words, hn::UpperHalf(hn::Half<Bytes>(), bins));
  hn::Store(hn::ShiftLeft<kShift>(low), words, offsets);
  hn::Store(hn::ShiftLeft<kShift>(high), words, offsets + kTileWidth / 2);
}

// So many slots: the loop over them is unrolled.
template <size_t kSlots>
void AddRowsTo(const uint8_t* HWY_RESTRICT tile, const uint32_t* HWY_RESTRICT rows,
               const PackedBin* HWY_RESTRICT codes, size_t count, const TileSlots& slots,
               PackedBin* histogram) {
  const Bytes bytes;
  const auto places = hn::Load(bytes, slots.place.data());
  alignas(16) uint16_t offsets[kTileWidth];
  auto* base = reinterpret_cast<uint8_t*>(histogram);
  for (size_t i = 0; i < count; ++i) {
    if (i + kAhead < count) __builtin_prefetch(tile + size_t{rows[i + kAhead]} * kTileWidth);
    const auto row = hn::LoadU(bytes, tile + size_t{rows[i]} * kTileWidth);
    StoreOffsets<7>(hn::TableLookupBytes(row, places), offsets);
    const PackedBin code = codes[i];
    HWY_UNROLL(16)
    for (size_t s = 0; s < kSlots; ++s) {
      *reinterpret_cast<PackedBin*>(base + offsets[s] + s * sizeof(PackedBin)) += code;
    }
  }
}

using Adder = void (*)(const uint8_t*, const uint32_t*, const PackedBin*, size_t, const TileSlots&,
                       PackedBin*);

template <size_t... kSlots>
constexpr std::array<Adder, sizeof...(kSlots)> Adders(std::index_sequence<kSlots...>) {
  return {AddRowsTo<kSlots>...};
}

void AddRows(const uint8_t* tile, const uint32_t* rows, const PackedBin* codes, size_t count,
             const TileSlots& slots, PackedBin* histogram) {
  static constexpr std::array<Adder, kTileWidth + 1> kAdders =
      Adders(std::make_index_sequence<kTileWidth + 1>());
  kAdders[slots.count](tile, rows, codes, count, slots, histogram);
}

void AddRowsTogether(const uint8_t* HWY_RESTRICT tile, const uint32_t* HWY_RESTRICT rows,
                     const PackedBin* HWY_RESTRICT codes, size_t count, size_t first,
                     PackedBin* HWY_RESTRICT sums) {
  const hn::CappedTag<uint64_t, kTogether> tag;
  const hn::FixedTag<uint8_t, kHalfTile> bytes;
  const Offsets words;
  constexpr size_t kBinBytes = kHalfTile * kTogether * sizeof(PackedBin);  // 2^8
  const size_t lanes = hn::Lanes(tag);
  alignas(16) uint16_t offsets[kHalfTile];
  auto* base = reinterpret_cast<uint8_t*>(sums);
  for (size_t i = 0; i < count; ++i) {
    if (i + kAhead < count) __builtin_prefetch(tile + size_t{rows[i + kAhead]} * kTileWidth);
    const auto row = hn::LoadU(bytes, tile + size_t{rows[i]} * kTileWidth + first);
    hn::Store(hn::ShiftLeft<8>(hn::PromoteTo(words, row)), words, offsets);
    static_assert(kBinBytes == size_t{1} << 8);
    for (size_t k = 0; k < kTogether; k += lanes) {
      const auto code = hn::LoadU(tag, codes + i * kTogether + k);
      HWY_UNROLL(8)
      for (size_t c = 0; c < kHalfTile; ++c) {
        auto* sum = reinterpret_cast<PackedBin*>(base + offsets[c]) + c * kTogether + k;
        hn::StoreU(hn::Add(hn::LoadU(tag, sum), code), tag, sum);
      }
    }
  }
}

void SubtractAll(const PackedBin* parent, const PackedBin* smaller, size_t words,
                 PackedBin* larger) {
  const hn::ScalableTag<uint64_t> tag;
  for (size_t i = 0; i < words; i += hn::Lanes(tag)) {
    hn::StoreU(hn::Sub(hn::LoadU(tag, parent + i), hn::LoadU(tag, smaller + i)), tag, larger + i);
  }
}

using Ints = hn::CappedTag<int32_t, kTileWidth>;
using Floats = hn::RebindToFloat<Ints>;
using IntVector = hn::Vec<Ints>;
using FloatVector = hn::Vec<Floats>;

// What stays the same for all bins.
struct LeafVectors {
  HWY_INLINE explicit LeafVectors(const LeafBounds& leaf)
      : gradient(hn::Set(Ints(), leaf.gradient)),
        hessian(hn::Set(Ints(), leaf.hessian)),
        rows(hn::Set(Ints(), leaf.rows)),
        too_light(hn::Set(Ints(), leaf.least_hessian - 1)),
        too_few(hn::Set(Ints(), leaf.least_rows - 1)),
        rows_per_unit(hn::Set(Floats(), leaf.rows_per_unit)),
        l2(hn::Set(Floats(), leaf.l2)) {}

  IntVector gradient, hessian, rows, too_light, too_few;
  FloatVector rows_per_unit, l2;
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

  // Of the cut between it and the rest; 0 where a side is too small.
  HWY_INLINE FloatVector Gain(const LeafVectors& leaf) const {
    const Floats tag;
    const auto rest_h = hn::Sub(leaf.hessian, hessian);
    const auto g = hn::ConvertTo(tag, gradient);
    const auto rest_g = hn::ConvertTo(tag, hn::Sub(leaf.gradient, gradient));
    const auto weight = hn::Add(hn::ConvertTo(tag, hessian), leaf.l2);
    const auto rest_weight = hn::Add(hn::ConvertTo(tag, rest_h), leaf.l2);
    const auto above =
        hn::Add(hn::Mul(hn::Mul(g, g), rest_weight), hn::Mul(hn::Mul(rest_g, rest_g), weight));
    const auto gain = hn::Div(above, hn::Mul(weight, rest_weight));
    const auto least_h = hn::Min(hessian, rest_h);
    const auto least_rows = hn::Min(rows, hn::Sub(leaf.rows, rows));
    const auto is_big = hn::And(hn::Gt(least_h, leaf.too_light), hn::Gt(least_rows, leaf.too_few));
    return hn::IfThenElseZero(hn::RebindMask(tag, is_big), gain);
  }

  IntVector gradient, hessian, rows;
};

HWY_INLINE IntVector RowsOf(IntVector h, const LeafVectors& leaf) {
  const auto estimate = hn::Mul(hn::ConvertTo(Floats(), h), leaf.rows_per_unit);
  return hn::ConvertTo(Ints(), hn::Add(estimate, hn::Set(Floats(), 0.5F)));
}

// Of the lanes from `first` on; bins come from the right or from the left, to a side that has
// *rows already. *rows are then those of all bins.
template <bool kHasMissing, bool kFromRight>
HWY_INLINE FloatVector LargestOf(const PackedBin* histogram, size_t bins,
                                 const MissingBins& missing, const LeafVectors& leaf, size_t first,
                                 IntVector* rows) {
  const Ints tag;
  const hn::Repartition<uint64_t, Ints> wide;
  const auto missing_at = hn::LoadU(tag, missing.bin.data() + first);
  SideVectors side;
  side.rows = *rows;
  auto best = hn::Zero(Floats());
  for (size_t i = 0; i < bins; ++i) {
    const size_t bin = kFromRight ? bins - 1 - i : i;
    const PackedBin* at = histogram + bin * kTileWidth + first;
    const auto low = hn::BitCast(tag, hn::LoadU(wide, at));
    const auto high = hn::BitCast(tag, hn::LoadU(wide, at + hn::Lanes(wide)));
    auto h = hn::ConcatEven(tag, high, low), g = hn::ConcatOdd(tag, high, low);
    auto r = RowsOf(h, leaf);
    if constexpr (kHasMissing) {
      if constexpr (kFromRight) *rows = hn::Add(*rows, r);
      const auto is_missing = hn::Eq(hn::Set(tag, static_cast<int32_t>(bin)), missing_at);
      h = hn::IfThenZeroElse(is_missing, h);
      g = hn::IfThenZeroElse(is_missing, g);
      r = hn::IfThenZeroElse(is_missing, r);
    }
    side.Add(g, h, r);
    best = hn::Max(best, side.Gain(leaf));
  }
  return best;
}

void FindLargest(const PackedBin* histogram, size_t bins, const MissingBins& missing,
                 const LeafBounds& bounds, float* gains) {
  const Ints tag;
  const LeafVectors leaf(bounds);
  const bool has_missing = std::any_of(missing.bin.begin(), missing.bin.end(),
                                       [](int32_t bin) { return bin != kNoMissing; });
  for (size_t first = 0; first < kTileWidth; first += hn::Lanes(tag)) {
    auto rows = hn::Zero(tag);
    if (!has_missing) {
      const auto best = LargestOf<false, true>(histogram, bins, missing, leaf, first, &rows);
      hn::StoreU(best, Floats(), gains + first);
      continue;
    }
    const auto best = LargestOf<true, true>(histogram, bins, missing, leaf, first, &rows);
    const auto is_rest = hn::LoadU(tag, missing.first_is_rest.data() + first);
    rows = hn::And(hn::Sub(leaf.rows, rows), is_rest);
    const auto other = LargestOf<true, false>(histogram, bins, missing, leaf, first, &rows);
    const auto at = hn::LoadU(tag, missing.bin.data() + first);
    const auto has_other = hn::RebindMask(Floats(), hn::Lt(at, hn::Set(tag, kNoMissing)));
    hn::StoreU(hn::Max(best, hn::IfThenElseZero(has_other, other)), Floats(), gains + first);
  }
}

#endif  // HWY_TARGET == HWY_SCALAR

}  // namespace almanac::gbdt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace almanac::gbdt {
namespace {

HWY_EXPORT(AddRows);
HWY_EXPORT(AddRowsTogether);
HWY_EXPORT(SubtractAll);
HWY_EXPORT(FindLargest);

}  // namespace

void AddRows(const uint8_t* tile, const uint32_t* rows, const PackedBin* codes, size_t count,
             const TileSlots& slots, PackedBin* histogram) {
  HWY_DYNAMIC_DISPATCH(AddRows)(tile, rows, codes, count, slots, histogram);
}

void AddRowsTogether(const uint8_t* tile, const uint32_t* rows, const PackedBin* codes,
                     size_t count, size_t first, PackedBin* sums) {
  HWY_DYNAMIC_DISPATCH(AddRowsTogether)(tile, rows, codes, count, first, sums);
}

void Subtract(const PackedBin* parent, const PackedBin* smaller, size_t words, PackedBin* larger) {
  HWY_DYNAMIC_DISPATCH(SubtractAll)(parent, smaller, words, larger);
}

void LargestGains(const PackedBin* histogram, size_t bins, const MissingBins& missing,
                  const LeafBounds& leaf, float* gains) {
  HWY_DYNAMIC_DISPATCH(FindLargest)(histogram, bins, missing, leaf, gains);
}

}  // namespace almanac::gbdt
#endif  // HWY_ONCE
