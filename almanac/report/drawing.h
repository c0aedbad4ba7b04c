// What the charts of a report draw: bars narrowed to the time of the forecasts, merged where there
// are too many, forecasts set at the bars they are about, accounts with their drawdowns.
#ifndef ALMANAC_REPORT_DRAWING_H_
#define ALMANAC_REPORT_DRAWING_H_

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "almanac/base/time.h"
#include "almanac/market/candle.h"
#include "almanac/report/report.h"

namespace almanac {

// Row `row` of a ReportForecast, at the bar whose close it forecasts.
struct DrawnPoint {
  TimeMs bar_time = 0;  // open time of that bar, as drawn (the first of its group if merged)
  size_t row = 0;
};

struct DrawnForecast {
  size_t forecast = 0;  // index into ReportMarket::forecasts
  std::vector<DrawnPoint> points;
};

struct MarketView {
  size_t merged = 1;  // bars of the series in one bar of the view
  CandleSeries bars;
  std::vector<DrawnForecast> forecasts;
};

// The part of the bars that is drawn: from a little before the first forecast's bar to the last
// one, everything where there are no forecasts.
CandleSeries DrawnBars(const ReportMarket& market);

// `count` bars at a time as one: open of the first, close of the last, sum of volumes, stamped with
// the first one's time. The last group may be smaller.
CandleSeries MergeBars(const CandleSeries& bars, size_t count);

// Every bar of `bars` and every forecast of one of them or of a bar that is missing between them.
MarketView DetailView(const ReportMarket& market, const CandleSeries& bars);
// At most `max_bars` merged bars; of the forecasts, those of the last bar of each group.
MarketView OverView(const ReportMarket& market, const CandleSeries& bars, size_t max_bars);

// equity / running peak - 1, <= 0; the first peak is `capital`.
std::vector<double> Drawdowns(double capital, std::span<const double> equity);

struct DrawnCurve {
  std::vector<double> equity;    // at the end of each group of bars
  std::vector<double> drawdown;  // the deepest within each group
};
struct EquityView {
  size_t merged = 1;
  std::vector<TimeMs> time;  // of the last bar of each group
  std::vector<DrawnCurve> curves;
};
EquityView ViewEquity(const ReportEquity& equity, size_t max_points);

struct ErrorSummary {
  size_t count = 0;
  double mean = kNotANumber;
  double deviation = kNotANumber;  // standard deviation, n - 1
  double skewness = kNotANumber;
  double kurtosis = kNotANumber;  // Pearson's: 3 for a normal distribution
  double q01 = kNotANumber, q05 = kNotANumber, q25 = kNotANumber, median = kNotANumber;
  double q75 = kNotANumber, q95 = kNotANumber, q99 = kNotANumber;
};
ErrorSummary SummarizeErrors(std::span<const double> errors);

// Bars of equal width over [low, high). Densities count the errors outside too, so that they do not
// integrate to 1 if there are any.
struct Histogram {
  double low = 0, high = 0;
  std::vector<double> density;
  size_t below = 0, above = 0;  // errors outside
  double Width() const { return (high - low) / static_cast<double>(density.size()); }
};
// How many bars suit so many errors: Rice's rule, 2 n^(1/3), odd so that one is centred on zero,
// between 9 and 61.
size_t HistogramBins(size_t errors);
// The range that suits all of `errors` together: symmetric around 0, wide enough for 99.5% of each.
double HistogramReach(std::span<const ReportErrors> errors);
Histogram MakeHistogram(std::span<const double> errors, double reach, size_t bins);

}  // namespace almanac

#endif  // ALMANAC_REPORT_DRAWING_H_
