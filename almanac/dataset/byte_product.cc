#include "almanac/dataset/byte_product.h"

#include <algorithm>
#include <array>
#include <new>
#include <numeric>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "almanac/base/parallel.h"

// Sizeless vectors do not fit into arrays.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "almanac/dataset/byte_product.cc"
#include <hwy/foreach_target.h>  // compiles what follows once for each instruction set

#include <hwy/highway.h>

#ifndef ALMANAC_DATASET_BYTE_PRODUCT_ONCE
#define ALMANAC_DATASET_BYTE_PRODUCT_ONCE
namespace almanac {

// A tile of products: the sums are kept in registers while its rows run through.
constexpr size_t kTileLeft = 6, kTileRight = 4;
using TileSums = std::array<int32_t, kTileLeft * kTileRight>;
// Sums of 32 bits hold 127 * 255 times this, and one row of tiles stays in the nearest cache.
constexpr size_t kDepth = 4096;
static_assert(kDepth * 127 * 255 < size_t{1} << 31);

}  // namespace almanac
#endif  // ALMANAC_DATASET_BYTE_PRODUCT_ONCE

HWY_BEFORE_NAMESPACE();
namespace almanac::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR
void MultiplyTile(const int8_t* const* left, const uint8_t* const* right, size_t first,
                  size_t count, TileSums* sums) {
  for (size_t t = 0; t < sums->size(); ++t) {
    int32_t sum = 0;
    for (size_t i = first; i < first + count; ++i) {
      sum += left[t / kTileRight][i] * right[t % kTileRight][i];
    }
    (*sums)[t] = sum;
  }
}
#else
// Pairs of products of 16 bits are added to 32 bits. Two columns by four at a time, as registers
// of the older instruction sets allow.
void MultiplyTile(const int8_t* const* left, const uint8_t* const* right, size_t first,
                  size_t count, TileSums* sums) {
  const hn::ScalableTag<int32_t> tag;
  const hn::Repartition<int16_t, decltype(tag)> halves;
  const hn::Rebind<int8_t, decltype(halves)> bytes;
  const hn::Rebind<uint8_t, decltype(halves)> unsigned_bytes;
  constexpr size_t kPair = 2;
  for (size_t l = 0; l < kTileLeft; l += kPair) {
    decltype(hn::Zero(tag)) totals[kPair][kTileRight], more[kPair][kTileRight];
    for (size_t p = 0; p < kPair; ++p) {
      for (size_t r = 0; r < kTileRight; ++r) totals[p][r] = more[p][r] = hn::Zero(tag);
    }
    for (size_t i = first; i < first + count; i += hn::Lanes(halves)) {
      const auto one = hn::PromoteTo(halves, hn::LoadU(bytes, left[l] + i));
      const auto other = hn::PromoteTo(halves, hn::LoadU(bytes, left[l + 1] + i));
      for (size_t r = 0; r < kTileRight; ++r) {
        const auto factor = hn::PromoteTo(halves, hn::LoadU(unsigned_bytes, right[r] + i));
        totals[0][r] = hn::ReorderWidenMulAccumulate(tag, one, factor, totals[0][r], more[0][r]);
        totals[1][r] = hn::ReorderWidenMulAccumulate(tag, other, factor, totals[1][r], more[1][r]);
      }
    }
    for (size_t p = 0; p < kPair; ++p) {
      for (size_t r = 0; r < kTileRight; ++r) {
        const auto total = hn::SumOfLanes(tag, hn::Add(totals[p][r], more[p][r]));
        (*sums)[(l + p) * kTileRight + r] = hn::GetLane(total);
      }
    }
  }
}

