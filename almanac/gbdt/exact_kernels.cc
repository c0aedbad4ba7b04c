#include "almanac/gbdt/exact_kernels.h"

#include <algorithm>
#include <type_traits>
#include <utility>

// Few instruction sets are worth their compilation; sizeless vectors do not fit into arrays.
#define HWY_DISABLED_TARGETS \
  (HWY_SSE4 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "almanac/gbdt/exact_kernels.cc"
#include <hwy/foreach_target.h>  // compiles what follows once for each instruction set

#include <hwy/cache_control.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace almanac::gbdt::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR  // without vectors: the plain loops

void AddRowPairs(const uint8_t* tile, const uint32_t* rows, const GradientPair* values,
                 size_t count, const TileSlots& slots, HistogramBin* histogram, Lines) {
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* row = tile + size_t{rows[i]} * kTileWidth;
    const HistogramBin value{values[i].gradient, values[i].hessian};
    for (size_t s = 0; s < slots.count; ++s) {
      histogram[row[slots.place[s]] * slots.count + s] += value;
    }
  }
}

void AddQuarter(const uint8_t* tile, const uint32_t* rows, const GradientPair* values, size_t count,
                size_t first, HistogramBin* sums) {
  for (size_t i = 0; i < count; ++i) {
    const uint8_t* row = tile + size_t{rows[i]} * kTileWidth + first;
    for (size_t c = 0; c < kQuarterTile; ++c) {
      for (size_t k = 0; k < kTogether; ++k) {
        const GradientPair& value = values[i * kTogether + k];
        sums[(c * kTileBins + row[c]) * kTogether + k] += {value.gradient, value.hessian};
      }
    }
  }
}

size_t VectorDoubles() { return 1; }

void TakeAway(const HistogramBin* histogram, size_t bins, size_t slots, const HistogramBin& leaf,
              HistogramBin* rest) {
  for (size_t s = 0; s < slots; ++s) {
    rest[s] = leaf;
    for (size_t bin = 0; bin < bins; ++bin) rest[s] -= histogram[bin * slots + s];
  }
}

void SubtractAllBins(const HistogramBin* parent, const HistogramBin* smaller, size_t count,
                     HistogramBin* larger) {
  for (size_t i = 0; i < count; ++i) {
    HistogramBin rest = parent[i];
    rest -= smaller[i];
    larger[i] = rest;
  }
}

void KeepAllBins(const HistogramBin* from, size_t count, HistogramBin* to) {
  std::copy_n(from, count, to);
}

#else

using Doubles = hn::CappedTag<double, 8>;

// How many rows ahead a row's bins are asked for: the rows of a leaf lie scattered in memory.
constexpr size_t kAhead = 64;
// Rows worked on at once: their bins are looked up before the first of them is added, so that none
// waits for its offsets.
constexpr size_t kRowsAtOnce = 4;

// A row's values on their way to the bins of its slots, which lie so many bytes from `base`. The
// offsets come from memory: taken from where they were made, each would cost an operation more.
template <size_t kSlots>
HWY_INLINE void AddRowPair(uint8_t* base, const volatile uint16_t* offsets,
                           const GradientPair& pair) {
  const hn::FixedTag<double, 2> tag;
  const hn::FixedTag<float, 2> floats;
  static_assert(sizeof(HistogramBin) == 2 * sizeof(double));
  const auto value = hn::PromoteTo(tag, hn::LoadU(floats, &pair.gradient));
  HWY_UNROLL(16)
  for (size_t s = 0; s < kSlots; ++s) {
    auto* sum = reinterpret_cast<double*>(base + offsets[s] + s * sizeof(HistogramBin));
    hn::Store(hn::Add(hn::Load(tag, sum), value), tag, sum);
  }
}

// Rows' way through a tile.
struct PairRows {
  const uint8_t* tile;
  const uint32_t* rows;
  const GradientPair* values;
  size_t count;
};

