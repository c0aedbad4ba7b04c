// Decimal numbers of data files, fast and correctly rounded.
#ifndef ALMANAC_SOURCE_DECIMAL_H_
#define ALMANAC_SOURCE_DECIMAL_H_

#include <optional>
#include <string_view>

namespace almanac {

// The finite number that is the whole of `text`: [+-] digits [. digits] [e [+-] digits], with at
// least one digit before or after the point. Nothing for anything else ("", "nan", "1,5", "0x1",
// " 1") and for numbers that a double cannot hold.
//
// Up to 19 digits are gathered into an integer m, so that the number is m * 10^k. If m < 2^53 and
// |k| <= 22, then m and 10^|k| are doubles exactly and one multiplication or division rounds
// correctly (W. D. Clinger 1990, "How to read floating point numbers accurately"). Everything else
// goes to the slower exact conversion of the standard library.
std::optional<double> ParseDecimal(std::string_view text);

}  // namespace almanac

#endif  // ALMANAC_SOURCE_DECIMAL_H_
