#include "almanac/lake/candle_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "almanac/base/error.h"
#include "almanac/base/text.h"

namespace almanac {
namespace {

constexpr const char* kRemedy =
    "delete the file if something else than Almanac wrote it, and import again";

bool HasNone(const std::vector<double>& field) {
  return std::ranges::all_of(field, [](double value) { return std::isnan(value); });
}

void CheckAscending(const CandleSeries& bars, const YearFile& file) {
  const auto place = std::ranges::adjacent_find(bars.open_time, std::greater_equal<>());
  if (place == bars.open_time.end()) return;
  throw Error(ErrorCode::kBadData, file.key,
              fmt::format("rows are not in the order of time at {}", FormatTime(*place)), kRemedy);
}

}  // namespace

FileSummary Summarize(const Database& database, const std::vector<YearFile>& files) {
  FileSummary summary;
  if (files.empty()) return summary;
  std::vector<std::string> paths;
  for (const YearFile& file : files) {
    summary.bytes += file.size;
    paths.push_back(SqlText(file.object->path().string()));
  }
  const ResultTable table = database.Query(
      fmt::format("SELECT sum(row_group_num_rows)::BIGINT AS rows, "
                  "min(stats_min_value::TIMESTAMP) AS first, "
                  "max(stats_max_value::TIMESTAMP) AS last FROM parquet_metadata([{}]) "
                  "WHERE path_in_schema = 'timestamp'",
                  Join(paths, ", ")),
      files.front().key);
  summary.rows = table.Column("rows", ColumnType::kInt64).integers.at(0);
  summary.first = table.Column("first", ColumnType::kTimestampMs).integers.at(0);
  summary.last = table.Column("last", ColumnType::kTimestampMs).integers.at(0);
  return summary;
}

std::string ReadParquetSql(const YearFile& file) {
  return fmt::format("read_parquet({}, hive_partitioning=false)",
                     SqlText(file.object->path().string()));
}

std::string TimeConditionSql(TimeMs from, TimeMs to) {
  const auto literal = [](TimeMs time) { return fmt::format("make_timestamp_ms({})", time); };
  std::vector<std::string> parts;
  // Instants beyond the files' years would overflow DuckDB's microseconds.
  if (from > StartOfDate({1, 1, 1})) parts.push_back("timestamp >= " + literal(from));
  if (to < StartOfDate({10000, 1, 1})) parts.push_back("timestamp < " + literal(to));
  return parts.empty() ? "true" : Join(parts, " AND ");
}

void WriteCandleFile(const Database& database, const CandleSeries& bars,
                     const std::filesystem::path& file) {
  std::vector<TimeMs> close_time = bars.open_time;
  for (TimeMs& time : close_time) time += bars.key.timeframe.duration() - 1;
  const auto times = [](const char* name, const std::vector<TimeMs>& values) {
    return InputColumn{name, ColumnType::kTimestampMs, values.data()};
  };
  const auto numbers = [](const char* name, const std::vector<double>& values) {
    return InputColumn{name, ColumnType::kDouble, values.data()};
  };
  const auto optional = [](const char* name, const std::vector<double>& values) {
    return InputColumn{name, ColumnType::kDouble, values.empty() ? nullptr : values.data(), true};
  };
  WriteParquet(database, file,
               {times("timestamp", bars.open_time), times("close_time", close_time),
                numbers("open", bars.open), numbers("high", bars.high), numbers("low", bars.low),
                numbers("close", bars.close), numbers("volume", bars.volume),
                optional("trade_count", bars.trade_count), optional("vwap", bars.vwap)},
               bars.size());
}

namespace {

CandleSeries ReadColumns(const Database& database, const YearFile& file, TimeMs from, TimeMs to) {
  CandleSeries bars;
  ResultTable table = database.Query(
      fmt::format("SELECT timestamp, open, high, low, close, volume, trade_count, vwap FROM {} "
                  "WHERE {}",
                  ReadParquetSql(file), TimeConditionSql(from, to)),
      file.key);
  ResultColumn& times = table.Column("timestamp", ColumnType::kTimestampMs);
  if (times.nulls > 0) {
    throw Error(ErrorCode::kBadData, file.key, "has a row without a timestamp", kRemedy);
  }
  bars.open_time = std::move(times.integers);
  const auto take = [&](const char* name) {
    return std::move(table.Column(name, ColumnType::kDouble).doubles);
  };
  bars.open = take("open");
  bars.high = take("high");
  bars.low = take("low");
  bars.close = take("close");
  bars.volume = take("volume");
  bars.trade_count = take("trade_count");
  bars.vwap = take("vwap");
  if (HasNone(bars.trade_count)) bars.trade_count.clear();
  if (HasNone(bars.vwap)) bars.vwap.clear();
  return bars;
}

}  // namespace

CandleSeries ReadCandleFile(const Database& database, const YearFile& file, const SeriesKey& key,
                            TimeMs from, TimeMs to) {
  try {
    CandleSeries bars = ReadColumns(database, file, from, to);
    bars.key = key;
    CheckAscending(bars, file);
    return bars;
  } catch (const Error& error) {
    // A column that is missing or of another type: the file is not one of ours.
    if (error.where().find(file.key) != std::string::npos) throw;
    throw Error(error.code(), file.key, error.where() + ": " + error.problem(), kRemedy);
  }
}

}  // namespace almanac
