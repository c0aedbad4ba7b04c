#include "almanac/lake/candle_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "almanac/base/error.h"
#include "almanac/base/hash.h"
#include "almanac/lake/candle_file.h"
#include "almanac/lake/partition.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

constexpr const char* kCandles = "candles";
// Bars that a writer holds before it turns the oldest period into a file.
constexpr size_t kBufferedBars = 1'000'000;

fs::path RelativeFolder(const SeriesKey& key) {
  return fs::path(kCandles) / HivePart("market", key.market) /
         HivePart("time_frame", key.timeframe.name()) / HivePart("symbol", key.symbol);
}

void CheckKey(const SeriesKey& key) {
  const bool market_is_plain =
      !key.market.empty() && std::all_of(key.market.begin(), key.market.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
      });
  if (!market_is_plain) {
    throw Error(ErrorCode::kUsage, "market \"" + key.market + "\"", "is not a name for a market",
                "use lower-case letters, digits, '-' and '_'");
  }
  const bool has_control = std::any_of(key.symbol.begin(), key.symbol.end(),
                                       [](char c) { return static_cast<unsigned char>(c) < 32; });
  constexpr size_t kLongest = 64;
  if (key.symbol.empty() || key.symbol.size() > kLongest || has_control) {
    throw Error(ErrorCode::kUsage, "symbol \"" + key.symbol + "\"", "is not a symbol",
                "a symbol has 1 to 64 printable characters");
  }
}

// Bars of at least a day lie in one file; shorter ones in a file a year.
bool OneFile(Timeframe timeframe) { return timeframe.duration() >= kMsPerDay; }

std::string FileNameOf(Timeframe timeframe, TimeMs time) {
  return OneFile(timeframe) ? "all.parquet" : fmt::format("{:04}.parquet", DateOf(time).year);
}

void CheckTimes(const CandleSeries& bars, const SeriesKey& key) {
  constexpr TimeMs kFirst = -2208988800000;  // 1900-01-01
  constexpr TimeMs kLast = 7258118400000;    // 2200-01-01
  for (const TimeMs time : bars.open_time) {
    if (time < kFirst || time >= kLast) {
      throw Error(ErrorCode::kBadData, ToString(key) + " " + FormatTime(time),
                  "is not a time that bars have", "times lie between 1900 and 2200");
    }
    if (!OneFile(key.timeframe) && key.timeframe.Floor(time) != time) {
      throw Error(ErrorCode::kBadData, ToString(key) + " " + FormatTime(time),
                  "is not the open time of a " + key.timeframe.name() + " bar",
                  "the bar that contains it opens at " + FormatTime(key.timeframe.Floor(time)));
    }
  }
}

bool SameValue(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

bool SameBar(const Candle& a, const Candle& b) {
  return SameValue(a.open, b.open) && SameValue(a.high, b.high) && SameValue(a.low, b.low) &&
         SameValue(a.close, b.close) && SameValue(a.volume, b.volume) &&
         SameValue(a.trade_count, b.trade_count) && SameValue(a.vwap, b.vwap);
}

// Sorted by time; of equal times the last given stays.
CandleSeries Sorted(const CandleSeries& bars) {
  const auto& times = bars.open_time;
  const bool ascending =
      std::adjacent_find(times.begin(), times.end(), std::greater_equal<>()) == times.end();
  if (ascending) return bars;
  std::vector<size_t> order(bars.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return times[a] < times[b]; });
  CandleSeries sorted;
  sorted.key = bars.key;
  sorted.Reserve(bars.size());
  for (size_t i = 0; i < order.size(); ++i) {
    if (i + 1 < order.size() && times[order[i]] == times[order[i + 1]]) continue;
    sorted.Append(bars.At(order[i]));
  }
  return sorted;
}

struct Merged {
  CandleSeries bars;
  UpsertStats stats;
};

// A new bar without trade count or vwap leaves those of the bar it replaces.
Candle Over(const Candle& old_bar, Candle new_bar) {
  if (std::isnan(new_bar.trade_count)) new_bar.trade_count = old_bar.trade_count;
  if (std::isnan(new_bar.vwap)) new_bar.vwap = old_bar.vwap;
  return new_bar;
}

// `added` laid over `base`; both sorted.
Merged Merge(const CandleSeries& base, const CandleSeries& added) {
  Merged merged;
  if (base.empty()) {
    merged.bars = added;
    merged.stats.added = static_cast<int64_t>(added.size());
    return merged;
  }
  merged.bars.key = added.key;
  merged.bars.Reserve(base.size() + added.size());
  size_t b = 0;
  for (size_t a = 0; a < added.size(); ++a) {
    const TimeMs time = added.open_time[a];
    for (; b < base.size() && base.open_time[b] < time; ++b) merged.bars.Append(base.At(b));
    if (b == base.size() || base.open_time[b] != time) {
      merged.bars.Append(added.At(a));
      ++merged.stats.added;
      continue;
    }
    const Candle old_bar = base.At(b++);
    const Candle new_bar = Over(old_bar, added.At(a));
    merged.bars.Append(new_bar);
    ++(SameBar(old_bar, new_bar) ? merged.stats.unchanged : merged.stats.replaced);
  }
  for (; b < base.size(); ++b) merged.bars.Append(base.At(b));
  return merged;
}

