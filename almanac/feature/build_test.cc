#include "almanac/feature/build.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <functional>
#include <set>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/base/random.h"
#include "almanac/feature/every_family_for_test.h"
#include "almanac/feature/family.h"
#include "almanac/feature/random_series_for_test.h"
#include "almanac/feature/window.h"
#include "almanac/market/real_data_for_test.h"

namespace almanac {
namespace {

using ::testing::HasSubstr;

std::vector<uint32_t> Bits(std::span<const float> values) {
  std::vector<uint32_t> bits;
  for (const float value : values) {
    bits.push_back(std::isnan(value) ? 0x7fc00000U : std::bit_cast<uint32_t>(value));
  }
  return bits;
}

void ExpectSame(const FeatureTable& a, const FeatureTable& b) {
  ASSERT_EQ(a.columns.size(), b.columns.size());
  EXPECT_EQ(a.index, b.index);
  for (size_t c = 0; c < a.columns.size(); ++c) {
    EXPECT_EQ(Bits(a.columns[c]), Bits(b.columns[c])) << a.names[c].name;
  }
}

// History through `live` in blocks of the sizes that `next` gives.
FeatureTable Replay(LiveFeatures& live, const CandleSeries& series, size_t first,
                    const std::function<size_t()>& next) {
  FeatureTable table;
  table.columns.resize(live.columns());
  while (first < series.size()) {
    const size_t size = std::min(series.size() - first, next());
    std::vector<float*> places;
    for (std::vector<float>& column : table.columns) {
      column.resize(column.size() + size);
      places.push_back(column.data() + column.size() - size);
    }
    live.Run(series, first, first + size, places);
    first += size;
  }
  return table;
}

// What a value waits for may be an event (a gap, a swing, a new month) and not a number of bars.
std::set<std::string> FamiliesOfEvents() {
  std::set<std::string> names;
  for (const Family& family : AllFamilies()) {
    const bool of_events = family.info.group == "temporal" || family.info.group == "structure";
    if (of_events && family.unbounded_memory) names.insert(family.info.name);
  }
  return names;
}

TEST(Build, WarmUpIsNaNAndTheRestIsKnown) {
  const FeatureSet set = EveryFamily({1, 2, 30});
  const CandleSeries series = RandomSeries(1000, 1, 100, 20);
  const std::set<std::string> of_events = FamiliesOfEvents();
  const FeatureTable table = BuildFeatures(set, series);
  const std::vector<FeatureInfo> infos = set.Columns();
  for (size_t c = 0; c < infos.size(); ++c) {
    const auto warm_up = static_cast<size_t>(infos[c].look_back - 1);
    size_t known = 0;
    for (size_t row = 0; row < table.rows(); ++row) {
      if (!std::isnan(table.columns[c][row])) ++known;
      ASSERT_TRUE(row >= warm_up || known == 0) << infos[c].name << " row " << row;
    }
    // Windows of one or two bars may hold no range or movement to divide by.
    const auto& parameters = infos[c].spec.parameters;
    const bool degenerate = !parameters.empty() && parameters.front().second <= 2;
    EXPECT_GT(known, 0U) << infos[c].name;
    if (!degenerate && !of_events.contains(infos[c].spec.family)) {
      EXPECT_EQ(known, table.rows() - warm_up) << infos[c].name;
    }
    EXPECT_EQ(table.names[c].name, infos[c].name);
    EXPECT_EQ(table.names[c].unit, infos[c].unit);
  }
  for (size_t row = 0; row < table.rows(); ++row) {
    ASSERT_EQ(table.index[row], series.open_time[row] + 30 * kMsPerMinute);
  }
}

TEST(Build, UndefinedValuesAreNaN) {
  CandleSeries flat = RandomSeries(20, 1);
  for (size_t i = 0; i < flat.size(); ++i) {
    flat.open[i] = flat.high[i] = flat.low[i] = flat.close[i] = 7;
    flat.volume[i] = 0;
  }
  std::vector<FeatureSpec> specs;
  for (const auto& families :
       {ReturnFamilies(), TrendFamilies(), VolatilityFamilies(), VolumeFamilies()}) {
    for (const Family& family : families) specs.push_back({family.info.name, {{"window", 3}}});
  }
  const FeatureSet set(std::move(specs));
  const FeatureTable table = BuildFeatures(set, flat);
  for (size_t c = 0; c < set.size(); ++c) {
    const std::string& family = set.specs()[c].family;
    const bool undefined = family == "range_position" || family == "volume_ratio" ||
                           family == "volume_zscore" || family == "momentum_zscore";
    EXPECT_EQ(std::isnan(table.columns[c][19]), undefined) << family;
    if (!undefined) {
      EXPECT_EQ(table.columns[c][19], 0.0F) << family;
    }
  }
}

TEST(Build, NothingDependsOnThreadsOrBlockSizes) {
  const FeatureSet set = EveryFamily({1, 2, 5, 48, 700});
  const CandleSeries series = RandomSeries(3000, 4, 1e7, 50);
  const FeatureTable whole = BuildFeatures(set, series);
  const int threads = ThreadCount();
  for (const int count : {1, 3}) {
    SetThreadCount(count);
    ExpectSame(whole, BuildFeatures(set, series));
  }
  SetThreadCount(threads);
  for (uint64_t seed = 0; seed < 5; ++seed) {
    Random random(seed);
    LiveFeatures live(set, series.key);
    FeatureTable blocks = Replay(live, series, 0, [&] { return 1 + random.Below(900); });
    blocks.index = whole.index;
    ExpectSame(whole, blocks);
  }
}

TEST(Build, BarByBarAndFromSnapshotsIsTheSame) {
  const FeatureSet set = EveryFamily({1, 2, 5, 48});
  const CandleSeries series = RandomSeries(1200, 5, 100, 50);
  const FeatureTable whole = BuildFeatures(set, series);
  LiveFeatures live(set, series.key);
  Random random(9);
  for (size_t row = 0; row < series.size(); ++row) {
    if (random.Below(40) == 0) live = LiveFeatures::Restore(set, series.key, live.Snapshot());
    const std::span<const float> values = live.Step(series.At(row));
    for (size_t c = 0; c < values.size(); ++c) {
      ASSERT_EQ(Bits({&values[c], 1}), Bits({&whole.columns[c][row], 1}))
          << whole.names[c].name << " row " << row;
    }
  }
  EXPECT_EQ(live.last_open_time(), series.open_time.back());
}

// Multiplying all prices by a power of two changes no ratio, so no feature may change a bit.
// (Fractional differences keep a share of the level; that is what they are for.)
TEST(Build, TheLevelOfPricesDoesNotMatter) {
  std::vector<FeatureSpec> specs = EveryFamily({1, 2, 48}).specs();
  std::erase_if(specs, [](const auto& spec) { return spec.family == "fractional_difference"; });
  const FeatureSet set(std::move(specs));
  CandleSeries series = RandomSeries(2000, 6);
  const FeatureTable before = BuildFeatures(set, series);
  for (auto* field : {&series.open, &series.high, &series.low, &series.close}) {
    for (double& price : *field) price *= 0x1p40;
  }
  ExpectSame(before, BuildFeatures(set, series));
}

TEST(Build, RealDataLiveEqualsHistory) {
  ALMANAC_NEEDS_REAL_DATA("crypto/spot_30m");
  const CandleSeries series = ReadRealCandles("spot_30m", "ETHUSDT", "30m").Slice(0, 20'000);
  const FeatureSet set = EveryFamily({1, 2, 12, 336});
  const FeatureTable whole = BuildFeatures(set, series);
  LiveFeatures live(set, series.key);
  live.Run(series, 0, 15'000, {});
  live = LiveFeatures::Restore(set, series.key, live.Snapshot());
  const FeatureTable rest = Replay(live, series, 15'000, [] { return size_t{1}; });
  for (size_t c = 0; c < set.size(); ++c) {
    EXPECT_EQ(Bits(rest.columns[c]), Bits(std::span(whole.columns[c]).subspan(15'000)));
  }
}

TEST(Build, RefusesBarsThatCannotBe) {
  const FeatureSet set = EveryFamily({2});
  const auto message = [&](const CandleSeries& series) -> std::string {
    try {
      BuildFeatures(set, series);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadData);
      return error.what();
    }
    return "no error";
  };
  const CandleSeries good = RandomSeries(10, 1);
  EXPECT_EQ(message(good), "no error");
  CandleSeries bad = good;
  bad.low[3] = 0;
  EXPECT_THAT(message(bad), testing::AllOf(HasSubstr("test X 30m"), HasSubstr("low is 0"),
                                           HasSubstr(FormatTime(good.open_time[3]))));
  bad = good;
  bad.close[4] = kUnknown;
  EXPECT_THAT(message(bad), HasSubstr("close is nan"));
  bad = good;
  bad.volume[4] = -1;
  EXPECT_THAT(message(bad), HasSubstr("volume is -1"));
  bad = good;
  bad.open_time[5] = bad.open_time[4];
  EXPECT_THAT(message(bad), HasSubstr("does not open after"));
}

TEST(Live, RefusesOldBarsAndStaysAsItWas) {
  const FeatureSet set = EveryFamily({2, 3});
  const CandleSeries series = RandomSeries(50, 1);
  LiveFeatures live(set, series.key);
  live.Run(series, 0, 20, {});
  const std::string before = live.Snapshot();
  EXPECT_THROW(live.Step(series.At(19)), Error);
  EXPECT_THROW(live.Run(series, 10, 30, {}), Error);
  Candle bad = series.At(20);
  bad.high = -1;
  EXPECT_THROW(live.Step(bad), Error);
  CandleSeries other = series;
  other.key.symbol = "Y";
  EXPECT_THROW(live.Run(other, 20, 30, {}), Error);
  EXPECT_THROW(live.Run(series, 20, 51, {}), Error);
  EXPECT_EQ(live.Snapshot(), before);
}

TEST(Live, RefusesSnapshotsThatAreNotItsOwn) {
  const FeatureSet set = EveryFamily({3});
  const CandleSeries series = RandomSeries(50, 1);
  LiveFeatures live(set, series.key);
  live.Run(series, 0, 20, {});
  const std::string good = live.Snapshot();
  const auto message = [&](const FeatureSet& of, const SeriesKey& key, std::string_view bytes) {
    try {
      LiveFeatures::Restore(of, key, bytes);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kBadData);
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(message(set, series.key, good), "no error");
  EXPECT_THAT(message(EveryFamily({4}), series.key, good), HasSubstr("other features"));
  SeriesKey other = series.key;
  other.symbol = "Y";
  EXPECT_THAT(message(set, other, good), HasSubstr("is of test X 30m"));
  EXPECT_THAT(message(set, series.key, ""), HasSubstr("damaged"));
  Random random(1);
  for (int i = 0; i < 200; ++i) {
    std::string damaged = good;
    damaged[random.Below(damaged.size())] ^= static_cast<char>(1 + random.Below(255));
    EXPECT_THAT(message(set, series.key, damaged), HasSubstr("damaged"));
    EXPECT_THAT(message(set, series.key, good.substr(0, random.Below(good.size()))),
                HasSubstr("damaged"));
  }
}

}  // namespace
}  // namespace almanac
