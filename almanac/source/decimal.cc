#include "almanac/source/decimal.h"

#include <array>
#include <cstdint>

#include "almanac/base/text.h"

namespace almanac {
namespace {

constexpr std::array<double, 23> kPowersOfTen = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                 1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr uint64_t kExactMantissa = uint64_t{1} << 53;
constexpr ptrdiff_t kMaxDigits = 19;  // 10^19 - 1 fits into 64 bits

}  // namespace

std::optional<double> ParseDecimal(std::string_view text) {
  const char* p = text.data();
  const char* const end = p + text.size();
  const bool negative = p != end && *p == '-';
  if (p != end && (*p == '-' || *p == '+')) ++p;

  uint64_t mantissa = 0;
  const char* const first_digit = p;
  for (; p != end && *p >= '0' && *p <= '9'; ++p) mantissa = mantissa * 10 + uint64_t(*p - '0');
  ptrdiff_t digits = p - first_digit;
  ptrdiff_t fraction = 0;
  if (p != end && *p == '.') {
    const char* const after_point = ++p;
    for (; p != end && *p >= '0' && *p <= '9'; ++p) mantissa = mantissa * 10 + uint64_t(*p - '0');
    fraction = p - after_point;
    digits += fraction;
  }
  // An exponent, too many digits (the mantissa overflowed, or has leading zeros) or a wrong
  // character: rare, and decided by the exact conversion.
  const bool simple = p == end && digits > 0 && digits <= kMaxDigits &&
                      mantissa <= kExactMantissa && fraction < ptrdiff_t(kPowersOfTen.size());
  if (!simple) return ParseDouble(text);
  const double magnitude = static_cast<double>(mantissa) / kPowersOfTen[size_t(fraction)];
  return negative ? -magnitude : magnitude;
}

}  // namespace almanac
