// Sums over rows of one column of bytes times another, for many columns at a time: the matrix
// products of whole numbers behind the bounds of correlations (correlation.h).
//
// Exact, so the same on every machine. Bytes are four times as many to a register as float32, and
// where the processor multiplies and adds them in one instruction (AVX-512 VNNI) products take a
// quarter of the time of those in float32.
#ifndef ALMANAC_DATASET_BYTE_PRODUCT_H_
#define ALMANAC_DATASET_BYTE_PRODUCT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace almanac {

// A column of numbers in [-127, 127], 0 behind its rows.
class ByteColumn {
 public:
  explicit ByteColumn(size_t rows);

  int8_t* data() { return bytes_.get(); }
  const int8_t* data() const { return bytes_.get(); }

  // Bytes of memory that a column takes: whole cache lines.
  static size_t Padded(size_t rows);

 private:
  friend class ByteColumns;
  struct Release {
    void operator()(int8_t* memory) const;
  };
  std::unique_ptr<int8_t[], Release> bytes_;
};

// Columns as the right side of products wants them: a copy, a byte a row and column.
class ByteColumns {
 public:
  ByteColumns(std::span<const ByteColumn* const> columns, size_t rows);

  size_t size() const { return size_; }
  size_t rows() const { return rows_; }
  // Of column j; size() is a column of zeros. Every byte is 128 more than the number.
  const uint8_t* column(size_t j) const;

 private:
  size_t size_, rows_;
  ByteColumn memory_;  // one column after another
};

// Both give the same; the portable one runs where the other cannot.
enum class ByteKernel { kFastest, kPortable };

// products[i * chosen.size() + j] = the sum over rows of left[i] times the right side's column
// chosen[j]. On one thread; some hundred columns on the left at a time keep its working memory
// small.
void MultiplyBytes(std::span<const ByteColumn* const> left, const ByteColumns& right,
                   std::span<const size_t> chosen, double* products,
                   ByteKernel kernel = ByteKernel::kFastest);

}  // namespace almanac

#endif  // ALMANAC_DATASET_BYTE_PRODUCT_H_
