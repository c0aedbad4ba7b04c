#include "almanac/lake/observation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <optional>
#include <tuple>
#include <utility>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/lake/candle_file.h"
#include "almanac/lake/database.h"
#include "almanac/lake/object_store.h"
#include "almanac/lake/partition.h"
#include "almanac/lake/partition_path.h"

namespace almanac {
namespace {

constexpr const char* kRoot = "observations";
constexpr int kPartitionsAtOnce = 16;

// feature, time_frame, symbol
using PartitionKey = std::tuple<std::string, std::string, std::string>;

std::string PathOf(const PartitionKey& key) {
  const auto& [feature, time_frame, symbol] = key;
  return fmt::format(
      "{}/{}", kRoot,
      PartitionPath({{"feature", feature}, {"time_frame", time_frame}, {"symbol", symbol}}));
}

void CheckKey(const PartitionKey& key) {
  CheckPartitionValue("feature", std::get<0>(key));
  CheckPartitionValue("time_frame", std::get<1>(key));
  CheckPartitionValue("symbol", std::get<2>(key));
}

void CheckRow(const Observation& row) {
  const auto fail = [&](const std::string& problem, const std::string& remedy) {
    throw Error(ErrorCode::kBadData,
                fmt::format("{} {} {}", row.feature, row.symbol, FormatTime(row.timestamp)),
                problem, remedy);
  };
  if (!std::isfinite(row.value)) {
    fail("has a value that is not finite", "leave out what is not known");
  }
  if (row.type != "float" && row.type != "bool" && row.type != "category") {
    fail(fmt::format("has the type \"{}\"", row.type), "the types are float, bool and category");
  }
  YearOf(row.timestamp);
  YearOf(row.updated_timestamp);
}

std::tuple<TimeMs, TimeMs> OrderOf(const Observation& row) {
  return {row.timestamp, row.updated_timestamp};
}

// The rows of the files with from <= timestamp < to.
std::vector<Observation> ReadRows(const Database& database, const std::vector<YearFile>& files,
                                  const PartitionKey& key, TimeMs from, TimeMs to) {
  if (files.empty()) return {};
  const ResultTable table = QueryFiles(database,
                                       {{"timestamp", ColumnType::kTimestampMs},
                                        {"value", ColumnType::kDouble},
                                        {"type", ColumnType::kText},
                                        {"updated_timestamp", ColumnType::kTimestampMs}},
                                       files, from, to);
  const auto& timestamps = table.Column("timestamp", ColumnType::kTimestampMs).integers;
  const auto& values = table.Column("value", ColumnType::kDouble).doubles;
  const auto& types = table.Column("type", ColumnType::kText).texts;
  const auto& updated = table.Column("updated_timestamp", ColumnType::kTimestampMs).integers;
  const auto& [feature, time_frame, symbol] = key;
  std::vector<Observation> rows;
  rows.reserve(table.rows);
  for (size_t i = 0; i < table.rows; ++i) {
    rows.push_back({timestamps[i], values[i], types[i], updated[i], symbol, feature, time_frame});
  }
  return rows;
}

void WriteRows(const Database& database, const std::vector<Observation>& rows,
               const std::filesystem::path& file) {
  std::vector<TimeMs> timestamps, updated;
  std::vector<double> values;
  std::vector<std::string> types;
  for (const Observation& row : rows) {
    timestamps.push_back(row.timestamp);
    values.push_back(row.value);
    types.push_back(row.type);
    updated.push_back(row.updated_timestamp);
  }
  WriteParquet(database, file,
               {{"timestamp", ColumnType::kTimestampMs, timestamps.data()},
                {"value", ColumnType::kDouble, values.data()},
                {"type", ColumnType::kText, types.data()},
                {"updated_timestamp", ColumnType::kTimestampMs, updated.data()},
                {"date", ColumnType::kDate, timestamps.data()}},
               rows.size());
}

// Sorted by key; of equal keys the last one stays.
void SortUnique(std::vector<Observation>& rows) {
  std::ranges::stable_sort(rows, {}, OrderOf);
  std::vector<Observation> kept;
  kept.reserve(rows.size());
  for (Observation& row : rows) {
    if (!kept.empty() && OrderOf(kept.back()) == OrderOf(row)) kept.pop_back();
    kept.push_back(std::move(row));
  }
  rows = std::move(kept);
}

// `fresh` over `old`, both sorted and unique; counts into `stats`.
std::vector<Observation> Merge(std::vector<Observation> old, std::vector<Observation> fresh,
                               UpsertStats& stats) {
  std::vector<Observation> merged;
  merged.reserve(old.size() + fresh.size());
  auto next = old.begin();
  for (Observation& row : fresh) {
    const auto place = std::ranges::lower_bound(next, old.end(), OrderOf(row), {}, OrderOf);
    std::move(next, place, std::back_inserter(merged));
    next = place;
    if (next == old.end() || OrderOf(*next) != OrderOf(row)) {
      ++stats.added;
    } else {
      ++(*next == row ? stats.unchanged : stats.replaced);
      ++next;
    }
    merged.push_back(std::move(row));
  }
  std::move(next, old.end(), std::back_inserter(merged));
  return merged;
}

}  // namespace

struct ObservationStore::State {
  State(Home home_folder, std::shared_ptr<ObjectStore> object_store)
      : home(std::move(home_folder)), objects(std::move(object_store)) {}