// Where the bins of a row's slots begin, in bytes, if a bin takes `bin_bytes`.
template <size_t kSlots>
HWY_INLINE void LookUp(const PairRows& of, size_t i,
                       hn::Vec<hn::FixedTag<uint8_t, kTileWidth> > places,
                       hn::Vec<hn::FixedTag<uint16_t, kTileWidth / 2> > bin_bytes,
                       uint16_t* offsets) {
  const hn::FixedTag<uint8_t, kTileWidth> bytes;
  const hn::FixedTag<uint16_t, kTileWidth / 2> words;
  const auto row = hn::Load(bytes, of.tile + size_t{of.rows[i]} * kTileWidth);
  const auto bins = hn::TableLookupBytes(row, places);
  hn::Store(hn::Mul(hn::PromoteTo(words, hn::LowerHalf(bins)), bin_bytes), words, offsets);
  if constexpr (kSlots > kTileWidth / 2) {
    const auto high = hn::PromoteTo(words, hn::UpperHalf(hn::Half<decltype(bytes)>(), bins));
    hn::Store(hn::Mul(high, bin_bytes), words, offsets + kTileWidth / 2);
  }
}

template <size_t kSlots>
void AddPairsTo(const PairRows& of, const TileSlots& slots, HistogramBin* histogram, Lines soon) {
  const hn::FixedTag<uint8_t, kTileWidth> bytes;
  const hn::FixedTag<uint16_t, kTileWidth / 2> words;
  const auto places = hn::Load(bytes, slots.place.data());
  // At most 255 * 16 * 16: it fits. Were it a constant, compilers would multiply by many shifts.
  const auto bin_bytes = hn::Set(words, static_cast<uint16_t>(slots.count * sizeof(HistogramBin)));
  alignas(16) uint16_t offsets[kRowsAtOnce][kTileWidth];
  auto* base = reinterpret_cast<uint8_t*>(histogram);
  const PairRows rows = of;  // a copy, which no sum can lie in
  size_t i = 0;
  const auto add_until = [&](size_t end, auto asks_for_rows, auto asks_for_lines) HWY_ATTR {
    for (; i + kRowsAtOnce <= end; i += kRowsAtOnce) {
      HWY_UNROLL(4)
      for (size_t r = 0; r < kRowsAtOnce; ++r) {
        if constexpr (asks_for_rows()) {
          __builtin_prefetch(rows.tile + size_t{rows.rows[i + r + kAhead]} * kTileWidth);
        }
        if constexpr (asks_for_lines()) __builtin_prefetch(soon.begin + (i + r) * kLineBins);
        LookUp<kSlots>(rows, i + r, places, bin_bytes, offsets[r]);
      }
      HWY_UNROLL(4)
      for (size_t r = 0; r < kRowsAtOnce; ++r) {
        AddRowPair<kSlots>(base, offsets[r], rows.values[i + r]);
      }
    }
  };
  using Yes = std::true_type;
  using No = std::false_type;
  const size_t with_rows = rows.count - std::min(rows.count, kAhead);
  add_until(std::min(with_rows, soon.count), Yes(), Yes());
  add_until(with_rows, Yes(), No());
  add_until(rows.count, No(), No());
  for (; i < rows.count; ++i) {
    LookUp<kSlots>(rows, i, places, bin_bytes, offsets[0]);
    AddRowPair<kSlots>(base, offsets[0], rows.values[i]);
  }
}

using PairAdder = void (*)(const PairRows&, const TileSlots&, HistogramBin*, Lines);

template <size_t... kSlots>
constexpr std::array<PairAdder, sizeof...(kSlots)> PairAdders(std::index_sequence<kSlots...>) {
  return {AddPairsTo<kSlots>...};
}

void AddRowPairs(const uint8_t* tile, const uint32_t* rows, const GradientPair* values,
                 size_t count, const TileSlots& slots, HistogramBin* histogram, Lines soon) {
  static constexpr std::array<PairAdder, kTileWidth + 1> kAdders =
      PairAdders(std::make_index_sequence<kTileWidth + 1>());
  kAdders[slots.count]({tile, rows, values, count}, slots, histogram, soon);
}

