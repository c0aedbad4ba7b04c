#include "almanac/dataset/column_product.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <new>
#include <vector>

#include "almanac/base/parallel.h"

// Sizeless vectors do not fit into arrays.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "almanac/dataset/column_product.cc"
#include <hwy/foreach_target.h>  // compiles what follows once for each instruction set

#include <hwy/aligned_allocator.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace almanac::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::ScalableTag<float>;
using Vector = hn::Vec<FloatTag>;

// A kernel's result: kLeft columns by kVectors vectors of columns, one accumulator register each;
// with the operands they just fit the registers.
constexpr size_t kLeft = 6;
constexpr size_t kVectors = HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64 ? 4 : 2;

size_t Width() { return kVectors * hn::Lanes(FloatTag()); }

// What is taken of `count` values.
void Take(const ProductColumn& column, size_t first, size_t count, float* out) {
  const hn::Half<FloatTag> half;
  const hn::RepartitionToWide<FloatTag> wide;
  const size_t lanes = hn::Lanes(half);
  const auto mean = hn::Set(wide, column.mean), scale = hn::Set(wide, column.inverse_scale);
  const float* values = column.values + first;
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto value = hn::LoadU(half, values + i);
    const auto is_there = hn::Eq(hn::Sub(value, value), hn::Zero(half));  // if it is finite
    auto taken = hn::Set(half, 1.0F);
    if (column.taken != Taken::kPresence) {
      const auto distance = hn::Sub(hn::PromoteTo(wide, value), mean);
      taken = hn::DemoteTo(half, hn::Mul(distance, scale));
    }
    if (column.taken == Taken::kSquare) taken = hn::Mul(taken, taken);
    hn::StoreU(hn::IfThenElseZero(is_there, taken), half, out + i);
  }
  for (; i < count; ++i) {
    const auto value = static_cast<float>((values[i] - column.mean) * column.inverse_scale);
    const float taken = column.taken == Taken::kPresence ? 1.0F
                        : column.taken == Taken::kSquare ? value * value
                                                         : value;
    out[i] = std::isfinite(values[i]) ? taken : 0.0F;
  }
}

// Panels of `width` columns side by side, row after row; missing columns are 0.
void PackPanels(std::span<const ProductColumn> columns, size_t first, size_t depth, size_t width,
                float* out) {
  std::array<float, kProductDepth> run;
  for (size_t panel = 0; panel < columns.size(); panel += width, out += width * depth) {
    for (size_t place = 0; place < width; ++place) {
      if (panel + place < columns.size()) {
        Take(columns[panel + place], first, depth, run.data());
      } else {
        run.fill(0);
      }
      for (size_t i = 0; i < depth; ++i) out[i * width + place] = run[i];
    }
  }
}

// The rows [first, first + depth) of the right side.
void PackRight(std::span<const ProductColumn> columns, size_t first, size_t depth, float* out) {
  PackPanels(columns, first, depth, Width(), out);
}

// One panel of the left side by one of the right, added to sums[i * stride + j].
void MultiplyPanels(const float* HWY_RESTRICT left, const float* HWY_RESTRICT right, size_t depth,
                    size_t left_columns, size_t right_columns, double* sums, size_t stride) {
  const FloatTag tag;
  const size_t lanes = hn::Lanes(tag);
  Vector totals[kLeft][kVectors];
  for (auto& row : totals) {
    for (Vector& total : row) total = hn::Zero(tag);
  }
  for (size_t i = 0; i < depth; ++i) {
    Vector operands[kVectors];
    for (size_t v = 0; v < kVectors; ++v) operands[v] = hn::Load(tag, right + v * lanes);
    for (size_t l = 0; l < kLeft; ++l) {
      const Vector factor = hn::Set(tag, left[l]);
      for (size_t v = 0; v < kVectors; ++v) {
        totals[l][v] = hn::MulAdd(factor, operands[v], totals[l][v]);
      }
    }
    left += kLeft;
    right += kVectors * lanes;
  }
  HWY_ALIGN std::array<float, kVectors * hn::MaxLanes(FloatTag())> line;
  for (size_t l = 0; l < left_columns; ++l) {
    for (size_t v = 0; v < kVectors; ++v) hn::Store(totals[l][v], tag, line.data() + v * lanes);
    for (size_t r = 0; r < right_columns; ++r) sums[l * stride + r] += line[r];
  }
}

