#include "almanac/source/bar_spill.h"

#include <gtest/gtest.h>

#include <vector>

namespace almanac {
namespace {

CandleSeries Series(size_t bars, double first, bool with_count, bool with_vwap) {
  CandleSeries series;
  for (size_t i = 0; i < bars; ++i) {
    const double value = first + static_cast<double>(i);
    series.open_time.push_back(static_cast<TimeMs>(i) * 60'000 - 1'000'000);
    series.open.push_back(value);
    series.high.push_back(value + 0.1);
    series.low.push_back(value + 0.2);
    series.close.push_back(value + 0.3);
    series.volume.push_back(value + 0.4);
    if (with_count) series.trade_count.push_back(value + 0.5);
    if (with_vwap) series.vwap.push_back(value + 0.6);
  }
  return series;
}

TEST(BarSpill, GivesBackWhatItWasGivenInAnyOrder) {
  BarSpill spill;
  std::vector<CandleSeries> given;
  std::vector<BarSpill::Place> places;
  for (int i = 0; i < 8; ++i) {
    given.push_back(Series(static_cast<size_t>(1 + 1000 * i), 10.0 * i, i % 2 == 0, i % 3 == 0));
    places.push_back(spill.Write(given.back(), 0, given.back().size()));
  }
  for (const size_t i : {5, 0, 7, 3, 1, 2, 6, 4, 5}) {
    const CandleSeries back = spill.Read(places[i]);
    EXPECT_EQ(back.open_time, given[i].open_time);
    EXPECT_EQ(back.open, given[i].open);
    EXPECT_EQ(back.high, given[i].high);
    EXPECT_EQ(back.low, given[i].low);
    EXPECT_EQ(back.close, given[i].close);
    EXPECT_EQ(back.volume, given[i].volume);
    EXPECT_EQ(back.trade_count, given[i].trade_count);
    EXPECT_EQ(back.vwap, given[i].vwap);
  }
}

TEST(BarSpill, TakesAPartOfASeries) {
  BarSpill spill;
  const CandleSeries given = Series(100, 1, true, false);
  spill.Write(given, 0, 17);
  const CandleSeries back = spill.Read(spill.Write(given, 40, 43));
  EXPECT_EQ(back.open_time, given.Slice(40, 43).open_time);
  EXPECT_EQ(back.trade_count, given.Slice(40, 43).trade_count);
  EXPECT_EQ(back.volume, given.Slice(40, 43).volume);
  EXPECT_TRUE(back.vwap.empty());
}

}  // namespace
}  // namespace almanac
