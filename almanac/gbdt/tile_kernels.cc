#include "almanac/gbdt/tile_kernels.h"

#include <algorithm>
#include <bit>
#include <cstring>
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
             const TileSlots& slots, PackedBin* histogram, Soon) {
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* row = tile + size_t{rows[i]} * kTileWidth;
    for (size_t s = 0; s < slots.count; ++s) {
      histogram[row[slots.place[s]] * slots.count + s] += codes[i];
    }
  }
}

template <typename Bin>
void AddApart(const uint8_t* tile, const uint32_t* rows, const Bin* values, size_t count,
              const TileSlots& slots, const SlotBins<Bin>& bins) {
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* row = tile + size_t{rows[i]} * kTileWidth;
    for (size_t s = 0; s < slots.count; ++s) bins[s][row[slots.place[s]]] += values[i];
  }
}

PackedBin WordOf(PackedBin code) { return code; }
PackedBin WordOf(ShortCode code) {
  return Pack(code.gradient, static_cast<uint32_t>(code.hessian));
}

template <typename Code>
void AddTogether(const uint8_t* tile, const uint32_t* rows, const Code* codes, size_t count,
                 size_t first, PackedBin* sums) {
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* row = tile + size_t{rows[i]} * kTileWidth + first;
    for (size_t c = 0; c < kHalfTile; ++c) {
      PackedBin* sum = sums + (c * kTileBins + row[c]) * kTogether;
      for (size_t k = 0; k < kTogether; ++k) sum[k] += WordOf(codes[i * kTogether + k]);
    }
  }
}

void SubtractAll(const PackedBin* parent, const PackedBin* smaller, size_t words,
                 PackedBin* larger) {
  for (size_t i = 0; i < words; ++i) larger[i] = parent[i] - smaller[i];
}

#else

// How many rows ahead a row's bins are asked for: the rows of a leaf lie scattered in memory.
constexpr size_t kAhead = 64;

using Bytes = hn::FixedTag<uint8_t, kTileWidth>;
using Offsets = hn::FixedTag<uint16_t, kTileWidth / 2>;

// offsets[s] = bin * `bin_bytes` of the slots of a row.
HWY_INLINE void StoreOffsets(hn::Vec<Bytes> bins, hn::Vec<Offsets> bin_bytes, uint16_t* offsets) {
  const Offsets words;
  const auto low = hn::PromoteTo(words, hn::LowerHalf(bins));
  const auto high = hn::PromoteTo(words, hn::UpperHalf(hn::Half<Bytes>(), bins));
  hn::Store(hn::Mul(low, bin_bytes), words, offsets);
  hn::Store(hn::Mul(high, bin_bytes), words, offsets + kTileWidth / 2);
}

constexpr std::ptrdiff_t kLineWords = 8;  // of a cache line

// Rows worked on at once: their bins are looked up before the first of them is added, so that none
// waits for its offsets.
constexpr size_t kRowsAtOnce = 4;

// So many slots: the loop over them is unrolled.
template <size_t kSlots>
HWY_INLINE void AddRow(uint8_t* base, const uint16_t* offsets, PackedBin code) {
  HWY_UNROLL(16)
  for (size_t s = 0; s < kSlots; ++s) {
    *reinterpret_cast<PackedBin*>(base + offsets[s] + s * sizeof(PackedBin)) += code;
  }
}

