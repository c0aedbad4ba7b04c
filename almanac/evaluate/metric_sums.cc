#include "almanac/evaluate/metric_sums.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "almanac/evaluate/statistics.h"

namespace almanac {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// The sums of an instant, first those that both sides share, then a block for each side.
enum Shared : size_t { kRows, kDirected, kNonZeroPrices, kMoved, kActual, kActual2, kSharedWidth };
enum PerSide : size_t {
  kAbsolute,
  kSquared,
  kHits,
  kForecast,
  kForecast2,
  kCross,
  kPriceAbsolute,
  kPriceSquared,
  kPriceRelative,
  kPriceSymmetric,
  kQlikeSum,
  kSideWidth
};
constexpr size_t kWidth = kSharedWidth + 2 * kSideWidth;

constexpr size_t At(size_t side, PerSide sum) { return kSharedWidth + side * kSideWidth + sum; }

double Hit(double forecast, double actual) {
  if (forecast == 0) return 0.5;
  return (forecast > 0) == (actual > 0) ? 1.0 : 0.0;
}

// Infinite for a forecast that is not above 0: it denied what happened.
double Qlike(double forecast, double actual) {
  if (!(forecast > 0)) return std::numeric_limits<double>::infinity();
  const double ratio = (actual / forecast) * (actual / forecast);
  return ratio - std::log(ratio) - 1;
}

}  // namespace

MetricSums::MetricSums(const ForecastSample& sample) : sample_(sample) {
  CheckSample(sample);
  forecast_mean_ = Mean(sample.forecast);
  actual_mean_ = Mean(sample.actual);
  naive_mean_ = Mean(sample.naive);
  instant_of_row_.resize(sample.size());
  for (size_t row = 0; row < sample.size(); ++row) {
    if (row == 0 || sample.made_at[row] != sample.made_at[row - 1]) {
      instant_begin_.push_back(row);
      sums_.resize(sums_.size() + kWidth, 0.0);
    }
    instant_of_row_[row] = static_cast<uint32_t>(instant_begin_.size() - 1);
    const std::span<double> sums = std::span(sums_).last(kWidth);
    AddRow(row, sums);
    if (!sample.price.empty()) AddPriceRow(row, sums);
    if (sample.space == Space::kVolatility) AddVolatilityRow(row, sums);
  }
  instant_begin_.push_back(sample.size());
  ranked_forecast_ = Rank(sample.forecast);
  ranked_actual_ = Rank(sample.actual);
  ranked_naive_ = Rank(sample.naive);
  for (const Space space : {sample.space, Space::kPrice}) {
    if (space == Space::kPrice && sample.price.empty()) continue;
    for (const Metric metric : MetricsOf(space)) columns_.push_back({space, metric});
  }
}

void MetricSums::AddRow(size_t row, std::span<double> sums) const {
  const double actual = sample_.actual[row];
  const double centred_actual = actual - actual_mean_;
  sums[kRows] += 1;
  sums[kDirected] += actual != 0 ? 1 : 0;
  sums[kActual] += centred_actual;
  sums[kActual2] += centred_actual * centred_actual;
  const auto add = [&](Side side, double forecast, double mean) {
    const double error = actual - forecast;
    sums[At(side, kAbsolute)] += std::abs(error);
    sums[At(side, kSquared)] += error * error;
    sums[At(side, kHits)] += actual != 0 ? Hit(forecast, actual) : 0;
    sums[At(side, kForecast)] += forecast - mean;
    sums[At(side, kForecast2)] += (forecast - mean) * (forecast - mean);
    sums[At(side, kCross)] += (forecast - mean) * centred_actual;
  };
  add(kModel, sample_.forecast[row], forecast_mean_);
  add(kNaive, sample_.naive[row], naive_mean_);
}

void MetricSums::AddPriceRow(size_t row, std::span<double> sums) const {
  const double price = sample_.price[row];
  const double actual = price * (1 + sample_.actual[row]);
  sums[kNonZeroPrices] += actual != 0 ? 1 : 0;
  const auto add = [&](Side side, double forecast_return) {
    const double forecast = price * (1 + forecast_return);
    const double error = std::abs(actual - forecast);
    const double size = std::abs(actual) + std::abs(forecast);
    sums[At(side, kPriceAbsolute)] += error;
    sums[At(side, kPriceSquared)] += error * error;
    sums[At(side, kPriceRelative)] += actual != 0 ? error / std::abs(actual) : 0;
    sums[At(side, kPriceSymmetric)] += size != 0 ? 2 * error / size : 0;
  };
  add(kModel, sample_.forecast[row]);
  add(kNaive, sample_.naive[row]);
}

void MetricSums::AddVolatilityRow(size_t row, std::span<double> sums) const {
  const double actual = sample_.actual[row];
  if (!(actual > 0)) return;
  sums[kMoved] += 1;
  sums[At(kModel, kQlikeSum)] += Qlike(sample_.forecast[row], actual);
  sums[At(kNaive, kQlikeSum)] += Qlike(sample_.naive[row], actual);
}

MetricSums::Ranked MetricSums::Rank(std::span<const double> values) const {
  Ranked ranked;
  ranked.order.resize(values.size());
  std::iota(ranked.order.begin(), ranked.order.end(), uint32_t{0});
  std::sort(ranked.order.begin(), ranked.order.end(), [&](uint32_t a, uint32_t b) {
    return values[a] != values[b] ? values[a] < values[b] : a < b;
  });
  ranked.new_value.resize(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    ranked.new_value[i] = i == 0 || values[ranked.order[i]] != values[ranked.order[i - 1]];
    ranked.varies = ranked.varies || (i > 0 && ranked.new_value[i]);
  }
  return ranked;
}

