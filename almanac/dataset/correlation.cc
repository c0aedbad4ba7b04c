#include "almanac/dataset/correlation.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>

#include "almanac/base/parallel.h"
#include "almanac/dataset/column_product.h"

namespace almanac {
namespace {

using Columns = std::vector<std::span<const float>>;

// A pair's common rows decide by products only if they hold this share of both columns' mean
// squares as variance. Sums are then wrong by at most 3 kProductError of the mean squares' product
// (the product itself and two means), their ratio by twice 3 kProductError / kLeastVariance.
constexpr double kLeastVariance = 0.25;
constexpr double kMargin = 1e-3;
static_assert(6 * kProductError / kLeastVariance < kMargin / 2);
constexpr size_t kLeftColumns = 96;   // of one product: its sums stay in the cache
constexpr size_t kRightColumns = 32;  // that are looked through at a time
constexpr size_t kLanes = 8;          // of sums in double, whatever the machine's vectors

// Which rows of a column are there, a bit a row. Columns with equal ones share the sums over them.
using Presence = std::vector<uint64_t>;

Presence PresenceOf(std::span<const float> column) {
  Presence presence((column.size() + 63) / 64, 0);
  for (size_t i = 0; i < column.size(); ++i) {
    presence[i / 64] |= static_cast<uint64_t>(std::isfinite(column[i])) << (i % 64);
  }
  return presence;
}

size_t CommonRows(const Presence& a, const Presence& b) {
  size_t count = 0;
  for (size_t i = 0; i < a.size(); ++i) count += static_cast<size_t>(std::popcount(a[i] & b[i]));
  return count;
}

// Columns with what products over them need.
struct ColumnSet {
  std::vector<size_t> ids;
  std::vector<ProductColumn> columns;
  std::vector<size_t> pattern;  // of each column, in `patterns`
  std::map<Presence, size_t> pattern_of;
  std::vector<const Presence*> patterns;
  std::vector<ProductColumn> pattern_example;  // a column that has it

  size_t size() const { return columns.size(); }

  void Add(size_t id, std::span<const float> values) {
    ids.push_back(id);
    columns.push_back(Standardise(values));
    const auto [place, is_new] = pattern_of.try_emplace(PresenceOf(values), patterns.size());
    pattern.push_back(place->second);
    if (!is_new) return;
    patterns.push_back(&place->first);
    pattern_example.push_back(columns.back());
  }

  static ProductColumn Standardise(std::span<const float> values) {
    double count = 0, sum = 0, squares = 0;
    for (const float value : values) {
      if (!std::isfinite(value)) continue;
      count += 1;
      sum += value;
    }
    const double mean = count > 0 ? sum / count : 0;
    for (const float value : values) {
      if (std::isfinite(value)) squares += (value - mean) * (value - mean);
    }
    return {values.data(), mean, squares > 0 ? std::sqrt(count / squares) : 1};
  }
};

bool Covers(const Presence& all, const Presence& some) {
  for (size_t i = 0; i < all.size(); ++i) {
    if ((some[i] & ~all[i]) != 0) return false;
  }
  return true;
}

// Rows by columns of numbers.
struct Grid {
  Grid(size_t rows, size_t columns) : width(columns), values(rows * columns) {}
  double at(size_t row, size_t column) const { return values[row * width + column]; }

  size_t width;
  std::vector<double> values;
};

// The patterns of one set that leave out a row which some column of the other has: sums over them
// have to be added up. Over any other, a standardised column's sums are those of the whole column.
struct Limiting {
  Limiting(const ColumnSet& set, const ColumnSet& other) {
    for (size_t p = 0; p < set.patterns.size(); ++p) {
      const bool limits = std::any_of(
          other.patterns.begin(), other.patterns.end(),
          [&](const Presence* presence) { return !Covers(*set.patterns[p], *presence); });
      place.push_back(limits ? columns.size() : kNone);
      if (limits) columns.push_back(set.pattern_example[p].As(Taken::kPresence));
    }
  }

