#include "almanac/feature/compose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/feature/build.h"
#include "almanac/feature/frame_for_test.h"

namespace almanac {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

FeatureSet Parse(const std::string& features) {
  const ConfigDocument document = ConfigDocument::Parse("features:\n" + features, "test.yaml");
  FeatureSet set = FeatureSet::FromConfig(document.root());
  document.RefuseUnknownKeys();
  return set;
}

std::vector<std::string> NamesOf(const FeatureSet& set) {
  std::vector<std::string> names;
  for (const FeatureInfo& info : set.Columns()) names.push_back(info.name);
  return names;
}

// The transform of the n values of `window`, oldest first, `before` the one before them; from the
// definition.
double Slow(const std::string& kind, const std::vector<double>& window, double before) {
  const auto n = static_cast<double>(window.size());
  const double x = window.back();
  double mean = 0, squares = 0, below = 0, equal = 0;
  for (const double value : window) mean += value / n;
  for (const double value : window) {
    squares += (value - mean) * (value - mean);
    below += value < x ? 1 : 0;
    equal += value == x ? 1 : 0;
  }
  const double deviation = std::sqrt(squares / (n - 1));
  const auto [low, high] = std::minmax_element(window.begin(), window.end());
  if (kind == "zscore") return (x - mean) / deviation;
  if (kind == "rank") return (below + (equal + 1) / 2) / n;
  if (kind == "position") return (x - *low) / (*high - *low);
  if (kind == "diff") return x - before;
  if (kind == "change") return (x - before) / std::abs(before);
  if (kind == "mean") return mean;
  if (kind == "min") return *low;
  if (kind == "max") return *high;
  return deviation;
}

TEST(Compose, TransformsAreTheirDefinitions) {
  // A pattern's values repeat, so ranks have ties; a momentum's do not.
  const CandleSeries series = SeriesOf("BTC", 300, 5);
  for (const TransformKind& kind : TransformKinds()) {
    FeatureSpec plain{"aroon_up", {{"window", 4}}};
    FeatureSpec transformed = plain;
    transformed.transforms = {{std::string(kind.name), 7}};
    const FeatureTable table = BuildFeatures(FeatureSet({plain, transformed}), series);
    const auto look_back = static_cast<size_t>(FeatureSet({transformed}).LookBack());
    EXPECT_EQ(look_back, kind.from_before ? 12U : 11U);
    for (size_t t = 0; t < table.rows(); ++t) {
      const float value = table.columns[1][t];
      if (t + 1 < look_back) {
        EXPECT_TRUE(std::isnan(value)) << kind.name << " " << t;
        continue;
      }
      std::vector<double> window(table.columns[0].begin() + static_cast<ptrdiff_t>(t) - 6,
                                 table.columns[0].begin() + static_cast<ptrdiff_t>(t) + 1);
      const double expected =
          Slow(std::string(kind.name), window, t >= 7 ? table.columns[0][t - 7] : std::nan(""));
      if (!std::isfinite(expected)) {
        EXPECT_TRUE(std::isnan(value)) << kind.name << " " << t;
      } else {
        EXPECT_NEAR(value, expected, 1e-5 * std::max(1.0, std::abs(expected)))
            << kind.name << " " << t;
      }
    }
  }
}

TEST(Compose, ALagIsTheValueThatManyBarsBefore) {
  const CandleSeries series = SeriesOf("BTC", 200, 6);
  const FeatureTable table = BuildFeatures(
      Parse("  - {family: rsi, windows: 5, transforms: [none, zscore_9], lags: [0, 4]}"), series);
  EXPECT_THAT(NamesOf(Parse("  - {family: rsi, windows: 5, transforms: [none, zscore_9], "
                            "lags: [0, 4]}")),
              ElementsAre("rsi_5", "rsi_5_lag_4", "rsi_5_zscore_9", "rsi_5_zscore_9_lag_4"));
  for (const size_t c : {size_t{0}, size_t{2}}) {
    EXPECT_EQ(BitsOf(std::span(table.columns[c]).first(196)),
              BitsOf(std::span(table.columns[c + 1]).last(196)));
    EXPECT_EQ(BitsOf(std::span(table.columns[c + 1]).first(4)), BitsOf(std::vector<float>(4, NAN)));
  }
}

TEST(Compose, NamesAndJsonTellEveryPart) {
  const FeatureSet set = Parse(R"(
  - {family: rsi, windows: [14], symbols: [ETHUSDT], timeframes: [1h], lags: [1, 2], transforms: [zscore_100]}
  - {family: natr, windows: 14, over: {family: natr, windows: 100}, timeframes: 4h}
  - {family: rsi, windows: 5, minus: {family: rsi, windows: 5, timeframes: 1d}}
  - {family: cross_beta, windows: 96, against: [BTCUSDT]}
  - {family: rsi, windows: 5, transforms: diff_1.rank_6}
)");
  EXPECT_THAT(NamesOf(set),
              ElementsAre("ETHUSDT_rsi_14_1h_zscore_100_lag_1",
                          "ETHUSDT_rsi_14_1h_zscore_100_lag_2", "natr_14_over_natr_100_4h",
                          "rsi_5_minus_rsi_5_1d", "cross_beta_96_BTCUSDT", "rsi_5_diff_1_rank_6"));
  EXPECT_EQ(FeatureSet::FromJson(set.ToJson()).specs(), set.specs());
  const FeatureInfo lagged = set.Columns()[1];
  EXPECT_EQ(lagged.look_back, 15 + 99 + 2);
  EXPECT_EQ(lagged.timeframe, "1h");
  EXPECT_EQ(lagged.known_at, "close of the 1h bar");
  EXPECT_THAT(lagged.formula, HasSubstr("2 bars before: (x[t] - mean(x)) / std(x)"));
  EXPECT_THAT(NamesOf(set.BoundTo({"BTCUSDT", "ETHUSDT"})),
              ElementsAre("BTCUSDT_natr_14_over_natr_100_4h", "BTCUSDT_rsi_5_minus_rsi_5_1d",
                          "BTCUSDT_rsi_5_diff_1_rank_6", "ETHUSDT_rsi_14_1h_zscore_100_lag_1",
                          "ETHUSDT_rsi_14_1h_zscore_100_lag_2", "ETHUSDT_natr_14_over_natr_100_4h",
                          "ETHUSDT_rsi_5_minus_rsi_5_1d", "ETHUSDT_cross_beta_96_BTCUSDT",
                          "ETHUSDT_rsi_5_diff_1_rank_6"));
}

std::string MessageOf(const std::string& features) {
  try {
    Parse(features);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Compose, MistakesNameTheirPlace) {
  EXPECT_THAT(MessageOf("  - {family: rsi, windows: 5, transforms: zscor_9}"),
              HasSubstr("test.yaml:2 (features[0].transforms): unknown transform \"zscor_9\""));
  EXPECT_THAT(MessageOf("  - {family: rsi, windows: 5, transforms: zscore_1}"),
              HasSubstr("it must be over 2 to 1000000"));
  EXPECT_THAT(MessageOf("  - {family: rsi, windows: 5, timeframes: 7m}"),
              HasSubstr("unknown timeframe \"7m\""));
  EXPECT_THAT(MessageOf("  - {family: rsi, windows: 5, lags: -1}"), HasSubstr("lags"));
  EXPECT_THAT(MessageOf("  - {family: rsi, windows: 5, against: BTC}"), HasSubstr("against"));
  EXPECT_THAT(MessageOf("  - {family: rsi, windows: 5, over: {family: rsi, windows: [6, 7]}}"),
              HasSubstr("2 columns; an operand is one column"));
  EXPECT_THAT(MessageOf("  - {family: rsi, windows: 5, over: {family: rsi, windows: 6}, "
                        "minus: {family: rsi, windows: 7}}"),
              HasSubstr("both over and minus"));
  EXPECT_THAT(MessageOf("  - {family: rsi, windows: 5, lags: [1, 1]}"),
              HasSubstr("rsi_5_lag_1 is there twice"));
}

}  // namespace
}  // namespace almanac
