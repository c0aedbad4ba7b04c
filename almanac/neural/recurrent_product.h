// Products of float32 matrices for recurrent networks: the right side is packed once, the left side
// is read as it lies, and the loops run on threads of the caller's choice.
//
// Every number of a result is a sum in one fixed order, so the bits do not depend on the number of
// threads or on how many rows are multiplied together. They do depend on the machine's vectors.
#ifndef ALMANAC_NEURAL_RECURRENT_PRODUCT_H_
#define ALMANAC_NEURAL_RECURRENT_PRODUCT_H_

#include <cstddef>
#include <functional>

#include <hwy/aligned_allocator.h>

namespace almanac::neural {

// The threads that a kernel may use: LibTorch's pool where LibTorch computes beside it (see
// fused.h), since two pools would wait for each other's processors.
struct Runner {
  size_t threads = 1;  // into how many pieces work is worth splitting
  // Runs body(i) for every i in [0, count), in any order, on any threads.
  std::function<void(size_t count, const std::function<void(size_t)>& body)> run =
      [](size_t count, const std::function<void(size_t)>& body) {
        for (size_t i = 0; i < count; ++i) body(i);
      };
};

// Memory for the kernels, aligned for vectors and not initialised.
using Floats = hwy::AlignedFreeUniquePtr<float[]>;
Floats AllocateFloats(size_t count);  // throws std::bad_alloc

// The values of the machine's vectors that the kernels use: at most 16, and a divisor of it.
size_t VectorLanes();

// Not owned. Either a row's or a column's values lie side by side: one of the strides is 1.
struct MatrixView {
  const float* data = nullptr;
  size_t rows = 0, columns = 0;
  size_t row_stride = 0, column_stride = 1;

  const float* At(size_t row, size_t column) const {
    return data + row * row_stride + column * column_stride;
  }
  MatrixView Transposed() const { return {data, columns, rows, column_stride, row_stride}; }
};

// Values row after row.
inline MatrixView RowMajor(const float* data, size_t rows, size_t columns) {
  return {data, rows, columns, columns, 1};
}

// A matrix as the right side of products wants it: panels of some vectors of columns, zeros behind
// the last column.
class PackedMatrix {
 public:
  explicit PackedMatrix(const MatrixView& matrix, const Runner& runner = {});

  size_t rows() const { return rows_; }
  size_t columns() const { return columns_; }
  const float* data() const { return values_.get(); }

 private:
  size_t rows_, columns_;
  Floats values_;
};

// What a product is added to.
struct Onto {
  const float* bias = nullptr;  // a value for each column, or null for 0
  bool out = false;             // what stands in the result already; the bias is not added then
};

// out[i * out_stride + j] = the sum over k of left(i, k) right(k, j) + what it is added to.
// left.columns = right.rows(); out overlaps none of the others.
void Multiply(const MatrixView& left, const PackedMatrix& right, float* out, size_t out_stride,
              const Onto& onto = {}, const Runner& runner = {});

// sums[j] = the sum over rows of a row-major matrix's column j.
void SumRows(const MatrixView& matrix, float* sums);

}  // namespace almanac::neural

#endif  // ALMANAC_NEURAL_RECURRENT_PRODUCT_H_
