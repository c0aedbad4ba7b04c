// Reading the vendors' JSON answers: every value is checked, and an answer that is not what the
// vendor documents becomes Error(kBadData) that names the request, the bar and the field.
#ifndef ALMANAC_SOURCE_CANDLE_SOURCE_JSON_H_
#define ALMANAC_SOURCE_CANDLE_SOURCE_JSON_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/base/time.h"
#include "almanac/market/candle.h"

namespace almanac {

// `where` is the request as errors show it.
Json ParseAnswer(const std::string& body, const std::string& where);

[[noreturn]] void ThrowBadAnswer(const std::string& where, const std::string& what);

// The bars of an answer, one after the other: "REQUEST: bar 3: field 'c' is missing".
class BarReader {
 public:
  BarReader(const Json& bar, const std::string& where, size_t index);

  double Number(std::string_view field) const;  // a finite JSON number
  // NaN if missing or null.
  double OptionalNumber(std::string_view field) const;
  int64_t Integer(std::string_view field) const;
  std::string Text(std::string_view field) const;

  // The fields o, h, l, c, v and, where they are given, n (trades) and vw.
  Candle LetteredBar(TimeMs open_time) const;

  // For bars that are arrays; a number may come as text ("4261.48000000").
  double Number(size_t place) const;
  int64_t Integer(size_t place) const;

  [[noreturn]] void Throw(const std::string& what) const;

 private:
  const Json& Field(std::string_view field) const;
  const Json& At(size_t place) const;

  const Json& bar_;
  const std::string& where_;
  size_t index_;
};

// A vendor's bars as a series: sorted, what repeats exactly is dropped. Bars outside from <= open
// time < to are dropped. Throws Error(kBadData) if two bars of one time differ or if a bar of less
// than a day is off the timeframe's grid.
CandleSeries SeriesOfAnswer(const SeriesKey& key, std::vector<Candle> bars, TimeMs from, TimeMs to,
                            const std::string& where);

}  // namespace almanac

#endif  // ALMANAC_SOURCE_CANDLE_SOURCE_JSON_H_
