#include "almanac/backtest/simulator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <optional>

#include "almanac/backtest/bars_test_util.h"
#include "almanac/base/error.h"

namespace almanac {
namespace {

using ::testing::DoubleNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;

ExecutionOptions Costs(double bps, size_t delay = 0) {
  ExecutionOptions options;
  options.costs = {.fee_bps = bps * 0.6, .slippage_bps = bps * 0.4};
  options.capital = 1000;
  options.delay_bars = delay;
  return options;
}

TEST(Simulate, FillsAtTheNextOpenAndMarksAtTheClose) {
  const CandleSeries bars = HourlyBars({100, 110, 120, 125}, {105, 118, 121, 130});
  // Decided when bar 0 is known; flat again when bar 2 is.
  const std::vector<PositionTarget> targets = {{kHour, 1}, {3 * kHour, 0}};
  const Simulation result = Simulate(bars, targets, Costs(0));
  const std::vector<double> equity = {1000, 1000 * 118.0 / 110, 1100, 1000 * 125.0 / 110};
  EXPECT_THAT(result.equity, Pointwise(DoubleNear(1e-9), equity));
  EXPECT_THAT(result.weight, Pointwise(DoubleNear(1e-12), std::vector<double>{0, 1, 1, 0}));
  ASSERT_EQ(result.trades.size(), 1u);
  EXPECT_EQ(result.trades[0].entry_price, 110);
  EXPECT_EQ(result.trades[0].entry_time, kHour);
  EXPECT_EQ(result.trades[0].exit_price, 125);
  EXPECT_EQ(result.trades[0].exit_time, 3 * kHour);
  EXPECT_FALSE(result.trades[0].closed_at_end);
  EXPECT_EQ(result.targets_executed, 2u);
}

TEST(Simulate, ChargesCostsOnEveryTradedNotional) {
  const CandleSeries bars = HourlyBars({100, 100, 200, 200}, {100, 150, 200, 200});
  const std::vector<PositionTarget> targets = {{kHour, 1}, {2 * kHour, 0}};
  const Simulation result = Simulate(bars, targets, Costs(100));
  // Buys N with N + 1 % N = 1000, sells 2 N less 1 %.
  const double notional = 1000 / 1.01;
  EXPECT_NEAR(result.equity.back(), 2 * notional * 0.99, 1e-9);
  EXPECT_NEAR(result.costs, 0.01 * 3 * notional, 1e-9);
  EXPECT_NEAR(result.traded[1], notional, 1e-9);
  EXPECT_NEAR(result.traded[2], 2 * notional, 1e-9);
  EXPECT_NEAR(result.trades[0].pnl, 2 * notional * 0.99 - 1000, 1e-9);
}

TEST(Simulate, AFlipPaysForBothSides) {
  const CandleSeries bars = HourlyBars({100, 100, 100, 80}, {100, 100, 100, 80});
  const std::vector<PositionTarget> targets = {{kHour, 1}, {2 * kHour, -1}, {3 * kHour, 0}};
  const Simulation result = Simulate(bars, targets, Costs(100));
  const double longed = 1000 / 1.01;
  const double after_long = longed * 0.99;
  const double shorted = after_long / 1.01;
  const double end = after_long - 0.01 * shorted + 0.2 * shorted - 0.01 * 0.8 * shorted;
  EXPECT_NEAR(result.equity.back(), end, 1e-9);
  ASSERT_EQ(result.trades.size(), 2u);
  EXPECT_EQ(result.trades[1].side, Side::kShort);
  EXPECT_NEAR(result.trades[0].pnl, after_long - 1000, 1e-9);
  EXPECT_NEAR(result.trades[1].pnl, end - after_long, 1e-9);
  // After costs the short is worth the whole equity.
  EXPECT_NEAR(result.weight[2], -1, 1e-12);
}

TEST(Simulate, ClosesWhatIsHeldAtTheLastClose) {
  const CandleSeries bars = HourlyBars({100, 100}, {100, 120});
  const std::vector<PositionTarget> targets = {{kHour, 1}};
  const Simulation result = Simulate(bars, targets, Costs(0));
  ASSERT_EQ(result.trades.size(), 1u);
  EXPECT_TRUE(result.trades[0].closed_at_end);
  EXPECT_EQ(result.trades[0].exit_time, 2 * kHour);
  EXPECT_EQ(result.weight[1], 1);
  EXPECT_DOUBLE_EQ(result.TotalReturn(), 0.2);
}

TEST(Simulate, FillsAfterAGapAtTheNextBarThereIsAndTheLastTargetCounts) {
  CandleSeries bars = HourlyBars({100, 0, 0, 130, 140}, {100, 0, 0, 135, 150});
  CandleSeries gapped = bars.Slice(0, 1);
  gapped.Append(bars.At(3));
  gapped.Append(bars.At(4));
  const std::vector<PositionTarget> targets = {{kHour, -1}, {2 * kHour, 1}};
  const Simulation result = Simulate(gapped, targets, Costs(0));
  ASSERT_EQ(result.trades.size(), 1u);
  EXPECT_EQ(result.trades[0].side, Side::kLong);
  EXPECT_EQ(result.trades[0].entry_price, 130);
  EXPECT_EQ(result.targets_executed, 1u);
}

TEST(Simulate, DelaysFillsByBars) {
  const CandleSeries bars = HourlyBars({100, 101, 102, 103}, {100, 101, 102, 103});
  const std::vector<PositionTarget> targets = {{kHour, 1}, {3 * kHour, 0}};
  const Simulation result = Simulate(bars, targets, Costs(0, 1));
  ASSERT_EQ(result.trades.size(), 1u);
  EXPECT_EQ(result.trades[0].entry_price, 102);
  EXPECT_TRUE(result.trades[0].closed_at_end);
  EXPECT_EQ(result.targets_missed, 1u);
}

TEST(Simulate, ResizesWithinATrade) {
  const CandleSeries bars = HourlyBars({100, 100, 200, 200}, {100, 100, 200, 200});
  const std::vector<PositionTarget> targets = {{0, 0.5}, {2 * kHour, 0.2}, {3 * kHour, 0}};
  const Simulation result = Simulate(bars, targets, Costs(0));
  // 5 units at 100; worth 1500 at 200, keeps 300 = 1.5 units; sells 3.5 and 1.5 at 200.
  ASSERT_EQ(result.trades.size(), 1u);
  EXPECT_DOUBLE_EQ(result.trades[0].units, 5);
  EXPECT_DOUBLE_EQ(result.trades[0].exit_price, 200);
  EXPECT_DOUBLE_EQ(result.trades[0].pnl, 500);
  EXPECT_DOUBLE_EQ(result.weight[2], 0.2);
  EXPECT_DOUBLE_EQ(result.traded[2], 700);
}

TEST(Simulate, StopsWhenAShortHasLostEverything) {
  const CandleSeries bars = HourlyBars({100, 100, 150, 90}, {100, 150, 230, 95});
  const std::vector<PositionTarget> targets = {{kHour, -1}, {3 * kHour, 1}};
  const Simulation result = Simulate(bars, targets, Costs(0));
  EXPECT_EQ(result.ruined_at, 3 * kHour);
  EXPECT_DOUBLE_EQ(result.equity[2], -300);
  EXPECT_DOUBLE_EQ(result.equity[3], -300);
  EXPECT_DOUBLE_EQ(result.Returns()[2], -1.6);
  EXPECT_EQ(result.Returns()[3], 0);
  EXPECT_EQ(result.weight[2], 0);
  EXPECT_EQ(result.trades.size(), 1u);
}

TEST(Simulate, NothingIsTradedOnceTheOpenHasRuinedTheAccount) {
  const CandleSeries bars = HourlyBars({100, 100, 250, 90}, {100, 150, 120, 95});
  const std::vector<PositionTarget> targets = {{kHour, -1}, {2 * kHour, 1}, {3 * kHour, -1}};
  const Simulation result = Simulate(bars, targets, Costs(0));
  EXPECT_EQ(result.ruined_at, 2 * kHour);
  EXPECT_DOUBLE_EQ(result.equity.back(), -500);
  EXPECT_EQ(result.trades.size(), 1u);
}

TEST(Simulate, RefusesWhatCannotBe) {
  const auto message = [](const CandleSeries& bars, std::vector<PositionTarget> targets,
                          const ExecutionOptions& options) -> std::string {
    try {
      Simulate(bars, targets, options);
    } catch (const Error& error) {
      return error.what();
    }
    return "accepted";
  };
  const CandleSeries bars = HourlyBars({100, 100}, {100, 100});
  ExecutionOptions options = Costs(10);
  options.costs.fee_bps = -1;
  EXPECT_THAT(message(bars, {}, options), HasSubstr("execution.fee_bps: -1 is not possible"));
  options.costs = {.fee_bps = 6000, .slippage_bps = 5000};
  EXPECT_THAT(message(bars, {}, options), HasSubstr("below 10000"));
  options.costs = {.fee_bps = 1, .slippage_bps = NAN};
  EXPECT_THAT(message(bars, {}, options), HasSubstr("execution.slippage_bps"));
  options = Costs(10);
  options.capital = 0;
  EXPECT_THAT(message(bars, {}, options), HasSubstr("execution.capital"));
  options = Costs(10);
  options.from = 5 * kHour;
  EXPECT_THAT(message(bars, {}, options), HasSubstr("no bar in the simulated time"));
  EXPECT_THAT(message(bars, {{0, 2}}, Costs(10)), HasSubstr("beyond the whole equity"));
  EXPECT_THAT(message(bars, {{0, NAN}}, Costs(10)), HasSubstr("not finite"));
  EXPECT_THAT(message(bars, {{9, 1}, {8, 1}}, Costs(10)), HasSubstr("decided before"));
  EXPECT_THAT(message(HourlyBars({100, 0}, {100, 1}), {}, Costs(10)),
              HasSubstr("test BTCUSDT 1h 1970-01-01T01:00:00Z: open 0, close 1"));
}

// The same rules, written the slow and obvious way: at each bar look through all targets for the
// one to fill, find by bisection how much to trade so that the weight holds after costs.
std::vector<double> ObviousEquity(const CandleSeries& bars,
                                  const std::vector<PositionTarget>& targets,
                                  const ExecutionOptions& options) {
  const double rate = options.costs.Rate();
  double cash = options.capital;
  double units = 0;
  double standing = 0;
  std::vector<double> equity;
  for (size_t bar = 0; bar < bars.size(); ++bar) {
    std::optional<double> wanted;
    for (const PositionTarget& target : targets) {
      size_t fill = 0;
      while (fill < bars.size() && bars.open_time[fill] < target.decided_at) ++fill;
      if (fill + options.delay_bars == bar) wanted = target.weight;
    }
    const double open = bars.open[bar];
    if (wanted && *wanted != standing) {
      standing = *wanted;
      const auto excess = [&](double bought) {
        const double cost = rate * std::abs(bought) * open;
        return (units + bought) * open - standing * (cash + units * open - cost);
      };
      double low = -10 * options.capital / open;
      double high = -low;
      for (int step = 0; step < 200; ++step) {
        const double middle = (low + high) / 2;
        (excess(middle) < 0 ? low : high) = middle;
      }
      const double bought = standing == 0 ? -units : (low + high) / 2;
      cash -= bought * open + rate * std::abs(bought) * open;
      units += bought;
    }
    if (bar + 1 == bars.size()) {
      cash += units * bars.close[bar] - rate * std::abs(units) * bars.close[bar];
      units = 0;
    }
    equity.push_back(cash + units * bars.close[bar]);
  }
  return equity;
}

std::vector<PositionTarget> RandomTargets(size_t hours, uint64_t seed) {
  Random random(seed);
  std::vector<PositionTarget> targets;
  for (size_t hour = 0; hour < hours; ++hour) {
    if (random.Uniform() < 0.4) continue;
    const double weights[] = {-1, -0.5, 0, 0, 0.3, 1};
    targets.push_back({static_cast<TimeMs>(hour) * kHour, weights[random.Below(6)]});
  }
  return targets;
}

class SimulateProperty : public ::testing::TestWithParam<uint64_t> {
 protected:
  const CandleSeries bars_ = RandomBars(160, 0.1, GetParam());
  const std::vector<PositionTarget> targets_ = RandomTargets(160, GetParam() + 1000);
  const ExecutionOptions options_ = Costs(15, GetParam() % 3);
  const Simulation result_ = Simulate(bars_, targets_, options_);
};

TEST_P(SimulateProperty, AgreesWithTheObviousImplementation) {
  const std::vector<double> expected = ObviousEquity(bars_, targets_, options_);
  ASSERT_EQ(result_.equity.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(result_.equity[i], expected[i], 1e-8) << "bar " << i;
  }
}

TEST_P(SimulateProperty, TradesExplainTheReturnAndTheCosts) {
  double pnl = 0;
  double costs = 0;
  for (const Trade& trade : result_.trades) {
    pnl += trade.pnl;
    costs += trade.costs;
    const double sign = trade.side == Side::kLong ? 1 : -1;
    EXPECT_NEAR(trade.pnl,
                sign * (trade.exit_price - trade.entry_price) * trade.units - trade.costs, 1e-8);
    EXPECT_LE(trade.entry_time, trade.exit_time);
  }
  EXPECT_NEAR(result_.capital + pnl, result_.equity.back(), 1e-8);
  EXPECT_NEAR(costs, result_.costs, 1e-8);
  const double traded = std::accumulate(result_.traded.begin(), result_.traded.end(), 0.0);
  EXPECT_NEAR(result_.costs, traded * options_.costs.Rate(), 1e-8);
  double compounded = result_.capital;
  for (const double r : result_.Returns()) compounded *= 1 + r;
  EXPECT_NEAR(compounded, result_.equity.back(), 1e-8);
}

TEST_P(SimulateProperty, NoFillKnowsAPriceOfItsFuture) {
  // Whatever happens from bar `cut` on, the account before it is the same.
  const size_t cut = bars_.size() / 2;
  CandleSeries other = bars_;
  Random random(GetParam() + 5);
  for (size_t i = cut; i < other.size(); ++i) {
    other.open[i] *= 1 + 0.2 * random.Uniform();
    other.close[i] *= 1 + 0.2 * random.Uniform();
  }
  const Simulation changed = Simulate(other, targets_, options_);
  for (size_t i = 0; i < cut; ++i) ASSERT_EQ(changed.equity[i], result_.equity[i]);
  EXPECT_NE(changed.equity.back(), result_.equity.back());
}

TEST_P(SimulateProperty, DoublingCostsNeverHelps) {
  ExecutionOptions doubled = options_;
  doubled.costs.fee_bps *= 2;
  doubled.costs.slippage_bps *= 2;
  EXPECT_LT(Simulate(bars_, targets_, doubled).equity.back(), result_.equity.back());
}

TEST_P(SimulateProperty, NoSignalsNoChange) {
  const Simulation flat = Simulate(bars_, {}, options_);
  for (const double equity : flat.equity) ASSERT_EQ(equity, options_.capital);
  EXPECT_TRUE(flat.trades.empty());
}

INSTANTIATE_TEST_SUITE_P(Seeds, SimulateProperty, ::testing::Range<uint64_t>(1, 25));

}  // namespace
}  // namespace almanac
