// What a recipe's features of one symbol are computed from: its bars, and the observations of it
// that the lake has.
#ifndef ALMANAC_PIPELINE_FEATURE_FRAME_H_
#define ALMANAC_PIPELINE_FEATURE_FRAME_H_

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "almanac/base/home.h"
#include "almanac/base/progress.h"
#include "almanac/base/time.h"
#include "almanac/feature/feature_set.h"
#include "almanac/feature/frame.h"
#include "almanac/feature/observation.h"

namespace almanac {

// The observations of the frame's symbols that the set's columns read; null if they read none. A
// feature of which the lake has nothing of any symbol is Error(kBadData); nothing of a symbol is an
// empty feed.
std::shared_ptr<const ObservationFeeds> ObservationsFor(const FeatureSet& set,
                                                        const std::vector<std::string>& symbols,
                                                        const Home& home);

// Of those feeds: differs where a version of a value does. Empty for null.
std::string HashOf(const FeatureSet& set, const std::vector<std::string>& symbols,
                   const std::shared_ptr<const ObservationFeeds>& feeds);

// Writes the columns of a frame as a matrix into `folder`, never more than a few groups of them in
// memory, and returns how many rows it has: all of the frame's, or those at `times` (increasing).
size_t WriteFeatures(const FeatureSet& set, const Frame& frame, const std::filesystem::path& folder,
                     Progress& progress,
                     const std::optional<std::vector<TimeMs>>& times = std::nullopt);

// `calendar` says which bars a higher timeframe consists of; not owned.
Frame FeatureFrame(std::vector<CandleSeries> series, const Calendar* calendar,
                   std::shared_ptr<const ObservationFeeds> observations);

}  // namespace almanac

#endif  // ALMANAC_PIPELINE_FEATURE_FRAME_H_