size_t VectorDoubles() { return hn::Lanes(Doubles()); }

// A row's values of four trees on their way to the bins of four columns.
HWY_INLINE void AddRowTogether(const uint32_t* places, const GradientPair* pairs, double* sums) {
  const Doubles tag;
  const hn::Rebind<float, Doubles> floats;
  constexpr size_t kNumbers = 2 * kTogether;
  const size_t lanes = hn::Lanes(tag);
  for (size_t n = 0; n < kNumbers; n += lanes) {
    const auto value = hn::PromoteTo(tag, hn::LoadU(floats, &pairs->gradient + n));
    HWY_UNROLL(4)
    for (size_t c = 0; c < kQuarterTile; ++c) {
      double* sum = sums + c * kTileBins * kNumbers + places[c] + n;
      hn::Store(hn::Add(hn::Load(tag, sum), value), tag, sum);
    }
  }
}

void AddQuarter(const uint8_t* HWY_RESTRICT tile, const uint32_t* HWY_RESTRICT rows,
                const GradientPair* HWY_RESTRICT values, size_t count, size_t first,
                HistogramBin* sums) {
  uint32_t places[kRowsAtOnce][kQuarterTile];
  constexpr uint32_t kRowNumbers = 2 * kTogether;
  auto* numbers = reinterpret_cast<double*>(sums);
  size_t i = 0;
  const auto look_up = [&](size_t row, uint32_t* to) {
    const uint8_t* bins = tile + size_t{rows[row]} * kTileWidth + first;
    HWY_UNROLL(4)
    for (size_t c = 0; c < kQuarterTile; ++c) to[c] = bins[c] * kRowNumbers;
  };
  const auto add_until = [&](size_t end, auto asks_for_rows) HWY_ATTR {
    for (; i + kRowsAtOnce <= end; i += kRowsAtOnce) {
      HWY_UNROLL(4)
      for (size_t r = 0; r < kRowsAtOnce; ++r) {
        if constexpr (asks_for_rows()) {
          __builtin_prefetch(tile + size_t{rows[i + r + kAhead]} * kTileWidth);
        }
        look_up(i + r, places[r]);
      }
      HWY_UNROLL(4)
      for (size_t r = 0; r < kRowsAtOnce; ++r) {
        AddRowTogether(places[r], values + (i + r) * kTogether, numbers);
      }
    }
  };
  add_until(count - std::min(count, kAhead), std::true_type());
  add_until(count, std::false_type());
  for (; i < count; ++i) {
    look_up(i, places[0]);
    AddRowTogether(places[0], values + i * kTogether, numbers);
  }
}

// rest[s] = leaf - bin 0 - bin 1 - ... of the slot. Up to four vectors of sums side by side.
void TakeAway(const HistogramBin* histogram, size_t bins, size_t slots, const HistogramBin& leaf,
              HistogramBin* rest) {
  const Doubles tag;
  const size_t lanes = hn::Lanes(tag);
  const auto start = hn::OddEven(hn::Set(tag, leaf.hessian), hn::Set(tag, leaf.gradient));
  alignas(64) std::array<double, 2 * kTileWidth + size_t{4} * 8> all;
  for (size_t first = 0; first < 2 * slots; first += 4 * lanes) {
    const double* from = &histogram->gradient + first;
    auto a = start, b = start, c = start, d = start;
    for (size_t bin = 0; bin < bins; ++bin, from += 2 * slots) {
      a = hn::Sub(a, hn::LoadU(tag, from));
      b = hn::Sub(b, hn::LoadU(tag, from + lanes));
      c = hn::Sub(c, hn::LoadU(tag, from + 2 * lanes));
      d = hn::Sub(d, hn::LoadU(tag, from + 3 * lanes));
    }
    hn::StoreU(a, tag, &all[first]);
    hn::StoreU(b, tag, &all[first + lanes]);
    hn::StoreU(c, tag, &all[first + 2 * lanes]);
    hn::StoreU(d, tag, &all[first + 3 * lanes]);
  }
  for (size_t s = 0; s < slots; ++s) rest[s] = {all[2 * s], all[2 * s + 1]};
}

