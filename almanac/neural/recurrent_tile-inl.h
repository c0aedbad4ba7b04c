// The innermost loop of the recurrent networks' matrix products: a tile of the result held in
// registers. To be included under foreach_target.
#if defined(ALMANAC_NEURAL_RECURRENT_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ALMANAC_NEURAL_RECURRENT_TILE_INL_H_
#undef ALMANAC_NEURAL_RECURRENT_TILE_INL_H_
#else
#define ALMANAC_NEURAL_RECURRENT_TILE_INL_H_
#endif

#include <cstddef>
#include <cstring>
#include <type_traits>

#include <hwy/highway.h>

#include "almanac/neural/recurrent_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace almanac::neural::HWY_NAMESPACE {

// Registers for vectors: with a tile's operands, tiles of 24 accumulators fit 32, of 12 fit 16.
constexpr bool kManyRegisters = HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64;

// How many rows a tile of so many vectors a row has at most.
constexpr size_t TileRows(size_t vectors) { return (kManyRegisters ? 24 : 12) / vectors; }

// tile[i][v] += the sum over k in [0, depth) of left[i * row_stride + k * depth_stride] times the
// vector v of the k-th group of kVectors vectors at right (aligned). The sums run over k in order.
template <size_t kRows, size_t kVectors>
HWY_INLINE void MultiplyTile(const float* HWY_RESTRICT left, size_t row_stride, size_t depth_stride,
                             const float* HWY_RESTRICT right, size_t depth,
                             Vector (&tile)[kRows][kVectors]) {
  const FloatTag tag;
  const size_t lanes = hn::Lanes(tag);
  for (size_t k = 0; k < depth; ++k) {
    Vector operands[kVectors];
    for (size_t v = 0; v < kVectors; ++v) operands[v] = hn::Load(tag, right + v * lanes);
    for (size_t i = 0; i < kRows; ++i) {
      const Vector factor = hn::Set(tag, left[i * row_stride]);
      for (size_t v = 0; v < kVectors; ++v) {
        tile[i][v] = hn::MulAdd(factor, operands[v], tile[i][v]);
      }
    }
    left += depth_stride;
    right += kVectors * lanes;
  }
}

// Vectors of which `there` lanes exist in memory.
HWY_INLINE Vector LoadSome(const float* from, size_t there) {
  const FloatTag tag;
  const size_t lanes = hn::Lanes(tag);
  if (there >= lanes) return hn::LoadU(tag, from);
  HWY_ALIGN float line[16] = {};
  std::memcpy(line, from, there * sizeof(float));
  return hn::Load(tag, line);
}

HWY_INLINE void StoreSome(Vector value, float* to, size_t there) {
  const FloatTag tag;
  if (there >= hn::Lanes(tag)) return hn::StoreU(value, tag, to);
  HWY_ALIGN float line[16];
  hn::Store(value, tag, line);
  std::memcpy(to, line, there * sizeof(float));
}

// Calls body with std::integral_constant of `value`, which is in [1, kMost].
template <size_t kMost, typename Body>
HWY_INLINE void WithConstant(size_t value, const Body& body) {
  if (value == kMost) {
    body(std::integral_constant<size_t, kMost>());
  } else if constexpr (kMost > 1) {
    WithConstant<kMost - 1>(value, body);
  }
}

}  // namespace almanac::neural::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // include guard, once for each instruction set
