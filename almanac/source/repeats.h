// Finds the times that come twice in one file. Times are remembered as bits on their timeframe's
// grid, a few bytes a hundred bars, so that memory does not grow with the file; what an earlier
// line said about a repeated time is looked up by reading the file again.
#ifndef ALMANAC_SOURCE_REPEATS_H_
#define ALMANAC_SOURCE_REPEATS_H_

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "almanac/base/time.h"
#include "almanac/market/timeframe.h"
#include "almanac/source/candle_file.h"

namespace almanac {

// The set of the times of one symbol.
class TimeSet {
 public:
  explicit TimeSet(Timeframe timeframe) : step_(timeframe.duration()) {}

  // Whether the time was not there before. Below a day, times must lie on the timeframe's grid.
  bool Insert(TimeMs time);

 private:
  static constexpr int64_t kPageSlots = 4096;
  using Page = std::array<uint64_t, kPageSlots / 64>;

  DurationMs step_;
  std::unordered_map<int64_t, std::unique_ptr<Page>> pages_;
  int64_t last_page_number_ = 0;
  Page* last_page_ = nullptr;
  std::unordered_set<TimeMs> daily_;  // daily and weekly bars are few, and open when they like
};

// The values of a bar, bit by bit: NaN equals NaN.
using BarBits = std::array<uint64_t, 7>;
BarBits BitsOf(const CandleRows& rows, size_t row);

// A bar whose time an earlier line of the same file has.
struct Repeat {
  std::string symbol;
  TimeMs time = 0;
  int64_t line = 0;
  BarBits bits{};
};

// Reads the file again and finds the first bar of each repeat's symbol and time. Returns the
// repeats whose values differ from it, as bad lines in the order given.
std::vector<BadLine> FindConflicts(const CandleFile& file, const ImportOptions& options,
                                   const std::vector<Repeat>& repeats);

}  // namespace almanac

#endif  // ALMANAC_SOURCE_REPEATS_H_
