// Alpha158 against pandas and numpy (testdata/make_alpha_golden.py), Alpha360 against its formulas.
#include <gtest/gtest.h>

#include "almanac/feature/build.h"
#include "almanac/feature/golden_file_for_test.h"

namespace almanac {
namespace {

constexpr size_t kBars = 60;  // of Alpha360

TEST(Alpha158, HasQlibsColumnsInQlibsOrder) {
  std::vector<std::string> names;
  for (const FeatureInfo& info : FeatureSet::Named("alpha158").Columns())
    names.push_back(info.name);
  ASSERT_EQ(names.size(), 158U);
  EXPECT_EQ(names.front(), "KMID");
  EXPECT_EQ(names[8], "KSFT2");
  EXPECT_EQ(names[9], "OPEN0");
  EXPECT_EQ(names[12], "VWAP0");
  EXPECT_EQ(names[13], "ROC5");
  EXPECT_EQ(names[157], "VSUMD60");
}

TEST(Alpha158, AgreesWithPandas) {
  ExpectGolden(FeatureSet::Named("alpha158").specs(), MadeGoldenBars(),
               ReadGoldenColumns("alpha_golden.csv"));
}

TEST(Alpha158, AgreesWithPandasOnRealData) {
  ALMANAC_NEEDS_REAL_DATA("crypto/spot_30m");
  ExpectGolden(FeatureSet::Named("alpha158").specs(), RealGoldenBars(),
               ReadGoldenColumns("alpha_golden_real.csv"));
}

TEST(Alpha360, IsTheLastSixtyBarsOverTheLastOne) {
  const CandleSeries bars = MadeGoldenBars();
  const FeatureSet set = FeatureSet::Named("alpha360");
  ASSERT_EQ(set.size(), 360U);
  const FeatureTable table = BuildFeatures(set, bars);
  std::vector<double> typical;
  for (size_t i = 0; i < bars.size(); ++i) {
    typical.push_back((bars.high[i] + bars.low[i] + bars.close[i]) / 3);
  }
  const std::vector<std::pair<std::string, const std::vector<double>*>> fields = {
      {"CLOSE", &bars.close}, {"OPEN", &bars.open}, {"HIGH", &bars.high},
      {"LOW", &bars.low},     {"VWAP", &typical},   {"VOLUME", &bars.volume}};
  for (size_t c = 0; c < set.size(); ++c) {
    const auto& [field, values] = fields[c / kBars];
    const size_t lag = kBars - 1 - c % kBars;
    ASSERT_EQ(table.names[c].name, field + std::to_string(lag));
    for (size_t t = 0; t < bars.size(); ++t) {
      if (t < lag) {
        ASSERT_TRUE(std::isnan(table.columns[c][t]));
        continue;
      }
      const double whole = field == "VOLUME" ? bars.volume[t] + 1e-12 : bars.close[t];
      ASSERT_EQ(table.columns[c][t], static_cast<float>((*values)[t - lag] / whole))
          << table.names[c].name << " row " << t;
    }
  }
}

// A vwap that the source gave is taken; 0, as some write for a bar without trades, is none.
TEST(Alpha, TakesTheVwapThatTheSourceGave) {
  CandleSeries bars = MadeGoldenBars();
  bars.vwap.assign(bars.size(), kUnknown);
  bars.vwap[3] = bars.low[3];
  bars.vwap[4] = 0;
  const std::vector<double> values = ComputeColumn({"alpha_vwap", {{"lag", 0}}}, bars);
  EXPECT_EQ(values[3], bars.low[3] / bars.close[3]);
  for (const size_t t : {4, 5}) {
    EXPECT_EQ(values[t], (bars.high[t] + bars.low[t] + bars.close[t]) / 3 / bars.close[t]);
  }
  LiveFeatures live(FeatureSet({{"alpha_vwap", {{"lag", 0}}}}), bars.key);
  EXPECT_EQ(live.Step(bars.At(3))[0], static_cast<float>(values[3]));
}

}  // namespace
}  // namespace almanac
