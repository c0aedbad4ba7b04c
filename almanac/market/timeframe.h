// The lengths of bars that Almanac knows, and the grids on which they open.
#ifndef ALMANAC_MARKET_TIMEFRAME_H_
#define ALMANAC_MARKET_TIMEFRAME_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/time.h"

namespace almanac {

// A value type: one of 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 1w.
class Timeframe {
 public:
  Timeframe() = default;  // 1m
  // Throws Error(kUsage) that lists the known names.
  static Timeframe Parse(std::string_view name);
  static std::optional<Timeframe> TryParse(std::string_view name);
  // The known timeframe of exactly this length, if any.
  static std::optional<Timeframe> FromDuration(DurationMs duration);
  static const std::vector<Timeframe>& All();

  DurationMs duration() const { return duration_; }
  std::string name() const;

  // The open time of the bar that contains `time`. Bars open at multiples of the duration since the
  // epoch; weeks open on Monday 00:00 UTC.
  TimeMs Floor(TimeMs time) const;
  // Whether this timeframe's bars are unions of whole bars of `finer`.
  bool IsMultipleOf(Timeframe finer) const;

  friend bool operator==(Timeframe, Timeframe) = default;
  friend auto operator<=>(Timeframe a, Timeframe b) { return a.duration_ <=> b.duration_; }

 private:
  explicit Timeframe(DurationMs duration) : duration_(duration) {}
  DurationMs duration_ = kMsPerMinute;
};

}  // namespace almanac

#endif  // ALMANAC_MARKET_TIMEFRAME_H_
