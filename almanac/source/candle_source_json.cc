#include "almanac/source/candle_source_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/secret.h"
#include "almanac/base/text.h"

namespace almanac {
namespace {

constexpr size_t kShownBytes = 80;

std::string Shown(const std::string& text) {
  std::string line;
  for (const char c : text.substr(0, kShownBytes)) {
    line += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return Redact(text.size() > kShownBytes ? line + "..." : line);
}

std::string Shown(const Json& value) {
  return Shown(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

// NaN counts as equal to NaN: a field that both bars lack.
bool Same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

bool Same(const Candle& a, const Candle& b) {
  return Same(a.open, b.open) && Same(a.high, b.high) && Same(a.low, b.low) &&
         Same(a.close, b.close) && Same(a.volume, b.volume) && Same(a.trade_count, b.trade_count) &&
         Same(a.vwap, b.vwap);
}

}  // namespace

void ThrowBadAnswer(const std::string& where, const std::string& what) {
  throw Error(ErrorCode::kBadData, where, what,
              "if it stays so, the service has changed or the base URL is not the service's own");
}

Json ParseAnswer(const std::string& body, const std::string& where) {
  try {
    return Json::parse(body);
  } catch (const Json::parse_error& error) {
    if (Trim(body).empty()) ThrowBadAnswer(where, "the answer is empty");
    const bool cut = error.byte > body.size();
    ThrowBadAnswer(where,
                   cut ? fmt::format("the answer is cut off after {} bytes", body.size())
                       : fmt::format("the answer is not JSON (byte {} of {}); it begins \"{}\"",
                                     error.byte, body.size(), Shown(body)));
  }
}

BarReader::BarReader(const Json& bar, const std::string& where, size_t index)
    : bar_(bar), where_(where), index_(index) {}

void BarReader::Throw(const std::string& what) const {
  ThrowBadAnswer(where_, fmt::format("bar {} of the answer: {}", index_ + 1, what));
}

const Json& BarReader::Field(std::string_view field) const {
  if (!bar_.is_object()) Throw(fmt::format("expected an object, found {}", Shown(bar_)));
  const auto found = bar_.find(std::string(field));
  if (found == bar_.end()) Throw(fmt::format("field '{}' is missing", field));
  return *found;
}

const Json& BarReader::At(size_t place) const {
  if (!bar_.is_array()) Throw(fmt::format("expected a list, found {}", Shown(bar_)));
  if (place >= bar_.size()) {
    Throw(fmt::format("it has {} fields, field {} is missing", bar_.size(), place + 1));
  }
  return bar_[place];
}

double BarReader::Number(std::string_view field) const {
  const Json& value = Field(field);
  if (!value.is_number() || !std::isfinite(value.get<double>())) {
    Throw(fmt::format("field '{}' must be a number, found {}", field, Shown(value)));
  }
  return value.get<double>();
}

double BarReader::OptionalNumber(std::string_view field) const {
  const auto found = bar_.find(std::string(field));
  if (found == bar_.end() || found->is_null()) return Candle::kNotGiven;
  return Number(field);
}

int64_t BarReader::Integer(std::string_view field) const {
  const Json& value = Field(field);
  if (!value.is_number_integer()) {
    Throw(fmt::format("field '{}' must be a whole number, found {}", field, Shown(value)));
  }
  return value.get<int64_t>();
}

std::string BarReader::Text(std::string_view field) const {
  const Json& value = Field(field);
  if (!value.is_string())
    Throw(fmt::format("field '{}' must be text, found {}", field, Shown(value)));
  return value.get<std::string>();
}

Candle BarReader::LetteredBar(TimeMs open_time) const {
  Candle bar;
  bar.open_time = open_time;
  bar.open = Number("o");
  bar.high = Number("h");
  bar.low = Number("l");
  bar.close = Number("c");
  bar.volume = Number("v");
  bar.trade_count = OptionalNumber("n");
  bar.vwap = OptionalNumber("vw");
  return bar;
}

double BarReader::Number(size_t place) const {
  const Json& value = At(place);
  std::optional<double> number;
  if (value.is_string()) number = ParseDouble(value.get_ref<const std::string&>());
  if (value.is_number()) number = value.get<double>();
  if (!number || !std::isfinite(*number)) {
    Throw(fmt::format("field {} must be a number, found {}", place + 1, Shown(value)));
  }
  return *number;
}

int64_t BarReader::Integer(size_t place) const {
  const Json& value = At(place);
  if (!value.is_number_integer()) {
    Throw(fmt::format("field {} must be a whole number, found {}", place + 1, Shown(value)));
  }
  return value.get<int64_t>();
}

CandleSeries SeriesOfAnswer(const SeriesKey& key, std::vector<Candle> bars, TimeMs from, TimeMs to,
                            const std::string& where) {
  std::stable_sort(bars.begin(), bars.end(),
                   [](const Candle& a, const Candle& b) { return a.open_time < b.open_time; });
  CandleSeries series;
  series.key = key;
  const Candle* previous = nullptr;
  for (const Candle& bar : bars) {
    if (bar.open_time < from || bar.open_time >= to) continue;
    if (previous != nullptr && previous->open_time == bar.open_time) {
      if (Same(*previous, bar)) continue;
      ThrowBadAnswer(where, fmt::format("{} has two different bars at {}", ToString(key),
                                        FormatTime(bar.open_time)));
    }
    if (key.timeframe.duration() < kMsPerDay &&
        key.timeframe.Floor(bar.open_time) != bar.open_time) {
      ThrowBadAnswer(where, fmt::format("{} has a bar at {}, where no {} bar opens", ToString(key),
                                        FormatTime(bar.open_time), key.timeframe.name()));
    }
    series.Append(bar);
    previous = &bar;
  }
  return series;
}

}  // namespace almanac
