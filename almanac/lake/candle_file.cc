#include "almanac/lake/candle_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <functional>
#include <utility>

#include "almanac/base/error.h"
#include "almanac/base/text.h"

namespace almanac {
namespace {

constexpr const char* kRemedy =
    "delete the file if something else than Almanac wrote it, and import again";

// The file, or the folder of several.
std::string PlaceOf(const std::vector<YearFile>& files) {
  const std::string& key = files.front().key;
  return files.size() == 1 ? key : key.substr(0, key.rfind('/'));
}

std::string PathList(const std::vector<YearFile>& files) {
  std::vector<std::string> paths;
  paths.reserve(files.size());
  for (const YearFile& file : files) paths.push_back(SqlText(file.object->path().string()));
  return Join(paths, ", ");
}

// DuckDB knows the files by the paths of open descriptors, people by their keys.
std::string NameFiles(std::string message, const std::vector<YearFile>& files) {
  for (const YearFile& file : files) {
    const std::string path = file.object->path().string();
    const size_t at = message.find(path);
    const bool whole = at != std::string::npos && (at + path.size() == message.size() ||
                                                   std::isdigit(message[at + path.size()]) == 0);
    if (whole) message.replace(at, path.size(), file.key);
  }
  return message;
}

std::string TimeCondition(TimeMs from, TimeMs to) {
  std::vector<std::string> parts;
  // Instants beyond the files' years would overflow DuckDB's microseconds.
  if (from > StartOfDate({kFirstLakeYear, 1, 1})) {
    parts.push_back(fmt::format("timestamp >= make_timestamp_ms({})", from));
  }
  if (to < StartOfDate({kLastLakeYear + 1, 1, 1})) {
    parts.push_back(fmt::format("timestamp < make_timestamp_ms({})", to));
  }
  return parts.empty() ? "true" : Join(parts, " AND ");
}

bool HasNone(const std::vector<double>& field) {
  return std::ranges::all_of(field, [](double value) { return std::isnan(value); });
}

void CheckAscending(const CandleSeries& bars, const std::string& place) {
  const auto found = std::ranges::adjacent_find(bars.open_time, std::greater_equal<>());
  if (found == bars.open_time.end()) return;
  throw Error(ErrorCode::kBadData, place,
              fmt::format("rows are not in the order of time at {}", FormatTime(*found)), kRemedy);
}

// Errors name the files, which the statement knows by their descriptors alone.
ResultTable QueryNamed(const Database& database, const std::string& sql,
                       const std::vector<YearFile>& files) {
  try {
    return database.Query(sql, PlaceOf(files));
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kBadData) throw;
    throw Error(error.code(), error.where(), NameFiles(error.problem(), files), kRemedy);
  }
}

}  // namespace

FileSummary Summarize(const Database& database, const std::vector<YearFile>& files) {
  FileSummary summary;
  if (files.empty()) return summary;
  for (const YearFile& file : files) summary.bytes += file.size;
  const ResultTable table =
      QueryNamed(database,
                 fmt::format("SELECT sum(row_group_num_rows)::BIGINT AS rows, "
                             "min(stats_min_value::TIMESTAMP) AS first, "
                             "max(stats_max_value::TIMESTAMP) AS last FROM parquet_metadata([{}]) "
                             "WHERE path_in_schema = 'timestamp'",
                             PathList(files)),
                 files);
  summary.rows = table.Column("rows", ColumnType::kInt64).integers.at(0);
  summary.first = table.Column("first", ColumnType::kTimestampMs).integers.at(0);
  summary.last = table.Column("last", ColumnType::kTimestampMs).integers.at(0);
  return summary;
}

ResultTable QueryFiles(const Database& database, const std::vector<WantedColumn>& columns,
                       const std::vector<YearFile>& files, TimeMs from, TimeMs to) {
  std::vector<std::string> names;
  names.reserve(columns.size());
  for (const WantedColumn& column : columns) names.emplace_back(column.name);
  ResultTable table =
      QueryNamed(database,
                 fmt::format("SELECT {} FROM read_parquet([{}], hive_partitioning=false) WHERE {}",
                             Join(names, ", "), PathList(files), TimeCondition(from, to)),
                 files);
  for (size_t c = 0; c < columns.size(); ++c) {
    if (table.columns[c].type == columns[c].type) continue;
    throw Error(ErrorCode::kBadData, PlaceOf(files),
                fmt::format("its column {} is of another type than Almanac writes", names[c]),
                kRemedy);
  }
  return table;
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

CandleSeries ReadCandleFiles(const Database& database, const std::vector<YearFile>& files,
                             const SeriesKey& key, TimeMs from, TimeMs to) {
  CandleSeries bars;
  bars.key = key;
  if (files.empty()) return bars;
  constexpr ColumnType kNumber = ColumnType::kDouble;
  ResultTable table = QueryFiles(database,
                                 {{"timestamp", ColumnType::kTimestampMs},
                                  {"open", kNumber},
                                  {"high", kNumber},
                                  {"low", kNumber},
                                  {"close", kNumber},
                                  {"volume", kNumber},
                                  {"trade_count", kNumber},
                                  {"vwap", kNumber}},
                                 files, from, to);
  ResultColumn& times = table.Column("timestamp", ColumnType::kTimestampMs);
  if (times.nulls > 0) {
    throw Error(ErrorCode::kBadData, PlaceOf(files), "has a row without a timestamp", kRemedy);
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
  CheckAscending(bars, PlaceOf(files));
  return bars;
}

}  // namespace almanac
