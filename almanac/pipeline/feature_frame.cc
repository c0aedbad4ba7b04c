#include "almanac/pipeline/feature_frame.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "almanac/base/error.h"
#include "almanac/base/hash.h"
#include "almanac/base/parallel.h"
#include "almanac/feature/stream.h"
#include "almanac/lake/matrix.h"
#include "almanac/lake/observation.h"

namespace almanac {

namespace {

// For any symbol. Looks at every partition of the lake.
bool HasObservations(const ObservationStore& store, const std::string& feature,
                     const std::string& time_frame) {
  const std::vector<ObservationStore::Partition> there = store.List();
  return std::any_of(there.begin(), there.end(), [&](const auto& partition) {
    return partition.feature == feature && partition.time_frame == time_frame;
  });
}

}  // namespace

std::shared_ptr<const ObservationFeeds> ObservationsFor(const FeatureSet& set,
                                                        const std::vector<std::string>& symbols,
                                                        const Home& home) {
  const auto observed = ObservedBy(set);
  if (observed.empty()) return nullptr;
  const ObservationStore store(home);
  const auto feeds = std::make_shared<ObservationFeeds>();
  for (const auto& [feature, time_frame] : observed) {
    bool found = false;
    for (const std::string& symbol : symbols) {
      std::vector<Observation> versions = store.ReadVersions(feature, time_frame, symbol);
      found = found || !versions.empty();
      feeds->Add(
          std::make_shared<ObservationFeed>(feature, time_frame, symbol, std::move(versions)));
    }
    if (!found && !HasObservations(store, feature, time_frame)) {
      throw Error(ErrorCode::kBadData, "features",
                  fmt::format("the lake has no observations of {} ({})", feature, time_frame),
                  "import them, such as earnings by almanac data import --kind earnings");
    }
  }
  return feeds;
}

std::string HashOf(const FeatureSet& set, const std::vector<std::string>& symbols,
                   const std::shared_ptr<const ObservationFeeds>& feeds) {
  if (feeds == nullptr) return "";
  Hasher hasher;
  for (const auto& [feature, time_frame] : ObservedBy(set)) {
    for (const std::string& symbol : symbols) {
      hasher.Add(feature).Add(time_frame).Add(symbol);
      for (const Observation& version :
           feeds->Find(feature, time_frame, symbol)->KnownWithin(kMinTime, kMaxTime)) {
        hasher.Add(version.timestamp).Add(version.updated_timestamp);
        hasher.AddBytes(&version.value, sizeof(version.value));
      }
    }
  }
  return hasher.Finish();
}

size_t WriteFeatures(const FeatureSet& set, const Frame& frame, const std::filesystem::path& folder,
                     Progress& progress) {
  const FeatureStream stream(set, frame);
  MatrixWriter writer(folder, stream.index(), stream.Names());
  const auto at_a_time = static_cast<size_t>(ThreadCount());
  progress.Begin("features", static_cast<int64_t>(stream.groups()));
  for (size_t first = 0; first < stream.groups(); first += at_a_time) {
    const size_t count = std::min(at_a_time, stream.groups() - first);
    std::vector<std::vector<std::vector<float>>> groups(count);
    ParallelFor(count, [&](size_t i) {
      groups[i].assign(stream.group(first + i).count, std::vector<float>(stream.rows()));
      std::vector<float*> places;
      for (std::vector<float>& column : groups[i]) places.push_back(column.data());
      stream.Compute(first + i, places);
    });
    for (const auto& group : groups) {
      for (const std::vector<float>& column : group) writer.Append(column);
    }
    progress.Advance(static_cast<int64_t>(count));
  }
  writer.Finish(stream.set().ToJson());
  progress.End(fmt::format("{} columns", stream.columns()));
  return stream.rows();
}

Frame FeatureFrame(std::vector<CandleSeries> series, const Calendar* calendar,
                   std::shared_ptr<const ObservationFeeds> observations) {
  Frame frame(std::move(series), FrameRows::kUnion, calendar);
  frame.SetObservations(std::move(observations));
  return frame;
}

}  // namespace almanac
