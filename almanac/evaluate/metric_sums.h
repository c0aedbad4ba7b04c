// The kernel of the metrics: one pass turns a sample into sums per instant; every metric of the
// sample, or of a resample in which instants appear several times, is then a function of weighted
// sums (and, for rank correlations, of ranks among the weighted rows). Used by metrics.cc.
#ifndef ALMANAC_EVALUATE_METRIC_SUMS_H_
#define ALMANAC_EVALUATE_METRIC_SUMS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "almanac/evaluate/metrics.h"

namespace almanac {

class MetricSums {
 public:
  // The sample is checked and borrowed.
  explicit MetricSums(const ForecastSample& sample);

  size_t instants() const { return instant_begin_.size() - 1; }
  // The rows [InstantBegin(i), InstantBegin(i + 1)) share one made_at.
  size_t InstantBegin(size_t instant) const { return instant_begin_[instant]; }

  // The metrics that Compute writes, in order.
  struct Column {
    Space space;
    Metric metric;
  };
  const std::vector<Column>& columns() const { return columns_; }

  // Three values per column: of the model, of the naive forecast, model minus naive. `multiplicity`
  // has one entry per instant. Thread-safe.
  void Compute(std::span<const uint32_t> multiplicity, std::span<double> out) const;

 private:
  // A column whose values are ranked: its row order by value, and where equal values begin anew.
  struct Ranked {
    bool varies = false;
    std::vector<uint32_t> order;
    std::vector<bool> new_value;
  };
  enum Side { kModel, kNaive, kSides };

  void AddRow(size_t row, std::span<double> sums) const;
  void AddPriceRow(size_t row, std::span<double> sums) const;
  void AddVolatilityRow(size_t row, std::span<double> sums) const;
  Ranked Rank(std::span<const double> values) const;
  // Ranks less their mean among the weighted rows; rows of weight 0 keep what `out` held.
  void CentredRanks(const Ranked& column, std::span<const uint32_t> row_weight, double total,
                    std::span<double> out) const;
  double RankCorrelation(const Ranked& column, std::span<const uint32_t> row_weight,
                         std::span<const double> actual_ranks, double total) const;
  double Value(const Column& column, Side side, std::span<const double> sums) const;
  double Correlation(Side side, std::span<const double> sums) const;

  ForecastSample sample_;
  double forecast_mean_ = 0;
  double actual_mean_ = 0;
  double naive_mean_ = 0;
  std::vector<size_t> instant_begin_;
  std::vector<uint32_t> instant_of_row_;
  std::vector<double> sums_;  // instants x width
  Ranked ranked_forecast_, ranked_actual_, ranked_naive_;
  std::vector<Column> columns_;
};

}  // namespace almanac

#endif  // ALMANAC_EVALUATE_METRIC_SUMS_H_
