#include "almanac/lake/candle_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <utility>

#include "almanac/base/error.h"
#include "almanac/lake/database.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

std::string FileList(const std::vector<fs::path>& files) {
  std::string list;
  for (const fs::path& file : files) list += (list.empty() ? "" : ", ") + SqlText(file.string());
  return "[" + list + "]";
}

std::string TimeFilter(TimeMs from, TimeMs to) {
  std::string filter;
  if (from != kMinTime) filter = fmt::format("timestamp >= make_timestamp_ms({})", from);
  if (to != kMaxTime) {
    filter += fmt::format("{}timestamp < make_timestamp_ms({})", filter.empty() ? "" : " AND ", to);
  }
  return filter.empty() ? "" : " WHERE " + filter;
}

bool NothingGiven(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return std::isnan(value); });
}

std::vector<double> Take(ResultTable& table, size_t column) {
  return std::move(table.columns[column].doubles);
}

}  // namespace

struct CandleFiles::Pool {
  explicit Pool(const Home& home) : temporary(home.temporary()) {}

  // One thread a database: files are small, and rows keep their order.
  std::unique_ptr<Database> Take() {
    const std::lock_guard<std::mutex> lock(mutex);
    if (idle.empty()) {
      DatabaseOptions options;
      options.threads = 1;
      options.temporary = temporary;
      return std::make_unique<Database>(options);
    }
    std::unique_ptr<Database> database = std::move(idle.back());
    idle.pop_back();
    return database;
  }
  void Return(std::unique_ptr<Database> database) {
    const std::lock_guard<std::mutex> lock(mutex);
    idle.push_back(std::move(database));
  }
  // Takes a database for as long as it lives.
  class Lease {
   public:
    explicit Lease(Pool& pool) : pool_(pool), database_(pool.Take()) {}
    ~Lease() { pool_.Return(std::move(database_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    const Database* operator->() const { return database_.get(); }

   private:
    Pool& pool_;
    std::unique_ptr<Database> database_;
  };

  fs::path temporary;
  std::mutex mutex;
  std::vector<std::unique_ptr<Database>> idle;
};

CandleFiles::CandleFiles(const Home& home) : pool_(std::make_unique<Pool>(home)) {}
CandleFiles::~CandleFiles() = default;

CandleSeries CandleFiles::Read(const std::vector<fs::path>& files, const SeriesKey& key,
                               TimeMs from, TimeMs to) const {
  CandleSeries bars;
  bars.key = key;
  if (files.empty()) return bars;
  const Pool::Lease database(*pool_);
  ResultTable table = database->Query(
      "SELECT timestamp, open, high, low, close, volume, CAST(trade_count AS DOUBLE), vwap "
      "FROM read_parquet(" +
          FileList(files) + ", hive_partitioning = false)" + TimeFilter(from, to),
      ToString(key));
  enum Position { kTime, kOpen, kHigh, kLow, kClose, kVolume, kTrades, kVwap };
  bars.open_time = std::move(table.columns[kTime].integers);
  bars.open = Take(table, kOpen);
  bars.high = Take(table, kHigh);
  bars.low = Take(table, kLow);
  bars.close = Take(table, kClose);
  bars.volume = Take(table, kVolume);
  bars.trade_count = Take(table, kTrades);
  bars.vwap = Take(table, kVwap);
  if (NothingGiven(bars.trade_count)) bars.trade_count.clear();
  if (NothingGiven(bars.vwap)) bars.vwap.clear();
  const auto& times = bars.open_time;
  if (std::adjacent_find(times.begin(), times.end(), std::greater_equal<>()) != times.end()) {
    throw Error(ErrorCode::kBadData, ToString(key), "its files in the lake are not sorted by time",
                "another program must have written them; import the series again");
  }
  return bars;
}

void CandleFiles::Write(const fs::path& file, const CandleSeries& bars) const {
  const Pool::Lease database(*pool_);
  std::vector<TimeMs> close_time(bars.open_time);
  for (TimeMs& time : close_time) time += bars.key.timeframe.duration() - 1;
  const std::vector<double> nothing(bars.trade_count.empty() || bars.vwap.empty() ? bars.size() : 0,
                                    std::numeric_limits<double>::quiet_NaN());
  const auto optional = [&](const std::vector<double>& values) {
    return values.empty() ? nothing.data() : values.data();
  };
  const std::vector<InputColumn> columns = {
      {"timestamp", ColumnType::kTimestampMs, bars.open_time.data()},
      {"close_time", ColumnType::kTimestampMs, close_time.data()},
      {"open", ColumnType::kDouble, bars.open.data()},
      {"high", ColumnType::kDouble, bars.high.data()},
      {"low", ColumnType::kDouble, bars.low.data()},
      {"close", ColumnType::kDouble, bars.close.data()},
      {"volume", ColumnType::kDouble, bars.volume.data()},
      {"trade_count", ColumnType::kDouble, optional(bars.trade_count), true},
      {"vwap", ColumnType::kDouble, optional(bars.vwap), true},
  };
  database->QueryWith(
      "COPY (SELECT * REPLACE (CAST(trade_count AS BIGINT) AS trade_count) FROM bars) TO " +
          SqlText(file.string()) + " (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)",
      "bars", columns, bars.size(), file.string());
}

SeriesInfo CandleFiles::Describe(const std::vector<fs::path>& files, const SeriesKey& key) const {
  const Pool::Lease database(*pool_);
  const ResultTable table = database->Query(
      "SELECT CAST(sum(num_values) AS BIGINT) AS bars, min(stats_min_value) AS first, "
      "max(stats_max_value) AS last FROM parquet_metadata(" +
          FileList(files) + ") WHERE path_in_schema = 'timestamp'",
      ToString(key));
  SeriesInfo info;
  info.key = key;
  info.bars = table.Column("bars", ColumnType::kInt64).integers.front();
  const auto first = ParseTime(table.Column("first", ColumnType::kText).texts.front());
  const auto last = ParseTime(table.Column("last", ColumnType::kText).texts.front());
  if (!first || !last) {
    throw Error(ErrorCode::kBadData, ToString(key), "its files in the lake have no time statistics",
                "another program must have written them; import the series again");
  }
  info.from = *first;
  info.to = *last;
  return info;
}

}  // namespace almanac