void SubtractAllBins(const HistogramBin* parent, const HistogramBin* smaller, size_t count,
                     HistogramBin* larger) {
  const Doubles tag;
  const auto* from = reinterpret_cast<const double*>(parent);
  const auto* less = reinterpret_cast<const double*>(smaller);
  auto* to = reinterpret_cast<double*>(larger);
  const size_t lanes = hn::Lanes(tag);
  size_t i = 0;
  for (; i + lanes <= 2 * count; i += lanes) {
    hn::StoreU(hn::Sub(hn::LoadU(tag, from + i), hn::LoadU(tag, less + i)), tag, to + i);
  }
  for (; i < 2 * count; ++i) to[i] = from[i] - less[i];
}

void KeepAllBins(const HistogramBin* from, size_t count, HistogramBin* to) {
  const Doubles tag;
  const auto* source = reinterpret_cast<const double*>(from);
  auto* target = reinterpret_cast<double*>(to);
  for (size_t i = 0; i < 2 * count; i += hn::Lanes(tag)) {
    hn::Stream(hn::Load(tag, source + i), tag, target + i);
  }
  hwy::FlushStream();
}

#endif  // HWY_TARGET == HWY_SCALAR

}  // namespace almanac::gbdt::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace almanac::gbdt {
namespace {

HWY_EXPORT(AddRowPairs);
HWY_EXPORT(AddQuarter);
HWY_EXPORT(VectorDoubles);
HWY_EXPORT(TakeAway);
HWY_EXPORT(SubtractAllBins);
HWY_EXPORT(KeepAllBins);

}  // namespace

void AddPairs(const uint8_t* tile, const uint32_t* rows, const GradientPair* values, size_t count,
              const TileSlots& slots, HistogramBin* histogram, Lines soon) {
  HWY_DYNAMIC_DISPATCH(AddRowPairs)(tile, rows, values, count, slots, histogram, soon);
}

void AddPairsTogether(const uint8_t* tile, const uint32_t* rows, const GradientPair* values,
                      size_t count, size_t first, HistogramBin* sums) {
  HWY_DYNAMIC_DISPATCH(AddQuarter)(tile, rows, values, count, first, sums);
}

// A column takes one addition of a vector, or several where vectors are short, each of which costs
// half as much again as one of AddPairs: its sums do not quite fit the nearest cache.
bool PaysTogether(size_t slots) {
  const size_t additions = kTileWidth * 2 * kTogether / HWY_DYNAMIC_DISPATCH(VectorDoubles)();
  return 2 * slots > 3 * additions;
}

void ReconstructFrequentBins(HistogramBin* histogram, size_t bins, size_t slots,
                             const std::array<uint32_t, kTileWidth>& frequent,
                             const HistogramBin& leaf) {
  // What is 0 takes nothing away.
  for (size_t s = 0; s < slots; ++s) {
    if (frequent[s] != 0) histogram[frequent[s] * slots + s] = {};
  }
  std::array<HistogramBin, kTileWidth> rest;
  HWY_DYNAMIC_DISPATCH(TakeAway)(histogram, bins, slots, leaf, rest.data());
  for (size_t s = 0; s < slots; ++s) {
    if (frequent[s] != 0) histogram[frequent[s] * slots + s] = rest[s];
  }
}

void SubtractBins(const HistogramBin* parent, const HistogramBin* smaller, size_t count,
                  HistogramBin* larger) {
  HWY_DYNAMIC_DISPATCH(SubtractAllBins)(parent, smaller, count, larger);
}

void KeepBins(const HistogramBin* from, size_t count, HistogramBin* to) {
  HWY_DYNAMIC_DISPATCH(KeepAllBins)(from, count, to);
}

}  // namespace almanac::gbdt
#endif  // HWY_ONCE