#include "almanac/lake/ddl.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "almanac/base/error.h"

namespace almanac {
namespace {

constexpr const char* kAthena = R"(-- Athena runs one statement at a time.
CREATE EXTERNAL TABLE IF NOT EXISTS candles (
  `timestamp` timestamp,
  close_time timestamp,
  open double,
  high double,
  low double,
  close double,
  volume double,
  trade_count double,
  vwap double
)
PARTITIONED BY (market string, time_frame string, symbol string)
STORED AS PARQUET
LOCATION '{0}/candles/';

CREATE EXTERNAL TABLE IF NOT EXISTS observations (
  `timestamp` timestamp,
  value double,
  type string,
  updated_timestamp timestamp,
  `date` date
)
PARTITIONED BY (feature string, time_frame string, symbol string)
STORED AS PARQUET
LOCATION '{0}/observations/';

-- Finds the partitions; again whenever series were added.
MSCK REPAIR TABLE candles;
MSCK REPAIR TABLE observations;

-- Or compute the partitions instead of finding them. Every query must then name market, time_frame
-- and symbol (feature, time_frame and symbol), and symbols that are escaped in paths, such as
-- BTC/USD, are named as escaped: 'BTC%2FUSD'.
-- ALTER TABLE candles SET TBLPROPERTIES ('projection.enabled' = 'true',
--   'projection.market.type' = 'injected', 'projection.time_frame.type' = 'injected',
--   'projection.symbol.type' = 'injected');
-- ALTER TABLE observations SET TBLPROPERTIES ('projection.enabled' = 'true',
--   'projection.feature.type' = 'injected', 'projection.time_frame.type' = 'injected',
--   'projection.symbol.type' = 'injected');)";

bool IsS3(std::string_view location) {
  constexpr std::string_view kScheme = "s3://";
  if (!location.starts_with(kScheme)) return false;
  const std::string_view path = location.substr(kScheme.size());
  const auto breaks = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\''; };
  return !path.empty() && path.front() != '/' && std::ranges::none_of(path, breaks);
}

}  // namespace

std::string AthenaDdl(const std::string& location) {
  if (!IsS3(location)) {
    throw Error(ErrorCode::kUsage, "--location " + location, "is not a location in S3",
                "write s3://bucket/prefix/lake");
  }
  const size_t end = location.find_last_not_of('/');
  return fmt::format(fmt::runtime(kAthena), location.substr(0, end + 1));
}

}  // namespace almanac
