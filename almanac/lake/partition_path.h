// Names of partitions as Hive writes them: "symbol=BTC%2FUSD".
#ifndef ALMANAC_LAKE_PARTITION_PATH_H_
#define ALMANAC_LAKE_PARTITION_PATH_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

struct PartitionValue {
  std::string name;   // such as "symbol"
  std::string value;  // such as "BTC/USD"
  friend bool operator==(const PartitionValue&, const PartitionValue&) = default;
};

// Percent-encodes what Hive does: control characters, DEL and " # % ' * / : = ? \ { [ ] ^ with
// upper-case hexadecimal digits. All other bytes stay.
std::string EscapePartition(std::string_view value);
// Nothing if a '%' is not followed by two hexadecimal digits.
std::optional<std::string> UnescapePartition(std::string_view text);

// "market=x/time_frame=30m/symbol=BTC%2FUSD"
std::string PartitionPath(const std::vector<PartitionValue>& values);
// The values of a path whose parts have these names in this order; nothing if it is no such path.
std::optional<std::vector<std::string>> ParsePartitionPath(std::string_view path,
                                                           const std::vector<std::string>& names);

// Throws Error(kUsage) for a value that cannot name a partition: empty, longer than 200 bytes when
// escaped, not UTF-8, with control characters, with spaces around it, or Hive's name for NULL.
void CheckPartitionValue(std::string_view name, std::string_view value);
// Stricter, for markets: lower-case letters, digits, '-', '_', at most 64.
void CheckMarketName(std::string_view market);

}  // namespace almanac

#endif  // ALMANAC_LAKE_PARTITION_PATH_H_
