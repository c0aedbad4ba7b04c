#include "almanac/backtest/performance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "almanac/backtest/bars_test_util.h"
#include "almanac/base/file.h"
#include "almanac/base/places_for_test.h"

namespace almanac {
namespace {

const Json& Golden() {
  static const Json kGolden =
      Json::parse(ReadFile(SourceFolder() / "almanac/backtest/testdata/golden.json"));
  return kGolden;
}

Simulation FromReturns(const std::vector<double>& returns) {
  Simulation simulation;
  simulation.capital = 1000;
  double equity = simulation.capital;
  for (size_t i = 0; i < returns.size(); ++i) {
    equity *= 1 + returns[i];
    simulation.time.push_back(static_cast<TimeMs>(i) * kMsPerHour);
    simulation.equity.push_back(equity);
    simulation.weight.push_back(i % 4 == 0 ? 0 : 1);
    simulation.traded.push_back(0);
  }
  return simulation;
}

TEST(Drawdown, AgreesWithPandas) {
  const Json& golden = Golden()["drawdown"];
  const auto equity = golden["equity"].get<std::vector<double>>();
  const Drawdown drawdown = ComputeDrawdown(golden["capital"], equity);
  EXPECT_NEAR(drawdown.depth, golden["depth"].get<double>(), 1e-12);
  EXPECT_EQ(drawdown.trough_bar, golden["trough_bar"].get<std::ptrdiff_t>());
  EXPECT_EQ(drawdown.longest_bars, golden["longest_bars"].get<size_t>());
  const std::vector<double> curve = DrawdownCurve(golden["capital"], equity);
  for (size_t i = 0; i < curve.size(); ++i) {
    EXPECT_NEAR(curve[i], golden["curve"][i].get<double>(), 1e-12);
  }
}

TEST(Drawdown, CountsFromTheStartAndKnowsRecovery) {
  const std::vector<double> fallen = {90, 80, 95};
  const Drawdown drawdown = ComputeDrawdown(100, fallen);
  EXPECT_DOUBLE_EQ(drawdown.depth, 0.2);
  EXPECT_EQ(drawdown.peak_bar, -1);
  EXPECT_EQ(drawdown.trough_bar, 1);
  EXPECT_EQ(drawdown.longest_bars, 3u);
  EXPECT_FALSE(drawdown.recovered);
  const std::vector<double> recovered = {90, 100};
  EXPECT_TRUE(ComputeDrawdown(100, recovered).recovered);
  EXPECT_EQ(ComputeDrawdown(100, recovered).longest_bars, 1u);
  EXPECT_EQ(ComputeDrawdown(100, std::vector<double>{101, 102}).depth, 0);
}

TEST(Performance, AgreesWithNumpy) {
  const Json& golden = Golden()["sharpe"][0];
  const auto returns = golden["returns"].get<std::vector<double>>();
  const double periods = Golden()["periods_per_year"];
  const Performance performance = ComputePerformance(FromReturns(returns), periods);
  EXPECT_NEAR(performance.sharpe.annual, golden["annual"].get<double>(), 1e-9);
  EXPECT_NEAR(performance.sortino, golden["sortino"].get<double>(), 1e-8);
  EXPECT_NEAR(performance.tail_ratio, golden["tail_ratio"].get<double>(), 1e-9);
  double growth = 1;
  for (const double r : returns) growth *= 1 + r;
  EXPECT_NEAR(performance.total_return, growth - 1, 1e-12);
  EXPECT_NEAR(performance.annual_return / (std::pow(growth, periods / 300) - 1), 1, 1e-9);
  EXPECT_NEAR(performance.calmar, performance.annual_return / performance.drawdown.depth, 1e-9);
  EXPECT_DOUBLE_EQ(performance.exposure, 0.75);
  EXPECT_EQ(performance.last_time, 299 * kMsPerHour);
}

TEST(Performance, CountsTradesGainsAndTurnover) {
  // +10 %, -5 %, then +20 % open to the end; no costs.
  const CandleSeries bars =
      HourlyBars({100, 110, 110, 104.5, 100, 100}, {110, 110, 104.5, 104.5, 100, 120});
  const std::vector<PositionTarget> targets = {
      {0, 1}, {kHour, 0}, {2 * kHour, 1}, {3 * kHour, 0}, {5 * kHour, 1}};
  ExecutionOptions options;
  options.costs = {0, 0};
  const Simulation simulation = Simulate(bars, targets, options);
  const Performance performance = ComputePerformance(simulation, 6);
  EXPECT_EQ(performance.trades, 3u);
  EXPECT_DOUBLE_EQ(performance.hit_rate, 2.0 / 3);
  EXPECT_NEAR(performance.total_return, 1.1 * 0.95 * 1.2 - 1, 1e-12);
  EXPECT_NEAR(performance.annual_return, performance.total_return, 1e-12);  // six bars a year
  const double gains = 1000 + 0.2 * 10000 * 1.1 * 0.95;
  EXPECT_NEAR(performance.profit_factor, gains / 550, 1e-9);
  EXPECT_NEAR(performance.mean_trade_return, (0.1 - 0.05 + 0.2) / 3, 1e-12);
  EXPECT_DOUBLE_EQ(performance.mean_trade_bars, 1);
  EXPECT_DOUBLE_EQ(performance.exposure, 0.5);
  const double traded = 10000 + 11000 + 11000 + 10450 + 10450 + 12540;
  const double mean_equity = (11000 + 11000 + 10450 + 10450 + 10450 + 12540) / 6.0;
  EXPECT_NEAR(performance.annual_turnover, traded / mean_equity, 1e-9);
}

TEST(Performance, OfAnAccountThatDidNothing) {
  const Simulation idle = Simulate(RandomBars(50, 0, 1), {}, {});
  const Performance performance = ComputePerformance(idle, 8760);
  EXPECT_EQ(performance.total_return, 0);
  EXPECT_EQ(performance.annual_return, 0);
  EXPECT_EQ(performance.exposure, 0);
  EXPECT_TRUE(std::isnan(performance.sharpe.ratio));
  EXPECT_TRUE(std::isnan(performance.sortino));
  EXPECT_TRUE(std::isnan(performance.calmar));
  EXPECT_TRUE(std::isnan(performance.hit_rate));
  EXPECT_TRUE(std::isnan(performance.profit_factor));
  EXPECT_TRUE(ToJson(performance)["hit_rate"].is_null());
}

TEST(Performance, OfARuinedAccount) {
  const CandleSeries bars = HourlyBars({100, 150, 90}, {150, 230, 95});
  const std::vector<PositionTarget> targets = {{0, -1}};
  const Performance performance = ComputePerformance(Simulate(bars, targets, {}), 8760);
  EXPECT_LT(performance.total_return, -1);
  EXPECT_EQ(performance.annual_return, -1);
  EXPECT_GT(performance.drawdown.depth, 1);
}

TEST(MonthlyReturns, CompoundToTheWhole) {
  CandleSeries bars = RandomBars(1920, 0, 4);
  for (TimeMs& time : bars.open_time) time += StartOfDate({2023, 12, 20});
  const std::vector<PositionTarget> targets = {{bars.open_time[5], 1}};
  const Simulation simulation = Simulate(bars, targets, {});
  const std::vector<MonthReturn> months = MonthlyReturns(simulation);
  ASSERT_EQ(months.size(), 4u);
  EXPECT_EQ(months[0].year, 2023);
  EXPECT_EQ(months[0].month, 12);
  EXPECT_EQ(months[3].month, 3);
  double growth = 1;
  for (const MonthReturn& month : months) growth *= 1 + month.value;
  EXPECT_NEAR(growth - 1, simulation.TotalReturn(), 1e-12);
}

}  // namespace
}  // namespace almanac
