// Direction: whether the close `horizon` bars ahead is above, below or near the close at t0.
//
//   r = close[i+h] / close[i] - 1
//   class 2 "up" if r > threshold, 0 "down" if r < -threshold, 1 "flat" otherwise
// t1 = KnownAt(i + h).
#ifndef ALMANAC_TARGET_DIRECTION_H_
#define ALMANAC_TARGET_DIRECTION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "almanac/market/candle.h"
#include "almanac/target/fields.h"
#include "almanac/target/labels.h"

namespace almanac {

struct DirectionSpec {
  static constexpr const char* kKind = "direction";
  int64_t horizon = 1;   // bars
  double threshold = 0;  // ratio, 0.001 for 0.1 %; with 0, only an equal close is flat
  bool drop_gaps = false;

  void VisitFields(FieldVisitor& fields);
  std::string ColumnName() const;  // "direction_12_0.001"
  std::vector<std::string> Classes() const;
  friend bool operator==(const DirectionSpec&, const DirectionSpec&) = default;
};

// Throws Error(kUsage) for fields out of range, Error(kBadData) for a bad close.
Labels BuildLabels(const DirectionSpec& spec, const CandleSeries& series);

}  // namespace almanac

#endif  // ALMANAC_TARGET_DIRECTION_H_
