#include "almanac/feature/clock.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "almanac/base/error.h"
#include "almanac/feature/window.h"

namespace almanac {
namespace {

size_t At(BarField field) { return static_cast<size_t>(field); }

const std::vector<int32_t>& EveryRow() {
  static const std::vector<int32_t> kRows = [] {
    std::vector<int32_t> rows(KernelGraph::kBlockRows);
    std::iota(rows.begin(), rows.end(), 0);
    return rows;
  }();
  return kRows;
}

size_t SymbolIndex(const FrameKey& frame, const std::string& symbol) {
  if (symbol.empty() && frame.series.size() == 1) return 0;
  for (size_t s = 0; s < frame.series.size(); ++s) {
    if (frame.series[s].symbol == symbol) return s;
  }
  throw Error(ErrorCode::kUsage, "features", fmt::format("no symbol \"{}\" in the frame", symbol),
              fmt::format("it has {}", fmt::join(frame.symbols(), ", ")));
}

}  // namespace

FrameReader::FrameReader(const Frame& frame, const std::vector<char>& wanted)
    : frame_(frame),
      wanted_(wanted),
      no_vwap_(KernelGraph::kBlockRows, Candle::kNotGiven),
      scratch_(frame.symbols()) {
  block_.symbols.resize(frame.symbols());
}

const RowBlock& FrameReader::Read(size_t first, size_t rows) {
  block_.rows = rows;
  block_.times = frame_.times().data() + first;
  known_at_.assign(block_.times, block_.times + rows);
  const auto duration = static_cast<double>(frame_.key().timeframe().duration());
  open_times_.resize(rows);
  std::transform(known_at_.begin(), known_at_.end(), open_times_.begin(),
                 [&](double known_at) { return known_at - duration; });
  for (size_t s = 0; s < frame_.symbols(); ++s) {
    if (wanted_[s] == 0) continue;
    const int32_t begin = frame_.BarAt(s, first);
    const int32_t end = frame_.BarAt(s, first + rows - 1);
    const bool whole = begin != Frame::kNoBar && end - begin == static_cast<int32_t>(rows) - 1;
    if (whole) {
      ReadWhole(s, static_cast<size_t>(begin));
    } else {
      Gather(s, first);
    }
  }
  return block_;
}

void FrameReader::ReadWhole(size_t symbol, size_t first_bar) {
  const CandleSeries& series = frame_.series(symbol);
  SymbolRows& rows = block_.symbols[symbol];
  rows.present = nullptr;
  rows.fields = {series.open.data() + first_bar,
                 series.high.data() + first_bar,
                 series.low.data() + first_bar,
                 series.close.data() + first_bar,
                 series.volume.data() + first_bar,
                 open_times_.data(),
                 known_at_.data(),
                 series.vwap.empty() ? no_vwap_.data() : series.vwap.data() + first_bar};
}

void FrameReader::Gather(size_t symbol, size_t first) {
  const CandleSeries& series = frame_.series(symbol);
  Scratch& scratch = scratch_[symbol];
  scratch.present.assign(block_.rows, 0);
  for (std::vector<double>& values : scratch.fields) values.assign(block_.rows, kUnknown);
  for (size_t row = 0; row < block_.rows; ++row) {
    const int32_t bar = frame_.BarAt(symbol, first + row);
    if (bar == Frame::kNoBar) continue;
    const auto i = static_cast<size_t>(bar);
    scratch.present[row] = 1;
    scratch.fields[At(BarField::kOpen)][row] = series.open[i];
    scratch.fields[At(BarField::kHigh)][row] = series.high[i];
    scratch.fields[At(BarField::kLow)][row] = series.low[i];
    scratch.fields[At(BarField::kClose)][row] = series.close[i];
    scratch.fields[At(BarField::kVolume)][row] = series.volume[i];
    if (!series.vwap.empty()) scratch.fields[At(BarField::kVwap)][row] = series.vwap[i];
  }
  SymbolRows& rows = block_.symbols[symbol];
  rows.present = scratch.present.data();
  for (size_t f = 0; f < kBarFields; ++f) rows.fields[f] = scratch.fields[f].data();
  rows.fields[At(BarField::kOpenTime)] = open_times_.data();
  rows.fields[At(BarField::kKnownAt)] = known_at_.data();
}

RowOfBars::RowOfBars(const FrameKey& key)
    : duration_(key.timeframe().duration()),
      values_(key.series.size()),
      present_(key.series.size()) {
  block_.rows = 1;
  block_.times = &time_;
  block_.symbols.resize(key.series.size());
  for (size_t s = 0; s < key.series.size(); ++s) {
    for (size_t f = 0; f < kBarFields; ++f) block_.symbols[s].fields[f] = &values_[s][f];
  }
}

const RowBlock& RowOfBars::Set(TimeMs time, std::span<const Candle* const> bars) {
  time_ = time;
  block_.times = &time_;
  for (size_t s = 0; s < bars.size(); ++s) {
    SymbolRows& rows = block_.symbols[s];
    present_[s] = bars[s] != nullptr ? 1 : 0;
    rows.present = bars[s] != nullptr ? nullptr : &present_[s];
    if (bars[s] == nullptr) continue;
    const Candle& bar = *bars[s];
    values_[s] = {bar.open,
                  bar.high,
                  bar.low,
                  bar.close,
                  bar.volume,
                  static_cast<double>(time - duration_),
                  static_cast<double>(time),
                  bar.vwap};
  }
  return block_;
}

FrameClock::FrameClock(const FrameKey& frame, const ClockKey& key)
    : symbols_{SymbolIndex(frame, key.symbol)},
      coarse_(key.timeframe.has_value()),
      base_(frame.timeframe()),
      timeframe_(key.timeframe.value_or(base_)),
      calendar_(frame.calendar) {
  if (!key.against.empty()) symbols_.push_back(SymbolIndex(frame, key.against));
  if (!timeframe_.IsMultipleOf(base_)) {
    throw Error(
        ErrorCode::kUsage, "features",
        fmt::format("{} bars do not consist of whole {} bars", timeframe_.name(), base_.name()),
        "give timeframes that are multiples of the frame's");
  }
  states_.resize(symbols_.size());
}

ClockBlock FrameClock::Run(const RowBlock& rows) {
  if (coarse_) return CoarseBars(rows);
  const bool whole = std::all_of(symbols_.begin(), symbols_.end(),
                                 [&](size_t s) { return rows.symbols[s].present == nullptr; });
  return whole ? PassThrough(rows) : CommonBars(rows);
}

ClockBlock FrameClock::PassThrough(const RowBlock& rows) {
  for (size_t k = 0; k < symbols_.size(); ++k) {
    const SymbolRows& symbol = rows.symbols[symbols_[k]];
    std::copy(symbol.fields.begin(), symbol.fields.end(), fields_.begin() + k * kBarFields);
  }
  return {rows.rows, fields_.data(), EveryRow().data(), EveryRow().data()};
}

ClockBlock FrameClock::CommonBars(const RowBlock& rows) {
  row_of_tick_.clear();
  tick_of_row_.assign(rows.rows, ClockBlock::kNothing);
  for (size_t row = 0; row < rows.rows; ++row) {
    const bool common = std::all_of(symbols_.begin(), symbols_.end(), [&](size_t s) {
      return rows.symbols[s].present == nullptr || rows.symbols[s].present[row] != 0;
    });
    if (!common) continue;
    tick_of_row_[row] = static_cast<int32_t>(row_of_tick_.size());
    row_of_tick_.push_back(static_cast<int32_t>(row));
  }
  for (size_t k = 0; k < symbols_.size(); ++k) {
    for (size_t f = 0; f < kBarFields; ++f) {
      const double* from = rows.symbols[symbols_[k]].fields[f];
      std::vector<double>& values = values_[k * kBarFields + f];
      values.clear();
      for (const int32_t row : row_of_tick_) values.push_back(from[row]);
    }
  }
  return Collected();
}

ClockBlock FrameClock::Collected() {
  ClockBlock block;
  block.ticks = row_of_tick_.size();
  block.row_of_tick = row_of_tick_.data();
  block.tick_of_row = tick_of_row_.data();
  for (size_t f = 0; f < values_.size(); ++f) fields_[f] = values_[f].data();
  block.fields = fields_.data();
  return block;
}

ClockBlock FrameClock::CoarseBars(const RowBlock& rows) {
  row_of_tick_.clear();
  tick_of_row_.resize(rows.rows);
  for (std::vector<double>& values : values_) values.clear();
  for (size_t row = 0; row < rows.rows; ++row) {
    const TimeMs now = rows.times[row];
    // A calendar's last bar before a pause is complete before its close.
    Release(now, static_cast<int32_t>(row));
    for (size_t k = 0; k < symbols_.size(); ++k) {
      const SymbolRows& symbol = rows.symbols[symbols_[k]];
      if (symbol.present == nullptr || symbol.present[row] != 0) AddBar(states_[k], symbol, row);
    }
    Release(now, static_cast<int32_t>(row));
    if (!Holds(now)) {
      tick_of_row_[row] = ClockBlock::kNothing;
    } else if (row_of_tick_.empty()) {
      tick_of_row_[row] = ClockBlock::kCarried;
    } else {
      tick_of_row_[row] = static_cast<int32_t>(row_of_tick_.size()) - 1;
    }
  }
  return Collected();
}

void FrameClock::AddBar(Coarse& coarse, const SymbolRows& rows, size_t row) {
  const auto value = [&](BarField field) { return rows.fields[At(field)][row]; };
  const auto open_time = static_cast<TimeMs>(value(BarField::kOpenTime));
  if (calendar_ != nullptr && !calendar_->IsExpected(base_, base_.Floor(open_time))) return;
  const TimeMs open = timeframe_.Floor(open_time);
  if (open != coarse.open) {
    coarse.open = open;
    coarse.merger = CandleMerger();
    const TimeMs end = open + timeframe_.duration();
    coarse.expected = calendar_ != nullptr ? calendar_->CountExpected(base_, open, end)
                                           : timeframe_.duration() / base_.duration();
  }
  Candle bar;
  bar.open_time = open_time;
  bar.open = value(BarField::kOpen);
  bar.high = value(BarField::kHigh);
  bar.low = value(BarField::kLow);
  bar.close = value(BarField::kClose);
  bar.volume = value(BarField::kVolume);
  bar.vwap = value(BarField::kVwap);
  coarse.merger.Add(bar);
  if (coarse.merger.count() != coarse.expected) return;
  coarse.ready = coarse.merger.Finish(open);
  coarse.is_ready = 1;
}

void FrameClock::Release(TimeMs now, int32_t row) {
  const TimeMs open = states_.front().ready.open_time;
  for (const Coarse& coarse : states_) {
    if (coarse.is_ready == 0 || coarse.ready.open_time != open) return;
  }
  if (open + timeframe_.duration() > now) return;
  AppendTick(row);
  for (Coarse& coarse : states_) coarse.is_ready = 0;
  last_tick_ = open;
}

void FrameClock::AppendTick(int32_t row) {
  row_of_tick_.push_back(row);
  for (size_t k = 0; k < states_.size(); ++k) {
    const Candle& bar = states_[k].ready;
    const std::array<double, kBarFields> fields = {
        bar.open,
        bar.high,
        bar.low,
        bar.close,
        bar.volume,
        static_cast<double>(bar.open_time),
        static_cast<double>(bar.open_time + timeframe_.duration()),
        bar.vwap};
    for (size_t f = 0; f < kBarFields; ++f) values_[k * kBarFields + f].push_back(fields[f]);
  }
}

// Whether no bar of the timeframe should have closed since the last tick.
bool FrameClock::Holds(TimeMs now) {
  if (last_tick_ == kMinTime) return false;
  const TimeMs closed = timeframe_.Floor(now);
  const TimeMs next = last_tick_ + timeframe_.duration();
  if (calendar_ == nullptr) return closed < next + timeframe_.duration();
  if (closed != asked_ || last_tick_ != asked_tick_) {
    asked_ = closed;
    asked_tick_ = last_tick_;
    const TimeMs last = closed - timeframe_.duration();
    answer_ = last < next || calendar_->CountExpected(timeframe_, next, last + 1) == 0;
  }
  return answer_;
}

void FrameClock::SaveState(StateWriter& writer) const {
  writer.Bytes(states_.data(), states_.size() * sizeof(Coarse));
  writer.Bytes(&last_tick_, sizeof(last_tick_));
}

void FrameClock::LoadState(StateReader& reader) {
  static_assert(std::is_trivially_copyable_v<Coarse>);
  reader.Bytes(states_.data(), states_.size() * sizeof(Coarse));
  reader.Bytes(&last_tick_, sizeof(last_tick_));
}

}  // namespace almanac
