#include "almanac/neural/recurrent_product.h"

#include <algorithm>
#include <cstring>
#include <new>

// Sizeless vectors do not fit into arrays; SSSE3 gains nothing here that is worth its compilation.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV | HWY_SSSE3)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "almanac/neural/recurrent_product.cc"
#include <hwy/foreach_target.h>  // compiles what follows once for each instruction set

#include <hwy/highway.h>

#include "almanac/neural/recurrent_tile-inl.h"

// What the instruction sets share: once.
#ifndef ALMANAC_NEURAL_RECURRENT_PRODUCT_CC_
#define ALMANAC_NEURAL_RECURRENT_PRODUCT_CC_
namespace almanac::neural {

// The most rows of a task: with a block's depth, half of the second cache. Every tile's height
// divides kRowUnit.
constexpr size_t kBlockRows = 384;
constexpr size_t kRowUnit = 24;
// So much of a panel at a time, and the rows that it meets, stay in the first cache.
constexpr size_t kBlockDepth = 128;
constexpr size_t kSumRows = 64;  // rows of one float32 sum

// Of a packed left side: an odd number of cache lines, so that a tile's fall into all of their
// sets.
constexpr size_t PackedStride(size_t rows) { return (rows + 15) / 16 / 2 * 32 + 16; }

struct Block {  // of a task
  MatrixView left;
  const float* right;
  size_t columns, depth;  // of the right side, the whole
  float* out;
  size_t out_stride;
  const float* bias;
  bool onto_out;
};

}  // namespace almanac::neural
#endif

HWY_BEFORE_NAMESPACE();
namespace almanac::neural::HWY_NAMESPACE {

constexpr size_t kPanelVectors = kManyRegisters ? 4 : 2;
constexpr size_t kRows = TileRows(kPanelVectors);

size_t Lanes() { return hn::Lanes(FloatTag()); }
size_t PanelWidth() { return kPanelVectors * hn::Lanes(FloatTag()); }

// Vectors of a panel that begins at this column.
size_t VectorsAt(size_t column, size_t columns) {
  const size_t lanes = hn::Lanes(FloatTag());
  return std::min(kPanelVectors, (columns - column + lanes - 1) / lanes);
}

// The panel from `column` on: group after group of its rows.
void PackPanel(const MatrixView& matrix, size_t column, float* HWY_RESTRICT out) {
  const size_t width = VectorsAt(column, matrix.columns) * hn::Lanes(FloatTag());
  const size_t used = std::min(width, matrix.columns - column);
  if (matrix.column_stride == 1) {
    for (size_t k = 0; k < matrix.rows; ++k) {
      std::memcpy(out + k * width, matrix.At(k, column), used * sizeof(float));
      std::fill(out + k * width + used, out + (k + 1) * width, 0.0F);
    }
    return;
  }
  for (size_t j = 0; j < width; ++j) {
    const float* from = j < used ? matrix.At(0, column + j) : nullptr;
    for (size_t k = 0; k < matrix.rows; ++k) {
      out[k * width + j] = from != nullptr ? from[k * matrix.row_stride] : 0.0F;
    }
  }
}

// A tile of the result from one block of the depth, begun with what it is added to.
template <size_t kTileRows, size_t kVectors>
HWY_INLINE void FillTile(const Block& block, const MatrixView& left, const float* right,
                         bool is_first, size_t row, size_t column) {
  const FloatTag tag;
  const size_t lanes = hn::Lanes(tag), there = block.columns - column;
  const auto left_of = [&](size_t v) { return there > v * lanes ? there - v * lanes : 0; };
  float* out = block.out + row * block.out_stride + column;
  Vector tile[kTileRows][kVectors];
  for (size_t i = 0; i < kTileRows; ++i) {
    for (size_t v = 0; v < kVectors; ++v) {
      if (!is_first || block.onto_out) {
        tile[i][v] = LoadSome(out + i * block.out_stride + v * lanes, left_of(v));
      } else {
        tile[i][v] = block.bias != nullptr ? LoadSome(block.bias + column + v * lanes, left_of(v))
                                           : hn::Zero(tag);
      }
    }
  }
  MultiplyTile(left.At(row, 0), left.row_stride, left.column_stride, right, left.columns, tile);
  for (size_t i = 0; i < kTileRows; ++i) {
    for (size_t v = 0; v < kVectors; ++v) {
      StoreSome(tile[i][v], out + i * block.out_stride + v * lanes, left_of(v));
    }
  }
}

// All panels, for one block of the depth.
void MultiplyDepth(const Block& block, const MatrixView& left, size_t first_depth) {
  const size_t width = PanelWidth(), lanes = hn::Lanes(FloatTag());
  for (size_t column = 0; column < block.columns; column += width) {
    WithConstant<kPanelVectors>(VectorsAt(column, block.columns), [&](auto vectors) {
      const float* right = block.right + column * block.depth + first_depth * vectors * lanes;
      for (size_t row = 0; row < left.rows; row += kRows) {
        WithConstant<kRows>(std::min(kRows, left.rows - row), [&](auto rows) {
          FillTile<decltype(rows)::value, decltype(vectors)::value>(block, left, right,
                                                                    first_depth == 0, row, column);
        });
      }
    });
  }
}

// At most kBlockRows rows of the left side by the whole right one. `packed` has room for a block's
// depth of them if the left side is transposed.
void MultiplyBlock(const Block& block, float* packed) {
  for (size_t first = 0; first < block.depth; first += kBlockDepth) {
    const size_t depth = std::min(kBlockDepth, block.depth - first);
    MatrixView left = {block.left.At(0, first), block.left.rows, depth, block.left.row_stride,
                       block.left.column_stride};
    if (left.row_stride == 1 && left.column_stride != 1) {
      // Columns that lie far apart would drive each other out of the cache.
      const size_t stride = PackedStride(left.rows);
      for (size_t k = 0; k < depth; ++k) {
        std::memcpy(packed + k * stride, left.At(0, k), left.rows * sizeof(float));
      }
      left = {packed, left.rows, depth, 1, stride};
    }
    MultiplyDepth(block, left, first);
  }
}

// The sums of kSumRows rows at a time, so that errors do not grow with the number of rows.
void AddRows(const MatrixView& matrix, float* HWY_RESTRICT sums) {
  const FloatTag tag;
  constexpr size_t kAtOnce = 4;
  const size_t lanes = hn::Lanes(tag), columns = matrix.columns;
  std::fill_n(sums, columns, 0.0F);
  for (size_t first = 0; first < matrix.rows; first += kSumRows) {
    const size_t end = std::min(matrix.rows, first + kSumRows);
    for (size_t column = 0; column < columns; column += kAtOnce * lanes) {
      Vector totals[kAtOnce];
      const auto there = [&](size_t v) {
        return std::max(column + v * lanes, columns) - (column + v * lanes);
      };
      for (Vector& total : totals) total = hn::Zero(tag);
      for (size_t row = first; row < end; ++row) {
        const float* values = matrix.At(row, column);
        for (size_t v = 0; v < kAtOnce; ++v) {
          totals[v] = hn::Add(totals[v], LoadSome(values + v * lanes, there(v)));
        }
      }
      for (size_t v = 0; v < kAtOnce; ++v) {
        float* to = sums + column + v * lanes;
        StoreSome(hn::Add(LoadSome(to, there(v)), totals[v]), to, there(v));
      }
    }
  }
}

}  // namespace almanac::neural::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace almanac::neural {
namespace {

HWY_EXPORT(Lanes);
HWY_EXPORT(PanelWidth);
HWY_EXPORT(PackPanel);
HWY_EXPORT(MultiplyBlock);
HWY_EXPORT(AddRows);

constexpr size_t kPadding = 16;  // the most lanes of a vector

}  // namespace

