#include "almanac/lake/candle_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "almanac/base/config.h"
#include "almanac/base/error.h"
#include "almanac/base/hash.h"
#include "almanac/base/parallel.h"
#include "almanac/base/text.h"
#include "almanac/lake/candle_file.h"
#include "almanac/lake/candle_merge.h"
#include "almanac/lake/candle_writer.h"
#include "almanac/lake/object_store.h"
#include "almanac/lake/partition_path.h"

namespace almanac {
namespace {

constexpr const char* kRoot = "candles";
// How many names an error lists.
constexpr size_t kListed = 8;

// The series that have files, sorted.
std::vector<SeriesKey> ListKeys(const ObjectStore& objects) {
  std::vector<SeriesKey> keys;
  for (const auto& values : ListPartitions(objects, kRoot, {"market", "time_frame", "symbol"})) {
    const auto timeframe = Timeframe::TryParse(values[1]);
    if (timeframe) keys.push_back({values[0], values[2], *timeframe});
  }
  std::ranges::sort(keys);
  return keys;
}

std::string SomeOf(const std::vector<std::string>& names) {
  std::vector<std::string> some(
      names.begin(), names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), kListed)));
  std::string text = Join(some, ", ");
  if (names.size() > kListed) text += fmt::format(" and {} more", names.size() - kListed);
  return text;
}

void AddOnce(std::vector<std::string>& names, const std::string& name) {
  if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

// What would be right instead of a key that is not there: the series that agree in most of it.
std::string Suggest(const SeriesKey& key, const std::vector<SeriesKey>& there) {
  if (there.empty()) return "the lake has no candles yet; almanac data import brings some";
  std::vector<std::string> timeframes, symbols, markets, elsewhere;
  for (const SeriesKey& one : there) {
    AddOnce(markets, one.market);
    if (one.market == key.market) AddOnce(symbols, one.symbol);
    if (one.symbol != key.symbol) continue;
    if (one.market == key.market) AddOnce(timeframes, one.timeframe.name());
    AddOnce(elsewhere, ToString(one));
  }
  if (!timeframes.empty()) {
    return fmt::format("{} {} has the timeframes {}", key.market, key.symbol, SomeOf(timeframes));
  }
  if (!elsewhere.empty()) return fmt::format("there is {}", SomeOf(elsewhere));
  if (!symbols.empty()) {
    if (const auto nearest = NearestWord(key.symbol, symbols)) {
      return fmt::format("did you mean {}?", *nearest);
    }
    return fmt::format("{} has the symbols {}", key.market, SomeOf(symbols));
  }
  if (const auto nearest = NearestWord(key.market, markets)) {
    return fmt::format("did you mean the market {}?", *nearest);
  }
  return fmt::format("the lake has the markets {}", SomeOf(markets));
}

}  // namespace

const Database& CandleStoreState::writing_database() {
  const std::scoped_lock lock(mutex_);
  if (!writing_) writing_.emplace(DatabaseOptions{.threads = 1, .temporary = home.temporary()});
  return *writing_;
}

const Database& CandleStoreState::reading_database() {
  const std::scoped_lock lock(mutex_);
  if (!reading_) reading_.emplace(DatabaseOptions{.temporary = home.temporary()});
  return *reading_;
}

Partition CandleStoreState::PartitionOf(const SeriesKey& key) const {
  CheckMarketName(key.market);
  CheckPartitionValue("symbol", key.symbol);
  const std::string path = PartitionPath(
      {{"market", key.market}, {"time_frame", key.timeframe.name()}, {"symbol", key.symbol}});
  return {objects, home, fmt::format("{}/{}", kRoot, path)};
}

CandleStore::CandleStore(const Home& home) : CandleStore(home, MakeLocalObjectStore(home.lake())) {}
CandleStore::CandleStore(const Home& home, std::shared_ptr<ObjectStore> objects,
                         const CandleStoreOptions& options)
    : state_(std::make_shared<CandleStoreState>(home, std::move(objects), options)) {}
CandleStore::~CandleStore() = default;
CandleStore::CandleStore(CandleStore&&) noexcept = default;

UpsertStats CandleStore::Upsert(const CandleSeries& bars) {
  const auto writer = OpenWriter(bars.key);
  writer->Append(bars);
  return writer->Commit();
}

std::unique_ptr<CandleWriter> CandleStore::OpenWriter(const SeriesKey& key) {
  return std::make_unique<BufferedCandleWriter>(state_, key);
}

CandleSeries CandleStore::Read(const SeriesKey& key, TimeMs from, TimeMs to) const {
  const Partition partition = state_->PartitionOf(key);
  const std::vector<YearFile> files =
      from < to ? partition.Open(ClampedYear(from), ClampedYear(to - 1)) : std::vector<YearFile>();
  if (files.empty() && partition.Open(kFirstLakeYear, kLastLakeYear).empty()) {
    throw Error(ErrorCode::kBadData, ToString(key), "is not in the lake",
                Suggest(key, ListKeys(*state_->objects)));
  }
  return ReadCandleFiles(state_->reading_database(), files, key, from, to);
}

std::vector<SeriesInfo> CandleStore::List() const {
  const std::vector<SeriesKey> keys = ListKeys(*state_->objects);
  std::vector<std::optional<SeriesInfo>> found(keys.size());
  ParallelFor(keys.size(), [&](size_t i) { found[i] = Find(keys[i]); });
  std::vector<SeriesInfo> series;
  for (auto& one : found) {
    if (one) series.push_back(std::move(*one));
  }
  return series;
}

std::optional<SeriesInfo> CandleStore::Find(const SeriesKey& key) const {
  const std::vector<YearFile> files = state_->PartitionOf(key).Open(kFirstLakeYear, kLastLakeYear);
  if (files.empty()) return std::nullopt;
  const FileSummary summary = Summarize(state_->reading_database(), files);
  return SeriesInfo{key, summary.rows, summary.first, summary.last, summary.bytes};
}

void CandleStore::Remove(const SeriesKey& key) {
  const Partition partition = state_->PartitionOf(key);
  if (!partition.Exists()) return;
  PartitionChange change(partition);
  for (const YearFile& file : partition.Open(kFirstLakeYear, kLastLakeYear))
    change.Remove(file.year);
  change.Commit();
}

std::string CandleStore::ContentHash(const CandleSeries& bars) {
  CheckLengths(bars);
  Hasher hasher;
  hasher.Add(ToString(bars.key));
  hasher.AddBytes(bars.open_time.data(), bars.size() * sizeof(TimeMs));
  std::vector<double> canonical;
  for (const auto* field : {&bars.open, &bars.high, &bars.low, &bars.close, &bars.volume,
                            &bars.trade_count, &bars.vwap}) {
    canonical.assign(bars.size(), Candle::kNotGiven);
    for (size_t i = 0; i < field->size(); ++i) {
      if ((*field)[i] == (*field)[i]) canonical[i] = (*field)[i];
    }
    hasher.AddBytes(canonical.data(), canonical.size() * sizeof(double));
  }
  return hasher.Finish();
}

}  // namespace almanac
