// Table definitions for engines that read the lake where it lies.
#ifndef ALMANAC_LAKE_DDL_H_
#define ALMANAC_LAKE_DDL_H_

#include <string>

namespace almanac {

// Amazon Athena's CREATE EXTERNAL TABLE statements for candles and observations of a lake that was
// copied to `location`, such as "s3://bucket/almanac/lake". Throws Error(kUsage) for a location
// that is not one of S3.
std::string AthenaDdl(const std::string& location);

}  // namespace almanac

#endif  // ALMANAC_LAKE_DDL_H_