  static constexpr size_t kNone = std::numeric_limits<size_t>::max();
  std::vector<size_t> place;  // by pattern, in `columns`
  std::vector<ProductColumn> columns;
};

std::vector<ProductColumn> Joined(const std::vector<ProductColumn>& first,
                                  const std::vector<ProductColumn>& second) {
  std::vector<ProductColumn> joined = first;
  joined.insert(joined.end(), second.begin(), second.end());
  return joined;
}

std::vector<ProductColumn> Squares(std::vector<ProductColumn> columns) {
  for (ProductColumn& column : columns) column.taken = Taken::kSquare;
  return columns;
}

// Every column of one set beside every column of another: which may be correlated.
class Products {
 public:
  Products(const ColumnSet& left, const ColumnSet& right, size_t rows)
      : left_(left),
        right_(right),
        left_limits_(left, right),
        right_limits_(right, left),
        common_(left.patterns.size(), right.patterns.size()),
        product_(left.size(), right.size() + right_limits_.columns.size()),
        left_square_(left.size(), right_limits_.columns.size()),
        right_sum_(left_limits_.columns.size(), right.size()),
        right_square_(left_limits_.columns.size(), right.size()) {
    for (size_t a = 0; a < left.patterns.size(); ++a) {
      for (size_t b = 0; b < right.patterns.size(); ++b) {
        common_.values[a * common_.width + b] =
            static_cast<double>(CommonRows(*left.patterns[a], *right.patterns[b]));
      }
    }
    const PackedColumns nothing({}, rows), presence(right_limits_.columns, rows);
    Multiply(left.columns, PackedColumns(Joined(right.columns, right_limits_.columns), rows),
             presence, &product_, &left_square_);
    if (left_limits_.columns.empty()) return;
    Grid none(left_limits_.columns.size(), 0);
    Multiply(left_limits_.columns, PackedColumns(right.columns, rows), nothing, &right_sum_, &none);
    Multiply(left_limits_.columns, PackedColumns(Squares(right.columns), rows), nothing,
             &right_square_, &none);
  }

  bool MayBeAbove(double threshold, size_t i, size_t j) const {
    const size_t left_pattern = left_.pattern[i], right_pattern = right_.pattern[j];
    const double n = common_.at(left_pattern, right_pattern);
    if (n < 3) return false;
    // A whole standardised column's mean is 0, its mean square 1.
    double left_mean = 0, left_square = 1, right_mean = 0, right_square = 1;
    if (const size_t p = right_limits_.place[right_pattern]; p != Limiting::kNone) {
      left_mean = product_.at(i, right_.size() + p) / n;
      left_square = left_square_.at(i, p) / n;
    }
    if (const size_t p = left_limits_.place[left_pattern]; p != Limiting::kNone) {
      right_mean = right_sum_.at(p, j) / n;
      right_square = right_square_.at(p, j) / n;
    }
    const double left_variance = left_square - left_mean * left_mean;
    const double right_variance = right_square - right_mean * right_mean;
    if (!(left_variance >= kLeastVariance * left_square) ||
        !(right_variance >= kLeastVariance * right_square)) {
      return true;
    }
    const double covariance = product_.at(i, j) / n - left_mean * right_mean;
    const double limit = std::max(0.0, threshold - kMargin);
    return covariance * covariance >= limit * limit * left_variance * right_variance;
  }

 private:
  static void Multiply(const std::vector<ProductColumn>& left, const PackedColumns& right,
                       const PackedColumns& right_of_squares, Grid* products, Grid* squares) {
    ParallelFor((left.size() + kLeftColumns - 1) / kLeftColumns, [&](size_t part) {
      const size_t first = part * kLeftColumns;
      const size_t count = std::min(kLeftColumns, left.size() - first);
      MultiplyColumns(std::span(left).subspan(first, count), right, right_of_squares,
                      products->values.data() + first * products->width,
                      squares->values.data() + first * squares->width);
    });
  }

  const ColumnSet &left_, &right_;
  Limiting left_limits_, right_limits_;
  Grid common_;
  Grid product_;                   // and the left columns' sums over the right's limiting patterns
  Grid left_square_;               // the same of their squares
  Grid right_sum_, right_square_;  // of the right columns over the left's limiting patterns
};

// Sums over the rows in which both are finite, in lanes that do not depend on the machine.
template <size_t kSums, typename Terms>
std::array<double, kSums> SumCommon(std::span<const float> x, std::span<const float> y,
                                    const Terms& terms) {
  std::array<std::array<double, kLanes>, kSums> lanes{};
  const auto add = [&](size_t i, size_t lane) {
    const bool common = std::isfinite(x[i]) && std::isfinite(y[i]);
    const std::array<double, kSums> term = terms(i);
    for (size_t s = 0; s < kSums; ++s) lanes[s][lane] += common ? term[s] : 0.0;
  };
  const size_t whole = x.size() / kLanes * kLanes;
  for (size_t i = 0; i < whole; i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) add(i + lane, lane);
  }
  for (size_t i = whole; i < x.size(); ++i) add(i, i - whole);
  std::array<double, kSums> sums{};
  for (size_t s = 0; s < kSums; ++s) {
    for (const double lane : lanes[s]) sums[s] += lane;
  }
  return sums;
}

bool VariesWhereCommon(std::span<const float> x, std::span<const float> y) {
  bool x_varies = false, y_varies = false;
  size_t first = x.size();
  for (size_t i = 0; i < x.size() && !(x_varies && y_varies); ++i) {
    if (!std::isfinite(x[i]) || !std::isfinite(y[i])) continue;
    first = std::min(first, i);
    x_varies = x_varies || x[i] != x[first];
    y_varies = y_varies || y[i] != y[first];
  }
  return x_varies && y_varies;
}

std::optional<CorrelatedColumn> Confirm(const ColumnSet& left, size_t i, std::span<const float> y,
                                        double threshold) {
  const double exact = Correlation({left.columns[i].values, y.size()}, y);
  if (!(std::abs(exact) > threshold)) return std::nullopt;
  return CorrelatedColumn{left.ids[i], exact};
}

}  // namespace