// A packed left side by all panels of the right.
void MultiplyBlock(const float* left, size_t left_columns, const float* right, size_t right_columns,
                   size_t depth, double* sums) {
  const size_t width = Width();
  for (size_t r = 0; r < right_columns; r += width, right += width * depth) {
    for (size_t l = 0; l < left_columns; l += kLeft) {
      MultiplyPanels(left + l * depth, right, depth, std::min(kLeft, left_columns - l),
                     std::min(width, right_columns - r), sums + l * right_columns + r,
                     right_columns);
    }
  }
}

void PackLeft(std::span<const ProductColumn> columns, size_t first, size_t depth, float* out) {
  PackPanels(columns, first, depth, kLeft, out);
}

}  // namespace almanac::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace almanac {
namespace {

HWY_EXPORT(Width);
HWY_EXPORT(PackRight);
HWY_EXPORT(PackLeft);
HWY_EXPORT(MultiplyBlock);

size_t PaddedTo(size_t width, size_t columns) { return (columns + width - 1) / width * width; }

constexpr size_t kWidestLeft = 8;  // at least the kernel's

}  // namespace

PackedColumns::PackedColumns(std::span<const ProductColumn> columns, size_t rows)
    : size_(columns.size()), rows_(rows) {
  const size_t padded = PaddedTo(HWY_DYNAMIC_DISPATCH(Width)(), size_);
  values_.reset(static_cast<float*>(hwy::AllocateAlignedBytes(
      std::max<size_t>(padded * rows, 1) * sizeof(float), nullptr, nullptr)));
  if (values_ == nullptr) throw std::bad_alloc();
  ParallelFor((rows + kProductDepth - 1) / kProductDepth, [&](size_t block) {
    const size_t first = block * kProductDepth;
    HWY_DYNAMIC_DISPATCH(PackRight)
    (columns, first, std::min(kProductDepth, rows - first), values_.get() + padded * first);
  });
}

void PackedColumns::Release::operator()(float* memory) const {
  hwy::FreeAlignedBytes(memory, nullptr, nullptr);
}

void MultiplyColumns(std::span<const ProductColumn> left, const PackedColumns& right,
                     const PackedColumns& right_of_squares, double* products,
                     double* square_products) {
  const size_t width = HWY_DYNAMIC_DISPATCH(Width)();
  std::fill_n(products, left.size() * right.size(), 0.0);
  std::fill_n(square_products, left.size() * right_of_squares.size(), 0.0);
  std::vector<float> packed(PaddedTo(kWidestLeft, left.size() + kWidestLeft) * kProductDepth);
  for (size_t first = 0; first < right.rows(); first += kProductDepth) {
    const size_t depth = std::min(kProductDepth, right.rows() - first);
    HWY_DYNAMIC_DISPATCH(PackLeft)(left, first, depth, packed.data());
    HWY_DYNAMIC_DISPATCH(MultiplyBlock)
    (packed.data(), left.size(), right.data() + PaddedTo(width, right.size()) * first, right.size(),
     depth, products);
    if (right_of_squares.size() == 0) continue;
    for (float& value : packed) value *= value;
    HWY_DYNAMIC_DISPATCH(MultiplyBlock)
    (packed.data(), left.size(),
     right_of_squares.data() + PaddedTo(width, right_of_squares.size()) * first,
     right_of_squares.size(), depth, square_products);
  }
}

}  // namespace almanac
#endif  // HWY_ONCE
