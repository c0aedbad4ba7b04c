// Candles in the lake: one Hive partition a series, one zstd Parquet file a year in it
// (docs/lake.md). Writers replace whole files; readers always see a whole version.
#ifndef ALMANAC_LAKE_CANDLE_STORE_H_
#define ALMANAC_LAKE_CANDLE_STORE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "almanac/base/home.h"
#include "almanac/base/time.h"
#include "almanac/market/candle.h"

namespace almanac {

struct UpsertStats {
  int64_t added = 0;      // times that were not there
  int64_t replaced = 0;   // times whose values changed
  int64_t unchanged = 0;  // times that were there with the same values
};

struct SeriesInfo {
  SeriesKey key;
  int64_t bars = 0;
  TimeMs from = 0;  // open time of the first bar
  TimeMs to = 0;    // open time of the last bar
  int64_t bytes = 0;
};

// Collects the bars of one series in any number of pieces, in memory bounded by `memory_limit`,
// and makes them visible in one step. Destruction without Commit leaves the lake as it was.
class CandleWriter {
 public:
  virtual ~CandleWriter() = default;
  // Times may come in any order and repeat (the last given value of a time wins). The key of
  // `bars` is ignored.
  virtual void Append(const CandleSeries& bars) = 0;
  virtual UpsertStats Commit() = 0;
};

class CandleStore {
 public:
  explicit CandleStore(const Home& home);
  ~CandleStore();
  CandleStore(CandleStore&&) noexcept;

  // Inserts or replaces by (series, open time): idempotent, atomic, safe against other processes.
  // Throws Error(kBadData) for times off the timeframe's grid (daily and weekly bars may open at
  // any time of day: exchanges stamp them so).
  UpsertStats Upsert(const CandleSeries& bars);
  std::unique_ptr<CandleWriter> OpenWriter(const SeriesKey& key);

  // The bars with from <= open_time < to, sorted. Throws Error(kBadData) naming what is there (the
  // nearest symbols, the timeframes, the markets) if the series does not exist; an empty range of
  // an existing series is an empty series. Touches only that series' files of those years.
  CandleSeries Read(const SeriesKey& key, TimeMs from = kMinTime, TimeMs to = kMaxTime) const;
  // All fields of every series, sorted by key.
  std::vector<SeriesInfo> List() const;
  std::optional<SeriesInfo> Find(const SeriesKey& key) const;
  void Remove(const SeriesKey& key);

  // A hash of the content of the range: equal bars, equal hash, whatever files they lie in.
  static std::string ContentHash(const CandleSeries& bars);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace almanac

#endif  // ALMANAC_LAKE_CANDLE_STORE_H_
