// The year files of candles: columns, order, encoding (docs/lake.md). Inside lake only.
#ifndef ALMANAC_LAKE_CANDLE_FILE_H_
#define ALMANAC_LAKE_CANDLE_FILE_H_

#include <filesystem>
#include <string>
#include <vector>

#include "almanac/base/time.h"
#include "almanac/lake/database.h"
#include "almanac/lake/partition.h"
#include "almanac/market/candle.h"

namespace almanac {

// What a file's footers say of its timestamps.
struct FileSummary {
  int64_t rows = 0;
  TimeMs first = 0, last = 0;  // of "timestamp"
  int64_t bytes = 0;
};
// Of all files together; no rows if there are no files.
FileSummary Summarize(const Database& database, const std::vector<YearFile>& files);

struct WantedColumn {
  const char* name;
  ColumnType type;
};
// These columns of the rows with from <= timestamp < to, in the files' order. Error(kBadData)
// naming the file, or the folder of several, if it cannot be read, lacks a column or has it in
// another type.
ResultTable QueryFiles(const Database& database, const std::vector<WantedColumn>& columns,
                       const std::vector<YearFile>& files, TimeMs from, TimeMs to);

void WriteCandleFile(const Database& database, const CandleSeries& bars,
                     const std::filesystem::path& file);
// The bars of the files with from <= open time < to. Error(kBadData) naming the file if it is not
// as Almanac writes it.
CandleSeries ReadCandleFiles(const Database& database, const std::vector<YearFile>& files,
                             const SeriesKey& key, TimeMs from, TimeMs to);

}  // namespace almanac

#endif  // ALMANAC_LAKE_CANDLE_FILE_H_
