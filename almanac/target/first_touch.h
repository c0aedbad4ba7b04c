// Which of two price levels later bars touch first.
//
// A bar touches an upper level if its high is at or above it, a lower one if its low is at or below
// it. Bars say nothing about the order within them; where one bar touches both levels
//   1. its open decides if it lies at or beyond one of them (the price began there),
//   2. otherwise the policy does:
//      nearest_to_open  the level nearer to the open came first; at equal distance the lower one
//      upper, lower     that one came first
//      unlabelled       the row gets no label
#ifndef ALMANAC_TARGET_FIRST_TOUCH_H_
#define ALMANAC_TARGET_FIRST_TOUCH_H_

#include <cstddef>
#include <string>
#include <vector>

#include "almanac/market/candle.h"

namespace almanac {

enum class SameBar { kNearestToOpen, kUpper, kLower, kUnlabelled };
const std::vector<std::string>& SameBarNames();

// Infinite: there is no such level.
struct Levels {
  double upper = 0, lower = 0;
};

enum class Touched { kNeither, kUpper, kLower, kUnknown };

struct Touch {
  Touched touched = Touched::kNeither;
  size_t bar = 0;          // at which it was touched; the last bar looked at if neither was
  bool ambiguous = false;  // the policy decided
};

// Looks at the bars [first, last], first <= last < series.size(), with sound positive prices.
Touch FirstTouch(const CandleSeries& series, size_t first, size_t last, const Levels& levels,
                 SameBar policy);

// The same by closes alone, as López de Prado 2018, snippet 3.2 does: nothing is ambiguous.
Touch FirstTouchByClose(const CandleSeries& series, size_t first, size_t last,
                        const Levels& levels);

}  // namespace almanac

#endif  // ALMANAC_TARGET_FIRST_TOUCH_H_
