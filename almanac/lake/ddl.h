// Table definitions for engines that read the lake where it lies.
#ifndef ALMANAC_LAKE_DDL_H_
#define ALMANAC_LAKE_DDL_H_

#include <string>

namespace almanac {

// Amazon Athena's statements that make the lake at `location`, such as "s3://bucket/almanac/lake",
// the tables `candles` and `observations`. Partitions are found with MSCK REPAIR; how to project
// them instead is in a comment. Throws Error(kUsage) for a location that is not one of S3.
std::string AthenaDdl(const std::string& location);

}  // namespace almanac

#endif  // ALMANAC_LAKE_DDL_H_
