// The writer behind CandleStore::OpenWriter. Inside lake only.
#ifndef ALMANAC_LAKE_CANDLE_WRITER_H_
#define ALMANAC_LAKE_CANDLE_WRITER_H_

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "almanac/lake/candle_spill.h"
#include "almanac/lake/candle_store.h"
#include "almanac/lake/database.h"
#include "almanac/lake/partition.h"

namespace almanac {

// What a store and its writers share.
struct CandleStoreState {
  CandleStoreState(Home home_folder, std::shared_ptr<ObjectStore> object_store,
                   const CandleStoreOptions& store_options)
      : home(std::move(home_folder)), objects(std::move(object_store)), options(store_options) {}

  // Started when first asked for. For writing: one thread, so that equal bars give equal bytes
  // (several may use it at once). For reading: as many threads as there are.
  const Database& writing_database();
  const Database& reading_database();
  // Throws Error(kUsage) if the key cannot name a series.
  Partition PartitionOf(const SeriesKey& key) const;

  Home home;
  std::shared_ptr<ObjectStore> objects;
  CandleStoreOptions options;
  std::atomic<int64_t> buffered{0};  // bytes in all writers
  std::atomic<int64_t> writers{0};

 private:
  std::mutex mutex_;
  std::optional<Database> writing_, reading_;
};

class BufferedCandleWriter : public CandleWriter {
 public:
  BufferedCandleWriter(std::shared_ptr<CandleStoreState> state, SeriesKey key);
  ~BufferedCandleWriter() override;

  void Append(const CandleSeries& bars) override;
  UpsertStats Commit() override;

 private:
  void SelectYear(TimeMs time);
  void CheckGrid(const CandleSeries& bars) const;
  void SpillIfLarge();
  void Spill();
  void Buffered(int64_t bytes);
  UpsertStats MergeYear(PartitionChange& change, int year);

  std::shared_ptr<CandleStoreState> state_;
  SeriesKey key_;
  Partition partition_;
  std::map<int, CandleSeries> years_;
  CandleSpill spill_;
  int64_t bytes_ = 0;
  bool committed_ = false;
  // The year that the last bar fell into: [year_start_, year_end_).
  CandleSeries* year_bars_ = nullptr;
  TimeMs year_start_ = 0, year_end_ = 0;
};

}  // namespace almanac

#endif  // ALMANAC_LAKE_CANDLE_WRITER_H_
