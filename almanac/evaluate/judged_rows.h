// From a forecast table to a sample that can be judged: forecasts joined with the naive forecast of
// the same instant and with what happened.
#ifndef ALMANAC_EVALUATE_JUDGED_ROWS_H_
#define ALMANAC_EVALUATE_JUDGED_ROWS_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/time.h"
#include "almanac/evaluate/metrics.h"
#include "almanac/forecast/table.h"
#include "almanac/market/candle.h"

namespace almanac {

// What happened to one symbol. Borrowed, not owned.
struct SymbolOutcome {
  const CandleSeries* series = nullptr;   // row i of `labels` belongs to its bar i
  const Labels* labels = nullptr;         // at the forecasts' horizon
  Quantity quantity = Quantity::kReturn;  // of the labels
};

// Rows in order of (made_at, symbol). Values are volatilities, or forward returns whatever else the
// table holds.
struct JudgedRows {
  std::vector<std::string> symbol;
  std::vector<TimeMs> made_at;
  std::vector<TimeMs> known_at;  // when the outcome was known: the label's t1
  std::vector<double> forecast, actual, naive, price;
  Space space = Space::kReturn;  // or kVolatility
  // TrailingVolatility known at made_at; empty where nobody asked for it.
  std::vector<double> volatility;
  size_t horizon = 1;          // bars
  size_t without_outcome = 0;  // forecasts left out: no label, as at the end of the data
  size_t without_naive = 0;    // ... because the naive forecast has no such row
  double return_scale = std::numeric_limits<double>::quiet_NaN();
  double price_scale = std::numeric_limits<double>::quiet_NaN();

  size_t rows() const { return made_at.size(); }
  // Views into this object, which must outlive them. For forecasts made at every bar.
  ForecastSample Sample() const;
};

// A forecast, quantile or label as it is judged: a volatility as it is, all else as a return.
double JudgedValue(Quantity quantity, double value, double price);

// The standard deviation (n - 1) of the log returns of the last kVolatilityBars bars, known at each
// bar's close; NaN before there are so many.
inline constexpr size_t kVolatilityBars = 48;
std::vector<double> TrailingVolatility(const CandleSeries& series);

// The rows of `model` at `horizon` beside those of `naive`. Throws Error(kUsage) if the table has
// no row of one of them at that horizon or of a symbol without an outcome, or holds volatilities
// where the labels are none (or the other way round); Error(kBadData) for a price in the table that
// is not the close of its bar.
JudgedRows JoinOutcomes(const ForecastTable& table, std::string_view model, std::string_view naive,
                        int64_t horizon, std::span<const SymbolOutcome> outcomes);

// Sets the scales of mase: the mean absolute error of the naive forecast ("no change", of
// volatilities LastEnded) over the labels with from <= t0 and t1 <= to, the training time.
void SetTrainingScale(std::span<const SymbolOutcome> outcomes, TimeMs from, TimeMs to,
                      JudgedRows& rows);

}  // namespace almanac

#endif  // ALMANAC_EVALUATE_JUDGED_ROWS_H_
