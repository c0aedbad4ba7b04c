#include "almanac/report/number_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "almanac/base/text.h"

namespace almanac {
namespace {

constexpr int kMostDecimals = 10;
constexpr double kSmallestProbability = 0.001;

// The power of ten of the first digit: 2 for 350, -3 for 0.0042.
int Magnitude(double value) {
  return value == 0 ? 0 : static_cast<int>(std::floor(std::log10(std::fabs(value))));
}

// Decimals that show `digits` significant digits of `value`, at least `least`.
int DecimalsFor(double value, int digits, int least) {
  return std::clamp(digits - 1 - Magnitude(value), least, kMostDecimals);
}

int PriceDecimals(double largest) {
  constexpr double kTwoDecimals = 10.0;
  return largest >= kTwoDecimals || largest == 0 ? 2 : DecimalsFor(largest, 5, 2);
}

bool IsPercent(NumberFormat format) {
  return format == NumberFormat::kPercent || format == NumberFormat::kSignedPercent;
}

int SuitableDecimals(NumberFormat format, double largest) {
  switch (format) {
    case NumberFormat::kPlain:
      return DecimalsFor(largest, 4, 0);
    case NumberFormat::kRatio:
      return 2;
    case NumberFormat::kPercent:
    case NumberFormat::kSignedPercent:
      return DecimalsFor(largest * 100, 3, 2);
    case NumberFormat::kPrice:
      return PriceDecimals(largest);
    case NumberFormat::kCount:
      return 0;
    case NumberFormat::kProbability:
      return 3;
  }
  return 2;
}

// Thousands separators in the whole part of a decimal number.
std::string Grouped(const std::string& number) {
  const size_t start = number.starts_with('-') ? 1 : 0;
  const size_t point = std::min(number.find('.'), number.size());
  std::string text = number;
  for (size_t i = point; i > start + 3;) {
    i -= 3;
    text.insert(i, ",");
  }
  return text;
}

std::string Fixed(double value, int decimals) {
  std::string text = fmt::format("{:.{}f}", value, decimals);
  // "-0.00" would claim a direction that the digits do not show.
  if (text.starts_with('-') && text.find_first_of("123456789") == std::string::npos)
    text.erase(0, 1);
  return Grouped(text);
}

}  // namespace

NumberStyle StyleFor(NumberFormat format, std::span<const double> values) {
  double largest = 0;
  for (const double value : values) {
    if (std::isfinite(value)) largest = std::max(largest, std::fabs(value));
  }
  return {format, SuitableDecimals(format, largest)};
}

NumberStyle DistinctStyleFor(NumberFormat format, std::span<const double> values) {
  constexpr int kMore = 3;
  NumberStyle style = StyleFor(format, values);
  if (format == NumberFormat::kCount || format == NumberFormat::kProbability) return style;
  const auto alike = [&](double a, double b) {
    return std::isfinite(a) && std::isfinite(b) && a != b &&
           FormatNumber(a, style) == FormatNumber(b, style);
  };
  const int most = style.decimals + kMore;
  for (size_t i = 0; i < values.size(); ++i) {
    for (size_t k = i + 1; k < values.size(); ++k) {
      while (style.decimals < most && alike(values[i], values[k])) ++style.decimals;
    }
  }
  return style;
}

std::string FormatNumber(double value, NumberStyle style) {
  if (std::isnan(value)) return std::string(kNoNumber);
  if (std::isinf(value)) return value > 0 ? "∞" : "-∞";
  if (style.format == NumberFormat::kProbability && value >= 0 && value < kSmallestProbability) {
    return "<0.001";
  }
  if (!IsPercent(style.format)) return Fixed(value, style.decimals);
  const std::string text = Fixed(value * 100, style.decimals) + "%";
  const bool plus = style.format == NumberFormat::kSignedPercent && value > 0 &&
                    text.find_first_of("123456789") != std::string::npos;
  return plus ? "+" + text : text;
}

std::string FormatNumber(double value, NumberFormat format) {
  return FormatNumber(value, StyleFor(format, std::array{value}));
}

std::string FormatMinute(TimeMs time) {
  std::string text = FormatTime(time);  // 2024-01-31T13:05:00Z
  constexpr size_t kToMinute = 16;
  if (text.size() > kToMinute) text.resize(kToMinute);
  std::replace(text.begin(), text.end(), 'T', ' ');
  return text;
}

std::string JsonNumber(double value) {
  return std::isfinite(value) ? fmt::format("{:.8g}", value) : "null";
}

}  // namespace almanac