#endif

}  // namespace almanac::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace almanac {
namespace {

HWY_EXPORT(MultiplyTile);

constexpr size_t kLine = 64;  // of a cache, and of the widest vectors
constexpr uint8_t kShift = 128;
constexpr size_t kRightGroup = 128;  // columns whose rows of one depth stay in the second cache

using Tile = void (*)(const int8_t* const* left, const uint8_t* const* right, size_t first,
                      size_t count, TileSums* sums);

void MultiplyTilePortable(const int8_t* const* left, const uint8_t* const* right, size_t first,
                          size_t count, TileSums* sums) {
  HWY_DYNAMIC_DISPATCH(MultiplyTile)(left, right, first, count, sums);
}

#if defined(__x86_64__)
#define ALMANAC_VNNI __attribute__((target("avx512f,avx512bw,avx512vnni")))

// The sums of one left column. Named, as gcc keeps arrays of vectors on the stack.
struct VnniRow {
  __m512i a, b, c, d;
};

ALMANAC_VNNI VnniRow ZeroRow() {
  const __m512i zero = _mm512_setzero_si512();
  return {zero, zero, zero, zero};
}

ALMANAC_VNNI __attribute__((always_inline)) inline void AddTo(VnniRow& row, const int8_t* left,
                                                              const VnniRow& right) {
  const __m512i factor = _mm512_load_si512(left);
  row.a = _mm512_dpbusd_epi32(row.a, right.a, factor);
  row.b = _mm512_dpbusd_epi32(row.b, right.b, factor);
  row.c = _mm512_dpbusd_epi32(row.c, right.c, factor);
  row.d = _mm512_dpbusd_epi32(row.d, right.d, factor);
}

ALMANAC_VNNI int32_t SumOf(__m512i vector) {
  alignas(kLine) std::array<int32_t, kLine / sizeof(int32_t)> lanes;
  _mm512_store_si512(lanes.data(), vector);
  return std::accumulate(lanes.begin(), lanes.end(), 0);
}

ALMANAC_VNNI void MultiplyTileVnni(const int8_t* const* left, const uint8_t* const* right,
                                   size_t first, size_t count, TileSums* sums) {
  static_assert(kTileLeft == 6 && kTileRight == 4);
  VnniRow r0 = ZeroRow(), r1 = r0, r2 = r0, r3 = r0, r4 = r0, r5 = r0;
  for (size_t i = first; i < first + count; i += kLine) {
    const VnniRow factors = {_mm512_load_si512(right[0] + i), _mm512_load_si512(right[1] + i),
                             _mm512_load_si512(right[2] + i), _mm512_load_si512(right[3] + i)};
    AddTo(r0, left[0] + i, factors);
    AddTo(r1, left[1] + i, factors);
    AddTo(r2, left[2] + i, factors);
    AddTo(r3, left[3] + i, factors);
    AddTo(r4, left[4] + i, factors);
    AddTo(r5, left[5] + i, factors);
  }
  int32_t* out = sums->data();
  for (const VnniRow& row : {r0, r1, r2, r3, r4, r5}) {
    for (const __m512i& vector : {row.a, row.b, row.c, row.d}) *out++ = SumOf(vector);
  }
}
#endif

Tile TileOf(ByteKernel kernel) {
#if defined(__x86_64__)
  static const bool kHasVnni = __builtin_cpu_supports("avx512f") &&
                               __builtin_cpu_supports("avx512bw") &&
                               __builtin_cpu_supports("avx512vnni");
  if (kernel == ByteKernel::kFastest && kHasVnni) return MultiplyTileVnni;
#endif
  static_cast<void>(kernel);
  return MultiplyTilePortable;
}

// Whole tiles of pointers: behind the last column it stands again, and its products are not used.
template <typename T>
std::vector<const T*> Repeated(std::vector<const T*> columns, size_t tile) {
  while (columns.size() % tile != 0) columns.push_back(columns.back());
  return columns;
}

}  // namespace

size_t ByteColumn::Padded(size_t rows) { return (rows + kLine - 1) / kLine * kLine; }

ByteColumn::ByteColumn(size_t rows)
    : bytes_(static_cast<int8_t*>(
          ::operator new (std::max(Padded(rows), kLine), std::align_val_t{kLine}))) {
  std::fill_n(bytes_.get(), Padded(rows), int8_t{0});
}

void ByteColumn::Release::operator()(int8_t* memory) const {
  ::operator delete (memory, std::align_val_t{kLine});
}

ByteColumns::ByteColumns(std::span<const ByteColumn* const> columns, size_t rows)
    : size_(columns.size()), rows_(rows), memory_((columns.size() + 1) * ByteColumn::Padded(rows)) {
  const size_t padded = ByteColumn::Padded(rows);
  std::fill_n(memory_.data() + size_ * padded, padded, static_cast<int8_t>(kShift));
  ParallelFor(size_, [&](size_t j) {
    const int8_t* from = columns[j]->data();
    int8_t* to = memory_.data() + j * padded;
    for (size_t i = 0; i < padded; ++i) {
      to[i] = static_cast<int8_t>(static_cast<uint8_t>(from[i]) ^ kShift);
    }
  });
}

const uint8_t* ByteColumns::column(size_t j) const {
  return reinterpret_cast<const uint8_t*>(memory_.data()) + j * ByteColumn::Padded(rows_);
}

// The shift adds to a product 128 times the sum of its left column, which is the product with the
// column of zeros.
void MultiplyBytes(std::span<const ByteColumn* const> left, const ByteColumns& right,
                   std::span<const size_t> chosen, double* products, ByteKernel kernel) {
  if (left.empty() || chosen.empty()) return;
  const Tile multiply = TileOf(kernel);
  std::vector<const int8_t*> rows;
  for (const ByteColumn* column : left) rows.push_back(column->data());
  std::vector<const uint8_t*> columns;
  for (const size_t j : chosen) columns.push_back(right.column(j));
  columns.push_back(right.column(right.size()));
  rows = Repeated(std::move(rows), kTileLeft);
  columns = Repeated(std::move(columns), kTileRight);
  std::vector<double> sums(rows.size() * columns.size(), 0.0);
  const size_t padded = ByteColumn::Padded(right.rows());
  for (size_t group = 0; group < columns.size(); group += kRightGroup) {
    const size_t group_end = std::min(columns.size(), group + kRightGroup);
    for (size_t first = 0; first < padded; first += kDepth) {
      const size_t count = std::min(kDepth, padded - first);
      for (size_t l = 0; l < rows.size(); l += kTileLeft) {
        for (size_t r = group; r < group_end; r += kTileRight) {
          TileSums tile;
          multiply(rows.data() + l, columns.data() + r, first, count, &tile);
          for (size_t t = 0; t < tile.size(); ++t) {
            sums[(l + t / kTileRight) * columns.size() + r + t % kTileRight] += tile[t];
          }
        }
      }
    }
  }
  for (size_t i = 0; i < left.size(); ++i) {
    const double* line = sums.data() + i * columns.size();
    for (size_t j = 0; j < chosen.size(); ++j) {
      products[i * chosen.size() + j] = line[j] - line[chosen.size()];
    }
  }
}

}  // namespace almanac
#endif  // HWY_ONCE
