#include "almanac/feature/observation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "almanac/base/error.h"

namespace almanac {
namespace {

bool Earlier(const Observation& a, const Observation& b) {
  return std::pair(a.updated_timestamp, a.timestamp) < std::pair(b.updated_timestamp, b.timestamp);
}

}  // namespace

ObservationFeed::ObservationFeed(std::string feature, std::string time_frame, std::string symbol,
                                 std::vector<Observation> versions)
    : feature_(std::move(feature)),
      time_frame_(std::move(time_frame)),
      symbol_(std::move(symbol)),
      versions_(std::move(versions)) {
  for (const Observation& version : versions_) Check(version);
  std::stable_sort(versions_.begin(), versions_.end(), Earlier);
}

void ObservationFeed::Check(const Observation& version) const {
  const std::string place = Name() + " " + FormatTime(version.timestamp);
  if (version.feature != feature_ || version.time_frame != time_frame_ ||
      version.symbol != symbol_) {
    throw Error(ErrorCode::kBadData, place,
                fmt::format("the observation is of {} {} {}", version.feature, version.time_frame,
                            version.symbol),
                "a feed holds those of one feature, time frame and symbol");
  }
  if (!std::isfinite(version.value)) {
    throw Error(ErrorCode::kBadData, place, fmt::format("the value is {}", version.value),
                "observations are finite numbers; leave out what is not known");
  }
}

void ObservationFeed::Append(Observation version) {
  Check(version);
  if (!versions_.empty() && version.updated_timestamp < versions_.back().updated_timestamp) {
    throw Error(
        ErrorCode::kBadData, Name() + " " + FormatTime(version.timestamp),
        fmt::format("known from {}, before the last one, {}", FormatTime(version.updated_timestamp),
                    FormatTime(versions_.back().updated_timestamp)),
        "append observations in the order in which they become known");
  }
  versions_.push_back(std::move(version));
}

std::span<const Observation> ObservationFeed::KnownWithin(TimeMs after, TimeMs by) const {
  const auto not_after = [](TimeMs time, const Observation& version) {
    return time < version.updated_timestamp;
  };
  // kMinTime stands for no row before: what is known "since ever" is known too.
  const auto first = after == kMinTime
                         ? versions_.begin()
                         : std::upper_bound(versions_.begin(), versions_.end(), after, not_after);
  return {first, std::upper_bound(first, versions_.end(), by, not_after)};
}

void ObservationFeeds::Add(std::shared_ptr<const ObservationFeed> feed) {
  if (Find(feed->feature(), feed->time_frame(), feed->symbol()) != nullptr) {
    throw Error(ErrorCode::kUsage, "observations", feed->Name() + " is there twice",
                "give each once");
  }
  feeds_.push_back(std::move(feed));
}

std::shared_ptr<const ObservationFeed> ObservationFeeds::Find(std::string_view feature,
                                                              std::string_view time_frame,
                                                              std::string_view symbol) const {
  const auto found = std::find_if(feeds_.begin(), feeds_.end(), [&](const auto& feed) {
    return feed->feature() == feature && feed->time_frame() == time_frame &&
           feed->symbol() == symbol;
  });
  return found == feeds_.end() ? nullptr : *found;
}

ObservationFeeds ObservationFeeds::KnownBy(TimeMs time) const {
  ObservationFeeds then;
  for (const auto& feed : feeds_) {
    const std::span<const Observation> known = feed->KnownWithin(kMinTime, time);
    then.feeds_.push_back(
        std::make_shared<ObservationFeed>(feed->feature(), feed->time_frame(), feed->symbol(),
                                          std::vector<Observation>(known.begin(), known.end())));
  }
  return then;
}

}  // namespace almanac
