// Coarser bars from finer ones.
//
// open is the first bar's, high the highest, low the lowest, close the last bar's, volume and trade
// count are sums, vwap is weighted by volume. Sums are compensated (Neumaier 1974), so a volume is
// within one unit in the last place of the exact sum of its parts whatever their number.
#ifndef ALMANAC_MARKET_RESAMPLE_H_
#define ALMANAC_MARKET_RESAMPLE_H_

#include <cstdint>
#include <vector>

#include "almanac/market/calendar.h"
#include "almanac/market/candle.h"
#include "almanac/market/timeframe.h"

namespace almanac {

// What to do with a coarse bar of which not every fine bar is there.
enum class IncompletePolicy {
  kDrop,    // it is left out (and counted)
  kPartial  // it is made from what is there (and counted)
};

struct ResampleOptions {
  IncompletePolicy incomplete = IncompletePolicy::kDrop;
  // Says which fine bars a coarse one consists of. Not owned; nullptr: 24/7, where every bar of the
  // grid is expected.
  const Calendar* calendar = nullptr;
};

struct ResampleResult {
  CandleSeries series;
  // Open times of the coarse bars of which some but not all fine bars were there, ascending. Coarse
  // bars without any fine bar are gaps of both series and not listed.
  std::vector<TimeMs> incomplete;
  // Fine bars outside the calendar's sessions (extended hours); they are left out.
  int64_t outside_sessions = 0;
};

// Optional fields: a trade count is NaN if any part's is; a vwap is NaN if there was no volume or
// if a part with volume has none. Throws Error(kUsage) if `coarser` does not consist of whole bars
// of the series' timeframe, Error(kBadData) if the times do not ascend or a fine bar is off its
// grid.
ResampleResult Resample(const CandleSeries& series, Timeframe coarser,
                        const ResampleOptions& options = {});

}  // namespace almanac

#endif  // ALMANAC_MARKET_RESAMPLE_H_
