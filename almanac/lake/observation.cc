#include "almanac/lake/observation.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <mutex>
#include <tuple>

#include "almanac/base/error.h"
#include "almanac/lake/database.h"
#include "almanac/lake/partition.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

constexpr const char* kObservations = "observations";
constexpr const char* kFile = "all.parquet";

fs::path RelativeFolder(const std::string& feature, const std::string& time_frame,
                        const std::string& symbol) {
  return fs::path(kObservations) / HivePart("feature", feature) /
         HivePart("time_frame", time_frame) / HivePart("symbol", symbol);
}

void Check(const Observation& observation) {
  const auto fail = [&](const std::string& problem, const std::string& remedy) {
    throw Error(ErrorCode::kBadData,
                "observation " + observation.feature + " " + observation.symbol + " " +
                    FormatTime(observation.timestamp),
                problem, remedy);
  };
  if (observation.feature.empty() || observation.symbol.empty() || observation.time_frame.empty()) {
    fail("lacks a feature, a symbol or a time frame", "name all three");
  }
  if (!std::isfinite(observation.value)) {
    fail("has a value that is not finite", "leave out what is not known");
  }
  if (observation.type != "float" && observation.type != "bool" && observation.type != "category") {
    fail("has the type \"" + observation.type + "\"", "the types are float, bool and category");
  }
}

auto OrderOf(const Observation& observation) {
  return std::tie(observation.timestamp, observation.updated_timestamp);
}

bool SameContent(const Observation& a, const Observation& b) {
  return a.value == b.value && a.type == b.type;
}

std::vector<Observation> ReadFile(const Database& database, const fs::path& file,
                                  const std::string& feature, const std::string& time_frame,
                                  const std::string& symbol) {
  const ResultTable table =
      database.Query("SELECT timestamp, value, type, updated_timestamp FROM read_parquet(" +
                         SqlText(file.string()) + ", hive_partitioning = false)",
                     file.string());
  const auto& timestamp = table.Column("timestamp", ColumnType::kTimestampMs).integers;
  const auto& updated = table.Column("updated_timestamp", ColumnType::kTimestampMs).integers;
  const auto& value = table.Column("value", ColumnType::kDouble).doubles;
  const auto& type = table.Column("type", ColumnType::kText).texts;
  std::vector<Observation> rows;
  rows.reserve(table.rows);
  for (size_t i = 0; i < table.rows; ++i) {
    rows.push_back({timestamp[i], value[i], type[i], updated[i], symbol, feature, time_frame});
  }
  return rows;
}

void WriteFile(const Database& database, const fs::path& file,
               const std::vector<Observation>& rows) {
  std::vector<int64_t> timestamp, updated;
  std::vector<double> value;
  std::vector<std::string> type;
  for (const Observation& row : rows) {
    timestamp.push_back(row.timestamp);
    updated.push_back(row.updated_timestamp);
    value.push_back(row.value);
    type.push_back(row.type);
  }
  const std::vector<InputColumn> columns = {
      {"timestamp", ColumnType::kTimestampMs, timestamp.data()},
      {"value", ColumnType::kDouble, value.data()},
      {"type", ColumnType::kText, type.data()},
      {"updated_timestamp", ColumnType::kTimestampMs, updated.data()},
  };
  database.QueryWith("COPY (SELECT *, CAST(timestamp AS DATE) AS date FROM rows_of_file) TO " +
                         SqlText(file.string()) + " (FORMAT parquet, COMPRESSION zstd)",
                     "rows_of_file", columns, rows.size(), file.string());
}

struct Merged {
  std::vector<Observation> rows;
  UpsertStats stats;
};

// Later given rows win over earlier ones of the same key, and all of them over `base`.
Merged Merge(const std::vector<Observation>& base, const std::vector<const Observation*>& added) {
  std::map<std::tuple<TimeMs, TimeMs>, const Observation*> latest;
  for (const Observation* row : added) latest[OrderOf(*row)] = row;
  Merged merged;
  size_t b = 0;
  for (const auto& [key, row] : latest) {
    for (; b < base.size() && std::tuple<TimeMs, TimeMs>(OrderOf(base[b])) < key; ++b) {
      merged.rows.push_back(base[b]);
    }
    if (b < base.size() && std::tuple<TimeMs, TimeMs>(OrderOf(base[b])) == key) {
      ++(SameContent(base[b], *row) ? merged.stats.unchanged : merged.stats.replaced);
      ++b;
    } else {
      ++merged.stats.added;
    }
    merged.rows.push_back(*row);
  }
  merged.rows.insert(merged.rows.end(), base.begin() + static_cast<ptrdiff_t>(b), base.end());
  return merged;
}

