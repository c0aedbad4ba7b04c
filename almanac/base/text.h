// Small text helpers. ASCII only, whatever the locale: bytes above 127 pass through unchanged.
#ifndef ALMANAC_BASE_TEXT_H_
#define ALMANAC_BASE_TEXT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace almanac {

// "87,602", "-1,234".
std::string FormatCount(int64_t count);
// Decimal units with one digit after the point: "512 B", "1.5 kB", "2.6 MB", "-3.0 GB".
std::string FormatBytes(int64_t bytes);

// The parts between separators, empty ones included: "a,,b" has three, "" has one (empty). The
// parts are views into `text`.
std::vector<std::string_view> Split(std::string_view text, char separator);
std::string Join(const std::vector<std::string>& parts, std::string_view separator);
// Without the spaces, tabs, carriage returns and line ends around it; a view into `text`.
std::string_view Trim(std::string_view text);
std::string ToLower(std::string_view text);
std::string ToUpper(std::string_view text);

// The finite decimal number that is the whole of `text`, correctly rounded: "1", "-0.5", "+2e-3",
// ".5". Nothing for spaces, hexadecimal, "inf", "nan", or a number that a double cannot hold
// (1e400, 1e-400).
std::optional<double> ParseDouble(std::string_view text);
// The whole decimal number that is the whole of `text`, with an optional sign. Nothing for "1e3",
// "1.0", hexadecimal, or a number outside 64 bits.
std::optional<int64_t> ParseInt64(std::string_view text);

}  // namespace almanac

#endif  // ALMANAC_BASE_TEXT_H_
