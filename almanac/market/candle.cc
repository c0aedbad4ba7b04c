#include "almanac/market/candle.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace almanac {
namespace {

// Keeps an optional field as long as the series, or empty while no bar has it. `before` is the
// number of bars in front of the new one.
void AppendOptional(std::vector<double>& field, size_t before, double value) {
  if (field.empty() && std::isnan(value)) return;
  field.resize(before, Candle::kNotGiven);
  field.push_back(value);
}

template <typename T>
std::vector<T> Part(const std::vector<T>& field, size_t first, size_t last) {
  if (field.empty()) return {};
  const auto begin = field.begin();
  return {begin + static_cast<std::ptrdiff_t>(first), begin + static_cast<std::ptrdiff_t>(last)};
}

}  // namespace

const double Candle::kNotGiven = std::numeric_limits<double>::quiet_NaN();

std::string ToString(const SeriesKey& key) {
  return fmt::format("{} {} {}", key.market, key.symbol, key.timeframe.name());
}

Candle CandleSeries::At(size_t i) const {
  return {.open_time = open_time[i],
          .open = open[i],
          .high = high[i],
          .low = low[i],
          .close = close[i],
          .volume = volume[i],
          .trade_count = trade_count.empty() ? Candle::kNotGiven : trade_count[i],
          .vwap = vwap.empty() ? Candle::kNotGiven : vwap[i]};
}

void CandleSeries::Append(const Candle& candle) {
  const size_t before = size();
  open_time.push_back(candle.open_time);
  open.push_back(candle.open);
  high.push_back(candle.high);
  low.push_back(candle.low);
  close.push_back(candle.close);
  volume.push_back(candle.volume);
  AppendOptional(trade_count, before, candle.trade_count);
  AppendOptional(vwap, before, candle.vwap);
}

void CandleSeries::Reserve(size_t count) {
  open_time.reserve(count);
  for (auto* field : {&open, &high, &low, &close, &volume}) field->reserve(count);
}

CandleSeries CandleSeries::Slice(size_t first, size_t last) const {
  last = std::min(last, size());
  first = std::min(first, last);
  CandleSeries part;
  part.key = key;
  part.open_time = Part(open_time, first, last);
  part.open = Part(open, first, last);
  part.high = Part(high, first, last);
  part.low = Part(low, first, last);
  part.close = Part(close, first, last);
  part.volume = Part(volume, first, last);
  part.trade_count = Part(trade_count, first, last);
  part.vwap = Part(vwap, first, last);
  return part;
}

CandleSeries CandleSeries::Between(TimeMs from, TimeMs to) const {
  const auto first = std::ranges::lower_bound(open_time, from);
  const auto last = std::ranges::lower_bound(open_time, to);
  return Slice(static_cast<size_t>(first - open_time.begin()),
               static_cast<size_t>(last - open_time.begin()));
}

}  // namespace almanac
