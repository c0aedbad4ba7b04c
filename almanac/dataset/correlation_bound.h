// Bounds of the correlations of many pairs of columns, by which nearly all pairs are decided.
// Inside this room.
//
// A column's standardised values x (0 where missing) are taken as a scale times a byte, s b, plus
// an error e of which the norm is known. The sums of b_x b_y are matrix products of bytes, exact,
// and by Cauchy and Schwarz
//   |sum x y - s_x s_y sum b_x b_y| <= |e_x| |y| + |s_x b_x| |e_y|.
// Means and squares over the rows in which both columns are there are added up in double, from the
// rows in which the other one is missing. So a pair that is said not to be above the threshold is
// not; of the others some are.
#ifndef ALMANAC_DATASET_CORRELATION_BOUND_H_
#define ALMANAC_DATASET_CORRELATION_BOUND_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "almanac/dataset/byte_product.h"

namespace almanac {

// A column beside its bytes.
struct BoundedColumn {
  // Standardises the finite values.
  explicit BoundedColumn(std::span<const float> values);

  std::span<const float> values;  // not owned
  double mean = 0, inverse_scale = 1;
  double squares = 0;  // the sum of the standardised values' squares
  ByteColumn bytes;
  double scale = 0;      // of the bytes
  double byte_norm = 0;  // of scale times the bytes
  double error = 0;      // the norm of what they leave
};

// Columns of the same rows, with which of their rows are there.
class BoundedColumns {
 public:
  // Of these values, which must outlive this.
  void Add(const std::vector<std::span<const float>>& columns);
  // Takes columns over; `values` is where their values now lie.
  void Add(std::vector<BoundedColumn> columns, const std::vector<std::span<const float>>& values);

  // For the right side of products.
  ByteColumns Bytes() const;

  size_t size() const { return columns_.size(); }
  const BoundedColumn& operator[](size_t i) const { return columns_[i]; }
  BoundedColumn Release(size_t i) { return std::move(columns_[i]); }

 private:
  friend class CorrelationBounds;
  // Which rows are there, a bit a row. Columns with equal ones share what follows from it.
  using Presence = std::vector<uint64_t>;
  struct Word {
    uint32_t place = 0;
    uint64_t rows = 0;
  };
  struct Pattern {
    const Presence* presence;
    size_t missing = 0;  // rows
    // Of the rows that are missing here, those that are not in `base`, a pattern that misses
    // nothing else; kNone: all of them. Warm-ups of several lengths miss ever more.
    size_t base = kNone;
    std::vector<Word> beyond_base;
  };
  static constexpr size_t kNone = std::numeric_limits<size_t>::max();
  static Presence PresenceOf(std::span<const float> values);
  static std::vector<Word> Beyond(const Presence& some, const Presence* base, size_t rows);
  void Take(BoundedColumn column, Presence presence);
  void FindBases();

  std::vector<BoundedColumn> columns_;
  std::vector<size_t> pattern_;  // of each column
  std::vector<Pattern> patterns_;
  std::vector<size_t> by_missing_;  // patterns, each after its base
  std::map<Presence, size_t> pattern_of_;
};

// Some columns of one set beside some of another.
class CorrelationBounds {
 public:
  // Of a standardised column over some rows.
  struct Sums {
    double sum = 0, squares = 0;
  };
  // Rows by columns.
  template <typename T>
  struct Grid {
    Grid(size_t rows, size_t columns) : width(columns), values(rows * columns) {}
    const T& at(size_t row, size_t column) const { return values[row * width + column]; }
    size_t width;
    std::vector<T> values;
  };
  // What several parts of the same comparison share.
  struct RightSide {
    RightSide(const BoundedColumns& right, const BoundedColumns& left)
        : bytes(right.Bytes()), sums(SumsOf(right, left)) {}
    ByteColumns bytes;
    Grid<Sums> sums;  // by column and pattern of the left side
  };

  CorrelationBounds(const BoundedColumns& left, std::vector<size_t> left_chosen,
                    const BoundedColumns& right, const RightSide& right_side,
                    std::vector<size_t> right_chosen);

  // False: the correlation of the i-th and the j-th chosen columns is at most the threshold in
  // absolute value, or undefined.
  bool MayBeAbove(double threshold, size_t i, size_t j) const;

 private:
  static void AddSums(const BoundedColumn& column, const BoundedColumns& others, Sums* sums);
  static Grid<Sums> SumsOf(const BoundedColumns& columns, const std::vector<size_t>& chosen,
                           const BoundedColumns& others);
  static Grid<Sums> SumsOf(const BoundedColumns& columns, const BoundedColumns& others);
  void CountCommonRows();
  void Multiply();

  const BoundedColumns &left_, &right_;
  const RightSide& right_side_;
  std::vector<size_t> left_chosen_, right_chosen_;
  Grid<double> common_;   // rows, by pattern
  Grid<Sums> left_sums_;  // by chosen column and pattern of the right side
  Grid<double> products_;
};

}  // namespace almanac

#endif  // ALMANAC_DATASET_CORRELATION_BOUND_H_
