#include "almanac/report/drawing.h"

#include <algorithm>
#include <cmath>

#include "almanac/evaluate/statistics.h"

namespace almanac {
namespace {

// Bars drawn before the first forecast, so that its place in the market can be seen.
constexpr size_t kLeadBars = 48;
constexpr double kLeadShare = 0.05;

TimeMs BarOf(TimeMs target_time, const CandleSeries& bars) {
  return target_time - bars.key.timeframe.duration();
}

}  // namespace

CandleSeries DrawnBars(const ReportMarket& market) {
  const CandleSeries& bars = market.bars;
  TimeMs first = kMaxTime, last = kMinTime;
  for (const ReportForecast& forecast : market.forecasts) {
    if (forecast.target_time.empty()) continue;
    first = std::min(first, BarOf(forecast.target_time.front(), bars));
    last = std::max(last, BarOf(forecast.target_time.back(), bars));
  }
  if (first > last) return bars;
  const auto begin = bars.open_time.begin();
  const auto from = std::lower_bound(begin, bars.open_time.end(), first);
  const auto to = std::upper_bound(from, bars.open_time.end(), last);
  const auto count = static_cast<double>(to - from);
  const size_t lead = std::max(kLeadBars, static_cast<size_t>(count * kLeadShare));
  const auto start = static_cast<size_t>(from - begin);
  return bars.Slice(start - std::min(start, lead), static_cast<size_t>(to - begin));
}

CandleSeries MergeBars(const CandleSeries& bars, size_t count) {
  CandleSeries merged;
  merged.key = bars.key;
  for (size_t i = 0; i < bars.size(); i += count) {
    const size_t end = std::min(i + count, bars.size());
    Candle candle = bars.At(i);
    candle.trade_count = candle.vwap = Candle::kNotGiven;
    candle.close = bars.close[end - 1];
    for (size_t k = i + 1; k < end; ++k) {
      candle.high = std::max(candle.high, bars.high[k]);
      candle.low = std::min(candle.low, bars.low[k]);
      candle.volume += bars.volume[k];
    }
    merged.Append(candle);
  }
  return merged;
}

MarketView DetailView(const ReportMarket& market, const CandleSeries& bars) {
  MarketView view;
  view.bars = bars;
  if (bars.empty()) return view;
  for (size_t f = 0; f < market.forecasts.size(); ++f) {
    DrawnForecast drawn{f, {}};
    const std::vector<TimeMs>& targets = market.forecasts[f].target_time;
    for (size_t row = 0; row < targets.size(); ++row) {
      const TimeMs bar = BarOf(targets[row], bars);
      if (bar >= bars.open_time.front() && bar <= bars.open_time.back()) {
        drawn.points.push_back({bar, row});
      }
    }
    view.forecasts.push_back(std::move(drawn));
  }
  return view;
}

MarketView OverView(const ReportMarket& market, const CandleSeries& bars, size_t max_bars) {
  const size_t count = (bars.size() + max_bars - 1) / max_bars;
  if (count <= 1) return DetailView(market, bars);
  MarketView view;
  view.merged = count;
  view.bars = MergeBars(bars, count);
  for (size_t f = 0; f < market.forecasts.size(); ++f) {
    DrawnForecast drawn{f, {}};
    const std::vector<TimeMs>& targets = market.forecasts[f].target_time;
    size_t row = 0;
    for (size_t group = 0; group < view.bars.size(); ++group) {
      const TimeMs last = bars.open_time[std::min((group + 1) * count, bars.size()) - 1];
      while (row < targets.size() && BarOf(targets[row], bars) < last) ++row;
      if (row < targets.size() && BarOf(targets[row], bars) == last) {
        drawn.points.push_back({view.bars.open_time[group], row});
      }
    }
    view.forecasts.push_back(std::move(drawn));
  }
  return view;
}

std::vector<double> Drawdowns(double capital, std::span<const double> equity) {
  std::vector<double> result;
  result.reserve(equity.size());
  double peak = capital;
  for (const double value : equity) {
    peak = std::max(peak, value);
    result.push_back(value / peak - 1);
  }
  return result;
}

EquityView ViewEquity(const ReportEquity& equity, size_t max_points) {
  EquityView view;
  const size_t count = equity.time.size();
  view.merged = std::max<size_t>(1, (count + max_points - 1) / max_points);
  for (size_t i = 0; i < count; i += view.merged) {
    view.time.push_back(equity.time[std::min(i + view.merged, count) - 1]);
  }
  for (const ReportCurve& curve : equity.curves) {
    DrawnCurve drawn;
    const std::vector<double> drawdown = Drawdowns(equity.capital, curve.equity);
    for (size_t i = 0; i < count; i += view.merged) {
      const size_t end = std::min(i + view.merged, count);
      drawn.equity.push_back(curve.equity[end - 1]);
      drawn.drawdown.push_back(
          *std::min_element(drawdown.begin() + static_cast<std::ptrdiff_t>(i),
                            drawdown.begin() + static_cast<std::ptrdiff_t>(end)));
    }
    view.curves.push_back(std::move(drawn));
  }
  return view;
}

ErrorSummary SummarizeErrors(std::span<const double> errors) {
  ErrorSummary summary;
  summary.count = errors.size();
  if (errors.empty()) return summary;
  const Moments moments = ComputeMoments(errors);
  summary.mean = moments.mean;
  summary.deviation = std::sqrt(moments.variance);
  summary.skewness = moments.skewness;
  summary.kurtosis = moments.kurtosis;
  std::vector<double> sorted(errors.begin(), errors.end());
  std::sort(sorted.begin(), sorted.end());
  summary.q01 = SortedQuantile(sorted, 0.01);
  summary.q05 = SortedQuantile(sorted, 0.05);
  summary.q25 = SortedQuantile(sorted, 0.25);
  summary.median = SortedQuantile(sorted, 0.50);
  summary.q75 = SortedQuantile(sorted, 0.75);
  summary.q95 = SortedQuantile(sorted, 0.95);
  summary.q99 = SortedQuantile(sorted, 0.99);
  return summary;
}

size_t HistogramBins(size_t errors) {
  const auto rice = static_cast<size_t>(2 * std::cbrt(static_cast<double>(errors)));
  return std::clamp<size_t>(rice, 9, 61) | 1;
}

double HistogramReach(std::span<const ReportErrors> errors) {
  constexpr double kInside = 0.995;
  double reach = 0;
  for (const ReportErrors& model : errors) {
    std::vector<double> sizes;
    sizes.reserve(model.errors.size());
    for (const double error : model.errors) sizes.push_back(std::fabs(error));
    if (sizes.empty()) continue;
    std::sort(sizes.begin(), sizes.end());
    reach = std::max(reach, SortedQuantile(sizes, kInside));
  }
  // All errors zero: any width shows the one bar.
  return reach > 0 ? reach : 1.0;
}

Histogram MakeHistogram(std::span<const double> errors, double reach, size_t bins) {
  Histogram histogram{-reach, reach, std::vector<double>(bins, 0.0), 0, 0};
  const double width = histogram.Width();
  for (const double error : errors) {
    if (error < -reach) {
      ++histogram.below;
    } else if (error >= reach) {
      ++histogram.above;
    } else {
      const auto bin = static_cast<size_t>((error + reach) / width);
      histogram.density[std::min(bin, bins - 1)] += 1;
    }
  }
  const double scale = errors.empty() ? 0 : 1 / (static_cast<double>(errors.size()) * width);
  for (double& value : histogram.density) value *= scale;
  return histogram;
}

}  // namespace almanac
