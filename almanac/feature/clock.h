// The ticks of clocks from the rows of a frame: a symbol's own bars, the bars that two symbols have
// in common, and the bars of higher timeframes, each as soon as it is closed. frame.h says which
// rows carry what. History and the live bar go the same way, row by row. Inside this room.
#ifndef ALMANAC_FEATURE_CLOCK_H_
#define ALMANAC_FEATURE_CLOCK_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "almanac/feature/frame.h"
#include "almanac/feature/graph.h"
#include "almanac/feature/state.h"
#include "almanac/market/candle_merger.h"

namespace almanac {

// A symbol's bars in a block of rows.
struct SymbolRows {
  std::array<const double*, kBarFields> fields{};  // a value a row
  const char* present = nullptr;  // whether the row has a bar; nullptr: every row has
};

struct RowBlock {
  size_t rows = 0;
  const TimeMs* times = nullptr;
  std::vector<SymbolRows> symbols;  // of those that the reader was asked for
};

// Reads blocks of rows of a frame.
class FrameReader {
 public:
  // `wanted[s]`: whether the bars of symbol s are needed. The frame must outlive the reader.
  FrameReader(const Frame& frame, const std::vector<char>& wanted);

  // Valid until the next call. At most KernelGraph::kBlockRows rows.
  const RowBlock& Read(size_t first, size_t rows);

 private:
  struct Scratch {
    std::array<std::vector<double>, kBarFields> fields;
    std::vector<char> present;
  };
  void ReadWhole(size_t symbol, size_t first_bar);
  void Gather(size_t symbol, size_t first);

  const Frame& frame_;
  std::vector<char> wanted_;
  std::vector<double> known_at_, open_times_, no_vwap_;
  std::vector<Scratch> scratch_;  // by symbol
  RowBlock block_;
};

// One row of bars as a block; `bars[s]` is null where the symbol has none.
class RowOfBars {
 public:
  explicit RowOfBars(const FrameKey& key);
  const RowBlock& Set(TimeMs time, std::span<const Candle* const> bars);

 private:
  DurationMs duration_;
  TimeMs time_ = 0;
  std::vector<std::array<double, kBarFields>> values_;
  std::vector<char> present_;
  RowBlock block_;
};

class FrameClock {
 public:
  // Throws Error(kUsage) for a symbol that the frame lacks, or a timeframe that does not consist of
  // whole bars of the frame's.
  FrameClock(const FrameKey& frame, const ClockKey& key);

  const std::vector<size_t>& symbols() const { return symbols_; }
  // The ticks of the next block of rows; valid until the next call.
  ClockBlock Run(const RowBlock& rows);

  void SaveState(StateWriter& writer) const;
  void LoadState(StateReader& reader);

 private:
  // A higher timeframe's bar of one symbol.
  struct Coarse {
    TimeMs open = kMinTime;
    int64_t expected = 0;  // bars of the frame that it consists of
    CandleMerger merger;
    int64_t is_ready = 0;  // `ready` is complete and waits for its close
    Candle ready;
  };

  ClockBlock PassThrough(const RowBlock& rows);
  ClockBlock CommonBars(const RowBlock& rows);
  ClockBlock CoarseBars(const RowBlock& rows);
  void AddBar(Coarse& coarse, const SymbolRows& rows, size_t row);
  void Release(TimeMs now, int32_t row);
  void AppendTick(int32_t row);
  bool Holds(TimeMs now);
  ClockBlock Collected();

  std::vector<size_t> symbols_;
  bool coarse_ = false;
  Timeframe base_, timeframe_;
  const Calendar* calendar_;  // null: 24/7

  std::vector<Coarse> states_;   // by place in symbols_
  TimeMs last_tick_ = kMinTime;  // open time of the last coarse bar
  // What Holds found last: that of the time now - now % timeframe.
  TimeMs asked_ = kMinTime, asked_tick_ = kMinTime;
  bool answer_ = false;

  // The ticks of the block.
  std::array<std::vector<double>, 2 * kBarFields> values_;
  std::array<const double*, 2 * kBarFields> fields_{};
  std::vector<int32_t> row_of_tick_, tick_of_row_;
};

}  // namespace almanac

#endif  // ALMANAC_FEATURE_CLOCK_H_
