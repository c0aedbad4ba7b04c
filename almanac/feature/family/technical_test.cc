// Technical indicators against numpy and pandas written from the published definitions
// (testdata/make_technical_golden.py), and what they give where nothing moves.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "almanac/feature/build.h"
#include "almanac/feature/every_family_for_test.h"
#include "almanac/feature/family.h"
#include "almanac/feature/golden_for_test.h"
#include "almanac/feature/random_series_for_test.h"

namespace almanac {
namespace {

std::vector<Family> TechnicalFamilies() {
  std::vector<Family> all;
  for (const auto& families :
       {technical::AverageFamilies(), technical::ChannelFamilies(),
        technical::ConvergenceFamilies(), technical::CycleFamilies(), technical::LevelFamilies(),
        technical::MomentumFamilies(), technical::OscillatorFamilies(),
        technical::StatisticFamilies(), technical::TrendFamilies(), technical::VolumeFamilies()}) {
    all.insert(all.end(), families.begin(), families.end());
  }
  return all;
}

TEST(Technical, EveryFamilyAgreesWithItsPublishedDefinition) {
  const CandleSeries bars = SeriesOf(ReadGoldenColumns("bars.csv"));
  GoldenColumns golden = ReadGoldenColumns("technical_golden.csv");
  const std::vector<double> rows = golden.at("row");
  golden.erase("row");
  std::set<std::string> seen;
  for (const auto& [name, expected] : golden) {
    const FeatureSpec spec = ParseColumnName(name);
    ASSERT_EQ(spec.Name(), name);
    const std::vector<double> values = ComputeColumn(spec, bars);
    const std::vector<FeatureInfo> info = FeatureSet({spec}).Columns();
    for (size_t i = 0; i < rows.size(); ++i) {
      const auto row = static_cast<size_t>(rows[i]);
      ASSERT_EQ(std::isnan(values[row]), std::isnan(expected[i])) << name << " row " << row;
      ASSERT_EQ(std::isnan(values[row]), row + 1 < static_cast<size_t>(info[0].look_back)) << name;
      if (std::isnan(expected[i])) continue;
      // A distance below 1e-5 of the price is a difference that has lost digits on both sides.
      const double tolerance = 1e-9 * std::max(std::abs(expected[i]), 1e-5);
      ASSERT_NEAR(values[row], expected[i], tolerance) << name << " row " << row;
    }
    seen.insert(spec.family);
  }
  for (const Family& family : TechnicalFamilies()) {
    // The others are compared with TA-Lib (talib_test.cc).
    if (family.info.source.find("TA-Lib") != std::string::npos) continue;
    EXPECT_TRUE(seen.contains(family.info.name)) << family.info.name << " has no golden values";
  }
}

// Nothing moves and nothing is traded: what divides by a movement or a volume is not known, an
// oscillator at rest is 0.
TEST(Technical, FlatBarsAreUndefinedOrAtRest) {
  CandleSeries flat = RandomSeries(250, 1);
  for (size_t i = 0; i < flat.size(); ++i) {
    flat.open[i] = flat.high[i] = flat.low[i] = flat.close[i] = 7;
    flat.volume[i] = 0;
  }
  const std::set<std::string> undefined = {"acceleration_band_position",
                                           "adx",
                                           "adxr",
                                           "balance_of_power",
                                           "bollinger_percent_b",
                                           "cci",
                                           "chaikin_money_flow",
                                           "chaikin_oscillator",
                                           "close_volume_correlation",
                                           "cmo",
                                           "connors_rsi",
                                           "donchian_position",
                                           "dx",
                                           "fisher_transform",
                                           "high_low_beta",
                                           "high_low_correlation",
                                           "imi",
                                           "keltner_position",
                                           "klinger_oscillator",
                                           "klinger_signal",
                                           "mfi",
                                           "minus_di",
                                           "obv_change",
                                           "plus_di",
                                           "rsi",
                                           "stochastic_d",
                                           "stochastic_k",
                                           "stochrsi_d",
                                           "stochrsi_k",
                                           "ultimate_oscillator",
                                           "vortex_minus",
                                           "vortex_plus",
                                           "vwap_distance",
                                           "williams_r"};
  const std::map<std::string, float> resting = {{"aroon_up", 100.0F}, {"aroon_down", 100.0F}};
  // A cycle that a constant has not; averages that are still on their way from 0; a stop that is to
  // keep 5 % from the price.
  const std::set<std::string> elsewhere = {
      "ht_period",     "ht_phase",      "ht_sine",       "ht_lead_sine",
      "ht_trend_mode", "mama_distance", "fama_distance", "sar_extended_distance"};
  for (const Family& family : TechnicalFamilies()) {
    const std::string& name = family.info.name;
    if (elsewhere.contains(name)) continue;
    const FeatureSet set({SpecOf(FindFamily(name)->info, 5)});
    const float last = BuildFeatures(set, flat).columns[0].back();
    if (undefined.contains(name)) {
      EXPECT_TRUE(std::isnan(last)) << name << " is " << last;
    } else {
      EXPECT_NEAR(last, resting.contains(name) ? resting.at(name) : 0.0F, 1e-12F) << name;
    }
  }
}

// After a flat stretch in the middle of history every indicator comes back.
TEST(Technical, AFlatStretchLeavesNoNaNBehind) {
  CandleSeries series = RandomSeries(400, 9);
  for (size_t i = 100; i < 160; ++i) {
    series.open[i] = series.high[i] = series.low[i] = series.close[i] = series.close[99];
    series.volume[i] = 0;
  }
  for (const Family& family : TechnicalFamilies()) {
    const FeatureSet set({SpecOf(FindFamily(family.info.name)->info, 12)});
    const std::vector<float> values = BuildFeatures(set, series).columns[0];
    for (size_t row = 240; row < series.size(); ++row) {
      ASSERT_FALSE(std::isnan(values[row])) << family.info.name << " row " << row;
    }
  }
}

}  // namespace
}  // namespace almanac
