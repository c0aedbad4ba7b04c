// Features of a frame or of one series: all history at once, or bar by bar; the same bits either
// way.
//
// frame.h says which rows there are and what each of them uses; of one series, row i belongs to bar
// i and uses bars 0..i only. The time of a row is the instant from which all of it was known.
// Windows count bars, not time: where bars are missing, a window of n spans more than n times the
// timeframe. Warm-up rows are NaN.
//
// Prices must be positive and finite and volumes finite and not negative; otherwise
// Error(kBadData) that names symbol, time and value.
#ifndef ALMANAC_FEATURE_BUILD_H_
#define ALMANAC_FEATURE_BUILD_H_

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/time.h"
#include "almanac/feature/feature_set.h"
#include "almanac/feature/frame.h"
#include "almanac/lake/matrix.h"
#include "almanac/market/candle.h"

namespace almanac {

// Columns in memory: `columns[c][row]`.
struct FeatureTable {
  std::vector<TimeMs> index;  // row times, strictly increasing
  std::vector<MatrixColumn> names;
  std::vector<std::vector<float>> columns;

  size_t rows() const { return index.size(); }
};

// Computes in parallel over groups of columns, each in blocks of rows. The result does not depend
// on the number of threads nor on the block size. For more columns than memory holds: stream.h.
FeatureTable BuildFeatures(const FeatureSet& set, const Frame& frame);
FeatureTable BuildFeatures(const FeatureSet& set, const CandleSeries& series);

// The features of a frame as it goes on, one row or one block at a time.
class LiveFrame {
 public:
  // Binds the set to the frame's symbols.
  LiveFrame(const FeatureSet& set, const FrameKey& key);
  ~LiveFrame();
  LiveFrame(LiveFrame&&) noexcept;
  LiveFrame& operator=(LiveFrame&&) noexcept;

  // The next row: `bars[s]` is of the frame's symbol s, null where that symbol has none at this
  // time. All bars open at one time. Gives one value a column, valid until the next call; nothing
  // if the frame's rows are those that all symbols have and this is none. A bar that comes after
  // its row was made is lost to it: wait for all symbols as long as a decision can wait. Throws
  // Error(kBadData) for bars of two times, or one that does not open after the last row; the state
  // is then as it was.
  std::span<const float> Step(std::span<const Candle* const> bars);

  // The same for the times [first, last) of `frame`: `out[c]` receives one value for each of them
  // that has a row; returns how many. With `out` empty the values are dropped (catching up with
  // history).
  size_t Run(const Frame& frame, size_t first, size_t last, std::span<float* const> out);

  const FeatureSet& set() const;  // bound
  size_t columns() const;
  const FrameKey& key() const;
  // Of the last row; kMinTime before the first.
  TimeMs last_time() const;

  // Everything needed to go on later without replaying history. Restore throws Error(kBadData) if
  // the snapshot is damaged or belongs to another feature set or frame.
  std::string Snapshot() const;
  static LiveFrame Restore(const FeatureSet& set, const FrameKey& key, std::string_view snapshot);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The features of one series as it goes on: a LiveFrame of one symbol.
class LiveFeatures {
 public:
  LiveFeatures(const FeatureSet& set, const SeriesKey& key);

  // The row of `bar`, one value a column; valid until the next call. Throws Error(kBadData) for a
  // bar that does not open after the last one; the state is then as it was.
  std::span<const float> Step(const Candle& bar);

  // The same for the bars [first, last) of `series`: `out[c]` receives last - first values.
  // With `out` empty the values are dropped (catching up with history).
  void Run(const CandleSeries& series, size_t first, size_t last, std::span<float* const> out);

  size_t columns() const { return frame_.columns(); }
  const SeriesKey& key() const { return frame_.key().series.front(); }
  // Of the last bar seen; kMinTime before the first.
  TimeMs last_open_time() const;

  // As those of LiveFrame.
  std::string Snapshot() const { return frame_.Snapshot(); }
  static LiveFeatures Restore(const FeatureSet& set, const SeriesKey& key,
                              std::string_view snapshot);

 private:
  explicit LiveFeatures(LiveFrame frame) : frame_(std::move(frame)) {}
  LiveFrame frame_;
};

}  // namespace almanac

#endif  // ALMANAC_FEATURE_BUILD_H_
