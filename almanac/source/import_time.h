// Times as data files write them: counts since 1970 in s, ms, us or ns, ISO 8601, or the compact
// date 20240131. One file writes all its times in one way, which is found out from its first lines;
// a time written otherwise further down is a bad one.
#ifndef ALMANAC_SOURCE_IMPORT_TIME_H_
#define ALMANAC_SOURCE_IMPORT_TIME_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/time.h"
#include "almanac/source/import.h"

namespace almanac {

// "milliseconds".
std::string NameOf(TimeUnit unit);

class TimeReader {
 public:
  // From the first times of a file: the way in which most of them are written. `unit` is the unit
  // of counts if it is known; otherwise it follows from their magnitude m:
  //   s [1e8, 1e11)   ms [1e11, 1e14)   us [1e14, 1e17)   ns [1e17, 9.2e18)
  // (as dates 1973 to 5138). Nothing if none of the samples is a time.
  static std::optional<TimeReader> Detect(const std::vector<std::string>& samples,
                                          std::optional<TimeUnit> unit);

  static TimeReader Iso() { return TimeReader(Kind::kIso, {}, false); }

  // Nothing if the text is not a time of this kind, has a fraction of a millisecond, or lies
  // outside the years 1900 to 2199.
  std::optional<TimeMs> Read(std::string_view text) const;
  // Why Read gave nothing.
  std::string WhyNot(std::string_view text) const;
  // Whether the text says a date without a time of day.
  bool IsDateOnly(std::string_view text) const;
  // Of counts.
  std::optional<TimeUnit> unit() const {
    return kind_ == Kind::kCount ? std::optional(unit_) : std::nullopt;
  }
  // "milliseconds", "ISO 8601", ...
  std::string name() const;

 private:
  enum class Kind { kCount, kIso, kCompactDate };
  TimeReader(Kind kind, TimeUnit unit, bool unit_known)
      : kind_(kind), unit_(unit), unit_known_(unit_known) {}

  static std::optional<TimeReader> Classify(std::string_view text, std::optional<TimeUnit> unit);
  std::optional<TimeMs> ReadCount(std::string_view text) const;
  friend bool operator==(const TimeReader&, const TimeReader&) = default;

  Kind kind_;
  TimeUnit unit_;
  bool unit_known_;  // given or named, not told by magnitude: any magnitude will do
};

}  // namespace almanac

#endif  // ALMANAC_SOURCE_IMPORT_TIME_H_