class PartitionWriter : public CandleWriter {
 public:
  PartitionWriter(CandleFiles& files, const Home& home, const SeriesKey& key)
      : files_(files), key_(key), partition_(home, RelativeFolder(key)) {}

  void Append(const CandleSeries& bars) override {
    CheckTimes(bars, key_);
    for (size_t i = 0; i < bars.size();) {
      const std::string name = FileNameOf(key_.timeframe, bars.open_time[i]);
      size_t end = i + 1;
      if (OneFile(key_.timeframe)) {
        end = bars.size();
      } else {
        const TimeMs from = StartOfDate({DateOf(bars.open_time[i]).year, 1, 1});
        const TimeMs to = StartOfDate({DateOf(bars.open_time[i]).year + 1, 1, 1});
        while (end < bars.size() && bars.open_time[end] >= from && bars.open_time[end] < to) ++end;
      }
      AppendTo(name, bars.Slice(i, end));
      i = end;
    }
    // Files arrive in order of time as a rule: everything but the newest period is then complete.
    while (buffered_ > kBufferedBars) Stage(periods_.begin()->first);
  }

  UpsertStats Commit() override {
    while (!periods_.empty()) Stage(periods_.begin()->first);
    if (guard_) {
      guard_->Publish(std::vector<std::string>(staged_.begin(), staged_.end()));
      guard_.reset();
    }
    staged_.clear();
    return std::exchange(stats_, {});
  }

  ~PartitionWriter() override {
    if (!guard_) return;
    std::error_code ignored;
    for (const std::string& name : staged_) fs::remove(guard_->Staged(name), ignored);
  }

 private:
  void AppendTo(const std::string& name, const CandleSeries& bars) {
    CandleSeries& period = periods_[name];
    period.key = key_;
    buffered_ += bars.size();
    if (period.empty()) {
      period = bars;
      period.key = key_;
      return;
    }
    period.Reserve(period.size() + bars.size());
    for (size_t i = 0; i < bars.size(); ++i) period.Append(bars.At(i));
  }

  // Writes the next version of one file beside the live one. By value: `name` may be a key of
  // periods_, which is erased here.
  void Stage(std::string name) {
    const CandleSeries added = Sorted(periods_.at(name));
    buffered_ -= periods_.at(name).size();
    periods_.erase(name);
    if (!guard_) guard_.emplace(partition_.BeginWrite());
    const bool again = staged_.count(name) > 0;
    const fs::path base = again ? guard_->Staged(name) : partition_.folder() / name;
    const CandleSeries before = fs::exists(base) ? files_.Read({base}, key_) : CandleSeries{};
    Merged merged = Merge(before, added);
    stats_.added += merged.stats.added;
    stats_.replaced += merged.stats.replaced;
    stats_.unchanged += merged.stats.unchanged;
    if (merged.stats.added == 0 && merged.stats.replaced == 0) return;
    files_.Write(guard_->Staged(name), merged.bars);
    staged_.insert(name);
  }

  CandleFiles& files_;
  SeriesKey key_;
  Partition partition_;
  std::map<std::string, CandleSeries> periods_;  // by file name
  size_t buffered_ = 0;
  std::optional<Partition::WriteGuard> guard_;
  std::set<std::string> staged_;
  UpsertStats stats_;
};

// Whether the file may hold bars of [from, to), by its name.
bool Overlaps(const fs::path& file, TimeMs from, TimeMs to) {
  const std::string stem = file.stem().string();
  if (stem.size() != 4 || stem.find_first_not_of("0123456789") != std::string::npos) return true;
  const int year = std::stoi(stem);
  return StartOfDate({year + 1, 1, 1}) > from && StartOfDate({year, 1, 1}) < to;
}

