// Swing events: what follows a swing high or low once it is confirmed. Rows are events, not bars.
//
// Look-back L, deviation window W, for a swing high (a swing low mirrors it):
//   swing         bar s with high[s] > high of each of the L bars before it and high[s] >= high of
//                 each of the L bars after it (of equal highs, the first)
//   confirmed     at bar c = s + L; t0 = KnownAt(c). Nobody knows of the swing earlier.
//   mean, D       mean and standard deviation (divisor W) of the closes of the W bars that end at s
//   distance      (high[s] - mean) / D; the event counts if it is at least std_dev. No event if D
//                 is 0 or there are fewer than W bars.
//   breakout      a bar of c+1 .. c+h has a high at or above high[s] + threshold * D ...
//   reversion     ... or a low at or below close[c] - threshold * D, whichever comes first
//                 (first_touch.h states the order within a bar)
//   neither       else
// The reversion level hangs on the close at t0 and not on the swing or the mean: those may have
// been crossed before the swing was confirmed, and the label would tell the past. t1 = KnownAt of
// the bar that decided, or KnownAt(c + h). Events whose horizon ends after the last bar are not
// rows, even if a level was touched; `past_end` counts them.
#ifndef ALMANAC_TARGET_SWING_H_
#define ALMANAC_TARGET_SWING_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/market/candle.h"
#include "almanac/target/fields.h"
#include "almanac/target/first_touch.h"
#include "almanac/target/labels.h"

namespace almanac {

enum class SwingSide { kHigh, kLow };
std::string_view Name(SwingSide side);  // "high", "low"

struct SwingSpec {
  static constexpr const char* kKind = "swing";
  SwingSide side = SwingSide::kHigh;
  int64_t look_back = 5;          // bars on each side
  double std_dev = 1.0;           // least distance, in deviations
  double threshold = 0.5;         // in deviations, above 0
  int64_t horizon = 24;           // bars after the confirmation
  int64_t deviation_window = 20;  // bars
  SameBar same_bar = SameBar::kNearestToOpen;
  bool drop_gaps = false;  // no row if bars are missing in the horizon

  void VisitFields(FieldVisitor& fields);
  std::string ColumnName() const;  // "swing_high_5_1.5_0.5_24": L, std_dev, threshold, horizon
  std::vector<std::string> Classes() const;
  friend bool operator==(const SwingSpec&, const SwingSpec&) = default;
};

struct SwingEvent {
  size_t swing = 0;      // bar s
  size_t confirmed = 0;  // bar c
  double price = 0;      // high[s] or low[s]
  double mean = 0;
  double deviation = 0;  // D, above 0
  double distance = 0;   // from the mean, in deviations; below 0 on the other side of it
};

// All confirmed swings at least `std_dev` away, in order of confirmation: what is known live, with
// no look at what follows. Throws as BuildLabels does.
std::vector<SwingEvent> FindSwings(const SwingSpec& spec, const CandleSeries& series);

// Classes 0 "neither", 1 "high_breakout", 2 "high_reversion" (or "low_..."). Throws Error(kUsage)
// for fields out of range, Error(kBadData) for bad prices.
Labels BuildLabels(const SwingSpec& spec, const CandleSeries& series);

}  // namespace almanac

#endif  // ALMANAC_TARGET_SWING_H_