template <size_t kSlots>
void AddRowsTo(const uint8_t* HWY_RESTRICT tile, const uint32_t* HWY_RESTRICT rows,
               const PackedBin* HWY_RESTRICT codes, size_t count, const TileSlots& slots,
               PackedBin* histogram, Soon soon) {
  const Bytes bytes;
  const auto places = hn::Load(bytes, slots.place.data());
  // Not of kSlots: compilers would multiply by a constant with many shifts. At most 255 * 128.
  const auto bin_bytes = hn::Set(Offsets(), static_cast<uint16_t>(slots.count * sizeof(PackedBin)));
  alignas(16) uint16_t offsets[kRowsAtOnce][kTileWidth];
  auto* base = reinterpret_cast<uint8_t*>(histogram);
  const auto look_up = [&](size_t i, uint16_t* to) {
    const auto row = hn::LoadU(bytes, tile + size_t{rows[i]} * kTileWidth);
    StoreOffsets(hn::TableLookupBytes(row, places), bin_bytes, to);
  };
  size_t i = 0;
  for (; i + kRowsAtOnce <= count; i += kRowsAtOnce) {
    HWY_UNROLL(4)
    for (size_t r = 0; r < kRowsAtOnce; ++r) {
      const size_t next = i + r + kAhead;
      if (next < count) __builtin_prefetch(tile + size_t{rows[next]} * kTileWidth);
      look_up(i + r, offsets[r]);
    }
    // From the end, where the search begins.
    for (size_t line = 0; line < kRowsAtOnce && soon.begin < soon.end; ++line) {
      soon.end -= kLineWords;
      __builtin_prefetch(soon.end, 0, 2);  // to the second cache: the first holds the sums
    }
    HWY_UNROLL(4)
    for (size_t r = 0; r < kRowsAtOnce; ++r) AddRow<kSlots>(base, offsets[r], codes[i + r]);
  }
  for (; i < count; ++i) {
    look_up(i, offsets[0]);
    AddRow<kSlots>(base, offsets[0], codes[i]);
  }
}

HWY_INLINE void AddTo(PackedBin* bin, const PackedBin* value) { *bin += *value; }

HWY_INLINE void AddTo(HistogramBin* bin, const HistogramBin* value) {
  static_assert(sizeof(HistogramBin) == 2 * sizeof(double));
  const hn::FixedTag<double, 2> tag;
  auto* sum = reinterpret_cast<double*>(bin);
  const auto added = hn::LoadU(tag, reinterpret_cast<const double*>(value));
  hn::StoreU(hn::Add(hn::LoadU(tag, sum), added), tag, sum);
}

// The bytes of the slots of a row, eight in a word, the first in the lowest byte.
struct SlotWords {
  uint64_t low = 0, high = 0;
};

template <size_t kSlots, typename Bin>
HWY_INLINE void AddRowApart(SlotWords row, const Bin* value, const SlotBins<Bin>& bins) {
  HWY_UNROLL(16)
  for (size_t s = 0; s < kSlots; ++s) {
    uint64_t& left = s < 8 ? row.low : row.high;
    AddTo(bins[s] + (left & 0xFF), value);
    left >>= 8;
  }
}

template <size_t kSlots, typename Bin>
void AddApartTo(const uint8_t* HWY_RESTRICT tile, const uint32_t* HWY_RESTRICT rows,
                const Bin* HWY_RESTRICT values, size_t count, const TileSlots& slots,
                const SlotBins<Bin>& bins) {
  const Bytes bytes;
  const hn::Repartition<uint64_t, Bytes> words;
  const auto places = hn::Load(bytes, slots.place.data());
  const SlotBins<Bin> of = bins;  // a copy, which no sum can lie in
  SlotWords looked_up[kRowsAtOnce];
  const auto look_up = [&](size_t i) {
    const auto row = hn::LoadU(bytes, tile + size_t{rows[i]} * kTileWidth);
    const auto both = hn::BitCast(words, hn::TableLookupBytes(row, places));
    return SlotWords{hn::ExtractLane(both, 0), hn::ExtractLane(both, 1)};
  };
  size_t i = 0;
  for (; i + kRowsAtOnce <= count; i += kRowsAtOnce) {
    HWY_UNROLL(4)
    for (size_t r = 0; r < kRowsAtOnce; ++r) {
      const size_t next = i + r + kAhead;
      if (next < count) __builtin_prefetch(tile + size_t{rows[next]} * kTileWidth);
      looked_up[r] = look_up(i + r);
    }
    HWY_UNROLL(4)
    for (size_t r = 0; r < kRowsAtOnce; ++r) {
      AddRowApart<kSlots>(looked_up[r], values + i + r, of);
    }
  }
  for (; i < count; ++i) AddRowApart<kSlots>(look_up(i), values + i, of);
}