std::vector<std::string> FoldersIn(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.is_directory()) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<SeriesKey> KeysIn(const fs::path& root) {
  std::vector<SeriesKey> keys;
  for (const std::string& market : FoldersIn(root)) {
    for (const std::string& frame : FoldersIn(root / market)) {
      const auto timeframe = Timeframe::TryParse(HiveValue("time_frame", frame));
      if (!timeframe) continue;
      for (const std::string& symbol : FoldersIn(root / market / frame)) {
        const std::string name = HiveValue("symbol", symbol);
        if (!name.empty()) keys.push_back({HiveValue("market", market), name, *timeframe});
      }
    }
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

}  // namespace

struct CandleStore::Impl {
  explicit Impl(const Home& lake_home) : home(lake_home), files(lake_home) {}

  Error NotThere(const SeriesKey& key) const;

  Home home;
  CandleFiles files;
};

// What to say about a series that is not there: what there is instead.
Error CandleStore::Impl::NotThere(const SeriesKey& key) const {
  const std::vector<SeriesKey> all = KeysIn(home.lake() / kCandles);
  std::set<std::string> same_symbol, symbols;
  for (const SeriesKey& other : all) {
    symbols.insert(other.symbol);
    if (other.symbol == key.symbol) {
      same_symbol.insert(other.market + " " + other.timeframe.name());
    }
  }
  if (all.empty()) {
    return Error(ErrorCode::kBadData, ToString(key), "is not in the lake, which has no candles yet",
                 "bring some in with almanac data import or almanac data backfill");
  }
  constexpr size_t kListed = 12;
  std::vector<std::string> listed(same_symbol.empty() ? symbols.begin() : same_symbol.begin(),
                                  same_symbol.empty() ? symbols.end() : same_symbol.end());
  const bool more = listed.size() > kListed;
  if (more) listed.resize(kListed);
  return Error(
      ErrorCode::kBadData, ToString(key), "is not in the lake",
      fmt::format("{} {}{}",
                  same_symbol.empty() ? "the symbols there are" : "of " + key.symbol + " there are",
                  fmt::join(listed, ", "), more ? ", ..." : ""));
}

CandleStore::CandleStore(const Home& home) : impl_(std::make_unique<Impl>(home)) {}
CandleStore::~CandleStore() = default;
CandleStore::CandleStore(CandleStore&&) noexcept = default;

UpsertStats CandleStore::Upsert(const CandleSeries& bars) {
  const std::unique_ptr<CandleWriter> writer = OpenWriter(bars.key);
  writer->Append(bars);
  return writer->Commit();
}

std::unique_ptr<CandleWriter> CandleStore::OpenWriter(const SeriesKey& key) {
  CheckKey(key);
  return std::make_unique<PartitionWriter>(impl_->files, impl_->home, key);
}

CandleSeries CandleStore::Read(const SeriesKey& key, TimeMs from, TimeMs to) const {
  CheckKey(key);
  const Partition partition(impl_->home, RelativeFolder(key));
  if (!fs::exists(partition.folder())) throw impl_->NotThere(key);
  const Partition::ReadGuard guard = partition.BeginRead();
  const std::vector<fs::path> files = partition.Files();
  if (files.empty()) throw impl_->NotThere(key);
  std::vector<fs::path> touched;
  std::copy_if(files.begin(), files.end(), std::back_inserter(touched),
               [&](const fs::path& file) { return Overlaps(file, from, to); });
  return impl_->files.Read(touched, key, from, to);
}

std::vector<SeriesInfo> CandleStore::List() const {
  std::vector<SeriesInfo> infos;
  for (const SeriesKey& key : KeysIn(impl_->home.lake() / kCandles)) {
    if (auto info = Find(key)) infos.push_back(std::move(*info));
  }
  return infos;
}

std::optional<SeriesInfo> CandleStore::Find(const SeriesKey& key) const {
  CheckKey(key);
  const Partition partition(impl_->home, RelativeFolder(key));
  if (!fs::exists(partition.folder())) return std::nullopt;
  const Partition::ReadGuard guard = partition.BeginRead();
  const std::vector<fs::path> files = partition.Files();
  if (files.empty()) return std::nullopt;
  SeriesInfo info = impl_->files.Describe(files, key);
  for (const fs::path& file : files) info.bytes += static_cast<int64_t>(fs::file_size(file));
  return info;
}

void CandleStore::Remove(const SeriesKey& key) {
  CheckKey(key);
  const Partition partition(impl_->home, RelativeFolder(key));
  if (!fs::exists(partition.folder())) throw impl_->NotThere(key);
  const Partition::WriteGuard guard = partition.BeginWrite();
  fs::remove_all(partition.folder());
}

std::string CandleStore::ContentHash(const CandleSeries& bars) {
  Hasher hasher;
  hasher.Add(ToString(bars.key)).AddBytes(bars.open_time.data(), bars.size() * sizeof(TimeMs));
  for (const auto* field : {&bars.open, &bars.high, &bars.low, &bars.close, &bars.volume}) {
    hasher.AddBytes(field->data(), field->size() * sizeof(double));
  }
  // An optional field that no bar has is the same as one that is not there.
  for (const auto* field : {&bars.trade_count, &bars.vwap}) {
    const bool given =
        std::any_of(field->begin(), field->end(), [](double value) { return !std::isnan(value); });
    std::vector<double> canonical(given ? field->begin() : field->end(), field->end());
    for (double& value : canonical) {
      if (std::isnan(value)) value = Candle::kNotGiven;
    }
    hasher.AddBytes(canonical.data(), canonical.size() * sizeof(double));
  }
  return hasher.Finish();
}

}  // namespace almanac
