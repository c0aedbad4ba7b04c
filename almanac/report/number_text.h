// Numbers as a reader wants them: as many digits as mean something, the same number of decimals
// down a column.
#ifndef ALMANAC_REPORT_NUMBER_TEXT_H_
#define ALMANAC_REPORT_NUMBER_TEXT_H_

#include <span>
#include <string>
#include <string_view>

#include "almanac/report/report.h"

namespace almanac {

// A format with its decimals settled, so that several numbers line up.
struct NumberStyle {
  NumberFormat format = NumberFormat::kPlain;
  int decimals = 2;
};

// The decimals that suit the largest of `values` (NaN are passed over): four significant digits for
// kPlain, at least two decimals and three digits for percentages, those of a price for kPrice.
NumberStyle StyleFor(NumberFormat format, std::span<const double> values);
// The same for numbers that are compared: up to three decimals more where two of them would
// otherwise read the same although they differ.
NumberStyle DistinctStyleFor(NumberFormat format, std::span<const double> values);

// "-" stands before negative numbers; kSignedPercent has "+" before positive ones. A dash for NaN.
std::string FormatNumber(double value, NumberStyle style);
std::string FormatNumber(double value, NumberFormat format);

inline constexpr std::string_view kNoNumber = "–";

// "2024-01-31 13:05", UTC, without a zone: the report says once that all times are UTC.
std::string FormatMinute(TimeMs time);

// A finite number with 8 significant digits as JSON, "null" otherwise.
std::string JsonNumber(double value);

}  // namespace almanac

#endif  // ALMANAC_REPORT_NUMBER_TEXT_H_
