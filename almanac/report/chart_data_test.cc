#include "almanac/report/chart_data.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "almanac/base/json.h"
#include "almanac/report/sample_report.h"

namespace almanac {
namespace {

std::vector<int64_t> Absolute(const Json& differences) {
  std::vector<int64_t> times;
  int64_t sum = 0;
  for (const Json& difference : differences) times.push_back(sum += difference.get<int64_t>());
  return times;
}

TEST(ChartDataTest, HoldsBarsAndForecastsAtTheirBars) {
  const ReportData sample = MakeSampleReport(400);
  const Json data = Json::parse(ChartData(sample, {}));
  const Json& market = data["markets"][0];
  EXPECT_EQ(market["symbol"], "BTCUSDT");
  EXPECT_EQ(market["seconds"], 1800);
  ASSERT_EQ(market["views"].size(), 1U);
  const Json& view = market["views"][0];
  const CandleSeries& bars = sample.markets[0].bars;
  const std::vector<int64_t> times = Absolute(view["t"]);
  EXPECT_EQ(times.back(), bars.open_time.back() / 1000);
  EXPECT_EQ(view["c"].size(), times.size());
  EXPECT_NEAR(view["c"].back().get<double>(), bars.close.back(), 0.001);
  const ReportForecast& ridge = sample.markets[0].forecasts[0];
  const Json& drawn = view["f"][0];
  EXPECT_EQ(drawn["model"], "ridge");
  EXPECT_EQ(drawn["naive"], false);
  EXPECT_EQ(drawn["made"], 1800) << "one number, as it is the same for all";
  EXPECT_EQ(Absolute(drawn["t"]).back(), ridge.target_time.back() / 1000 - 1800);
  EXPECT_NEAR(drawn["p"].back().get<double>(), ridge.price.back(), 0.001);
  EXPECT_EQ(view["f"][2]["naive"], true);
}

TEST(ChartDataTest, ManyBarsAreDrawnTwice) {
  const ReportData sample = MakeSampleReport(1200);
  HtmlOptions options;
  options.max_bars = 100;
  const Json data = Json::parse(ChartData(sample, options));
  const Json& views = data["markets"][0]["views"];
  ASSERT_EQ(views.size(), 2U);
  EXPECT_EQ(views[0]["merged"], 1);
  EXPECT_EQ(views[0]["t"].size(), 100U);
  EXPECT_EQ(views[1]["merged"], 4);
  EXPECT_LE(views[1]["t"].size(), 100U);
  EXPECT_LE(data["equity"]["t"].size(), 100U);
  EXPECT_EQ(data["equity"]["curves"][0]["e"].size(), data["equity"]["t"].size());
  EXPECT_EQ(data["equity"]["curves"][1]["role"], "pessimistic");
}

TEST(ChartDataTest, LeadsThatDifferAreAList) {
  ReportData sample = MakeSampleReport(400);
  sample.markets[0].forecasts[0].made_at[0] -= 60'000;
  ReportForecast& ridge = sample.markets[0].forecasts[0];
  ridge.low = ridge.high = ridge.price;
  ridge.low[0] = kNotANumber;
  const Json data = Json::parse(ChartData(sample, {}));
  const Json& drawn = data["markets"][0]["views"][0]["f"][0];
  EXPECT_EQ(drawn["made"][0], 1860);
  EXPECT_EQ(drawn["made"][1], 1800);
  EXPECT_TRUE(drawn["lo"][0].is_null());
  EXPECT_EQ(drawn["hi"].size(), drawn["p"].size());
}

TEST(ChartDataTest, LeavesOutMarketsBeyondTheLimit) {
  ReportData sample = MakeSampleReport(400);
  sample.markets.resize(3, sample.markets[0]);
  HtmlOptions options;
  options.max_markets = 2;
  EXPECT_EQ(Json::parse(ChartData(sample, options))["markets"].size(), 2U);
  EXPECT_EQ(Json::parse(ChartData({}, {}))["markets"].size(), 0U);
}

}  // namespace
}  // namespace almanac