  // Started when first asked for.
  const Database& database() {
    const std::scoped_lock lock(mutex);
    if (!started) started.emplace(DatabaseOptions{.threads = 1, .temporary = home.temporary()});
    return *started;
  }
  almanac::Partition PartitionOf(const PartitionKey& key) const {
    CheckKey(key);
    return {objects, home, PathOf(key)};
  }
  // Uses up the rows.
  UpsertStats UpsertPartition(const PartitionKey& key,
                              std::map<int, std::vector<Observation>>& years);

  Home home;
  std::shared_ptr<ObjectStore> objects;
  std::mutex mutex;
  std::optional<Database> started;
};

UpsertStats ObservationStore::State::UpsertPartition(
    const PartitionKey& key, std::map<int, std::vector<Observation>>& years) {
  const almanac::Partition partition = PartitionOf(key);
  PartitionChange change(partition);
  UpsertStats stats;
  for (auto& [year, rows] : years) {
    SortUnique(rows);
    std::vector<YearFile> files;
    if (auto file = change.Open(year)) files.push_back(std::move(*file));
    std::vector<Observation> old = ReadRows(database(), files, key, kMinTime, kMaxTime);
    const int64_t changed_before = stats.added + stats.replaced;
    const std::vector<Observation> merged = Merge(std::move(old), std::move(rows), stats);
    if (stats.added + stats.replaced > changed_before) {
      WriteRows(database(), merged, change.Stage(year));
    }
  }
  change.Commit();
  return stats;
}

ObservationStore::ObservationStore(const Home& home)
    : ObservationStore(home, MakeLocalObjectStore(home.lake())) {}
ObservationStore::ObservationStore(const Home& home, std::shared_ptr<ObjectStore> objects)
    : state_(std::make_unique<State>(home, std::move(objects))) {}
ObservationStore::~ObservationStore() = default;
ObservationStore::ObservationStore(ObservationStore&&) noexcept = default;

UpsertStats ObservationStore::Upsert(const std::vector<Observation>& observations) {
  std::map<PartitionKey, std::map<int, std::vector<Observation>>> partitions;
  for (const Observation& row : observations) {
    const PartitionKey key(row.feature, row.time_frame, row.symbol);
    CheckKey(key);
    CheckRow(row);
    partitions[key][YearOf(row.timestamp)].push_back(row);
  }
  // Each has a few rows and waits for the disk a dozen times: together, the waits overlap.
  std::vector<UpsertStats> changes(partitions.size());
  std::vector<decltype(partitions)::value_type*> all;
  for (auto& partition : partitions) all.push_back(&partition);
  WaitingFor(all.size(), kPartitionsAtOnce, [&](size_t i) {
    changes[i] = state_->UpsertPartition(all[i]->first, all[i]->second);
  });
  UpsertStats total;
  for (const UpsertStats& stats : changes) {
    total.added += stats.added;
    total.replaced += stats.replaced;
    total.unchanged += stats.unchanged;
  }
  return total;
}

std::vector<Observation> ObservationStore::ReadVersions(const std::string& feature,
                                                        const std::string& time_frame,
                                                        const std::string& symbol, TimeMs from,
                                                        TimeMs to) const {
  const PartitionKey key(feature, time_frame, symbol);
  const almanac::Partition partition = state_->PartitionOf(key);
  if (from >= to) return {};
  return ReadRows(state_->database(), partition.Open(ClampedYear(from), ClampedYear(to - 1)), key,
                  from, to);
}

std::vector<Observation> ObservationStore::Read(const std::string& feature,
                                                const std::string& time_frame,
                                                const std::string& symbol, TimeMs from, TimeMs to,
                                                TimeMs as_of) const {
  std::vector<Observation> known;
  for (Observation& row : ReadVersions(feature, time_frame, symbol, from, to)) {
    if (row.updated_timestamp > as_of) continue;
    // Versions of one timestamp follow each other, the latest last.
    if (!known.empty() && known.back().timestamp == row.timestamp) known.pop_back();
    known.push_back(std::move(row));
  }
  return known;
}

std::vector<ObservationStore::Partition> ObservationStore::List() const {
  std::vector<PartitionKey> keys;
  for (const auto& values :
       ListPartitions(*state_->objects, kRoot, {"feature", "time_frame", "symbol"})) {
    keys.emplace_back(values[0], values[1], values[2]);
  }
  std::ranges::sort(keys);
  std::vector<FileSummary> summaries(keys.size());
  ParallelFor(keys.size(), [&](size_t i) {
    summaries[i] = Summarize(state_->database(),
                             state_->PartitionOf(keys[i]).Open(kFirstLakeYear, kLastLakeYear));
  });
  std::vector<Partition> partitions;
  for (size_t i = 0; i < keys.size(); ++i) {
    const auto& [feature, time_frame, symbol] = keys[i];
    const FileSummary& summary = summaries[i];
    if (summary.rows == 0) continue;
    partitions.push_back({feature, time_frame, symbol, summary.rows, summary.first, summary.last});
  }
  return partitions;
}

}  // namespace almanac
