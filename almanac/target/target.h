// Targets: what is to be forecast, each label with the interval [t0, t1] that it looks at.
//
// A forecast for row i is made at t0 = KnownAt(i), the close of bar i, from what was known then.
//   forward_return      close[i+h] / close[i] - 1
//   forward_log_return  ln(close[i+h] / close[i])
//   forward_close       close[i+h]
// and t1 = KnownAt(i + h). With `every_step` the label is the vector of the same for the horizons
// 1, 2, ..., h. The horizon h counts bars: where bars are missing, t1 - t0 is longer
// than h times the timeframe. The label measures from the close at t0; a backtest cannot trade
// there and fills at the next bar's open, so its profit is not the label.
#ifndef ALMANAC_TARGET_TARGET_H_
#define ALMANAC_TARGET_TARGET_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "almanac/base/config.h"
#include "almanac/base/json.h"
#include "almanac/market/candle.h"
#include "almanac/target/labels.h"

namespace almanac {

enum class TargetKind { kForwardReturn, kForwardLogReturn, kForwardClose };
std::string_view Name(TargetKind kind);  // "forward_return", ...

struct TargetSpec {
  TargetKind kind = TargetKind::kForwardReturn;
  int64_t horizon = 1;  // bars, >= 1
  // No label where bars are missing inside the interval: t1 - t0 is not horizon * timeframe. Daily
  // and weekly bars of exchanges always have such intervals (weekends): leave it off for them.
  bool drop_gaps = false;
  bool every_step = false;

  // {kind: forward_return, horizon: 12, drop_gaps: true, every_step: true}; horizon defaults to 1.
  static TargetSpec FromConfig(const ConfigNode& node);
  static TargetSpec FromJson(const Json& json);  // what ToJson gives
  Json ToJson() const;
  std::string ColumnName() const;  // "forward_return_12", "forward_return_1_to_12"
  std::string Unit() const;        // "ratio", "log ratio" or "price"
  friend bool operator==(const TargetSpec&, const TargetSpec&) = default;
};

// One row a bar. Throws Error(kUsage) for a horizon below 1, Error(kBadData) naming the bar for a
// close that is not positive and finite.
Labels BuildLabels(const TargetSpec& spec, const CandleSeries& series);

// What a target is worth given the price at t0, and back: forward returns are what models are
// judged on, whatever they forecast.
double ToReturn(TargetKind kind, double value, double price_at_t0);
double ToPrice(TargetKind kind, double value, double price_at_t0);

}  // namespace almanac

#endif  // ALMANAC_TARGET_TARGET_H_
