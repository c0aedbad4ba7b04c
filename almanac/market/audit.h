// The audit of a series of bars: says what is wrong with it, where and how often, and repairs
// nothing. docs/market.md defines every count.
#ifndef ALMANAC_MARKET_AUDIT_H_
#define ALMANAC_MARKET_AUDIT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/base/time.h"
#include "almanac/market/calendar.h"
#include "almanac/market/candle.h"

namespace almanac {

// Bars as a file or a vendor gave them: times in any order, repeated, off the grid; any values.
struct RawCandles {
  CandleSeries bars;
};

struct AuditOptions {
  const Calendar* calendar = nullptr;  // not owned; nullptr: CalendarOfMarket(key.market)
  // The range that should be covered, [from, to); where not given, the series' own first and last
  // bar, so that nothing is missing at its ends.
  std::optional<TimeMs> from, to;
  // A bar is a jump if the farthest of its prices lies more than
  //   jump_threshold * max(jump_scale_floor, s) * sqrt(bars of time since the bar before)
  // from the close before it, in logarithms, where s = median |log return| of the last
  // `jump_window` returns / 0.6745 (the standard deviation of a normal with that median). No
  // verdict before `jump_history` returns were seen.
  double jump_threshold = 20.0;
  double jump_scale_floor = 0.0005;
  size_t jump_window = 100;
  size_t jump_history = 20;
  size_t places = 10;  // how many places of each kind are kept
};

// A run of missing bars: [from, to), where from is the open time of the first of them and to the
// end of the last.
struct Gap {
  TimeMs from = 0;
  TimeMs to = 0;
  int64_t bars = 0;
  friend bool operator==(const Gap&, const Gap&) = default;
};

struct AuditPlace {
  TimeMs time = 0;     // open time of the bar
  size_t row = 0;      // its position as given, from 0
  std::string detail;  // "high 10 < close 11"
};

// One kind of finding: how many bars have it, and where the first of them are.
struct AuditFinding {
  int64_t count = 0;
  std::vector<AuditPlace> places;
};

struct SeriesAudit {
  SeriesKey key;
  std::string calendar;
  int64_t bars = 0;          // as given, duplicates included
  TimeMs from = 0, to = 0;   // open times of the earliest and the latest bar; 0 if there is none
  std::vector<Gap> gaps;     // ascending
  int64_t missing_bars = 0;  // in all gaps
  // Rows whose open time (daily and weekly bars: whose day or week) another row has too, without
  // the first row of each.
  AuditFinding duplicates;
  int64_t conflicting_duplicates = 0;  // of these, how many have other values
  AuditFinding out_of_order;           // bars that open before the row just above
  AuditFinding off_grid;               // open time is not one of the timeframe's (below a day)
  AuditFinding outside_sessions;       // the calendar expects no bar there
  AuditFinding ohlc_violations;  // high < max(open, close), low > min(open, close), high < low
  AuditFinding zero_volume;
  AuditFinding non_finite;  // NaN or infinite price or volume
  AuditFinding negative;    // a price, the volume or the trade count below zero
  AuditFinding zero_price;
  AuditFinding jumps;

  // Whether a model may be trained on it without a second look: no duplicates, disorder,
  // contradictions, non-finite, negative or zero prices, bars off the grid. Gaps, zero volume, bars
  // outside sessions and jumps are facts of markets, not errors.
  bool IsSound() const;
};

SeriesAudit Audit(const RawCandles& raw, const AuditOptions& options = {});
SeriesAudit Audit(const CandleSeries& series, const AuditOptions& options = {});

// Counts by name, `gap_list` with from, to, bars, and `places` by kind. Times are ISO 8601.
Json ToJson(const SeriesAudit& audit);

}  // namespace almanac

#endif  // ALMANAC_MARKET_AUDIT_H_
