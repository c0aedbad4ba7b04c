// A frame: the bars of one or more symbols of the same timeframe, laid on common rows.
//
// There is a row for every time at which the bar of any symbol is known (open time + timeframe).
// The row at time T uses, of every symbol, only bars known by T:
//
// - A column of a symbol's own bars takes one step at each bar of that symbol and is NaN in rows
//   where that bar is missing, never the value before. So it has the same bits as in a frame of
//   that symbol alone. Windows and lags count the symbol's bars.
// - A column of two symbols takes one step where both have a bar, and is NaN elsewhere: its returns
//   span the same time on both sides.
// - A column of a higher timeframe takes one step for each complete bar of it, made as Resample
//   makes it with IncompletePolicy::kDrop. It enters the first row at or after the close of that
//   bar (12:00 to 13:00 at 13:00, not before) and stays in the following rows until the next one
//   should have closed; if that one is incomplete, NaN follows. It does not depend on whether the
//   row has a bar of the symbol. Windows and lags count complete bars of the higher timeframe.
//
// Prices must be positive and finite and volumes finite and not negative; otherwise
// Error(kBadData) that names symbol, time and value.
#ifndef ALMANAC_FEATURE_FRAME_H_
#define ALMANAC_FEATURE_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "almanac/base/time.h"
#include "almanac/feature/observation.h"
#include "almanac/market/calendar.h"
#include "almanac/market/candle.h"

namespace almanac {

// Which rows columns have: all of them, or those in which every symbol has a bar. Either way every
// bar is seen by the windows of its symbol.
enum class FrameRows { kUnion, kIntersection };

// What a frame's columns depend on beside its bars.
struct FrameKey {
  std::vector<SeriesKey> series;  // of one timeframe, each symbol once
  FrameRows rows = FrameRows::kUnion;
  // Says which bars a higher timeframe's bar consists of. Not owned; nullptr: 24/7.
  const Calendar* calendar = nullptr;
  // What columns of observations read; null: nothing. A feed may grow while a LiveFrame goes on.
  std::shared_ptr<const ObservationFeeds> observations = nullptr;

  Timeframe timeframe() const { return series.front().timeframe; }
  std::vector<std::string> symbols() const;
};
// "binance-spot BTCUSDT 5m, binance-spot ETHUSDT 5m"
std::string ToString(const FrameKey& key);
// Throws Error(kUsage) for no series, two timeframes, or a symbol that is there twice.
void CheckFrameKey(const FrameKey& key);

class Frame {
 public:
  static constexpr int32_t kNoBar = -1;

  // Throws Error(kUsage) as CheckFrameKey, Error(kBadData) for bars out of order or with values
  // that features cannot take.
  explicit Frame(std::vector<CandleSeries> series, FrameRows rows = FrameRows::kUnion,
                 const Calendar* calendar = nullptr);
  // The same of series that are not copied and must outlive the frame.
  static Frame Of(const std::vector<const CandleSeries*>& series,
                  FrameRows rows = FrameRows::kUnion, const Calendar* calendar = nullptr);
  static Frame Of(const CandleSeries& series) { return Of({&series}); }

  void SetObservations(std::shared_ptr<const ObservationFeeds> observations) {
    key_.observations = std::move(observations);
  }

  const FrameKey& key() const { return key_; }
  size_t symbols() const { return series_.size(); }
  const CandleSeries& series(size_t symbol) const { return *series_[symbol]; }

  // All times at which any bar is known, strictly increasing.
  const std::vector<TimeMs>& times() const { return times_; }
  // Which bar of the symbol is known at exactly that time; kNoBar if none.
  int32_t BarAt(size_t symbol, size_t time) const { return bar_at_[symbol][time]; }
  // Whether columns have a row at that time (all times have if key().rows is kUnion), and the same
  // for each of some times.
  bool HasRow(size_t time) const;
  std::vector<char> RowsWithin(size_t first, size_t count) const;

  // What was known at the first `count` times: the frame as it was then, observations included.
  Frame FirstTimes(size_t count) const;

 private:
  Frame(FrameKey key, std::vector<std::shared_ptr<const CandleSeries>> series);
  void LayOut();

  FrameKey key_;
  std::vector<std::shared_ptr<const CandleSeries>> series_;
  std::vector<TimeMs> times_;
  std::vector<std::vector<int32_t>> bar_at_;
};

// One bar's prices and volume as the comment above asks for; `key` names the series in the error.
void CheckBar(const SeriesKey& key, const Candle& bar);
// Throws Error(kBadData) unless `time` lies after `before`.
void CheckOrder(const SeriesKey& key, TimeMs before, TimeMs time);

}  // namespace almanac

#endif  // ALMANAC_FEATURE_FRAME_H_
