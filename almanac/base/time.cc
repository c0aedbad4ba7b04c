#include "almanac/base/time.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>

namespace almanac {
namespace {

// Floor division: instants before 1970 belong to the day that began before them.
int64_t FloorDiv(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

// Reads exactly `width` digits from the front of `text`.
std::optional<int> TakeDigits(std::string_view& text, size_t width) {
  if (text.size() < width) return std::nullopt;
  int value = 0;
  for (size_t i = 0; i < width; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(width);
  return value;
}

bool TakeChar(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<CivilDate> TakeDate(std::string_view& text) {
  const auto year = TakeDigits(text, 4);
  if (!year || !TakeChar(text, '-')) return std::nullopt;
  const auto month = TakeDigits(text, 2);
  if (!month || !TakeChar(text, '-')) return std::nullopt;
  const auto day = TakeDigits(text, 2);
  if (!day) return std::nullopt;
  const CivilDate date{*year, *month, *day};
  if (!IsValidDate(date)) return std::nullopt;
  return date;
}

// The fraction of a second after its point, in whole milliseconds.
std::optional<int> TakeFraction(std::string_view& text) {
  int milliseconds = 0;
  size_t digits = 0;
  for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
    if (digits < 3) milliseconds = milliseconds * 10 + (text[digits] - '0');
  }
  if (digits == 0) return std::nullopt;
  for (size_t i = digits; i < 3; ++i) milliseconds *= 10;
  text.remove_prefix(digits);
  return milliseconds;
}

std::optional<DurationMs> TakeClock(std::string_view& text) {
  const auto hour = TakeDigits(text, 2);
  if (!hour || *hour > 23 || !TakeChar(text, ':')) return std::nullopt;
  const auto minute = TakeDigits(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  DurationMs clock = *hour * kMsPerHour + *minute * kMsPerMinute;
  if (!TakeChar(text, ':')) return clock;
  const auto second = TakeDigits(text, 2);
  if (!second || *second > 59) return std::nullopt;
  clock += *second * kMsPerSecond;
  if (!TakeChar(text, '.')) return clock;
  const auto fraction = TakeFraction(text);
  if (!fraction) return std::nullopt;
  return clock + *fraction;
}

// The offset of local time from UTC; an empty text is UTC.
std::optional<DurationMs> TakeZone(std::string_view& text) {
  if (text.empty() || TakeChar(text, 'Z')) return 0;
  const int sign = text.front() == '-' ? -1 : 1;
  if (!TakeChar(text, '+') && !TakeChar(text, '-')) return std::nullopt;
  const auto hour = TakeDigits(text, 2);
  if (!hour || *hour > 23) return std::nullopt;
  TakeChar(text, ':');
  const auto minute = text.empty() ? std::optional<int>(0) : TakeDigits(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  return sign * (*hour * kMsPerHour + *minute * kMsPerMinute);
}

struct Unit {
  std::string_view name;
  DurationMs length;
};
constexpr std::array<Unit, 6> kUnits = {{{"w", 7 * kMsPerDay},
                                         {"d", kMsPerDay},
                                         {"h", kMsPerHour},
                                         {"m", kMsPerMinute},
                                         {"s", kMsPerSecond},
                                         {"ms", 1}}};

}  // namespace

int64_t DaysFromCivil(CivilDate date) {
  const int64_t y = date.year - (date.month <= 2);
  const int64_t era = FloorDiv(y, 400);
  const int64_t year_of_era = y - era * 400;
  const int64_t day_of_year =
      (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

CivilDate CivilFromDays(int64_t days) {
  days += 719468;
  const int64_t era = FloorDiv(days, 146097);
  const int64_t day_of_era = days - era * 146097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted_month = (5 * day_of_year + 2) / 153;
  const int day = static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
  const int month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  return {static_cast<int>(year_of_era + era * 400 + (month <= 2)), month, day};
}

int Weekday(TimeMs time) {
  constexpr int64_t kThursday = 3;  // 1970-01-01
  const int64_t day = FloorDiv(time, kMsPerDay) + kThursday;
  return static_cast<int>(day - FloorDiv(day, 7) * 7);
}

CivilDate DateOf(TimeMs time) { return CivilFromDays(FloorDiv(time, kMsPerDay)); }

TimeMs StartOfDate(CivilDate date) { return DaysFromCivil(date) * kMsPerDay; }

bool IsValidDate(CivilDate date) {
  if (date.month < 1 || date.month > 12 || date.day < 1 || date.day > 31) return false;
  return CivilFromDays(DaysFromCivil(date)) == date;
}

std::string FormatTime(TimeMs time) {
  const CivilDate date = DateOf(time);
  // Not time - StartOfDate(date): the first day that 64 bits reach begins before they do.
  const int64_t clock = (time % kMsPerDay + kMsPerDay) % kMsPerDay;
  const int64_t milliseconds = clock % kMsPerSecond;
  std::string text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", date.year, date.month, date.day,
                  clock / kMsPerHour, clock / kMsPerMinute % 60, clock / kMsPerSecond % 60);
  if (milliseconds != 0) text += fmt::format(".{:03}", milliseconds);
  return text + "Z";
}

std::string FormatDate(TimeMs time) {
  const CivilDate date = DateOf(time);
  return fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day);
}

std::string FormatDuration(DurationMs duration) {
  if (duration == std::numeric_limits<DurationMs>::min()) ++duration;  // has no positive twin
  if (duration < 0) return "-" + FormatDuration(-duration);
  std::string text;
  int parts = 0;
  for (const Unit& unit : kUnits) {
    if (unit.name == "w" || (unit.name == "ms" && parts > 0)) continue;
    const int64_t count = duration / unit.length;
    if (count == 0 && parts == 0) continue;
    duration -= count * unit.length;
    if (count > 0) text += fmt::format("{}{}{}", parts > 0 ? " " : "", count, unit.name);
    if (++parts == 2) break;
  }
  return text.empty() ? "0s" : text;
}

std::optional<TimeMs> ParseTime(std::string_view text) {
  const auto date = TakeDate(text);
  if (!date) return std::nullopt;
  const TimeMs midnight = StartOfDate(*date);
  if (text.empty()) return midnight;
  if (!TakeChar(text, 'T') && !TakeChar(text, ' ')) return std::nullopt;
  const auto clock = TakeClock(text);
  if (!clock) return std::nullopt;
  const auto offset = TakeZone(text);
  if (!offset || !text.empty()) return std::nullopt;
  return midnight + *clock - *offset;
}

std::optional<DurationMs> ParseDuration(std::string_view text) {
  int64_t count = 0;
  const char* last = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), last, count);
  if (error != std::errc() || count < 0) return std::nullopt;
  const std::string_view name(rest, static_cast<size_t>(last - rest));
  for (const Unit& unit : kUnits) {
    if (name != unit.name) continue;
    if (count > std::numeric_limits<int64_t>::max() / unit.length) return std::nullopt;
    return count * unit.length;
  }
  return std::nullopt;
}

TimeMs Now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace almanac
