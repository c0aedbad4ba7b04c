#include "almanac/dataset/correlation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "almanac/base/parallel.h"
#include "almanac/dataset/correlation_bound.h"

namespace almanac {
namespace {

using Columns = std::vector<std::span<const float>>;

constexpr size_t kKeptColumns = 768;  // that are compared before the columns that went are left out
constexpr size_t kRightColumns = 32;  // that are looked through at a time
constexpr size_t kLanes = 8;          // of sums in double, whatever the machine's vectors

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

std::vector<size_t> Range(size_t first, size_t last) {
  std::vector<size_t> places(last - first);
  std::iota(places.begin(), places.end(), first);
  return places;
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
  using Found = std::vector<std::optional<CorrelatedColumn>>;

  size_t rows;
  double threshold;
  BoundedColumns kept;
  std::vector<size_t> ids;                       // of the kept columns
  std::vector<std::unique_ptr<float[]>> memory;  // of their values

  void Keep(const std::vector<size_t>& new_ids, std::vector<BoundedColumn> columns) {
    Columns values(columns.size());
    for (size_t i = 0; i < columns.size(); ++i) {
      memory.push_back(std::make_unique_for_overwrite<float[]>(rows));
      values[i] = {memory.back().get(), rows};
    }
    ParallelFor(columns.size(), [&](size_t i) {
      std::copy_n(columns[i].values.begin(), rows,
                  memory[memory.size() - columns.size() + i].get());
    });
    ids.insert(ids.end(), new_ids.begin(), new_ids.end());
    kept.Add(std::move(columns), values);
  }

  std::optional<CorrelatedColumn> Confirm(size_t id, std::span<const float> x,
                                          std::span<const float> y) const {
    const double exact = Correlation(x, y);
    if (!(std::abs(exact) > threshold)) return std::nullopt;
    return CorrelatedColumn{id, exact};
  }

  // The columns of a batch that repeat one of the kept columns.
  void CompareWithKept(const BoundedColumns& batch, Found* found) const {
    const CorrelationBounds::RightSide right(batch, kept);
    std::vector<size_t> open = Range(0, batch.size());
    for (size_t first = 0; first < kept.size() && !open.empty(); first += kKeptColumns) {
      const std::vector<size_t> left = Range(first, std::min(kept.size(), first + kKeptColumns));
      const CorrelationBounds bounds(kept, left, batch, right, open);
      ParallelFor((open.size() + kRightColumns - 1) / kRightColumns, [&](size_t part) {
        const size_t begin = part * kRightColumns,
                     end = std::min(open.size(), begin + kRightColumns);
        for (size_t i = 0; i < left.size(); ++i) {
          for (size_t j = begin; j < end; ++j) {
            auto& result = (*found)[open[j]];
            if (result || !bounds.MayBeAbove(threshold, i, j)) continue;
            result = Confirm(ids[left[i]], kept[left[i]].values, batch[open[j]].values);
          }
        }
      });
      std::erase_if(open, [&](size_t j) { return (*found)[j].has_value(); });
    }
  }

  // Those that repeat an earlier one of the batch that is kept.
  void CompareWithin(const BoundedColumns& batch, const std::vector<size_t>& batch_ids,
                     Found* found) const {
    std::vector<size_t> open;
    for (size_t j = 0; j < batch.size(); ++j) {
      if (!(*found)[j]) open.push_back(j);
    }
    const CorrelationBounds::RightSide right(batch, batch);
    const CorrelationBounds bounds(batch, open, batch, right, open);
    for (size_t j = 0; j < open.size(); ++j) {
      auto& result = (*found)[open[j]];
      for (size_t i = 0; i < j && !result; ++i) {
        if ((*found)[open[i]] || !bounds.MayBeAbove(threshold, i, j)) continue;
        result = Confirm(batch_ids[open[i]], batch[open[i]].values, batch[open[j]].values);
      }
    }
  }

  Found Judge(const Columns& columns, const std::vector<size_t>& batch_ids) {
    BoundedColumns batch;
    batch.Add(columns);
    Found found(columns.size());
    CompareWithKept(batch, &found);
    CompareWithin(batch, batch_ids, &found);
    std::vector<size_t> kept_ids;
    std::vector<BoundedColumn> kept_columns;
    for (size_t j = 0; j < columns.size(); ++j) {
      if (found[j]) continue;
      kept_ids.push_back(batch_ids[j]);
      kept_columns.push_back(batch.Release(j));
    }
    Keep(kept_ids, std::move(kept_columns));
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
  std::vector<BoundedColumn> columns;
  columns.emplace_back(column);
  impl_->Keep({id}, std::move(columns));
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