void MetricSums::CentredRanks(const Ranked& column, std::span<const uint32_t> row_weight,
                              double total, std::span<double> out) const {
  const double mean = (total + 1) / 2;
  double below = 0;
  for (size_t first = 0; first < column.order.size();) {
    size_t last = first;
    double weight = 0;
    do {
      weight += row_weight[column.order[last]];
      ++last;
    } while (last < column.order.size() && !column.new_value[last]);
    const double rank = below + (weight + 1) / 2 - mean;
    for (size_t i = first; i < last; ++i) out[column.order[i]] = rank;
    below += weight;
    first = last;
  }
}

double MetricSums::RankCorrelation(const Ranked& column, std::span<const uint32_t> row_weight,
                                   std::span<const double> actual_ranks, double total) const {
  if (!column.varies) return kNan;
  std::vector<double> ranks(row_weight.size());
  CentredRanks(column, row_weight, total, ranks);
  double cross = 0;
  double squares = 0;
  double actual_squares = 0;
  for (size_t row = 0; row < ranks.size(); ++row) {
    const double weight = row_weight[row];
    cross += weight * ranks[row] * actual_ranks[row];
    squares += weight * ranks[row] * ranks[row];
    actual_squares += weight * actual_ranks[row] * actual_ranks[row];
  }
  if (!(squares > 0 && actual_squares > 0)) return kNan;
  return std::clamp(cross / std::sqrt(squares) / std::sqrt(actual_squares), -1.0, 1.0);
}

double MetricSums::Correlation(Side side, std::span<const double> sums) const {
  const bool varies = side == kModel ? ranked_forecast_.varies : ranked_naive_.varies;
  if (!varies || !ranked_actual_.varies) return kNan;
  const double n = sums[kRows];
  const double forecast = sums[At(side, kForecast)] / n;
  const double actual = sums[kActual] / n;
  const double forecast_variance = sums[At(side, kForecast2)] / n - forecast * forecast;
  const double actual_variance = sums[kActual2] / n - actual * actual;
  if (!(forecast_variance > 0 && actual_variance > 0)) return kNan;
  const double covariance = sums[At(side, kCross)] / n - forecast * actual;
  return std::clamp(covariance / std::sqrt(forecast_variance) / std::sqrt(actual_variance), -1.0,
                    1.0);
}

// Every metric but the rank correlation.
double MetricSums::Value(const Column& column, Side side, std::span<const double> sums) const {
  const bool price = column.space == Space::kPrice;
  const PerSide absolute = price ? kPriceAbsolute : kAbsolute;
  const PerSide squared = price ? kPriceSquared : kSquared;
  const double scale = price ? sample_.price_scale : sample_.return_scale;
  const double n = sums[kRows];
  switch (column.metric) {
    case Metric::kMae:
      return sums[At(side, absolute)] / n;
    case Metric::kRmse:
      return std::sqrt(sums[At(side, squared)] / n);
    case Metric::kMape:
      return sums[kNonZeroPrices] > 0 ? sums[At(side, kPriceRelative)] / sums[kNonZeroPrices]
                                      : kNan;
    case Metric::kSmape:
      return sums[At(side, kPriceSymmetric)] / n;
    case Metric::kQlike: {
      const double sum = sums[At(side, kQlikeSum)];
      return sums[kMoved] > 0 && std::isfinite(sum) ? sum / sums[kMoved] : kNan;
    }
    case Metric::kMase:
      return scale > 0 ? sums[At(side, absolute)] / n / scale : kNan;
    case Metric::kR2: {
      const double naive = sums[At(kNaive, squared)];
      return naive > 0 ? 1 - sums[At(side, squared)] / naive : kNan;
    }
    case Metric::kDirection:
      return sums[kDirected] > 0 ? sums[At(side, kHits)] / sums[kDirected] : kNan;
    case Metric::kIc:
      return Correlation(side, sums);
    case Metric::kRankIc:
      break;
  }
  return kNan;
}

void MetricSums::Compute(std::span<const uint32_t> multiplicity, std::span<double> out) const {
  std::array<double, kWidth> sums{};
  for (size_t instant = 0; instant < multiplicity.size(); ++instant) {
    const double weight = multiplicity[instant];
    const double* row = sums_.data() + instant * kWidth;
    for (size_t k = 0; k < kWidth; ++k) sums[k] += weight * row[k];
  }
  std::array<double, kSides> rank_ic{kNan, kNan};
  if (ranked_actual_.varies) {
    std::vector<uint32_t> row_weight(sample_.size());
    for (size_t row = 0; row < row_weight.size(); ++row) {
      row_weight[row] = multiplicity[instant_of_row_[row]];
    }
    std::vector<double> actual_ranks(row_weight.size());
    CentredRanks(ranked_actual_, row_weight, sums[kRows], actual_ranks);
    rank_ic = {RankCorrelation(ranked_forecast_, row_weight, actual_ranks, sums[kRows]),
               RankCorrelation(ranked_naive_, row_weight, actual_ranks, sums[kRows])};
  }
  for (size_t c = 0; c < columns_.size(); ++c) {
    for (const Side side : {kModel, kNaive}) {
      out[3 * c + side] =
          columns_[c].metric == Metric::kRankIc ? rank_ic[side] : Value(columns_[c], side, sums);
    }
    out[3 * c + 2] = out[3 * c] - out[3 * c + 1];
  }
}

}  // namespace almanac
