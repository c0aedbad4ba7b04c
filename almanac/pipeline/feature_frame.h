// What a recipe's features of one symbol are computed from: its bars, and the observations of it
// that the lake has.
#ifndef ALMANAC_PIPELINE_FEATURE_FRAME_H_
#define ALMANAC_PIPELINE_FEATURE_FRAME_H_

#include <memory>
#include <string>

#include "almanac/base/home.h"
#include "almanac/feature/feature_set.h"
#include "almanac/feature/frame.h"
#include "almanac/feature/observation.h"

namespace almanac {

// The observations of `symbol` that the set's columns read; null if they read none. A feature of
// which the lake has nothing of any symbol is Error(kBadData); nothing of this symbol is an empty
// feed.
std::shared_ptr<const ObservationFeeds> ObservationsFor(const FeatureSet& set,
                                                        const std::string& symbol,
                                                        const Home& home);

// Of those feeds: differs where a version of a value does. Empty for null.
std::string HashOf(const FeatureSet& set, const std::string& symbol,
                   const std::shared_ptr<const ObservationFeeds>& feeds);

// `calendar` says which bars a higher timeframe consists of; not owned.
Frame FeatureFrame(const CandleSeries& series, const Calendar* calendar,
                   std::shared_ptr<const ObservationFeeds> observations);

}  // namespace almanac

#endif  // ALMANAC_PIPELINE_FEATURE_FRAME_H_
