#include "almanac/backtest/signal_portfolio.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "almanac/backtest/signal_backtest.h"
#include "almanac/backtest/signal_random_test_util.h"
#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/base/random.h"

namespace almanac {
namespace {

constexpr DurationMs kHour = kMsPerHour;

// Hourly bars from time 0, each from the last close straight to the next.
CandleSeries Closes(const std::string& symbol, const std::vector<double>& closes) {
  CandleSeries bars;
  bars.key = {"test", symbol, Timeframe::Parse("1h")};
  double open = closes.front();
  for (const double close : closes) {
    bars.Append({.open_time = static_cast<TimeMs>(bars.size()) * kHour,
                 .open = open,
                 .high = std::max(open, close),
                 .low = std::min(open, close),
                 .close = close,
                 .volume = 1000});
    open = close;
  }
  return bars;
}

struct At {
  size_t bar;  // after whose close it is decided
  double signal;
  double size;
};
SignalTable Decisions(const std::vector<At>& rows) {
  SignalTable table{{}, 0, {{"x", {}}}, {{"size", {}}}};
  for (const At& row : rows) {
    table.made_at.push_back(static_cast<TimeMs>(row.bar + 1) * kHour);
    table.signals[0].values.push_back(row.signal);
    table.sizes[0].values.push_back(row.size);
  }
  table.last_target = table.made_at.back() + kHour;
  return table;
}

SignalExecution Free() {
  SignalExecution execution;
  execution.fees = {{0, 0, 0}};
  execution.slippage_bps = 0;
  execution.capital = 1000;
  return execution;
}

TEST(SignalPortfolio, TheSecondEntryIsSizedByTheEquityThatTheFirstMade) {
  const CandleSeries a = Closes("A", {100, 100, 120, 120, 120}),
                     b = Closes("B", {10, 10, 10, 10, 11});
  const SignalTable at_once = Decisions({{0, 1, 0.5}}), later = Decisions({{2, 1, 0.5}});
  const PortfolioLeg legs[] = {{a, at_once}, {b, later}};
  const Simulation s = SimulateSignalPortfolio(legs, {}, Free(), {.max_gross = 2});
  // 5 A at 100; at 120 the equity is 1100, of which half buys 55 B at 10, which end at 11.
  EXPECT_EQ(s.equity, (std::vector<double>{1000, 1000, 1100, 1100, 1155}));
  ASSERT_EQ(s.trades.size(), 2u);
  EXPECT_EQ(s.trades[0].symbol, 0u);
  EXPECT_EQ(s.trades[1].symbol, 1u);
  EXPECT_DOUBLE_EQ(s.trades[1].units, 55);
  EXPECT_DOUBLE_EQ(s.weight[3], (600 + 550) / 1100.0);
  EXPECT_EQ(s.symbols, (std::vector<std::string>{"A", "B"}));
}

TEST(SignalPortfolio, TheStrongerSignalTakesThePlaceAndTheRoom) {
  const CandleSeries a = Closes("A", {100, 100, 100, 100}), b = Closes("B", {10, 10, 10, 10});
  const SignalTable weak = Decisions({{0, 1, 0.8}}), strong = Decisions({{0, -3, 0.8}});
  const PortfolioLeg legs[] = {{a, weak}, {b, strong}};
  const Simulation one = SimulateSignalPortfolio(legs, {}, Free(), {.max_positions = 1});
  ASSERT_EQ(one.trades.size(), 1u);
  EXPECT_EQ(one.trades[0].symbol, 1u);
  EXPECT_EQ(one.trades[0].side, Side::kShort);
  EXPECT_DOUBLE_EQ(one.trades[0].units, 80);
  // Together 1: what the stronger left.
  const Simulation both = SimulateSignalPortfolio(legs, {}, Free(), {});
  ASSERT_EQ(both.trades.size(), 2u);
  EXPECT_EQ(both.trades[0].symbol, 0u);
  EXPECT_NEAR(both.trades[0].units, 2, 1e-12);
  EXPECT_DOUBLE_EQ(both.trades[1].units, 80);
  const std::vector<SignalConfig> configs(1);
  const SignalSweep sweep = SweepSignalPortfolio(legs, configs, Free(), {.max_positions = 1});
  EXPECT_EQ(sweep.totals[0].entries_refused, 1u);
}

TEST(SignalPortfolio, AHedgeKeepsTheAccountFromLiquidation) {
  // Twice the capital long in A is lost at 50; the short in B earns 500 before A falls.
  const CandleSeries a = Closes("A", {100, 100, 100, 40, 20, 20}),
                     b = Closes("B", {100, 100, 50, 50, 50, 50});
  const SignalTable longs = Decisions({{0, 1, 2}}), shorts = Decisions({{0, -1, 1}});
  const PortfolioLeg alone[] = {{a, longs}}, hedged[] = {{a, longs}, {b, shorts}};
  const PortfolioLimits limits{.max_gross = 3};
  const Simulation lost = SimulateSignalPortfolio(alone, {}, Free(), limits);
  ASSERT_EQ(lost.trades.size(), 1u);
  EXPECT_EQ(lost.trades[0].exit, ExitReason::kLiquidation);
  EXPECT_NEAR(lost.trades[0].exit_price, 50, 1e-9);
  const Simulation kept = SimulateSignalPortfolio(hedged, {}, Free(), limits);
  // 20 A bought at 100, 10 B sold at 100: 1500 at (100, 50), of which 20 A may lose 75 each.
  ASSERT_EQ(kept.trades.size(), 2u);
  EXPECT_EQ(kept.trades[0].exit, ExitReason::kLiquidation);
  EXPECT_EQ(kept.trades[0].symbol, 0u);
  EXPECT_NEAR(kept.trades[0].exit_price, 25, 1e-9);
  EXPECT_EQ(kept.trades[0].exit_bar, 4u);
  ASSERT_TRUE(kept.ruined_at);  // nothing was left
  EXPECT_NEAR(kept.equity.back(), 0, 1e-9);
}

TEST(SignalPortfolio, TheWorstPricesOfABarMeetTogetherIfPessimistic) {
  // Inside bar 2 A falls to 60 and comes back, and so does B: together they lose 1600 of 1000.
  CandleSeries a = Closes("A", {100, 100, 100, 100}), b = Closes("B", {100, 100, 100, 100});
  a.low[2] = b.low[2] = 60;
  const SignalTable longs = Decisions({{0, 1, 2}});
  const PortfolioLeg legs[] = {{a, longs}, {b, longs}};
  const PortfolioLimits limits{.max_gross = 4};
  SignalExecution how = Free();
  const Simulation worst = SimulateSignalPortfolio(legs, {}, how, limits);
  ASSERT_FALSE(worst.trades.empty());
  EXPECT_EQ(worst.trades[0].exit, ExitReason::kLiquidation);
  // With B at 60 the account stands at 200 before A moves: 20 A may lose 10 each.
  EXPECT_NEAR(worst.trades[0].exit_price, 90, 1e-9);
  how.intrabar = IntrabarPolicy::kOptimistic;
  const Simulation apart = SimulateSignalPortfolio(legs, {}, how, limits);
  EXPECT_EQ(apart.equity.back(), 1000);
}

TEST(SignalPortfolio, InterestOnBorrowedCashIsPaidOnce) {
  std::vector<double> flat(60, 100);
  const CandleSeries a = Closes("A", flat), b = Closes("B", flat);
  const SignalTable longs = Decisions({{0, 1, 1.5}});
  const PortfolioLeg legs[] = {{a, longs}, {b, longs}};
  SignalExecution how = Free();
  how.borrow_bps_per_year = 3650;  // a thousandth a day
  const Simulation s = SimulateSignalPortfolio(legs, {}, how, {.max_gross = 3});
  // 3000 bought with 1000: 2000 are borrowed, 2002 after the first of two midnights.
  EXPECT_NEAR(s.funding, 2 + 2.002, 1e-9);
}

TEST(SignalPortfolio, AnEndedSeriesIsSoldAtItsLastClose) {
  const CandleSeries a = Closes("A", {100, 100, 110}), b = Closes("B", {10, 10, 10, 10, 10});
  const SignalTable longs = Decisions({{0, 1, 0.5}});
  const PortfolioLeg legs[] = {{a, longs}, {b, longs}};
  const Simulation s = SimulateSignalPortfolio(legs, {}, Free(), {});
  ASSERT_EQ(s.trades.size(), 2u);
  EXPECT_EQ(s.trades[0].exit, ExitReason::kDelisting);
  EXPECT_EQ(s.trades[0].exit_price, 110);
  EXPECT_EQ(s.trades[0].exit_time, 3 * kHour);
  EXPECT_EQ(s.trades[1].exit, ExitReason::kEnd);
}

TEST(SignalPortfolio, FeeTiersFollowTheWholeAccount) {
  std::vector<double> flat(80, 100);
  const CandleSeries a = Closes("A", flat), b = Closes("B", flat);
  // A trades 1000 on the first day; B enters on the third.
  const SignalTable first = Decisions({{0, 1, 1}, {3, 0, 1}}), later = Decisions({{50, 1, 1}});
  const PortfolioLeg legs[] = {{a, first}, {b, later}};
  SignalExecution how = Free();
  how.fees = {{0, 0, 0}, {1500, 10, 10}};
  const Simulation s = SimulateSignalPortfolio(legs, {}, how, {});
  ASSERT_EQ(s.trades.size(), 2u);
  EXPECT_EQ(s.trades[0].costs, 0);
  EXPECT_GT(s.trades[1].costs, 0.9);  // 2000 were traded before
}

TEST(SignalPortfolio, RefusesWhatCannotBe) {
  const CandleSeries a = Closes("A", {100, 100, 100}), b = Closes("B", {10, 10, 10});
  CandleSeries other = b;
  other.key.timeframe = Timeframe::Parse("30m");
  const SignalTable table = Decisions({{0, 1, 0.5}});
  const auto refuses = [&](const std::vector<PortfolioLeg>& legs, const PortfolioLimits& limits,
                           const char* part) {
    try {
      SimulateSignalPortfolio(legs, {}, Free(), limits);
      ADD_FAILURE() << part;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  refuses({}, {}, "no symbols");
  refuses({{a, table}, {a, table}}, {}, "every symbol once");
  refuses({{b, table}, {a, table}}, {}, "in order of their names");
  refuses({{a, table}, {other, table}}, {}, "one timeframe");
  refuses({{a, table}}, {.max_gross = 0}, "max_gross");
  refuses({{a, Decisions({{0, NAN, 0.5}})}}, {}, "finite");
}

// Random legs in one account.
class RandomPortfolio : public ::testing::TestWithParam<uint64_t> {
 protected:
  void Make(size_t symbols, bool leverage) {
    bars_.clear();
    tables_.clear();
    legs_.clear();
    for (size_t l = 0; l < symbols; ++l) {
      bars_.push_back(MinuteBars(random_, 200 + random_.Below(100), 0.008));
      bars_.back().key.symbol = std::string(1, static_cast<char>('A' + l));
      tables_.push_back(RandomTable(random_, bars_.back()));
      if (leverage) continue;
      for (double& size : tables_.back().sizes[0].values) size = std::min(size, 0.5);
    }
    how_ = RandomExecution(random_, bars_.front().open_time.back());
    for (size_t l = 0; l < symbols; ++l) legs_.push_back({bars_[l], tables_[l], how_.funding});
  }

  Random random_{GetParam()};
  std::vector<CandleSeries> bars_;
  std::vector<SignalTable> tables_;
  std::vector<PortfolioLeg> legs_;
  SignalExecution how_;
};

TEST_P(RandomPortfolio, OfOneSymbolIsTheSignalAccountToTheBit) {
  for (int round = 0; round < 20; ++round) {
    Make(1, true);
    if (round % 2 == 0) how_.mark_every = kMsPerDay;
    const SignalConfig config = RandomConfig(random_);
    const Simulation one = SimulateSignals(bars_[0], tables_[0], config, how_);
    const Simulation same = SimulateSignalPortfolio(legs_, config, how_, {});
    ASSERT_EQ(one.time, same.time);
    ASSERT_EQ(one.equity, same.equity) << round;
    ASSERT_EQ(one.weight, same.weight);
    ASSERT_EQ(one.traded, same.traded);
    ASSERT_EQ(one.costs, same.costs);
    ASSERT_EQ(one.funding, same.funding);
    ASSERT_EQ(one.trades.size(), same.trades.size());
    for (size_t t = 0; t < one.trades.size(); ++t) {
      ASSERT_EQ(one.trades[t].pnl, same.trades[t].pnl);
      ASSERT_EQ(one.trades[t].exit, same.trades[t].exit);
      ASSERT_EQ(one.trades[t].entry_bar, same.trades[t].entry_bar);
      ASSERT_EQ(one.trades[t].exit_time, same.trades[t].exit_time);
    }
  }
}

TEST_P(RandomPortfolio, AccountsAddUpAndLimitsHold) {
  for (int round = 0; round < 8; ++round) {
    Make(4, false);
    const SignalConfig config = RandomConfig(random_);
    const PortfolioLimits limits{.max_positions = 2, .max_gross = 1};
    const Simulation s = SimulateSignalPortfolio(legs_, config, how_, limits);
    double pnl = 0, costs = 0, funding = 0;
    std::map<TimeMs, int> changes;  // of the number of positions
    for (const Trade& trade : s.trades) {
      pnl += trade.pnl;
      costs += trade.costs;
      funding += trade.funding;
      const CandleSeries& bars = bars_[trade.symbol];
      const auto price_was_there = [&](double price) {
        return std::any_of(bars.low.begin(), bars.low.end(),
                           [&](double low) { return low <= price * (1 + 1e-12); }) &&
               std::any_of(bars.high.begin(), bars.high.end(),
                           [&](double high) { return high >= price * (1 - 1e-12); });
      };
      EXPECT_TRUE(price_was_there(trade.entry_price) && price_was_there(trade.exit_price));
      if (trade.entry_time == trade.exit_time) continue;
      ++changes[trade.entry_time];
      --changes[trade.exit_time];
    }
    EXPECT_NEAR(s.capital + pnl, s.equity.back(), 1e-6);
    EXPECT_NEAR(costs, s.costs, 1e-8);
    EXPECT_NEAR(funding, s.funding, 1e-8);
    int positions = 0;
    for (const auto& [time, change] : changes) {
      positions += change;
      EXPECT_LE(positions, 2) << FormatTime(time);
    }
  }
}

TEST_P(RandomPortfolio, AShuffledFutureChangesNothingBeforeIt) {
  for (int round = 0; round < 5; ++round) {
    Make(3, true);
    const SignalConfig config = RandomConfig(random_);
    const TimeMs cut = bars_[0].open_time[bars_[0].size() / 2];
    const Simulation before = SimulateSignalPortfolio(legs_, config, how_, {.max_gross = 5});
    for (CandleSeries& bars : bars_) {
      for (size_t i = 0; i < bars.size(); ++i) {
        if (bars.open_time[i] < cut) continue;
        const double factor = 0.5 + random_.Uniform();
        for (auto* field : {&bars.open, &bars.high, &bars.low, &bars.close}) {
          (*field)[i] *= factor;
        }
      }
    }
    const Simulation after = SimulateSignalPortfolio(legs_, config, how_, {.max_gross = 5});
    ASSERT_EQ(before.time, after.time);
    for (size_t i = 0; i < before.time.size() && before.time[i] < cut; ++i) {
      ASSERT_EQ(before.equity[i], after.equity[i]) << i;
    }
  }
}

TEST_P(RandomPortfolio, ASweepIsEachConfigurationAloneWithAnyThreads) {
  Make(3, true);
  std::vector<SignalConfig> configs;
  for (int c = 0; c < 20; ++c) configs.push_back(RandomConfig(random_));
  const PortfolioLimits limits{.max_positions = 2, .max_gross = 3};
  const int threads = ThreadCount();
  SetThreadCount(2);
  const SignalSweep sweep = SweepSignalPortfolio(legs_, configs, how_, limits);
  SetThreadCount(threads);
  for (size_t c = 0; c < configs.size(); ++c) {
    const Simulation alone = SimulateSignalPortfolio(legs_, configs[c], how_, limits);
    ASSERT_EQ(std::vector<double>(sweep.Equity(c).begin(), sweep.Equity(c).end()), alone.equity);
    EXPECT_EQ(sweep.totals[c].trades, alone.trades.size());
  }
}

// Market orders without protection, written anew from docs/backtest.md: everything is looked up.
TEST_P(RandomPortfolio, ASlowAccountOfMarketOrdersAgrees) {
  Make(3, false);
  SignalExecution how = Free();
  how.fees = {{0, 3, 7}};
  how.slippage_bps = 2;
  const PortfolioLimits limits{.max_positions = 2, .max_gross = 0.8};
  const SignalConfig config{{.long_above = 0.3, .short_below = 0.5}, {}};
  for (PortfolioLeg& leg : legs_) leg.funding.clear();
  const Simulation fast = SimulateSignalPortfolio(legs_, config, how, limits);

  std::map<TimeMs, std::vector<size_t>> at;  // bars by time: which symbols
  for (size_t l = 0; l < 3; ++l) {
    for (const TimeMs time : bars_[l].open_time) at[time].push_back(l);
  }
  std::vector<double> units(3, 0), price(3, 0);
  std::vector<size_t> place(3, 0), row(3, 0);
  double cash = 1000;
  std::vector<double> equity;
  const double cost = 9e-4;
  const auto value = [&] {
    double sum = cash;
    for (size_t l = 0; l < 3; ++l) sum += units[l] * price[l];
    return sum;
  };
  const auto trade = [&](size_t l, double change) {
    cash -= change * price[l] + cost * std::abs(change) * price[l];
    units[l] += change;
  };
  for (const auto& [time, symbols] : at) {
    for (size_t l = 0; l < 3; ++l) {
      const bool over = time > bars_[l].open_time.back();
      if (over && units[l] != 0) trade(l, -units[l]);
    }
    std::vector<std::pair<double, size_t>> turns;  // key, symbol
    std::vector<double> wanted(3, NAN);
    for (const size_t l : symbols) {
      place[l] = static_cast<size_t>(
          std::find(bars_[l].open_time.begin(), bars_[l].open_time.end(), time) -
          bars_[l].open_time.begin());
      price[l] = bars_[l].open[place[l]];
      const SignalTable& table = tables_[l];
      double strength = -1;
      while (row[l] < table.rows() && table.made_at[row[l]] <= time) {
        const double x = table.signals[0].values[row[l]], size = table.sizes[0].values[row[l]];
        wanted[l] = x > 0.3 ? size : x < -0.5 ? -size : 0;
        strength = std::abs(x);
        ++row[l];
      }
      if (!std::isnan(wanted[l])) turns.emplace_back(units[l] != 0 ? -1e9 : -strength, l);
    }
    std::sort(turns.begin(), turns.end());
    for (const auto& [key, l] : turns) {
      const double want = wanted[l];
      if (units[l] != 0 && want * units[l] > 0) continue;
      const double at_turn = value();
      if (units[l] != 0) trade(l, -units[l]);
      if (want == 0) continue;
      size_t others = 0;
      double gross = 0;
      for (size_t o = 0; o < 3; ++o) {
        others += units[o] != 0 ? 1 : 0;
        gross += std::abs(units[o] * price[o]);
      }
      const double room = 0.8 * at_turn - gross;
      if (others >= 2 || room <= 0) continue;
      const double size = std::min(std::abs(want) * value() / (1 + std::abs(want) * cost), room);
      trade(l, (want > 0 ? size : -size) / price[l]);
    }
    for (const size_t l : symbols) price[l] = bars_[l].close[place[l]];
    equity.push_back(value());
  }
  for (size_t l = 0; l < 3; ++l) trade(l, -units[l]);
  equity.back() = cash;
  ASSERT_EQ(fast.equity.size(), equity.size());
  for (size_t i = 0; i < equity.size(); ++i) ASSERT_NEAR(fast.equity[i], equity[i], 1e-7) << i;
  EXPECT_GT(fast.trades.size(), 20u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomPortfolio, ::testing::Range<uint64_t>(1, 9));

TEST(SignalPortfolioBacktest, StandsBesideItsTwinAndAllSymbols) {
  Random random(3);
  std::vector<CandleSeries> bars;
  std::vector<SignalTable> tables;
  for (const char* symbol : {"A", "B"}) {
    bars.push_back(MinuteBars(random, 500, 0.004));
    bars.back().key.symbol = symbol;
    SignalTable table{{}, bars.back().KnownAt(bars.back().size() - 1), {{"x", {}}}, {{"size", {}}}};
    for (size_t i = 5; i + 1 < bars.back().size(); i += 3) {
      table.made_at.push_back(bars.back().KnownAt(i));
      table.signals[0].values.push_back(bars.back().close[i + 1] / bars.back().open[i + 1] - 1);
      table.sizes[0].values.push_back(0.5);
    }
    tables.push_back(std::move(table));
  }
  const PortfolioLeg legs[] = {{bars[0], tables[0]}, {bars[1], tables[1]}};
  SignalBacktestOptions options;
  options.name = "oracle";
  options.mark = Timeframe::Parse("1h");
  const BacktestResult result = RunSignalPortfolioBacktest(legs, options, {});
  EXPECT_GT(result.strategy.performance.total_return, 0);
  EXPECT_LT(result.pessimistic.performance.total_return, result.strategy.performance.total_return);
  EXPECT_EQ(result.buy_and_hold.name, "all symbols in equal parts");
  EXPECT_EQ(result.buy_and_hold.simulation.trades.size(), 2u);
  EXPECT_EQ(result.strategy.simulation.time, result.buy_and_hold.simulation.time);
}

}  // namespace
}  // namespace almanac
