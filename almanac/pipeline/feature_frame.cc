#include "almanac/pipeline/feature_frame.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
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

// The rows of the stream at these times, or all of them.
std::vector<size_t> RowsAt(const FeatureStream& stream,
                           const std::optional<std::vector<TimeMs>>& times) {
  std::vector<size_t> rows;
  for (size_t row = 0; row < stream.rows(); ++row) {
    if (!times || std::binary_search(times->begin(), times->end(), stream.index()[row])) {
      rows.push_back(row);
    }
  }
  return rows;
}

// The columns of a group at some rows, one after another.
std::vector<float> ComputeAt(const FeatureStream& stream, size_t group,
                             const std::vector<size_t>& rows) {
  std::vector<float> values(stream.group(group).count * rows.size());
  size_t next = 0;
  stream.Compute(group, [&](const FeatureBlock& block) {
    for (; next < rows.size() && rows[next] < block.first_row + block.rows; ++next) {
      for (size_t c = 0; c < block.columns.size(); ++c) {
        values[c * rows.size() + next] = block.columns[c][rows[next] - block.first_row];
      }
    }
  });
  return values;
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
                     Progress& progress, const std::optional<std::vector<TimeMs>>& times) {
  const FeatureStream stream(set, frame);
  const std::vector<size_t> rows = RowsAt(stream, times);
  std::vector<TimeMs> index;
  for (const size_t row : rows) index.push_back(stream.index()[row]);
  MatrixWriter writer(folder, index, stream.Names());
  const auto at_a_time = static_cast<size_t>(ThreadCount());
  progress.Begin("features", static_cast<int64_t>(stream.groups()));
  for (size_t first = 0; first < stream.groups(); first += at_a_time) {
    const size_t count = std::min(at_a_time, stream.groups() - first);
    std::vector<std::vector<float>> groups(count);
    ParallelFor(count, [&](size_t i) { groups[i] = ComputeAt(stream, first + i, rows); });
    for (const std::vector<float>& group : groups) {
      for (size_t at = 0; at < group.size(); at += rows.size()) {
        writer.Append(std::span(group).subspan(at, rows.size()));
      }
    }
    progress.Advance(static_cast<int64_t>(count));
  }
  writer.Finish(stream.set().ToJson());
  progress.End(fmt::format("{} columns", stream.columns()));
  return rows.size();
}

Frame FeatureFrame(std::vector<CandleSeries> series, const Calendar* calendar,
                   std::shared_ptr<const ObservationFeeds> observations) {
  Frame frame(std::move(series), FrameRows::kUnion, calendar);
  frame.SetObservations(std::move(observations));
  return frame;
}

}  // namespace almanac
