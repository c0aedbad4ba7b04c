// Features of a series: all history at once, or bar by bar; the same bits either way.
//
// Row i of every column belongs to bar i and uses bars 0..i only. Its time is KnownAt(i), the
// instant from which all of the row was known. Windows count bars, not time: where bars are
// missing, a window of n spans more than n times the timeframe. Warm-up rows are NaN.
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
// on the number of threads nor on the block size.
FeatureTable BuildFeatures(const FeatureSet& set, const CandleSeries& series);

// The features of one series as it goes on, one bar or one block at a time.
class LiveFeatures {
 public:
  LiveFeatures(const FeatureSet& set, const SeriesKey& key);
  ~LiveFeatures();
  LiveFeatures(LiveFeatures&&) noexcept;
  LiveFeatures& operator=(LiveFeatures&&) noexcept;

  // The row of `bar`, one value a column; valid until the next call. Throws Error(kBadData) for a
  // bar that does not open after the last one; the state is then as it was.
  std::span<const float> Step(const Candle& bar);

  // The same for the bars [first, last) of `series`: `out[c]` receives last - first values.
  // With `out` empty the values are dropped (catching up with history).
  void Run(const CandleSeries& series, size_t first, size_t last, std::span<float* const> out);

  size_t columns() const;
  const SeriesKey& key() const;
  // Of the last bar seen; kMinTime before the first.
  TimeMs last_open_time() const;

  // Everything needed to go on later without replaying history. Restore throws Error(kBadData) if
  // the snapshot is damaged or belongs to another feature set or series.
  std::string Snapshot() const;
  static LiveFeatures Restore(const FeatureSet& set, const SeriesKey& key,
                              std::string_view snapshot);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace almanac

#endif  // ALMANAC_FEATURE_BUILD_H_
