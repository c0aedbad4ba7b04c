// The distances between the times of neighbouring bars: what they say about the timeframe.
#ifndef ALMANAC_SOURCE_SPACING_H_
#define ALMANAC_SOURCE_SPACING_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "almanac/base/time.h"
#include "almanac/market/timeframe.h"

namespace almanac {

class SpacingCount {
 public:
  SpacingCount() = default;
  SpacingCount(const SpacingCount&) = delete;
  SpacingCount& operator=(const SpacingCount&) = delete;

  // The distance between two bars of one symbol, either sign; 0 is not counted.
  void Add(DurationMs distance);
  int64_t total() const { return total_; }
  // The most common distance; of several, the shortest. Nothing if there is none.
  std::optional<DurationMs> MostCommon() const;
  // What contradicts `timeframe`, or "": the most common distance is another one, and fewer than
  // one in twenty are this timeframe's. Too few distances (below eight) contradict nothing: a short
  // file may have a gap.
  std::string Contradiction(Timeframe timeframe) const;

 private:
  // Distances beyond these many different ones are only counted in the total.
  static constexpr size_t kMaxDifferent = 4096;
  std::map<DurationMs, int64_t> counts_;
  DurationMs last_ = 0;
  int64_t* last_count_ = nullptr;
  int64_t total_ = 0;
};

}  // namespace almanac

#endif  // ALMANAC_SOURCE_SPACING_H_