double Correlation(std::span<const float> x, std::span<const float> y) {
  if (!VariesWhereCommon(x, y)) return std::numeric_limits<double>::quiet_NaN();
  const auto [count, sum_x, sum_y] = SumCommon<3>(x, y, [&](size_t i) {
    return std::array<double, 3>{1, x[i], y[i]};
  });
  if (count < 3) return std::numeric_limits<double>::quiet_NaN();
  const double mean_x = sum_x / count, mean_y = sum_y / count;
  const auto [xx, yy, xy] = SumCommon<3>(x, y, [&](size_t i) {
    const double dx = x[i] - mean_x, dy = y[i] - mean_y;
    return std::array<double, 3>{dx * dx, dy * dy, dx * dy};
  });
  return xy / std::sqrt(xx) / std::sqrt(yy);
}

struct CorrelationFilter::Impl {
  size_t rows;
  double threshold;
  ColumnSet kept;
  std::vector<std::unique_ptr<float[]>> memory;  // of the kept columns

  void Keep(size_t index, std::span<const float> column) {
    memory.push_back(std::make_unique<float[]>(rows));
    std::copy(column.begin(), column.end(), memory.back().get());
    kept.Add(index, {memory.back().get(), rows});
  }

  std::vector<std::optional<CorrelatedColumn>> Judge(const Columns& columns,
                                                     const std::vector<size_t>& ids) {
    ColumnSet batch;
    for (size_t j = 0; j < columns.size(); ++j) batch.Add(ids[j], columns[j]);
    std::vector<std::optional<CorrelatedColumn>> found(columns.size());
    {
      const Products products(kept, batch, rows);
      ParallelFor((columns.size() + kRightColumns - 1) / kRightColumns, [&](size_t part) {
        const size_t first = part * kRightColumns;
        const size_t last = std::min(columns.size(), first + kRightColumns);
        for (size_t i = 0; i < kept.size(); ++i) {
          for (size_t j = first; j < last; ++j) {
            if (found[j] || !products.MayBeAbove(threshold, i, j)) continue;
            found[j] = Confirm(kept, i, columns[j], threshold);
          }
        }
      });
    }
    const Products within(batch, batch, rows);
    for (size_t j = 0; j < columns.size(); ++j) {
      for (size_t i = 0; i < j && !found[j]; ++i) {
        if (found[i] || !within.MayBeAbove(threshold, i, j)) continue;
        found[j] = Confirm(batch, i, columns[j], threshold);
      }
      if (!found[j]) Keep(batch.ids[j], columns[j]);
    }
    return found;
  }
};

CorrelationFilter::CorrelationFilter(size_t rows, double threshold)
    : impl_(std::make_unique<Impl>()) {
  impl_->rows = rows;
  impl_->threshold = threshold;
}
CorrelationFilter::~CorrelationFilter() = default;
CorrelationFilter::CorrelationFilter(CorrelationFilter&&) noexcept = default;
CorrelationFilter& CorrelationFilter::operator=(CorrelationFilter&&) noexcept = default;

size_t CorrelationFilter::kept() const { return impl_->kept.size(); }

std::vector<std::optional<CorrelatedColumn>> CorrelationFilter::Judge(
    const Columns& columns, const std::vector<size_t>& ids) {
  return impl_->Judge(columns, ids);
}

void CorrelationFilter::Restore(size_t id, std::span<const float> column) {
  impl_->Keep(id, column);
}

std::vector<std::optional<CorrelatedColumn>> FindCorrelated(const Columns& columns,
                                                            std::span<const uint32_t> rows,
                                                            double threshold) {
  CorrelationFilter filter(rows.size(), threshold);
  std::vector<std::optional<CorrelatedColumn>> found;
  for (size_t first = 0; first < columns.size(); first += CorrelationFilter::kBatch) {
    const size_t width = std::min(CorrelationFilter::kBatch, columns.size() - first);
    std::vector<std::vector<float>> batch(width);
    Columns views(width);
    std::vector<size_t> ids(width);
    std::iota(ids.begin(), ids.end(), first);
    ParallelFor(width, [&](size_t j) {
      for (const uint32_t row : rows) batch[j].push_back(columns[first + j][row]);
      views[j] = batch[j];
    });
    const auto judged = filter.Judge(views, ids);
    found.insert(found.end(), judged.begin(), judged.end());
  }
  return found;
}

}  // namespace almanac
