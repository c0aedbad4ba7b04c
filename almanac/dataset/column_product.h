// Sums over rows of one column times another, for many columns at a time: the matrix products
// behind correlations. In float32, blocked for the cache, with the widest vectors of the machine.
//
// A column is standardised while it is packed: (value - mean) * inverse_scale, 0 where it is not
// finite. Its square or its presence (1 where finite) can be taken instead, so that sums over the
// rows in which two columns are both there are products as well.
//
// Error: at most kProductError times the square root of the product of the two columns' sums of
// squares, for any number of rows. Which bits come out depends on the machine's vectors; decisions
// that must not are to leave a margin and to be made again in double.
#ifndef ALMANAC_DATASET_COLUMN_PRODUCT_H_
#define ALMANAC_DATASET_COLUMN_PRODUCT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace almanac {

enum class Taken : uint8_t { kValue, kSquare, kPresence };

struct ProductColumn {
  const float* values = nullptr;
  double mean = 0, inverse_scale = 1;
  Taken taken = Taken::kValue;

  ProductColumn As(Taken other) const { return {values, mean, inverse_scale, other}; }
};

// Float32 sums run over so many rows before they are added up in double.
inline constexpr size_t kProductDepth = 256;
// (kProductDepth + 3) * 2^-24: one rounding an addition, one for each standardised value, one for
// its square (Higham 2002, Accuracy and Stability of Numerical Algorithms, section 3.1).
inline constexpr double kProductError = 1.6e-5;

// Columns as the right side of products wants them. 4 bytes a row and column.
class PackedColumns {
 public:
  PackedColumns(std::span<const ProductColumn> columns, size_t rows);

  size_t size() const { return size_; }
  size_t rows() const { return rows_; }
  const float* data() const { return values_.get(); }

 private:
  struct Release {
    void operator()(float* memory) const;
  };

  size_t size_, rows_;
  std::unique_ptr<float[], Release> values_;
};

// products[i * right.size() + j] = the sum over rows of left[i] times right[j];
// square_products[i * right_of_squares.size() + j] = the same of the square of what is taken of
// left[i] and right_of_squares[j]. The right sides have the same rows; the second may be empty. On
// one thread; some hundred columns on the left at a time keep its working memory small.
void MultiplyColumns(std::span<const ProductColumn> left, const PackedColumns& right,
                     const PackedColumns& right_of_squares, double* products,
                     double* square_products);

}  // namespace almanac

#endif  // ALMANAC_DATASET_COLUMN_PRODUCT_H_
