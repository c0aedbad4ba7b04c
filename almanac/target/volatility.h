// Forward realised volatility: how much the price will move, whichever way.
//
//   sqrt(sum over k = 1..h of ln(close[i+k] / close[i+k-1])^2)
// the square root of realised variance (Andersen, Bollerslev, Diebold and Labys 2003), over the
// whole horizon and not annualised; no mean is subtracted. t1 = KnownAt(i + h). It is a level: its
// naive forecast is the volatility of the last h bars.
#ifndef ALMANAC_TARGET_VOLATILITY_H_
#define ALMANAC_TARGET_VOLATILITY_H_

#include <cstdint>
#include <string>

#include "almanac/market/candle.h"
#include "almanac/target/fields.h"
#include "almanac/target/labels.h"

namespace almanac {

struct VolatilitySpec {
  static constexpr const char* kKind = "forward_volatility";
  int64_t horizon = 12;  // bars
  bool drop_gaps = false;

  void VisitFields(FieldVisitor& fields);
  std::string ColumnName() const;  // "forward_volatility_12"
  friend bool operator==(const VolatilitySpec&, const VolatilitySpec&) = default;
};

// Unit "log ratio". Throws Error(kUsage) for a horizon out of range, Error(kBadData) for a bad
// close.
Labels BuildLabels(const VolatilitySpec& spec, const CandleSeries& series);

}  // namespace almanac

#endif  // ALMANAC_TARGET_VOLATILITY_H_
