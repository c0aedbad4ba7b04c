// Price-change requirement: whether the price first rises by `up` or first falls by `down` within
// `horizon` bars.
//
// Levels are close[i] * (1 + up) and close[i] * (1 - down); the bars i+1 .. i+h touch them with
// their highs and lows (first_touch.h states the order within a bar).
//   class 2 "up" if the upper is touched first, 0 "down" if the lower is, 1 "neither"
// t1 is KnownAt of the bar that touched, or KnownAt(i + h) if none did. A row whose horizon ends
// after the last bar has no label even if a level was touched: otherwise the last rows would
// consist of touches alone.
#ifndef ALMANAC_TARGET_PRICE_CHANGE_H_
#define ALMANAC_TARGET_PRICE_CHANGE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "almanac/market/candle.h"
#include "almanac/target/fields.h"
#include "almanac/target/first_touch.h"
#include "almanac/target/labels.h"

namespace almanac {

struct PriceChangeSpec {
  static constexpr const char* kKind = "price_change";
  double up = 0.01, down = 0.01;  // ratios above 0
  int64_t horizon = 24;           // bars
  SameBar same_bar = SameBar::kNearestToOpen;
  bool drop_gaps = false;

  void VisitFields(FieldVisitor& fields);
  std::string ColumnName() const;  // "price_change_0.01_0.01_24"
  std::vector<std::string> Classes() const;
  friend bool operator==(const PriceChangeSpec&, const PriceChangeSpec&) = default;
};

// Throws Error(kUsage) for fields out of range, Error(kBadData) for bad prices.
Labels BuildLabels(const PriceChangeSpec& spec, const CandleSeries& series);

}  // namespace almanac

#endif  // ALMANAC_TARGET_PRICE_CHANGE_H_
