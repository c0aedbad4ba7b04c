// Candles in Parquet files: reading and writing whole files through DuckDB. docs/lake.md gives the
// columns.
#ifndef ALMANAC_LAKE_CANDLE_FILE_H_
#define ALMANAC_LAKE_CANDLE_FILE_H_

#include <filesystem>
#include <memory>
#include <vector>

#include "almanac/base/home.h"
#include "almanac/base/time.h"
#include "almanac/lake/candle_store.h"
#include "almanac/market/candle.h"

namespace almanac {

// Safe from several threads: each call takes an idle database from a pool, or opens one.
class CandleFiles {
 public:
  explicit CandleFiles(const Home& home);
  ~CandleFiles();

  // The bars of files that follow each other in time, from <= open_time < to.
  CandleSeries Read(const std::vector<std::filesystem::path>& files, const SeriesKey& key,
                    TimeMs from = kMinTime, TimeMs to = kMaxTime) const;
  // Not atomic. The same bars give the same bytes.
  void Write(const std::filesystem::path& file, const CandleSeries& bars) const;
  // Count, first and last bar, from the files' footers alone; bytes is left 0.
  SeriesInfo Describe(const std::vector<std::filesystem::path>& files, const SeriesKey& key) const;

 private:
  struct Pool;
  std::unique_ptr<Pool> pool_;
};

}  // namespace almanac

#endif  // ALMANAC_LAKE_CANDLE_FILE_H_
