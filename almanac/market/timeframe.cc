#include "almanac/market/timeframe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "almanac/base/error.h"

namespace almanac {
namespace {

struct NamedDuration {
  std::string_view name;
  DurationMs duration;
};
constexpr std::array<NamedDuration, 13> kKnown = {{{"1m", kMsPerMinute},
                                                   {"3m", 3 * kMsPerMinute},
                                                   {"5m", 5 * kMsPerMinute},
                                                   {"15m", 15 * kMsPerMinute},
                                                   {"30m", 30 * kMsPerMinute},
                                                   {"1h", kMsPerHour},
                                                   {"2h", 2 * kMsPerHour},
                                                   {"4h", 4 * kMsPerHour},
                                                   {"6h", 6 * kMsPerHour},
                                                   {"8h", 8 * kMsPerHour},
                                                   {"12h", 12 * kMsPerHour},
                                                   {"1d", kMsPerDay},
                                                   {"1w", 7 * kMsPerDay}}};

// The epoch was a Thursday; the Monday before it anchors the grid of weeks.
constexpr DurationMs kWeekAnchor = -3 * kMsPerDay;

std::string KnownNames() {
  std::vector<std::string_view> names;
  names.reserve(kKnown.size());
  for (const NamedDuration& known : kKnown) names.push_back(known.name);
  return fmt::format("{}", fmt::join(names, " "));
}

}  // namespace

Timeframe Timeframe::Parse(std::string_view name) {
  if (const auto timeframe = TryParse(name)) return *timeframe;
  throw Error(ErrorCode::kUsage, "timeframe", fmt::format("'{}' is not a timeframe", name),
              fmt::format("use one of {}", KnownNames()));
}

std::optional<Timeframe> Timeframe::TryParse(std::string_view name) {
  for (const NamedDuration& known : kKnown) {
    if (known.name == name) return Timeframe(known.duration);
  }
  return std::nullopt;
}

std::optional<Timeframe> Timeframe::FromDuration(DurationMs duration) {
  for (const NamedDuration& known : kKnown) {
    if (known.duration == duration) return Timeframe(duration);
  }
  return std::nullopt;
}

const std::vector<Timeframe>& Timeframe::All() {
  static const std::vector<Timeframe> all = [] {
    std::vector<Timeframe> timeframes;
    timeframes.reserve(kKnown.size());
    for (const NamedDuration& known : kKnown) timeframes.push_back(Timeframe(known.duration));
    return timeframes;
  }();
  return all;
}

std::string Timeframe::name() const {
  const auto known = std::ranges::find(kKnown, duration_, &NamedDuration::duration);
  return std::string(known->name);
}

TimeMs Timeframe::Floor(TimeMs time) const {
  const DurationMs anchor = duration_ > kMsPerDay ? kWeekAnchor : 0;
  const DurationMs into_bar = (time - anchor) % duration_;
  return time - (into_bar < 0 ? into_bar + duration_ : into_bar);
}

bool Timeframe::IsMultipleOf(Timeframe finer) const { return duration_ % finer.duration_ == 0; }

}  // namespace almanac
