#include "almanac/feature/frame.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "almanac/base/error.h"

namespace almanac {
namespace {

[[noreturn]] void ThrowBadBar(const SeriesKey& key, TimeMs time, std::string what,
                              std::string remedy) {
  throw Error(ErrorCode::kBadData, ToString(key) + " " + FormatTime(time), std::move(what),
              std::move(remedy));
}

void CheckSeries(const CandleSeries& series) {
  TimeMs before = kMinTime;
  for (size_t i = 0; i < series.size(); ++i) {
    CheckOrder(series.key, before, series.open_time[i]);
    CheckBar(series.key, series.At(i));
    before = series.open_time[i];
  }
}

// Leaves a series that it does not own where it is.
std::shared_ptr<const CandleSeries> Borrow(const CandleSeries& series) {
  return {std::shared_ptr<const CandleSeries>(), &series};
}

}  // namespace

void CheckBar(const SeriesKey& key, const Candle& bar) {
  const std::array<std::pair<const char*, double>, 4> prices = {
      {{"open", bar.open}, {"high", bar.high}, {"low", bar.low}, {"close", bar.close}}};
  for (const auto& [name, price] : prices) {
    if (std::isfinite(price) && price > 0) continue;
    ThrowBadBar(key, bar.open_time, fmt::format("{} is {}", name, price),
                "features need positive, finite prices; `almanac data audit` lists such bars");
  }
  if (std::isfinite(bar.volume) && bar.volume >= 0) return;
  ThrowBadBar(key, bar.open_time, fmt::format("volume is {}", bar.volume),
              "features need finite volumes that are not negative");
}

void CheckOrder(const SeriesKey& key, TimeMs before, TimeMs time) {
  if (time > before) return;
  ThrowBadBar(key, time, "the bar does not open after the one before, " + FormatTime(before),
              "give bars in order of time, each once");
}

std::vector<std::string> FrameKey::symbols() const {
  std::vector<std::string> names;
  for (const SeriesKey& one : series) names.push_back(one.symbol);
  return names;
}

std::string ToString(const FrameKey& key) {
  std::vector<std::string> names;
  for (const SeriesKey& one : key.series) names.push_back(ToString(one));
  return fmt::format("{}", fmt::join(names, ", "));
}

void CheckFrameKey(const FrameKey& key) {
  if (key.series.empty()) {
    throw Error(ErrorCode::kUsage, "frame", "no series", "give one or more");
  }
  std::set<std::string> symbols;
  for (const SeriesKey& one : key.series) {
    if (one.timeframe != key.timeframe()) {
      throw Error(ErrorCode::kUsage, "frame of " + ToString(key),
                  fmt::format("{} has bars of {}, {} of {}", one.symbol, one.timeframe.name(),
                              key.series.front().symbol, key.timeframe().name()),
                  "the series of a frame have one timeframe");
    }
    if (symbols.insert(one.symbol).second) continue;
    throw Error(ErrorCode::kUsage, "frame of " + ToString(key), one.symbol + " is there twice",
                "a frame has each symbol once");
  }
}

Frame::Frame(std::vector<CandleSeries> series, FrameRows rows, const Calendar* calendar) {
  key_.rows = rows;
  key_.calendar = calendar;
  for (CandleSeries& one : series) {
    key_.series.push_back(one.key);
    series_.push_back(std::make_shared<const CandleSeries>(std::move(one)));
  }
  CheckFrameKey(key_);
  for (const auto& one : series_) CheckSeries(*one);
  LayOut();
}

Frame::Frame(FrameKey key, std::vector<std::shared_ptr<const CandleSeries>> series)
    : key_(std::move(key)), series_(std::move(series)) {
  LayOut();
}

Frame Frame::Of(const std::vector<const CandleSeries*>& series, FrameRows rows,
                const Calendar* calendar) {
  FrameKey key{{}, rows, calendar, nullptr};
  std::vector<std::shared_ptr<const CandleSeries>> borrowed;
  for (const CandleSeries* one : series) {
    key.series.push_back(one->key);
    borrowed.push_back(Borrow(*one));
  }
  CheckFrameKey(key);
  for (const auto& one : borrowed) CheckSeries(*one);
  return {std::move(key), std::move(borrowed)};
}

void Frame::LayOut() {
  for (const auto& one : series_) {
    std::vector<TimeMs> merged;
    std::vector<TimeMs> known;
    for (size_t i = 0; i < one->size(); ++i) known.push_back(one->KnownAt(i));
    std::set_union(times_.begin(), times_.end(), known.begin(), known.end(),
                   std::back_inserter(merged));
    times_ = std::move(merged);
  }
  for (const auto& one : series_) {
    std::vector<int32_t> bars(times_.size(), kNoBar);
    size_t bar = 0;
    for (size_t t = 0; t < times_.size() && bar < one->size(); ++t) {
      if (one->KnownAt(bar) == times_[t]) bars[t] = static_cast<int32_t>(bar++);
    }
    bar_at_.push_back(std::move(bars));
  }
}

bool Frame::HasRow(size_t time) const {
  return key_.rows == FrameRows::kUnion ||
         std::all_of(bar_at_.begin(), bar_at_.end(),
                     [&](const std::vector<int32_t>& bars) { return bars[time] != kNoBar; });
}

std::vector<char> Frame::RowsWithin(size_t first, size_t count) const {
  std::vector<char> rows(count, 1);
  if (key_.rows == FrameRows::kUnion) return rows;
  for (size_t i = 0; i < count; ++i) rows[i] = HasRow(first + i) ? 1 : 0;
  return rows;
}

Frame Frame::FirstTimes(size_t count) const {
  std::vector<std::shared_ptr<const CandleSeries>> parts;
  for (size_t s = 0; s < series_.size(); ++s) {
    const auto none =
        std::count(bar_at_[s].begin(), bar_at_[s].begin() + static_cast<ptrdiff_t>(count), kNoBar);
    const size_t bars = count - static_cast<size_t>(none);
    parts.push_back(std::make_shared<const CandleSeries>(series_[s]->Slice(0, bars)));
  }
  FrameKey key = key_;
  if (key.observations != nullptr) {
    const TimeMs then = count == 0 ? kMinTime : times_[count - 1];
    key.observations = std::make_shared<const ObservationFeeds>(key.observations->KnownBy(then));
  }
  return Frame(std::move(key), std::move(parts));
}

}  // namespace almanac
