#include "almanac/pipeline/backtest_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "almanac/base/config.h"
#include "almanac/base/error.h"
#include "almanac/base/random.h"

namespace almanac {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

CandleSeries Bars(const std::string& symbol, uint64_t seed) {
  Random random(seed);
  CandleSeries bars;
  bars.key = {"test", symbol, Timeframe::Parse("1h")};
  double price = 100;
  for (size_t i = 0; i < 300; ++i) {
    const double open = price;
    price *= std::exp(0.01 * random.Normal());
    bars.Append({.open_time = static_cast<TimeMs>(i) * kMsPerHour,
                 .open = open,
                 .high = std::max(open, price),
                 .low = std::min(open, price),
                 .close = price,
                 .volume = 100});
  }
  return bars;
}

// Rows of two models; those of "prob" have probabilities beside their values.
ForecastTable Forecasts(const std::vector<const CandleSeries*>& series, bool values) {
  Random random(5);
  ForecastTable table;
  table.extra = {{"p_down", {}}, {"p_flat", {}}, {"p_up", {}}};
  for (const char* model : {"one", "two"}) {
    for (const CandleSeries* bars : series) {
      for (size_t i = 10; i + 2 < bars->size(); ++i) {
        const double up = random.Uniform(), down = (1 - up) * random.Uniform();
        table.Append({model, bars->key.symbol, bars->KnownAt(i), bars->KnownAt(i + 1), 1,
                      bars->close[i], values ? up - down : kNan});
        table.extra[0].values.back() = down;
        table.extra[1].values.back() = 1 - up - down;
        table.extra[2].values.back() = up;
      }
    }
  }
  return table;
}

BacktestSection Section(const std::string& yaml) {
  const ConfigDocument document = ConfigDocument::Parse(yaml, "test");
  return ReadBacktestSection(document.root(), {"one", "two"}, {"one"}, 1);
}

// p_up - p_down as a signal trades as a forecast of that value does; so do ensembles of them.
TEST(BacktestRun, ProbabilitiesAreSignalsLikeReturns) {
  const CandleSeries bars = Bars("A", 1);
  const ForecastTable both = Forecasts({&bars}, true), only = Forecasts({&bars}, false);
  for (const std::string more :
       {"", ", models: [one, two], ensemble: agree", ", models: [one, two], ensemble: median"}) {
    const BacktestSection returns = Section("{kind: signal, threshold: 0.3" + more + "}");
    const BacktestSection probabilities =
        Section("{kind: signal, signal: probability, threshold: 0.3" + more + "}");
    const BacktestAccount account = AccountsOf(returns).front();
    const BacktestResult a = RunAccount(returns, account, {both, {&bars}});
    const BacktestResult b = RunAccount(probabilities, account, {only, {&bars}});
    EXPECT_EQ(a.strategy.simulation.equity, b.strategy.simulation.equity);
    EXPECT_GT(a.strategy.simulation.trades.size(), 10u);
  }
}

TEST(BacktestRun, KellyOnProbabilitiesNeedsABetAndTakesTheCap) {
  const CandleSeries bars = Bars("A", 1);
  const ForecastTable table = Forecasts({&bars}, false);
  const std::string kelly = "{kind: signal, signal: probability, sizing: {kind: kelly}";
  const BacktestSection no_bet = Section(kelly + "}");
  EXPECT_THROW(RunAccount(no_bet, AccountsOf(no_bet).front(), {table, {&bars}}), Error);
  const BacktestSection bet = Section(kelly + ", exits: {stop_loss: 0.02, take_profit: 0.02}}");
  const BacktestResult result = RunAccount(bet, AccountsOf(bet).front(), {table, {&bars}});
  EXPECT_GT(result.strategy.simulation.trades.size(), 10u);
  const BacktestSection other = Section("{kind: signal, signal: probability, up: rise}");
  try {
    RunAccount(other, AccountsOf(other).front(), {table, {&bars}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("p_rise"), std::string::npos);
  }
}

// Of the prediction models of a grid some join only the best models of the validation part.
TEST(BacktestRun, AGridJoinsTheBestModels) {
  const CandleSeries bars = Bars("A", 1);
  ForecastTable table = Forecasts({&bars}, true);
  Random random(9);
  for (size_t row = 0; row < table.rows(); ++row) {
    if (table.model[row] != "two") continue;  // knows something; "one" is noise
    const auto bar = static_cast<size_t>(table.made_at[row] / kMsPerHour);
    table.value[row] = bars.close[bar] / table.price[row] - 1 + 0.003 * random.Normal();
  }
  const std::string start = "{kind: signal, ensemble: mean, grid: {threshold: [0, 0.002]";
  const BacktestSection both = Section(start + ", best: [2, 1]}, models: [one, two]}");
  const BacktestSection two = Section(start + "}, models: [two]}");
  EXPECT_EQ(both.signal.grid->size(), 4u);
  const BacktestInput input{table, {&bars}};
  const GridResult grid = RunGrid(both, AccountsOf(both).front(), input);
  const GridResult alone = RunGrid(two, AccountsOf(two).front(), input);
  EXPECT_EQ(grid.ranked, (std::vector<std::string>{"two", "one"}));
  ASSERT_EQ(grid.signals.size(), 2u);
  EXPECT_NE(grid.signals[1].find("the best 1 of 2 models"), std::string::npos);
  for (size_t threshold = 0; threshold < 2; ++threshold) {
    const auto best = grid.sweep.Equity(2 + threshold), same = alone.sweep.Equity(threshold);
    EXPECT_TRUE(std::equal(best.begin(), best.end(), same.begin(), same.end()));
  }
  EXPECT_GE(grid.best().config.rule.signal, 1u);
  const BacktestResult result = RunAccount(both, AccountsOf(both).front(), input, grid.best());
  EXPECT_EQ(result.strategy.simulation.equity.back(), grid.sweep.Equity(grid.judged.best).back());
  for (const char* wrong : {"best: [3]", "best: [0]", "best: [1.5]"}) {
    EXPECT_THROW(Section(start + ", " + wrong + "}, models: [one, two]}"), Error) << wrong;
  }
  EXPECT_THROW(Section("{kind: signal, grid: {best: [1]}, models: [one, two]}"), Error);
}

TEST(BacktestRun, SymbolsOfOneAccountHaveTheirOwnForecasts) {
  const CandleSeries a = Bars("A", 1), b = Bars("B", 2);
  const ForecastTable table = Forecasts({&a, &b}, true);
  const BacktestSection section =
      Section("{kind: signal, threshold: 0.3, sizing: {size: 0.5}, limits: {max_gross: 1}}");
  const BacktestAccount account = AccountsOf(section).front();
  const Simulation both = RunAccount(section, account, {table, {&a, &b}}).strategy.simulation;
  // Alone, with half of what it has, A's entries are at the same instants.
  const Simulation alone = RunAccount(section, account, {table, {&a}}).strategy.simulation;
  std::vector<TimeMs> of_a, of_alone;
  for (const Trade& trade : both.trades) {
    if (trade.symbol == 0) of_a.push_back(trade.entry_time);
  }
  for (const Trade& trade : alone.trades) of_alone.push_back(trade.entry_time);
  EXPECT_EQ(of_a, of_alone);
  EXPECT_GT(both.trades.size(), of_a.size());
  EXPECT_THROW(RunAccount(Section("{kind: threshold}"), account, {table, {&a, &b}}), Error);
}

}  // namespace
}  // namespace almanac
