// Metrics of forecasts across symbols at one instant: does the ranking tell winners from losers?
//
// At each instant with at least `fewest` symbols whose forecasts and returns both vary:
//   IC, rank IC   Pearson's and Spearman's correlation over the symbols of forecast and return
//   buckets       the symbols in order of forecast in equal parts (place k of m, from 0, is in part
//                 floor(k parts / m); equal forecasts in order of the symbols' names), the mean
//                 return of each
//   turnover      1 - Spearman's correlation of this ranking with that of the instant before, over
//                 the symbols of both; and the share of the best part that was not in it before
// Over time: the mean, ICIR = mean / standard deviation (n - 1), and t-statistics with the standard
// error of Newey and West (1987), lags max(horizon - 1, floor(4 (n / 100)^(2/9))): forecasts over h
// bars made at every bar share h - 1 of them. p-values are two-sided, normal.
// The naive row: a ranking that knows nothing has IC 0, and every part of it returns the mean of
// all symbols, which `mean_return` is.
#ifndef ALMANAC_EVALUATE_CROSS_SECTION_H_
#define ALMANAC_EVALUATE_CROSS_SECTION_H_

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/base/time.h"

namespace almanac {

// A row a forecast, in order of (made_at, symbol). Borrowed, not owned.
struct CrossSectionSample {
  std::span<const TimeMs> made_at;
  std::span<const std::string> symbol;
  std::span<const double> forecast;
  std::span<const double> actual;
  size_t horizon = 1;  // as ForecastSample
};

struct CrossSectionOptions {
  size_t fewest = 5;   // symbols at an instant, at least 3
  size_t buckets = 5;  // parts, at least 2; instants with fewer symbols have none
};

// A mean over instants that may depend on each other.
struct TimeMean {
  size_t count = 0;
  double mean = 0;       // NaN without instants
  double deviation = 0;  // standard deviation, n - 1
  double error = 0;      // Newey-West standard error of the mean
  double t = 0;
  double p_value = 1;
  size_t lag = 0;
};
TimeMean ComputeTimeMean(std::span<const double> values, size_t horizon);

struct CrossSection {
  size_t instants = 0;
  size_t left_out = 0;  // instants with too few symbols, or without variation
  double mean_symbols = 0;
  TimeMean ic, rank_ic;
  double icir = 0, rank_icir = 0;      // mean / standard deviation, per instant
  std::vector<double> share_positive;  // of IC, of rank IC
  TimeMean mean_return;                // of all symbols: what the naive ranking earns
  std::vector<TimeMean> buckets;       // lowest forecasts first
  TimeMean spread;                     // highest less lowest part
  double ranking_turnover = 0;         // NaN for fewer than two instants
  double top_turnover = 0;
  // By instant, for pictures.
  std::vector<TimeMs> time;
  std::vector<double> ic_values, rank_ic_values;
};

// Throws Error(kUsage) for columns of different lengths or options out of range, Error(kBadData)
// naming row and time for rows out of order, a symbol twice at one instant, values not finite.
CrossSection EvaluateCrossSection(const CrossSectionSample& sample,
                                  const CrossSectionOptions& options = {});

Json ToJson(const TimeMean& mean);
Json ToJson(const CrossSection& section);

}  // namespace almanac

#endif  // ALMANAC_EVALUATE_CROSS_SECTION_H_
