#include "almanac/gbdt/setting.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>

#include "almanac/base/error.h"
#include "almanac/base/text.h"

namespace almanac::gbdt {
namespace {

std::string RangeText(const NumberRange& range) {
  const bool has_low = std::isfinite(range.low), has_high = std::isfinite(range.high);
  std::string low =
      has_low ? fmt::format("{} {}", range.low_open ? "above" : "at least", range.low) : "";
  if (!has_high) return low;
  return has_low ? fmt::format("{} and at most {}", low, range.high)
                 : fmt::format("at most {}", range.high);
}

}  // namespace

void Setting::Fail(const std::string& what, const std::string& remedy) const {
  throw Error(ErrorCode::kUsage, place, what, remedy);
}

double Setting::Number(const NumberRange& range) const {
  const std::optional<double> value = ParseDouble(text);
  if (!value) Fail(fmt::format("\"{}\" is not a number", text), "give a number");
  const bool is_low = *value < range.low || (range.low_open && *value == range.low);
  if (is_low || *value > range.high) {
    Fail(fmt::format("{} is out of range", text), "it must be " + RangeText(range));
  }
  return *value;
}

int Setting::Whole(const NumberRange& range) const {
  const double value = Number(range);
  if (value != std::trunc(value) || std::abs(value) > std::numeric_limits<int>::max()) {
    Fail(fmt::format("{} is not a whole number", text), "give a whole number");
  }
  return static_cast<int>(value);
}

bool Setting::Switch() const {
  const std::string word = ToLower(text);
  if (word == "true" || word == "1" || word == "+") return true;
  if (word == "false" || word == "0" || word == "-") return false;
  Fail(fmt::format("\"{}\" is neither true nor false", text), "give true or false");
}

}  // namespace almanac::gbdt