template <typename Bin>
using ApartAdder = void (*)(const uint8_t*, const uint32_t*, const Bin*, size_t, const TileSlots&,
                            const SlotBins<Bin>&);

template <typename Bin, size_t... kSlots>
constexpr std::array<ApartAdder<Bin>, sizeof...(kSlots)> ApartAdders(
    std::index_sequence<kSlots...>) {
  return {AddApartTo<kSlots, Bin>...};
}

template <typename Bin>
void AddApart(const uint8_t* tile, const uint32_t* rows, const Bin* values, size_t count,
              const TileSlots& slots, const SlotBins<Bin>& bins) {
  static constexpr std::array<ApartAdder<Bin>, kTileWidth + 1> kAdders =
      ApartAdders<Bin>(std::make_index_sequence<kTileWidth + 1>());
  kAdders[slots.count](tile, rows, values, count, slots, bins);
}

using Adder = void (*)(const uint8_t*, const uint32_t*, const PackedBin*, size_t, const TileSlots&,
                       PackedBin*, Soon);

template <size_t... kSlots>
constexpr std::array<Adder, sizeof...(kSlots)> Adders(std::index_sequence<kSlots...>) {
  return {AddRowsTo<kSlots>...};
}

void AddRows(const uint8_t* tile, const uint32_t* rows, const PackedBin* codes, size_t count,
             const TileSlots& slots, PackedBin* histogram, Soon soon) {
  static constexpr std::array<Adder, kTileWidth + 1> kAdders =
      Adders(std::make_index_sequence<kTileWidth + 1>());
  kAdders[slots.count](tile, rows, codes, count, slots, histogram, soon);
}

using FourWords = hn::CappedTag<uint64_t, kTogether>;

HWY_INLINE hn::Vec<FourWords> LoadCodes(const PackedBin* codes) {
  return hn::LoadU(FourWords(), codes);
}

HWY_INLINE hn::Vec<FourWords> LoadCodes(const ShortCode* codes) {
  const hn::Repartition<int32_t, FourWords> halves;
  const hn::Rebind<int16_t, decltype(halves)> shorts;
  static_assert(sizeof(ShortCode) == 2 * sizeof(int16_t));
  const auto loaded = hn::LoadU(shorts, reinterpret_cast<const int16_t*>(codes));
  return hn::BitCast(FourWords(), hn::PromoteTo(halves, loaded));
}

// Adds a row's codes to the sums of eight columns, whose bins are the bytes of `bins`.
template <typename Code>
HWY_INLINE void AddRowTogether(uint64_t bins, const Code* codes, PackedBin* sums) {
  const FourWords tag;
  constexpr size_t kColumn = kTileBins * kTogether;
  const size_t lanes = hn::Lanes(tag);
  for (size_t k = 0; k < kTogether; k += lanes) {
    const auto code = LoadCodes(codes + k);
    uint64_t left = bins;
    HWY_UNROLL(8)
    for (size_t c = 0; c < kHalfTile; ++c, left >>= 8) {
      PackedBin* sum = sums + c * kColumn + (left & 0xFF) * kTogether + k;
      hn::StoreU(hn::Add(hn::LoadU(tag, sum), code), tag, sum);
    }
  }
}

template <typename Code>
void AddTogether(const uint8_t* HWY_RESTRICT tile, const uint32_t* HWY_RESTRICT rows,
                 const Code* HWY_RESTRICT codes, size_t count, size_t first,
                 PackedBin* HWY_RESTRICT sums) {
  uint64_t bins[kRowsAtOnce];
  const auto look_up = [&](size_t i) {
    uint64_t eight;
    std::memcpy(&eight, tile + size_t{rows[i]} * kTileWidth + first, sizeof(eight));
    return std::endian::native == std::endian::little ? eight : __builtin_bswap64(eight);
  };
  size_t i = 0;
  for (; i + kRowsAtOnce <= count; i += kRowsAtOnce) {
    HWY_UNROLL(4)
    for (size_t r = 0; r < kRowsAtOnce; ++r) {
      const size_t next = i + r + kAhead;
      if (next < count) __builtin_prefetch(tile + size_t{rows[next]} * kTileWidth);
      bins[r] = look_up(i + r);
    }
    HWY_UNROLL(4)
    for (size_t r = 0; r < kRowsAtOnce; ++r) {
      AddRowTogether(bins[r], codes + (i + r) * kTogether, sums);
    }
  }
  for (; i < count; ++i) AddRowTogether(look_up(i), codes + i * kTogether, sums);
}

