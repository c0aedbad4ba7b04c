#include "almanac/lake/ddl.h"

#include <fmt/format.h>

#include "almanac/base/error.h"

namespace almanac {
namespace {

constexpr const char* kAthena = R"(CREATE EXTERNAL TABLE candles (
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

CREATE EXTERNAL TABLE observations (
  `timestamp` timestamp,
  value double,
  type string,
  updated_timestamp timestamp,
  `date` date
)
PARTITIONED BY (feature string, time_frame string, symbol string)
STORED AS PARQUET
LOCATION '{0}/observations/';

-- after new series were copied:
MSCK REPAIR TABLE candles;
MSCK REPAIR TABLE observations;)";

}  // namespace

std::string AthenaDdl(const std::string& location) {
  constexpr std::string_view kScheme = "s3://";
  const bool is_s3 = location.rfind(kScheme, 0) == 0 && location.size() > kScheme.size();
  if (!is_s3 || location.find('\'') != std::string::npos) {
    throw Error(ErrorCode::kUsage, "--location " + location, "is not a location in S3",
                "write s3://bucket/prefix/lake");
  }
  const std::string trimmed =
      location.back() == '/' ? location.substr(0, location.size() - 1) : location;
  return fmt::format(fmt::runtime(kAthena), trimmed);
}

}  // namespace almanac
