// Point metrics of forecasts against what happened, each beside the same metric of the naive
// forecast, in return space and in price space, or in volatility space.
//
// The forecast quantity is the forward return r = close(target) / close(made_at) - 1, as a
// fraction; price space is close(made_at) * (1 + r) for forecast, naive and actual alike. Or it is
// the forward volatility (docs/targets.md), which has no price.
//
// With e = actual - forecast over n rows:
//   mae        mean |e|
//   rmse       sqrt(mean e^2)
//   mape       mean |e / actual|; price space only. Rows whose actual price is 0 are left out.
//   smape      mean 2 |e| / (|actual| + |forecast|), a term where both are 0 counts 0; price space
//              only (in return space the naive forecast 0 would always score 2).
//   qlike      mean of v / f - ln(v / f) - 1 with the variances v = actual^2 and f = forecast^2;
//              volatility space only. With mean e^2 of variances the one loss that ranks forecasts
//              rightly although the actual variance is itself an estimate (Patton 2011, "Volatility
//              forecast comparison using imperfect volatility proxies", Journal of Econometrics
//              160). Rows whose actual volatility is 0 are left out; NaN if a forecast of another
//              row is not above 0.
//   mase       mae / scale, scale = the naive forecast's mean absolute error over the training rows
//              (Hyndman and Koehler 2006, "Another look at measures of forecast accuracy",
//              International Journal of Forecasting 22). They scale by the one-step naive error; we
//              by the naive error at the same horizon, so that below 1 keeps its meaning, "better
//              than the naive forecast was in training". For horizon 1 the two are the same.
//   r2         1 - sum e^2 / sum (naive's e)^2, out of sample against the naive forecast (Campbell
//              and Thompson 2008, Review of Financial Studies 21). The naive forecast has 0.
//   direction  the share of rows whose forecast has the sign of the actual return; return space
//   only.
//              Rows whose actual return is 0 are left out; a forecast of exactly 0 takes no side
//              and counts one half, as a coin would. The naive forecast "no change" has 0.5.
//   ic         Pearson's correlation of forecast and actual; not in price space (prices trend, so
//              that even the naive price correlates with the next one).
//   rank_ic    Spearman's, with average ranks for ties; not in price space.
// A correlation with a forecast that never varies (the naive one) is not defined: NaN, null in
// JSON, and so is the difference from it; then compare the metric's own interval with 0.
#ifndef ALMANAC_EVALUATE_METRICS_H_
#define ALMANAC_EVALUATE_METRICS_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/base/time.h"
#include "almanac/evaluate/bootstrap.h"
#include "almanac/evaluate/diebold_mariano.h"

namespace almanac {

enum class Space { kReturn, kPrice, kVolatility };
enum class Metric { kMae, kRmse, kMape, kSmape, kQlike, kMase, kR2, kDirection, kIc, kRankIc };

// Forecasts of one model at one horizon beside what happened: equally long spans, a row each, in
// order of made_at. Rows of the same made_at (several symbols) move together in the bootstrap and
// count as one instant, with their mean loss, in the Diebold-Mariano test. Borrowed, not owned.
struct ForecastSample {
  std::span<const TimeMs> made_at;   // not decreasing
  std::span<const double> forecast;  // forward returns, fractions, or volatilities
  std::span<const double> actual;
  std::span<const double> naive;
  std::span<const double> price;  // the close known at made_at, > 0; empty: no price space
  Space space = Space::kReturn;   // of forecast, actual and naive; or kVolatility, without price
  // How many successive instants one forecast reaches over: h for h-bar forecasts made at every
  // bar, 1 if their targets do not overlap.
  size_t horizon = 1;
  // The scale of mase in each space (see NaiveScale); NaN: mase is not computed.
  double return_scale = std::numeric_limits<double>::quiet_NaN();
  double price_scale = std::numeric_limits<double>::quiet_NaN();

  size_t size() const { return made_at.size(); }
};
// Throws Error(kUsage) for spans of different lengths, horizon 0 or a price beside volatilities;
// Error(kBadData) naming row and time for values that are not finite, a price that is not positive,
// times that go back.
void CheckSample(const ForecastSample& sample);

// The scale of mase: mean |actual - naive| over the training rows. For price space pass prices, or
// returns with the closes they start from as `price`. NaN if there are no rows.
double NaiveScale(std::span<const double> actual, std::span<const double> naive);
double NaivePriceScale(std::span<const double> actual, std::span<const double> naive,
                       std::span<const double> price);

std::string_view Name(Space space);     // "return", "price", "volatility"
std::string_view Name(Metric metric);   // "mae", "rank_ic", ...
std::string_view Title(Metric metric);  // "MAE", "rank IC", ...: for tables
bool SmallerIsBetter(Metric metric);
// The metrics that are defined in a space, in the order of the enumeration.
std::span<const Metric> MetricsOf(Space space);

struct Estimate {
  double value = std::numeric_limits<double>::quiet_NaN();
  Interval interval;
};

struct MetricResult {
  Space space = Space::kReturn;
  Metric metric = Metric::kMae;
  Estimate model;
  Estimate naive;
  Estimate difference;  // model minus naive, resampled together
};

// The same metrics without intervals, over part of the rows.
struct GroupResult {
  std::string label;  // "2024-03"
  size_t rows = 0;
  std::vector<MetricResult> metrics;
};

struct Evaluation {
  std::string model;
  std::string naive = "naive";
  size_t rows = 0;
  size_t instants = 0;  // distinct made_at
  TimeMs first_made_at = 0;
  TimeMs last_made_at = 0;
  size_t horizon = 1;
  Space space = Space::kReturn;  // of the first metrics, the tests and the verdict; or kVolatility
  BootstrapOptions bootstrap = {};
  double block_length = 0;            // the mean block length that was used
  std::vector<MetricResult> metrics;  // `space`, then price space
  DieboldMariano squared;             // against naive in `space`, loss e^2: decides the verdict
  DieboldMariano absolute;            // the same with loss |e|
  std::vector<GroupResult> months;
  std::vector<GroupResult> symbols;  // set by AddBreakdowns, as regimes
  std::vector<GroupResult> regimes;
  std::vector<std::string> assumptions;
  std::string verdict;  // one sentence in plain words

  // The row of a metric, or null.
  const MetricResult* Find(Space space, Metric metric) const;
};

struct EvaluateOptions {
  std::string model = "model";
  std::string naive = "naive";
  BootstrapOptions bootstrap = {};
  double significance = 0.05;  // of the verdict
};

// Everything above for one model. The mean block length is the automatic one of the squared-error
// difference from naive, but never shorter than the horizon. Deterministic in sample and options.
Evaluation Evaluate(const ForecastSample& sample, const EvaluateOptions& options);

// Point values only, over the rows of each group; groups in order of their first row. `group[i]` is
// an index into `labels`.
std::vector<GroupResult> EvaluateGroups(const ForecastSample& sample,
                                        std::span<const uint32_t> group,
                                        std::span<const std::string> labels);
// By calendar month (UTC) of made_at, in time order.
std::vector<GroupResult> EvaluateMonths(const ForecastSample& sample);

Json ToJson(const MetricResult& result);
Json ToJson(const Evaluation& evaluation);

}  // namespace almanac

#endif  // ALMANAC_EVALUATE_METRICS_H_
