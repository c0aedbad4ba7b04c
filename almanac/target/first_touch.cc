#include "almanac/target/first_touch.h"

namespace almanac {
namespace {

Touched ByPolicy(double open, const Levels& levels, SameBar policy) {
  switch (policy) {
    case SameBar::kNearestToOpen:
      return levels.upper - open < open - levels.lower ? Touched::kUpper : Touched::kLower;
    case SameBar::kUpper:
      return Touched::kUpper;
    case SameBar::kLower:
      return Touched::kLower;
    case SameBar::kUnlabelled:
      break;
  }
  return Touched::kUnknown;
}

}  // namespace

const std::vector<std::string>& SameBarNames() {
  static const std::vector<std::string> names = {"nearest_to_open", "upper", "lower", "unlabelled"};
  return names;
}

Touch FirstTouch(const CandleSeries& series, size_t first, size_t last, const Levels& levels,
                 SameBar policy) {
  for (size_t i = first; i <= last; ++i) {
    const bool up = series.high[i] >= levels.upper;
    const bool down = series.low[i] <= levels.lower;
    if (!up && !down) continue;
    if (!down) return {Touched::kUpper, i, false};
    if (!up) return {Touched::kLower, i, false};
    if (series.open[i] >= levels.upper) return {Touched::kUpper, i, false};
    if (series.open[i] <= levels.lower) return {Touched::kLower, i, false};
    return {ByPolicy(series.open[i], levels, policy), i, true};
  }
  return {Touched::kNeither, last, false};
}

Touch FirstTouchByClose(const CandleSeries& series, size_t first, size_t last,
                        const Levels& levels) {
  for (size_t i = first; i <= last; ++i) {
    if (series.close[i] >= levels.upper) return {Touched::kUpper, i, false};
    if (series.close[i] <= levels.lower) return {Touched::kLower, i, false};
  }
  return {Touched::kNeither, last, false};
}

}  // namespace almanac
