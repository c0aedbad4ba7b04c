#include "almanac/source/import_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "almanac/base/error.h"

namespace almanac {
namespace {

// Counts per millisecond as a ratio: seconds are 1000 ms each, nanoseconds 1/1,000,000 each.
struct UnitInfo {
  TimeUnit unit;
  std::string_view short_name, name;
  int64_t multiply, divide;
  int64_t from, to;  // magnitudes that can only be this unit
};
constexpr int64_t kTo = 9'200'000'000'000'000'000;
constexpr UnitInfo kUnits[] = {
    {TimeUnit::kSeconds, "s", "seconds", 1000, 1, 100'000'000, 100'000'000'000},
    {TimeUnit::kMilliseconds, "ms", "milliseconds", 1, 1, 100'000'000'000, 100'000'000'000'000},
    {TimeUnit::kMicroseconds, "us", "microseconds", 1, 1000, 100'000'000'000'000,
     100'000'000'000'000'000},
    {TimeUnit::kNanoseconds, "ns", "nanoseconds", 1, 1'000'000, 100'000'000'000'000'000, kTo}};

const UnitInfo& InfoOf(TimeUnit unit) { return kUnits[static_cast<size_t>(unit)]; }

const UnitInfo* UnitOfMagnitude(int64_t count) {
  const int64_t magnitude = count < 0 ? -count : count;
  for (const UnitInfo& info : kUnits) {
    if (magnitude >= info.from && magnitude < info.to) return &info;
  }
  return nullptr;
}

const TimeMs kFirstTime = StartOfDate({1900, 1, 1});
const TimeMs kEndTime = StartOfDate({2200, 1, 1});
bool IsPlausible(TimeMs time) { return time >= kFirstTime && time < kEndTime; }

// A count: its whole part, and its fraction in thousandths. `finer`: there is more than that.
struct Count {
  int64_t whole = 0;
  int64_t thousandths = 0;
  bool finer = false;
};

std::optional<Count> ReadDigits(std::string_view text) {
  Count count;
  const char* p = text.data();
  const char* const end = p + text.size();
  const auto [rest, error] = std::from_chars(p, end, count.whole);
  if (error != std::errc() || count.whole <= -kTo || count.whole >= kTo) return std::nullopt;
  if (rest == end) return count;
  if (*rest != '.') return std::nullopt;
  int64_t weight = 100;
  for (p = rest + 1; p != end; ++p, weight /= 10) {
    if (*p < '0' || *p > '9') return std::nullopt;
    count.thousandths += weight * (*p - '0');
    count.finer = count.finer || (weight == 0 && *p != '0');
  }
  if (text.front() == '-') count.thousandths = -count.thousandths;
  return count;
}

std::optional<TimeMs> ReadCompactDate(std::string_view text) {
  constexpr size_t kLength = 8;
  int number = 0;
  if (text.size() != kLength) return std::nullopt;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + kLength, number);
  if (error != std::errc() || rest != text.data() + kLength || number < 0) return std::nullopt;
  const CivilDate date{number / 10000, number / 100 % 100, number % 100};
  if (!IsValidDate(date)) return std::nullopt;
  return StartOfDate(date);
}

std::optional<TimeMs> ReadIso(std::string_view text) {
  constexpr std::string_view kZone = " UTC";
  if (text.ends_with(kZone)) text.remove_suffix(kZone.size());
  return ParseTime(text);
}

}  // namespace

TimeUnit ParseTimeUnit(const std::string& name) {
  for (const UnitInfo& info : kUnits) {
    if (name == info.short_name) return info.unit;
  }
  throw Error(ErrorCode::kUsage, "time unit", fmt::format("'{}' is not known", name),
              "use one of s, ms, us, ns");
}

std::string NameOf(TimeUnit unit) { return std::string(InfoOf(unit).name); }

std::optional<TimeReader> TimeReader::Classify(std::string_view text,
                                               std::optional<TimeUnit> unit) {
  if (const auto count = ReadDigits(text)) {
    if (unit) return TimeReader(Kind::kCount, *unit, true);
    const auto date = ReadCompactDate(text);
    if (date && IsPlausible(*date)) return TimeReader(Kind::kCompactDate, {}, false);
    const UnitInfo* info = UnitOfMagnitude(count->whole);
    if (info == nullptr) return std::nullopt;
    return TimeReader(Kind::kCount, info->unit, false);
  }
  if (ReadIso(text)) return TimeReader(Kind::kIso, {}, false);
  return std::nullopt;
}

std::optional<TimeReader> TimeReader::Detect(const std::vector<std::string>& samples,
                                             std::optional<TimeUnit> unit) {
  std::vector<std::pair<TimeReader, size_t>> votes;
  for (const std::string& sample : samples) {
    const auto reader = Classify(sample, unit);
    if (!reader) continue;
    auto vote = std::find_if(votes.begin(), votes.end(),
                             [&](const auto& known) { return known.first == *reader; });
    if (vote == votes.end()) vote = votes.insert(vote, {*reader, 0});
    ++vote->second;
  }
  if (votes.empty()) return std::nullopt;
  return std::max_element(votes.begin(), votes.end(),
                          [](const auto& a, const auto& b) { return a.second < b.second; })
      ->first;
}

std::optional<TimeMs> TimeReader::ReadCount(std::string_view text) const {
  const auto count = ReadDigits(text);
  if (!count || count->finer) return std::nullopt;
  const UnitInfo& info = InfoOf(unit_);
  if (!unit_known_) {
    const int64_t magnitude = count->whole < 0 ? -count->whole : count->whole;
    if (magnitude < info.from || magnitude >= info.to) return std::nullopt;
  }
  if (count->whole % info.divide != 0) return std::nullopt;
  if (unit_ == TimeUnit::kSeconds) {
    if (count->whole < kFirstTime / 1000 || count->whole >= kEndTime / 1000) return std::nullopt;
    return count->whole * info.multiply + count->thousandths;
  }
  if (count->thousandths != 0) return std::nullopt;
  return count->whole / info.divide;
}

std::optional<TimeMs> TimeReader::Read(std::string_view text) const {
  std::optional<TimeMs> time;
  switch (kind_) {
    case Kind::kCount:
      time = ReadCount(text);
      break;
    case Kind::kIso:
      time = ReadIso(text);
      break;
    case Kind::kCompactDate:
      time = ReadCompactDate(text);
      break;
  }
  return time && IsPlausible(*time) ? time : std::nullopt;
}

std::string TimeReader::WhyNot(std::string_view text) const {
  if (text.empty()) return "the time is missing";
  const auto other = Classify(text, unit_known_ ? std::optional(unit_) : std::nullopt);
  if (!other) {
    if (ReadDigits(text)) return fmt::format("the time {} is too small to tell its unit", text);
    return fmt::format("'{}' is not a time", text);
  }
  if (*other != *this) {
    return fmt::format("the time '{}' is written as {}, the file's first ones as {}", text,
                       other->name(), name());
  }
  if (kind_ == Kind::kCount) {
    const auto count = ReadDigits(text);
    const UnitInfo& info = InfoOf(unit_);
    if (count->finer || count->whole % info.divide != 0 ||
        (unit_ != TimeUnit::kSeconds && count->thousandths != 0)) {
      return fmt::format("the time {} has a fraction of a millisecond", text);
    }
  }
  return fmt::format("the time '{}' read as {} lies outside the years 1900 to 2199", text, name());
}

bool TimeReader::IsDateOnly(std::string_view text) const {
  constexpr size_t kDateLength = std::string_view("2024-01-31").size();
  return kind_ == Kind::kCompactDate || (kind_ == Kind::kIso && text.size() == kDateLength);
}

std::string TimeReader::name() const {
  if (kind_ == Kind::kIso) return "ISO 8601";
  if (kind_ == Kind::kCompactDate) return "a compact date";
  return NameOf(unit_);
}

}  // namespace almanac