size_t VectorLanes() { return HWY_DYNAMIC_DISPATCH(Lanes)(); }

Floats AllocateFloats(size_t count) {
  Floats memory = hwy::AllocateAligned<float>(std::max<size_t>(count, 1));
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

PackedMatrix::PackedMatrix(const MatrixView& matrix, const Runner& runner)
    : rows_(matrix.rows), columns_(matrix.columns) {
  const size_t padded = (columns_ + kPadding - 1) / kPadding * kPadding;
  values_ = AllocateFloats(padded * rows_);
  const size_t width = HWY_DYNAMIC_DISPATCH(PanelWidth)();
  runner.run((columns_ + width - 1) / width, [&](size_t panel) {
    const size_t column = panel * width;
    HWY_DYNAMIC_DISPATCH(PackPanel)(matrix, column, values_.get() + column * rows_);
  });
}

void Multiply(const MatrixView& left, const PackedMatrix& right, float* out, size_t out_stride,
              const Onto& onto, const Runner& runner) {
  const size_t share = (left.rows + runner.threads - 1) / runner.threads;
  const size_t height = std::min(kBlockRows, (share + kRowUnit - 1) / kRowUnit * kRowUnit);
  if (left.rows == 0) return;
  runner.run((left.rows + height - 1) / height, [&](size_t index) {
    const size_t first = index * height;
    const MatrixView rows = {left.At(first, 0), std::min(height, left.rows - first), left.columns,
                             left.row_stride, left.column_stride};
    const Floats packed =
        AllocateFloats(left.column_stride == 1 ? 0 : PackedStride(height) * kBlockDepth);
    HWY_DYNAMIC_DISPATCH(MultiplyBlock)
    (Block{rows, right.data(), right.columns(), right.rows(), out + first * out_stride, out_stride,
           onto.bias, onto.out},
     packed.get());
  });
}

void SumRows(const MatrixView& matrix, float* sums) { HWY_DYNAMIC_DISPATCH(AddRows)(matrix, sums); }

}  // namespace almanac::neural
#endif  // HWY_ONCE
