#include "almanac/lake/partition_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "almanac/base/error.h"
#include "almanac/base/text.h"

namespace almanac {
namespace {

constexpr std::string_view kEscaped = "\"#%'*/:=?\\{[]^\x7f";
constexpr std::string_view kHiveNull = "__HIVE_DEFAULT_PARTITION__";
// A folder's name may have 255 bytes; the column's name and '=' come before.
constexpr size_t kLongestValue = 200;
constexpr size_t kLongestMarket = 64;
constexpr unsigned char kFirstPrintable = 0x20;

bool IsControl(char c) { return static_cast<unsigned char>(c) < kFirstPrintable || c == '\x7f'; }

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// How many bytes follow a first byte of UTF-8; -1 if it cannot be one.
int FollowingBytes(unsigned char first) {
  if (first < 0x80) return 0;
  if (first >= 0xC2 && first <= 0xDF) return 1;
  if (first >= 0xE0 && first <= 0xEF) return 2;
  if (first >= 0xF0 && first <= 0xF4) return 3;
  return -1;
}

bool IsUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const int following = FollowingBytes(first);
    if (following < 0 || i + static_cast<size_t>(following) >= text.size()) return false;
    uint32_t code = following == 0 ? first : first & (0x3Fu >> following);
    for (int k = 1; k <= following; ++k) {
      const auto byte = static_cast<unsigned char>(text[i + static_cast<size_t>(k)]);
      if ((byte & 0xC0u) != 0x80u) return false;
      code = (code << 6) | (byte & 0x3Fu);
    }
    const bool overlong = (following == 2 && code < 0x800) || (following == 3 && code < 0x10000);
    const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    if (overlong || surrogate || code > 0x10FFFF) return false;
    i += static_cast<size_t>(following) + 1;
  }
  return true;
}

std::string ProblemOf(std::string_view value) {
  if (value.empty()) return "is empty";
  if (value == kHiveNull) return "is Hive's name for NULL";
  if (std::ranges::any_of(value, IsControl)) return "has a control character";
  if (!IsUtf8(value)) return "is not UTF-8";
  if (Trim(value) != value) return "has spaces around it";
  if (EscapePartition(value).size() > kLongestValue) return "is longer than 200 bytes";
  return "";
}

}  // namespace

std::string EscapePartition(std::string_view value) {
  std::string escaped;
  for (const char c : value) {
    if (IsControl(c) || kEscaped.find(c) != std::string_view::npos) {
      escaped += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::optional<std::string> UnescapePartition(std::string_view text) {
  std::string value;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      value += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = HexDigit(text[i + 1]);
    const int low = HexDigit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    constexpr int kBase = 16;
    value += static_cast<char>(high * kBase + low);
    i += 2;
  }
  return value;
}

std::string PartitionPath(const std::vector<PartitionValue>& values) {
  std::vector<std::string> parts;
  parts.reserve(values.size());
  for (const PartitionValue& part : values) {
    parts.push_back(part.name + "=" + EscapePartition(part.value));
  }
  return Join(parts, "/");
}

std::optional<std::vector<std::string>> ParsePartitionPath(std::string_view path,
                                                           const std::vector<std::string>& names) {
  const std::vector<std::string_view> parts = Split(path, '/');
  if (parts.size() != names.size()) return std::nullopt;
  std::vector<std::string> values;
  for (size_t i = 0; i < parts.size(); ++i) {
    const std::string start = names[i] + "=";
    if (!parts[i].starts_with(start)) return std::nullopt;
    const auto value = UnescapePartition(parts[i].substr(start.size()));
    if (!value || value->empty()) return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

void CheckPartitionValue(std::string_view name, std::string_view value) {
  const std::string problem = ProblemOf(value);
  if (problem.empty()) return;
  throw Error(ErrorCode::kUsage, fmt::format("{} \"{}\"", name, IsUtf8(value) ? value : "?"),
              problem, "a name in the lake is UTF-8 text of 1 to 200 bytes");
}

void CheckMarketName(std::string_view market) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  if (!market.empty() && market.size() <= kLongestMarket && std::ranges::all_of(market, allowed)) {
    return;
  }
  throw Error(ErrorCode::kUsage, fmt::format("market \"{}\"", IsUtf8(market) ? market : "?"),
              "is not a market's name",
              "it has 1 to 64 lower-case letters, digits, '-' and '_', such as \"binance-spot\"");
}

}  // namespace almanac
