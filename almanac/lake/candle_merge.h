// Sets of bars laid over each other. Inside lake only.
#ifndef ALMANAC_LAKE_CANDLE_MERGE_H_
#define ALMANAC_LAKE_CANDLE_MERGE_H_

#include <cstddef>
#include <cstdint>

#include "almanac/lake/candle_store.h"
#include "almanac/market/candle.h"

namespace almanac {

// Throws Error(kBadData) if a field has not as many values as there are times.
void CheckLengths(const CandleSeries& bars);

// Adds the bars [first, last) of `from`, in their order.
void AppendBars(CandleSeries& to, const CandleSeries& from, size_t first, size_t last);

// Whether open times are strictly ascending.
bool IsSortedUnique(const CandleSeries& bars);
// Sorts by open time; of bars with the same time the last one stays.
void SortUnique(CandleSeries& bars);

// `fresh` over `old`, both sorted and unique, and how they differ. Values are equal if their bits
// are, or if both are NaN.
struct MergedBars {
  CandleSeries bars;
  UpsertStats stats;
};
MergedBars MergeBars(CandleSeries old, CandleSeries fresh);

// What one bar takes in memory.
inline constexpr int64_t kBytesPerBar = 8 * int64_t{sizeof(double)};

}  // namespace almanac

#endif  // ALMANAC_LAKE_CANDLE_MERGE_H_
