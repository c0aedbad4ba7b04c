// Filling the gaps of a series, which is always the user's choice (`--fill none|forward`) and is
// always counted.
#ifndef ALMANAC_MARKET_FILL_H_
#define ALMANAC_MARKET_FILL_H_

#include <string>
#include <string_view>
#include <vector>

#include "almanac/market/calendar.h"
#include "almanac/market/candle.h"

namespace almanac {

enum class FillPolicy {
  kNone,    // gaps stay gaps
  kForward  // a missing bar is flat at the last close, with zero volume and no trades
};

// "none" or "forward"; throws Error(kUsage) otherwise.
FillPolicy ParseFillPolicy(std::string_view name);
std::string ToString(FillPolicy policy);

struct FillResult {
  CandleSeries series;
  std::vector<TimeMs> filled;  // open times of the bars that were made up, ascending
};

// Adds the bars that `calendar` expects between the first and the last bar of `series` and that are
// not there. A filled bar's vwap is NaN (there was no trade). Daily and weekly bars keep the time
// of day of the bar before them. Throws Error(kBadData) if the times do not ascend or if a bar
// before a gap has no finite close.
FillResult Fill(const CandleSeries& series, FillPolicy policy, const Calendar& calendar);

}  // namespace almanac

#endif  // ALMANAC_MARKET_FILL_H_