void SubtractAll(const PackedBin* parent, const PackedBin* smaller, size_t words,
                 PackedBin* larger) {
  const hn::ScalableTag<uint64_t> tag;
  for (size_t i = 0; i < words; i += hn::Lanes(tag)) {
    hn::StoreU(hn::Sub(hn::LoadU(tag, parent + i), hn::LoadU(tag, smaller + i)), tag, larger + i);
  }
}

#endif  // HWY_TARGET == HWY_SCALAR

void AddWordsTogether(const uint8_t* tile, const uint32_t* rows, const PackedBin* codes,
                      size_t count, size_t first, PackedBin* sums) {
  AddTogether(tile, rows, codes, count, first, sums);
}

void AddShortsTogether(const uint8_t* tile, const uint32_t* rows, const ShortCode* codes,
                       size_t count, size_t first, PackedBin* sums) {
  AddTogether(tile, rows, codes, count, first, sums);
}

void AddDoublesApart(const uint8_t* tile, const uint32_t* rows, const HistogramBin* values,
                     size_t count, const TileSlots& slots, const SlotBins<HistogramBin>& bins) {
  AddApart(tile, rows, values, count, slots, bins);
}

void AddCodesApart(const uint8_t* tile, const uint32_t* rows, const PackedBin* values, size_t count,
                   const TileSlots& slots, const SlotBins<PackedBin>& bins) {
  AddApart(tile, rows, values, count, slots, bins);
}

}  // namespace almanac::gbdt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace almanac::gbdt {
namespace {

HWY_EXPORT(AddRows);
HWY_EXPORT(AddWordsTogether);
HWY_EXPORT(AddShortsTogether);
HWY_EXPORT(SubtractAll);
HWY_EXPORT(AddDoublesApart);
HWY_EXPORT(AddCodesApart);

}  // namespace

void AddRowsApart(const uint8_t* tile, const uint32_t* rows, const HistogramBin* values,
                  size_t count, const TileSlots& slots, const SlotBins<HistogramBin>& bins) {
  HWY_DYNAMIC_DISPATCH(AddDoublesApart)(tile, rows, values, count, slots, bins);
}

void AddRowsApart(const uint8_t* tile, const uint32_t* rows, const PackedBin* values, size_t count,
                  const TileSlots& slots, const SlotBins<PackedBin>& bins) {
  HWY_DYNAMIC_DISPATCH(AddCodesApart)(tile, rows, values, count, slots, bins);
}

void AddRows(const uint8_t* tile, const uint32_t* rows, const PackedBin* codes, size_t count,
             const TileSlots& slots, PackedBin* histogram, Soon soon) {
  HWY_DYNAMIC_DISPATCH(AddRows)(tile, rows, codes, count, slots, histogram, soon);
}

void AddRowsTogether(const uint8_t* tile, const uint32_t* rows, const PackedBin* codes,
                     size_t count, size_t first, PackedBin* sums) {
  HWY_DYNAMIC_DISPATCH(AddWordsTogether)(tile, rows, codes, count, first, sums);
}

void AddRowsTogether(const uint8_t* tile, const uint32_t* rows, const ShortCode* codes,
                     size_t count, size_t first, PackedBin* sums) {
  HWY_DYNAMIC_DISPATCH(AddShortsTogether)(tile, rows, codes, count, first, sums);
}

void Subtract(const PackedBin* parent, const PackedBin* smaller, size_t words, PackedBin* larger) {
  HWY_DYNAMIC_DISPATCH(SubtractAll)(parent, smaller, words, larger);
}

}  // namespace almanac::gbdt
#endif  // HWY_ONCE
