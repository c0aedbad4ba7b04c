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

class ObjectStore;
struct CandleStoreState;

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

// Collects the bars of one series in any number of pieces and makes them visible in one step. All
// writers of a store together hold a bounded part of the bars in memory (CandleStoreOptions), the
// rest waits in files below Home::temporary(). Destruction without Commit leaves the lake as it
// was. Each writer belongs to one thread; several may work at once.
class CandleWriter {
 public:
  virtual ~CandleWriter() = default;
  // Times may come in any order and repeat (the last given value of a time wins). The key of
  // `bars` is ignored. Throws Error(kBadData) for a time off the grid (see Upsert).
  virtual void Append(const CandleSeries& bars) = 0;
  // At most once. Waits for other writers of the same series.
  virtual UpsertStats Commit() = 0;
};

struct CandleStoreOptions {
  // Bars that the writers of a store hold in memory together, in bytes: about, not to the byte.
  int64_t writer_memory = int64_t{48} << 20;
};

// Safe from several threads and processes.
class CandleStore {
 public:
  explicit CandleStore(const Home& home);
  // In another store than the folder home.lake(); the locks and temporary files stay at home.
  CandleStore(const Home& home, std::shared_ptr<ObjectStore> objects,
              const CandleStoreOptions& options = {});
  ~CandleStore();
  CandleStore(CandleStore&&) noexcept;

  // Inserts or replaces by (series, open time): idempotent, atomic, safe against other processes.
  // Throws Error(kBadData) for times off the timeframe's grid (daily and weekly bars may open at
  // any time of day: exchanges stamp them so) and for fields of unequal length, Error(kUsage) for
  // names that cannot be a market's or a symbol's.
  UpsertStats Upsert(const CandleSeries& bars);
  std::unique_ptr<CandleWriter> OpenWriter(const SeriesKey& key);

  // The bars with from <= open_time < to, sorted. Throws Error(kBadData) naming what is there (the
  // nearest symbols, the timeframes, the markets) if the series does not exist; an empty range of
  // an existing series is an empty series. Touches only that series' files of those years.
  CandleSeries Read(const SeriesKey& key, TimeMs from = kMinTime, TimeMs to = kMaxTime) const;
  // All series, sorted by key.
  std::vector<SeriesInfo> List() const;
  std::optional<SeriesInfo> Find(const SeriesKey& key) const;
  // All of its bars. Nothing happens if there is no such series.
  void Remove(const SeriesKey& key);

  // A hash of the key and the bars: equal bars, equal hash, whatever files they lie in. Fields that
  // are not given and fields that are NaN throughout are the same.
  static std::string ContentHash(const CandleSeries& bars);

 private:
  std::shared_ptr<CandleStoreState> state_;
};

}  // namespace almanac

#endif  // ALMANAC_LAKE_CANDLE_STORE_H_
