// What London clocks show minus UTC.
#ifndef ALMANAC_MARKET_LONDON_H_
#define ALMANAC_MARKET_LONDON_H_

#include "almanac/base/time.h"

namespace almanac {

// 0, or +1 h in summer time. Summer time by the tz database's rules: to 1980 from the Sunday on or
// after 16 March, 02:00 UTC, to the Sunday on or after 23 October, 02:00 UTC; from 1981 from the
// last Sunday of March, 01:00 UTC, to the Sunday on or after 23 (1981 to 1989), 22 (1990 to 1995)
// or 25 October (from 1996: the last of October), 01:00 UTC. Exact from 1972; earlier years are
// taken as if the rule of 1972 had held.
DurationMs LondonOffset(TimeMs utc);

}  // namespace almanac

#endif  // ALMANAC_MARKET_LONDON_H_
