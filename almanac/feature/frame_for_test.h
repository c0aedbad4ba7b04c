// Frames of random series, for the tests of this room.
#ifndef ALMANAC_FEATURE_FRAME_FOR_TEST_H_
#define ALMANAC_FEATURE_FRAME_FOR_TEST_H_

#include <bit>
#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "almanac/feature/frame.h"
#include "almanac/feature/random_series_for_test.h"

namespace almanac {

// 30-minute bars of `symbol`; after about `gap_every` bars some are missing.
inline CandleSeries SeriesOf(const std::string& symbol, size_t bars, uint64_t seed,
                             uint64_t gap_every = 0) {
  CandleSeries series = RandomSeries(bars, seed, 100, gap_every);
  series.key.symbol = symbol;
  return series;
}

// BTC, ETH and SOL, each with gaps of its own.
inline std::vector<CandleSeries> ThreeSeries(size_t bars, uint64_t seed, uint64_t gap_every = 25) {
  return {SeriesOf("BTC", bars, seed, gap_every), SeriesOf("ETH", bars, seed + 1, gap_every),
          SeriesOf("SOL", bars, seed + 2, gap_every)};
}

inline std::vector<uint32_t> BitsOf(std::span<const float> values) {
  std::vector<uint32_t> bits;
  for (const float value : values) {
    bits.push_back(std::isnan(value) ? 0x7fc00000U : std::bit_cast<uint32_t>(value));
  }
  return bits;
}

}  // namespace almanac

#endif  // ALMANAC_FEATURE_FRAME_FOR_TEST_H_
