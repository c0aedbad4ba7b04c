#include "almanac/dataset/correlation.h"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>

#include "almanac/base/parallel.h"

namespace almanac {
namespace {

using Columns = std::vector<std::span<const float>>;

constexpr size_t kBlock = 256;  // columns
// Far above the rounding of a float32 product of standardised columns (about 2e-5 at 25,000 rows).
constexpr double kMargin = 2e-3;
constexpr double kLittleVariance = 0.05;  // of a standardised column, whose variance is 1

// Some columns, standardised, as Eigen's products want them. Rows in which every column is finite
// (`whole`) need one product; the others (`part`) need masks and squares, with 0 where missing.
struct Block {
  std::vector<size_t> ids;
  Eigen::MatrixXf whole, part, mask, square;
  std::vector<double> sum, squares;  // over the whole rows
};

struct RowSets {
  std::vector<uint32_t> whole, part;
};

RowSets SplitRowSets(const Columns& columns, std::span<const uint32_t> rows) {
  std::vector<char> finite(rows.size(), 1);
  for (const std::span<const float> column : columns) {
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!std::isfinite(column[rows[i]])) finite[i] = 0;
    }
  }
  RowSets sets;
  for (size_t i = 0; i < rows.size(); ++i) {
    (finite[i] != 0 ? sets.whole : sets.part).push_back(rows[i]);
  }
  return sets;
}

Block EmptyBlock(const RowSets& rows, size_t columns) {
  const auto width = static_cast<Eigen::Index>(columns);
  const auto part = static_cast<Eigen::Index>(rows.part.size());
  Block block;
  block.whole.setZero(static_cast<Eigen::Index>(rows.whole.size()), width);
  block.part.setZero(part, width);
  block.mask.setZero(part, width);
  block.square.setZero(part, width);
  return block;
}

void AddColumn(std::span<const float> column, const RowSets& rows, size_t id, Block* block) {
  const auto c = static_cast<Eigen::Index>(block->ids.size());
  double count = 0, mean = 0, squares = 0;
  const auto visit = [&](const auto& action) {
    for (const auto* set : {&rows.whole, &rows.part}) {
      for (const uint32_t row : *set) {
        if (std::isfinite(column[row])) action(static_cast<double>(column[row]));
      }
    }
  };
  visit([&](double value) { mean += value, count += 1; });
  mean /= std::max(count, 1.0);
  visit([&](double value) { squares += (value - mean) * (value - mean); });
  const double scale = squares > 0 ? std::sqrt(squares / count) : 1;
  double sum = 0, sum_of_squares = 0;
  for (size_t i = 0; i < rows.whole.size(); ++i) {
    const auto value = static_cast<float>((column[rows.whole[i]] - mean) / scale);
    block->whole(static_cast<Eigen::Index>(i), c) = value;
    sum += value;
    sum_of_squares += static_cast<double>(value) * value;
  }
  for (size_t i = 0; i < rows.part.size(); ++i) {
    if (!std::isfinite(column[rows.part[i]])) continue;
    const auto value = static_cast<float>((column[rows.part[i]] - mean) / scale);
    const auto r = static_cast<Eigen::Index>(i);
    block->part(r, c) = value;
    block->mask(r, c) = 1;
    block->square(r, c) = value * value;
  }
  block->ids.push_back(id);
  block->sum.push_back(sum);
  block->squares.push_back(sum_of_squares);
}

void CopyColumn(const Block& from, size_t at, Block* to) {
  const auto a = static_cast<Eigen::Index>(at), b = static_cast<Eigen::Index>(to->ids.size());
  to->whole.col(b) = from.whole.col(a);
  to->part.col(b) = from.part.col(a);
  to->mask.col(b) = from.mask.col(a);
  to->square.col(b) = from.square.col(a);
  to->ids.push_back(from.ids[at]);
  to->sum.push_back(from.sum[at]);
  to->squares.push_back(from.squares[at]);
}

// The correlations of every column of one block with every column of another.
class BlockPair {
 public:
  BlockPair(const Block& a, const Block& b, const Columns& columns, std::span<const uint32_t> rows,
            double threshold)
      : a_(a), b_(b), columns_(columns), rows_(rows), threshold_(threshold) {
    product_.noalias() = a.whole.transpose() * b.whole;
    if (a.part.rows() == 0) return;
    product_.noalias() += a.part.transpose() * b.part;
    count_.noalias() = a.mask.transpose() * b.mask;
    sum_a_.noalias() = a.part.transpose() * b.mask;
    sum_b_.noalias() = a.mask.transpose() * b.part;
    squares_a_.noalias() = a.square.transpose() * b.mask;
    squares_b_.noalias() = a.mask.transpose() * b.square;
  }

