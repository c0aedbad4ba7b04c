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

#endif  // HWY_TARGET == HWY_SCALAR

}  // namespace almanac::gbdt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace almanac::gbdt {
namespace {

HWY_EXPORT(AddRows);
HWY_EXPORT(AddRowsTogether);
HWY_EXPORT(SubtractAll);

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

}  // namespace almanac::gbdt
#endif  // HWY_ONCE
