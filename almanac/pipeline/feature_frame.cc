#include "almanac/pipeline/feature_frame.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "almanac/base/error.h"
#include "almanac/base/hash.h"
#include "almanac/lake/observation.h"

namespace almanac {

std::shared_ptr<const ObservationFeeds> ObservationsFor(const FeatureSet& set,
                                                        const std::string& symbol,
                                                        const Home& home) {
  const auto observed = ObservedBy(set);
  if (observed.empty()) return nullptr;
  const ObservationStore store(home);
  const std::vector<ObservationStore::Partition> there = store.List();
  const auto feeds = std::make_shared<ObservationFeeds>();
  for (const auto& [feature, time_frame] : observed) {
    const bool known =
        std::any_of(there.begin(), there.end(),
                    [&feature = feature, &time_frame = time_frame](const auto& partition) {
                      return partition.feature == feature && partition.time_frame == time_frame;
                    });
    if (!known) {
      throw Error(ErrorCode::kBadData, "features",
                  fmt::format("the lake has no observations of {} ({})", feature, time_frame),
                  "import them, such as earnings by almanac data import --kind earnings");
    }
    feeds->Add(std::make_shared<ObservationFeed>(feature, time_frame, symbol,
                                                 store.ReadVersions(feature, time_frame, symbol)));
  }
  return feeds;
}

std::string HashOf(const FeatureSet& set, const std::string& symbol,
                   const std::shared_ptr<const ObservationFeeds>& feeds) {
  if (feeds == nullptr) return "";
  Hasher hasher;
  for (const auto& [feature, time_frame] : ObservedBy(set)) {
    hasher.Add(feature).Add(time_frame).Add(symbol);
    for (const Observation& version :
         feeds->Find(feature, time_frame, symbol)->KnownWithin(kMinTime, kMaxTime)) {
      hasher.Add(version.timestamp).Add(version.updated_timestamp);
      hasher.AddBytes(&version.value, sizeof(version.value));
    }
  }
  return hasher.Finish();
}

Frame FeatureFrame(const CandleSeries& series, const Calendar* calendar,
                   std::shared_ptr<const ObservationFeeds> observations) {
  Frame frame({series}, FrameRows::kUnion, calendar);
  frame.SetObservations(std::move(observations));
  return frame;
}

}  // namespace almanac
