// The times of the vendors of US equities: daily and weekly bars come stamped with midnight in New
// York, and are kept at 00:00 UTC of the session's date (weeks: of their Monday), where the
// market's calendar expects them.
#ifndef ALMANAC_SOURCE_CANDLE_SOURCE_TIME_H_
#define ALMANAC_SOURCE_CANDLE_SOURCE_TIME_H_

#include <algorithm>
#include <vector>

#include "almanac/base/time.h"
#include "almanac/market/timeframe.h"

namespace almanac {

// The open time under which a bar that the vendor stamps `vendor_time` is kept.
TimeMs SessionOpenTime(TimeMs vendor_time, Timeframe timeframe);

// A range [from, to) of vendor times that contains those of all bars kept in the given range, and
// perhaps some more.
struct VendorRange {
  TimeMs from;
  TimeMs to;
};
VendorRange SessionVendorRange(TimeMs from, TimeMs to, Timeframe timeframe);

// For a vendor's table of spans, whose elements have a `timeframe` ("1m") and what the vendor calls
// it: all timeframes, and the element of one of them.
template <typename Spans>
std::vector<Timeframe> TimeframesOf(const Spans& spans) {
  std::vector<Timeframe> all;
  all.reserve(spans.size());
  for (const auto& span : spans) all.push_back(Timeframe::Parse(span.timeframe));
  return all;
}
template <typename Spans>
const auto& SpanOf(const Spans& spans, Timeframe timeframe) {
  return *std::ranges::find(spans, timeframe.name(),
                            [](const auto& span) { return span.timeframe; });
}

}  // namespace almanac

#endif  // ALMANAC_SOURCE_CANDLE_SOURCE_TIME_H_