std::vector<std::string> ValuesIn(const fs::path& folder, std::string_view name) {
  std::vector<std::string> values;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string value = HiveValue(name, entry.path().filename().string());
    if (!value.empty()) values.push_back(value);
  }
  std::sort(values.begin(), values.end());
  return values;
}

}  // namespace

struct ObservationStore::Impl {
  explicit Impl(const Home& lake_home) : home(lake_home) {}

  // Opened when first needed; used under the mutex.
  const Database& Open() {
    if (!database) {
      DatabaseOptions options;
      options.threads = 1;
      options.temporary = home.temporary();
      database = std::make_unique<Database>(options);
    }
    return *database;
  }

  Home home;
  std::mutex mutex;
  std::unique_ptr<Database> database;
};

ObservationStore::ObservationStore(const Home& home) : impl_(std::make_unique<Impl>(home)) {}
ObservationStore::~ObservationStore() = default;
ObservationStore::ObservationStore(ObservationStore&&) noexcept = default;

UpsertStats ObservationStore::Upsert(const std::vector<Observation>& observations) {
  std::map<std::tuple<std::string, std::string, std::string>, std::vector<const Observation*>>
      partitions;
  for (const Observation& row : observations) {
    Check(row);
    partitions[{row.feature, row.time_frame, row.symbol}].push_back(&row);
  }
  const std::lock_guard<std::mutex> lock(impl_->mutex);
  UpsertStats stats;
  for (const auto& [names, rows] : partitions) {
    const auto& [feature, time_frame, symbol] = names;
    const almanac::Partition partition(impl_->home, RelativeFolder(feature, time_frame, symbol));
    const almanac::Partition::WriteGuard guard = partition.BeginWrite();
    const fs::path live = partition.folder() / kFile;
    const std::vector<Observation> base =
        fs::exists(live) ? ReadFile(impl_->Open(), live, feature, time_frame, symbol)
                         : std::vector<Observation>{};
    const Merged merged = Merge(base, rows);
    stats.added += merged.stats.added;
    stats.replaced += merged.stats.replaced;
    stats.unchanged += merged.stats.unchanged;
    if (merged.stats.added == 0 && merged.stats.replaced == 0) continue;
    WriteFile(impl_->Open(), guard.Staged(kFile), merged.rows);
    guard.Publish({kFile});
  }
  return stats;
}

std::vector<Observation> ObservationStore::ReadVersions(const std::string& feature,
                                                        const std::string& time_frame,
                                                        const std::string& symbol, TimeMs from,
                                                        TimeMs to) const {
  const almanac::Partition partition(impl_->home, RelativeFolder(feature, time_frame, symbol));
  const fs::path live = partition.folder() / kFile;
  if (!fs::exists(partition.folder())) return {};
  const almanac::Partition::ReadGuard guard = partition.BeginRead();
  if (!fs::exists(live)) return {};
  const std::lock_guard<std::mutex> lock(impl_->mutex);
  std::vector<Observation> rows = ReadFile(impl_->Open(), live, feature, time_frame, symbol);
  std::erase_if(
      rows, [&](const Observation& row) { return row.timestamp < from || row.timestamp >= to; });
  return rows;
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
  std::vector<Partition> partitions;
  const fs::path root = impl_->home.lake() / kObservations;
  for (const std::string& feature : ValuesIn(root, "feature")) {
    const fs::path of_feature = root / HivePart("feature", feature);
    for (const std::string& time_frame : ValuesIn(of_feature, "time_frame")) {
      const fs::path of_frame = of_feature / HivePart("time_frame", time_frame);
      for (const std::string& symbol : ValuesIn(of_frame, "symbol")) {
        const std::vector<Observation> rows = ReadVersions(feature, time_frame, symbol);
        if (rows.empty()) continue;
        partitions.push_back({feature, time_frame, symbol, static_cast<int64_t>(rows.size()),
                              rows.front().timestamp, rows.back().timestamp});
      }
    }
  }
  return partitions;
}

}  // namespace almanac
