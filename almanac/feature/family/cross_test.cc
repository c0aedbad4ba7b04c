// The cross families against their definitions, window by window in long double.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "almanac/base/text.h"
#include "almanac/feature/build.h"
#include "almanac/feature/frame_for_test.h"

namespace almanac {
namespace {

using Real = long double;
using Reals = std::vector<Real>;

struct Common {
  std::vector<TimeMs> times;
  Reals own, other;

  // ln(x[t] / x[t-n]); NaN where there is none.
  static Reals Returns(const Reals& prices, size_t n) {
    Reals returns(prices.size(), NAN);
    for (size_t t = n; t < prices.size(); ++t) returns[t] = std::log(prices[t] / prices[t - n]);
    return returns;
  }
};

Common CommonBars(const CandleSeries& own, const CandleSeries& other) {
  Common common;
  for (size_t i = 0; i < own.size(); ++i) {
    const auto at =
        std::lower_bound(other.open_time.begin(), other.open_time.end(), own.open_time[i]);
    if (at == other.open_time.end() || *at != own.open_time[i]) continue;
    common.times.push_back(own.KnownAt(i));
    common.own.push_back(own.close[i]);
    common.other.push_back(other.close[static_cast<size_t>(at - other.open_time.begin())]);
  }
  return common;
}

struct Line {
  Real slope = 0, residual = 0, correlation = 0;  // the residual in standard deviations
};

// Of the n values of y on x up to t.
Line Regress(const Reals& x, const Reals& y, size_t t, size_t n) {
  Real mean_x = 0, mean_y = 0, xx = 0, yy = 0, xy = 0;
  for (size_t i = t + 1 - n; i <= t; ++i) {
    mean_x += x[i] / n;
    mean_y += y[i] / n;
  }
  for (size_t i = t + 1 - n; i <= t; ++i) {
    xx += (x[i] - mean_x) * (x[i] - mean_x);
    yy += (y[i] - mean_y) * (y[i] - mean_y);
    xy += (x[i] - mean_x) * (y[i] - mean_y);
  }
  Real squares = 0, last = 0;
  for (size_t i = t + 1 - n; i <= t; ++i) {
    last = (y[i] - mean_y) - xy / xx * (x[i] - mean_x);
    squares += last * last;
  }
  return {xy / xx, last / std::sqrt(squares / (n - 2)), xy / std::sqrt(xx * yy)};
}

Reals Shifted(const Reals& values, size_t shift) {
  Reals shifted(shift, NAN);
  shifted.insert(shifted.end(), values.begin(), values.end() - static_cast<ptrdiff_t>(shift));
  return shifted;
}

Real Slow(const FeatureSpec& spec, const Common& bars, size_t t) {
  const auto n = static_cast<size_t>(spec.parameters[0].second);
  const Reals r = Common::Returns(bars.own, 1), q = Common::Returns(bars.other, 1);
  if (spec.family == "other_return") return Common::Returns(bars.other, n)[t];
  if (spec.family == "relative_strength") {
    return Common::Returns(bars.own, n)[t] - Common::Returns(bars.other, n)[t];
  }
  if (spec.family == "cross_correlation") return Regress(q, r, t, n).correlation;
  if (spec.family == "cross_beta") return Regress(q, r, t, n).slope;
  if (spec.family == "residual_return") return Regress(q, r, t, n).residual;
  if (spec.family == "lead_lag") {
    const auto shift = static_cast<size_t>(spec.parameters[1].second);
    return Regress(Shifted(q, shift), r, t, n).correlation;
  }
  Reals own = bars.own, other = bars.other;
  for (Real& price : own) price = std::log(price);
  for (Real& price : other) price = std::log(price);
  return Regress(other, own, t, n).residual;
}

TEST(Cross, EveryFamilyIsItsDefinitionOverCommonBars) {
  std::vector<FeatureSpec> specs;
  for (const FamilyInfo& family : Catalogue()) {
    if (family.group != "cross") continue;
    FeatureSpec spec{family.name, {{"window", 12}}};
    if (family.parameters.size() > 1) spec.parameters.emplace_back("shift", 2);
    spec.symbol = "ETH";
    spec.against = "BTC";
    specs.push_back(std::move(spec));
  }
  ASSERT_EQ(specs.size(), 7U);
  const FeatureSet set(specs);
  const std::vector<CandleSeries> series = ThreeSeries(260, 21);
  const FeatureTable table = BuildFeatures(set, Frame(series));
  const Common bars = CommonBars(series[1], series[0]);
  std::map<TimeMs, size_t> place;
  for (size_t t = 0; t < bars.times.size(); ++t) place[bars.times[t]] = t;
  for (size_t c = 0; c < set.size(); ++c) {
    const auto look_back = static_cast<size_t>(set.Columns()[c].look_back);
    for (size_t row = 0; row < table.rows(); ++row) {
      const float value = table.columns[c][row];
      const auto at = place.find(table.index[row]);
      if (at == place.end() || at->second + 1 < look_back) {
        EXPECT_TRUE(std::isnan(value)) << table.names[c].name << " row " << row;
        continue;
      }
      const auto expected = static_cast<float>(Slow(specs[c], bars, at->second));
      EXPECT_NEAR(value, expected, 2e-6 * std::max(1e-3F, std::abs(expected)))
          << table.names[c].name << " row " << row;
    }
  }
}

TEST(Cross, ASymbolThatFollowsAnotherIsLedByIt) {
  CandleSeries leader = SeriesOf("BTC", 400, 30), follower = leader;
  follower.key.symbol = "ETH";
  for (size_t i = 3; i < follower.size(); ++i) follower.close[i] = 2 * leader.close[i - 3];
  const std::vector<FeatureSpec> specs = {{"lead_lag", {{"window", 50}, {"shift", 3}}},
                                          {"lead_lag", {{"window", 50}, {"shift", 1}}}};
  const FeatureTable table = BuildFeatures(FeatureSet(specs), Frame({follower, leader}));
  EXPECT_EQ(table.names[0].name, "ETH_lead_lag_50_3_BTC");
  EXPECT_FLOAT_EQ(table.columns[0].back(), 1);
  EXPECT_LT(std::abs(table.columns[1].back()), 0.5F);
}

TEST(Cross, ToASymbolThatDoesNotMoveThereIsNoRelation) {
  CandleSeries flat = SeriesOf("BTC", 40, 31);
  for (size_t i = 0; i < flat.size(); ++i)
    flat.open[i] = flat.high[i] = flat.low[i] = flat.close[i] = 5;
  const std::vector<FeatureSpec> specs = {{"cross_beta", {{"window", 5}}},
                                          {"cross_correlation", {{"window", 5}}},
                                          {"spread_zscore", {{"window", 5}}}};
  const FeatureTable table =
      BuildFeatures(FeatureSet(specs), Frame({flat, SeriesOf("ETH", 40, 32)}));
  EXPECT_EQ(table.names[3].name, "ETH_cross_beta_5_BTC");
  for (size_t c = 3; c < 6; ++c) {
    EXPECT_TRUE(std::isnan(table.columns[c].back())) << table.names[c].name;
  }
}

}  // namespace
}  // namespace almanac
