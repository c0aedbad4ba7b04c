#include "almanac/backtest/backtest.h"

#include "almanac/backtest/verdict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "almanac/backtest/bars_test_util.h"
#include "almanac/base/error.h"

namespace almanac {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

struct Signals {
  std::vector<TimeMs> made_at, target_time;
  std::vector<double> forecast;
  SignalInput Input() const { return {made_at, target_time, forecast}; }
};

// One-bar forecasts made when each bar from `first` on is known: `strength` of the next bar's
// open-to-close return, plus noise.
Signals Foresight(const CandleSeries& bars, double strength, size_t first = 10) {
  Random random(17);
  Signals signals;
  for (size_t i = first; i + 1 < bars.size(); ++i) {
    signals.made_at.push_back(bars.KnownAt(i));
    signals.target_time.push_back(bars.KnownAt(i) + kHour);
    signals.forecast.push_back(strength * (bars.close[i + 1] / bars.open[i + 1] - 1) +
                               0.005 * random.Normal());
  }
  return signals;
}

BacktestOptions Options(double threshold = 0) {
  BacktestOptions options;
  options.name = "ridge";
  options.strategy.threshold = threshold;
  options.execution.costs = {.fee_bps = 1, .slippage_bps = 1};
  return options;
}

TEST(RunBacktest, CoversTheTimeOfTheForecastsForAllThree) {
  const CandleSeries bars = RandomBars(300, 0, 1);
  const Signals signals = Foresight(bars, 0.5);
  const BacktestResult result = RunBacktest(bars, signals.Input(), Options());
  for (const BacktestRun* run : {&result.strategy, &result.buy_and_hold, &result.pessimistic}) {
    EXPECT_EQ(run->simulation.time.front(), signals.made_at.front());
    EXPECT_EQ(run->simulation.time.back(), bars.open_time.back());
    EXPECT_EQ(run->performance.bars, 289u);
  }
  EXPECT_EQ(result.strategy.simulation.trades[0].entry_time, signals.made_at.front());
  EXPECT_EQ(result.strategy.simulation.trades[0].entry_price, bars.open[11]);
}

TEST(RunBacktest, BuyAndHoldIsTheMarketLessCosts) {
  const CandleSeries bars = RandomBars(300, 0, 1);
  const BacktestResult result = RunBacktest(bars, Foresight(bars, 0).Input(), Options());
  EXPECT_NEAR(result.buy_and_hold.performance.total_return,
              bars.close.back() / bars.open[11] / 1.0002 * 0.9998 - 1, 1e-12);
  EXPECT_EQ(result.buy_and_hold.simulation.trades.size(), 1u);
}

TEST(RunBacktest, ThePessimisticTwinPaysTwiceAndComesABarLater) {
  const CandleSeries bars = RandomBars(300, 0, 1);
  const Signals signals = Foresight(bars, 1);
  const BacktestOptions options = Options();
  const BacktestResult result = RunBacktest(bars, signals.Input(), options);
  ExecutionOptions execution = options.execution;
  execution.costs = {.fee_bps = 2, .slippage_bps = 2};
  execution.delay_bars = 1;
  execution.from = signals.made_at.front();
  const std::vector<PositionTarget> targets =
      DecideTargets(options.strategy, signals.made_at, signals.forecast);
  EXPECT_EQ(result.pessimistic.simulation.equity, Simulate(bars, targets, execution).equity);
  EXPECT_LT(result.pessimistic.performance.total_return, result.strategy.performance.total_return);
}

TEST(RunBacktest, ForesightIsFoundAndLuckIsNot) {
  const CandleSeries bars = RandomBars(2000, 0, 3);
  EXPECT_THAT(RunBacktest(bars, Foresight(bars, 1).Input(), Options()).verdict,
              HasSubstr("unlikely to be luck (p < 0.001, the only trial on record)"));
  const std::string luck = RunBacktest(bars, Foresight(bars, 0).Input(), Options()).verdict;
  EXPECT_TRUE(luck.find("not distinguishable from luck") != std::string::npos ||
              luck.find("no sign of skill") != std::string::npos)
      << luck;
}

TEST(RunBacktest, TrialsDeflate) {
  const CandleSeries bars = RandomBars(2000, 0, 3);
  const Signals signals = Foresight(bars, 0.08);
  BacktestOptions options = Options();
  options.execution.costs = {0, 0};
  const BacktestResult alone = RunBacktest(bars, signals.Input(), options);
  ASSERT_LT(alone.strategy.performance.sharpe.p_value, 0.05);
  options.trials = 2160;
  options.trial_annual_sharpes = {-4, 4, -3, 3, 0, 1};
  const BacktestResult deflated = RunBacktest(bars, signals.Input(), options);
  EXPECT_THAT(deflated.verdict,
              HasSubstr("not distinguishable from the best of 2160 lucky trials"));
  EXPECT_EQ(deflated.deflated.trials, 2160u);
  EXPECT_LT(deflated.deflated.probability, alone.deflated.probability);
  options.trial_annual_sharpes = {0.01, 0.02, 0.03};
  EXPECT_THAT(RunBacktest(bars, signals.Input(), options).verdict,
              HasSubstr("better than the best of 2160 lucky trials would be"));
}

// Skill that holding does not need: prices that rise nearly always, and a strategy that is in the
// market half of the time.
TEST(RunBacktest, SaysThatHoldingWasBetter) {
  const CandleSeries bars = RandomBars(2000, 0, 5, 0.002);
  Signals signals = Foresight(bars, 0);
  for (size_t i = 0; i < signals.forecast.size(); ++i) signals.forecast[i] = i % 40 < 20 ? 1 : 0;
  const BacktestResult result = RunBacktest(bars, signals.Input(), Options());
  ASSERT_LT(result.strategy.performance.sharpe.p_value, 0.05);
  ASSERT_LT(result.strategy.performance.sharpe.annual,
            result.buy_and_hold.performance.sharpe.annual);
  EXPECT_FALSE(BeatsHolding(result, 0.05));
  EXPECT_THAT(result.verdict, HasSubstr("but no better than buy and hold, whose Sharpe ratio is"));
}

TEST(RunBacktest, SaysThatItNeverTraded) {
  const CandleSeries bars = RandomBars(100, 0, 3);
  const BacktestResult result = RunBacktest(bars, Foresight(bars, 1).Input(), Options(10.0));
  EXPECT_THAT(result.verdict, HasSubstr("ridge never traded"));
  EXPECT_TRUE(ToJson(result)["deflated_sharpe"]["probability"].is_null());
}

TEST(RunBacktest, SaysThatItLostEverything) {
  CandleSeries bars = HourlyBars({100, 100, 150, 300}, {100, 150, 300, 310});
  Signals signals;
  signals.made_at = {kHour};
  signals.target_time = {4 * kHour};
  signals.forecast = {-0.5};
  EXPECT_THAT(RunBacktest(bars, signals.Input(), Options()).verdict,
              HasSubstr("ridge lost everything by 1970-01-01"));
}

TEST(RunBacktest, PrintsItsAssumptions) {
  const CandleSeries bars = RandomBars(100, 0, 3);
  const BacktestResult result = RunBacktest(bars, Foresight(bars, 1).Input(), Options(0.001));
  EXPECT_THAT(result.assumptions, Contains(HasSubstr("above 0.1 %")));
  EXPECT_THAT(result.assumptions, Contains(HasSubstr("filled at the open of the next 1h bar")));
  EXPECT_THAT(result.assumptions, Contains(HasSubstr("1 bp fee and 1 bp slippage")));
  EXPECT_THAT(result.assumptions, Contains(HasSubstr("no funding")));
  EXPECT_THAT(result.assumptions, Contains(HasSubstr("8760 bars a year")));
}

TEST(RunBacktest, JsonHoldsTheWholeAccount) {
  const CandleSeries bars = RandomBars(100, 0, 3);
  const Json json = ToJson(RunBacktest(bars, Foresight(bars, 1).Input(), Options()));
  EXPECT_EQ(json["strategy"]["name"], "ridge");
  double pnl = 0;
  for (const Json& trade : json["strategy"]["trades"]) pnl += trade["pnl"].get<double>();
  EXPECT_NEAR(pnl / 10000, json["strategy"]["performance"]["total_return"].get<double>(), 1e-12);
  EXPECT_EQ(json["pessimistic"]["name"], "ridge, pessimistic");
  EXPECT_EQ(json["strategy"]["months"][0]["month"], "1970-01");
}

TEST(RunBacktest, RefusesWhatCannotBe) {
  const CandleSeries bars = RandomBars(100, 0, 3);
  Signals signals = Foresight(bars, 1);
  signals.target_time[4] = signals.made_at[4];
  EXPECT_THROW(RunBacktest(bars, signals.Input(), Options()), Error);
  signals.target_time.pop_back();
  EXPECT_THROW(RunBacktest(bars, signals.Input(), Options()), Error);
  EXPECT_THROW(RunBacktest(bars, {}, Options()), Error);
  BacktestOptions options = Options();
  options.execution.costs.fee_bps = 6000;
  EXPECT_THROW(RunBacktest(bars, Foresight(bars, 1).Input(), options), Error);
}

}  // namespace
}  // namespace almanac
