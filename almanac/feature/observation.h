// Observations as the features of a frame read them: every version of every value, in the order in
// which they became known. The family `observation` joins them (docs/features.md).
//
// A row known at T uses the versions whose updated_timestamp is at most T and nothing else. What an
// observation is about (its timestamp) orders values, and never says when a value may be used.
#ifndef ALMANAC_FEATURE_OBSERVATION_H_
#define ALMANAC_FEATURE_OBSERVATION_H_

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "almanac/base/time.h"
#include "almanac/lake/observation.h"

namespace almanac {

// Those of one (feature, time_frame, symbol).
class ObservationFeed {
 public:
  // In any order, as ObservationStore::ReadVersions gives them; may be empty. Throws
  // Error(kBadData) that names the observation if its value is not finite or it belongs elsewhere.
  ObservationFeed(std::string feature, std::string time_frame, std::string symbol,
                  std::vector<Observation> versions);

  // The next version, as it becomes known: live features see it in the first row at or after its
  // updated_timestamp. Throws Error(kBadData) if that is before the last one.
  void Append(Observation version);

  const std::string& feature() const { return feature_; }
  const std::string& time_frame() const { return time_frame_; }
  const std::string& symbol() const { return symbol_; }
  std::string Name() const { return feature_ + " " + time_frame_ + " " + symbol_; }
  // Known in (after, by]; after kMinTime: by `by`.
  std::span<const Observation> KnownWithin(TimeMs after, TimeMs by) const;

 private:
  void Check(const Observation& version) const;

  std::string feature_, time_frame_, symbol_;
  std::vector<Observation> versions_;
};

// All that a frame's features may read.
class ObservationFeeds {
 public:
  // Throws Error(kUsage) if there is one of that name.
  void Add(std::shared_ptr<const ObservationFeed> feed);
  // Null if there is none.
  std::shared_ptr<const ObservationFeed> Find(std::string_view feature, std::string_view time_frame,
                                              std::string_view symbol) const;
  // As they were at that time.
  ObservationFeeds KnownBy(TimeMs time) const;

 private:
  std::vector<std::shared_ptr<const ObservationFeed>> feeds_;
};

// What the observation columns of a set read, also as operands: (feature, time frame), each once,
// in order of first use.
class FeatureSet;
std::vector<std::pair<std::string, std::string>> ObservedBy(const FeatureSet& set);

}  // namespace almanac

#endif  // ALMANAC_FEATURE_OBSERVATION_H_
