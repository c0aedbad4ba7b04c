// What was asked of a source and fully answered, for every series: a small JSON file in the lake
// beside the bars (docs/sources.md gives its format). Bars that the vendor does not have are in a
// covered interval like those that it has, so nobody asks for them again.
#ifndef ALMANAC_SOURCE_BACKFILL_COVERAGE_H_
#define ALMANAC_SOURCE_BACKFILL_COVERAGE_H_

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "almanac/base/home.h"
#include "almanac/base/time.h"
#include "almanac/market/candle.h"

namespace almanac {

struct TimeInterval {  // [from, to), not empty
  TimeMs from = 0;
  TimeMs to = 0;
  friend bool operator==(const TimeInterval&, const TimeInterval&) = default;
};

// A set of instants: disjoint intervals, ascending, none touching the next.
class IntervalSet {
 public:
  IntervalSet() = default;
  explicit IntervalSet(const std::vector<TimeInterval>& intervals);

  void Add(TimeInterval interval);       // an empty one changes nothing
  void Subtract(TimeInterval interval);  // the same
  void Add(const IntervalSet& other);
  void Subtract(const IntervalSet& other);
  const std::vector<TimeInterval>& intervals() const { return intervals_; }
  bool empty() const { return intervals_.empty(); }
  friend bool operator==(const IntervalSet&, const IntervalSet&) = default;

 private:
  std::vector<TimeInterval> intervals_;
};

struct Coverage {
  std::string source;    // default_market() of the source that answered; "" before the first answer
  IntervalSet answered;  // by open time
  IntervalSet stale;     // answered once, to be asked again: prices changed, or a refresh
};

std::filesystem::path CoveragePath(const Home& home, const SeriesKey& key);
// Empty if there is no file. Throws Error(kBadData) for a file that is not such a state.
Coverage LoadCoverage(const Home& home, const SeriesKey& key);
// Loads, changes and replaces the file as one step, safe against other processes.
void UpdateCoverage(const Home& home, const SeriesKey& key,
                    const std::function<void(Coverage&)>& change);

}  // namespace almanac

#endif  // ALMANAC_SOURCE_BACKFILL_COVERAGE_H_