  // Column i of a with column j of b, if they are correlated above the threshold.
  std::optional<CorrelatedColumn> Above(size_t i, size_t j) const {
    if (!MayBeAbove(i, j)) return std::nullopt;
    // The number reported is the one computed in double, so that it does not depend on blocks.
    std::vector<float> x, y;
    for (const uint32_t row : rows_) {
      x.push_back(columns_[a_.ids[i]][row]);
      y.push_back(columns_[b_.ids[j]][row]);
    }
    const double exact = Correlation(x, y);
    if (!(std::abs(exact) > threshold_)) return std::nullopt;
    return CorrelatedColumn{a_.ids[i], exact};
  }

 private:
  bool MayBeAbove(size_t i, size_t j) const {
    const auto r = static_cast<Eigen::Index>(i), c = static_cast<Eigen::Index>(j);
    const bool part = a_.part.rows() > 0;
    const double n = static_cast<double>(a_.whole.rows()) + (part ? count_(r, c) : 0);
    if (n < 3) return false;
    const double mean_a = (a_.sum[i] + (part ? sum_a_(r, c) : 0)) / n;
    const double mean_b = (b_.sum[j] + (part ? sum_b_(r, c) : 0)) / n;
    const double var_a = (a_.squares[i] + (part ? squares_a_(r, c) : 0)) / n - mean_a * mean_a;
    const double var_b = (b_.squares[j] + (part ? squares_b_(r, c) : 0)) / n - mean_b * mean_b;
    if (var_a < kLittleVariance || var_b < kLittleVariance) return true;
    const double covariance = product_(r, c) / n - mean_a * mean_b;
    return std::abs(covariance) / std::sqrt(var_a * var_b) > threshold_ - kMargin;
  }

  const Block &a_, &b_;
  const Columns& columns_;
  std::span<const uint32_t> rows_;
  double threshold_;
  Eigen::MatrixXf product_, count_, sum_a_, sum_b_, squares_a_, squares_b_;
};

}  // namespace

double Correlation(std::span<const float> x, std::span<const float> y) {
  double count = 0, mean_x = 0, mean_y = 0;
  const auto visit = [&](const auto& action) {
    for (size_t i = 0; i < x.size(); ++i) {
      if (std::isfinite(x[i]) && std::isfinite(y[i])) action(i);
    }
  };
  bool x_varies = false, y_varies = false;
  size_t first = x.size();
  visit([&](size_t i) {
    first = std::min(first, i);
    x_varies = x_varies || x[i] != x[first];
    y_varies = y_varies || y[i] != y[first];
    count += 1;
    mean_x += x[i];
    mean_y += y[i];
  });
  if (count < 3 || !x_varies || !y_varies) return std::numeric_limits<double>::quiet_NaN();
  mean_x /= count;
  mean_y /= count;
  double xx = 0, yy = 0, xy = 0;
  visit([&](size_t i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  });
  return xy / std::sqrt(xx) / std::sqrt(yy);
}

std::vector<std::optional<CorrelatedColumn>> FindCorrelated(const Columns& columns,
                                                            std::span<const uint32_t> rows,
                                                            double threshold) {
  const RowSets sets = SplitRowSets(columns, rows);
  std::vector<std::optional<CorrelatedColumn>> found(columns.size());
  std::vector<Block> kept;
  for (size_t first = 0; first < columns.size(); first += kBlock) {
    const size_t width = std::min(kBlock, columns.size() - first);
    Block block = EmptyBlock(sets, width);
    for (size_t j = 0; j < width; ++j) AddColumn(columns[first + j], sets, first + j, &block);

    // hits[k][j]: the first column of kept block k that column j repeats.
    std::vector<std::vector<std::optional<CorrelatedColumn>>> hits(kept.size());
    ParallelFor(kept.size(), [&](size_t k) {
      const BlockPair pair(kept[k], block, columns, rows, threshold);
      hits[k].resize(width);
      for (size_t j = 0; j < width; ++j) {
        for (size_t i = 0; i < kept[k].ids.size() && !hits[k][j]; ++i) {
          hits[k][j] = pair.Above(i, j);
        }
      }
    });
    for (size_t j = 0; j < width; ++j) {
      for (size_t k = 0; k < kept.size() && !found[first + j]; ++k) found[first + j] = hits[k][j];
    }

    const BlockPair within(block, block, columns, rows, threshold);
    for (size_t j = 0; j < width; ++j) {
      std::optional<CorrelatedColumn>& hit = found[first + j];
      for (size_t i = 0; i < j && !hit; ++i) {
        if (!found[first + i]) hit = within.Above(i, j);
      }
      if (hit) continue;
      if (kept.empty() || kept.back().ids.size() == kBlock) {
        kept.push_back(EmptyBlock(sets, kBlock));
      }
      CopyColumn(block, j, &kept.back());
    }
  }
  return found;
}

}  // namespace almanac
