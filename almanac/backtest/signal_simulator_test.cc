#include "almanac/backtest/signal_simulator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <string>
#include <vector>

#include "almanac/backtest/bars_test_util.h"
#include "almanac/backtest/signal_backtest.h"
#include "almanac/backtest/sweep.h"
#include "almanac/base/error.h"
#include "almanac/base/parallel.h"

namespace almanac {
namespace {

struct Bar {
  double open, high, low, close;
  double volume = 1000;
};

// Hourly bars from time 0; the first is flat at 100.
CandleSeries Bars(const std::vector<Bar>& after) {
  CandleSeries bars;
  bars.key = {"test", "BTCUSDT", Timeframe::Parse("1h")};
  bars.Append({.open_time = 0, .open = 100, .high = 100, .low = 100, .close = 100, .volume = 1000});
  for (const Bar& bar : after) {
    bars.Append({.open_time = static_cast<TimeMs>(bars.size()) * kHour,
                 .open = bar.open,
                 .high = bar.high,
                 .low = bar.low,
                 .close = bar.close,
                 .volume = bar.volume});
  }
  return bars;
}

// Decisions with signal +1 or -1 at the end of bars.
SignalTable Decisions(const std::vector<std::pair<size_t, double>>& at, double size = 1) {
  SignalTable table;
  table.signals = {{"x", {}}};
  table.sizes = {{"size", {}}};
  for (const auto& [bar, signal] : at) {
    table.made_at.push_back(static_cast<TimeMs>(bar + 1) * kHour);
    table.signals[0].values.push_back(signal);
    table.sizes[0].values.push_back(size);
  }
  return table;
}

// Without costs, 1000 of capital.
SignalExecution Free() {
  SignalExecution execution;
  execution.fees = {{0, 0, 0}};
  execution.slippage_bps = 0;
  execution.capital = 1000;
  return execution;
}

// One trade entered at 100 with 10 units, ended inside or at the open of a bar.
struct ExitCase {
  std::string name;
  double side;  // 1 long, -1 short
  TradeRules rules;
  IntrabarPolicy policy;
  bool touch;
  std::vector<Bar> bars;
  double exit_price;
  ExitReason reason;
  double exit_hours;  // 2: at the end of bar 1 or the open of bar 2
};

// GoogleTest prints the bytes of what it cannot print, padding included.
void PrintTo(const ExitCase& c, std::ostream* out) { *out << c.name; }

TradeRules Exits(double stop, double take, double trailing = 0) {
  TradeRules rules;
  rules.stop_loss = stop;
  rules.take_profit = take;
  rules.trailing_stop = trailing;
  return rules;
}

const IntrabarPolicy kWorst = IntrabarPolicy::kPessimistic;
const Bar kBoth = {100, 104, 97, 100};       // reaches a stop at 98 and a profit at 103
const Bar kBothShort = {100, 103, 96, 100};  // reaches 102 and 97
const Bar kEnd = {100, 100, 100, 100};

const ExitCase kExitCases[] = {
    {"StopInside",
     1,
     Exits(0.02, 0),
     kWorst,
     false,
     {{100, 101, 97, 99}, kEnd},
     98,
     ExitReason::kStop,
     2},
    {"StopInsideShort",
     -1,
     Exits(0.02, 0),
     kWorst,
     false,
     {{100, 103, 99, 100}, kEnd},
     102,
     ExitReason::kStop,
     2},
    {"StopTouched",
     1,
     Exits(0.02, 0),
     kWorst,
     false,
     {{100, 101, 98, 99}, kEnd},
     98,
     ExitReason::kStop,
     2},
    {"GapBeyondTheStop",
     1,
     Exits(0.02, 0),
     kWorst,
     false,
     {{100, 100, 99, 99}, {95, 96, 94, 95}},
     95,
     ExitReason::kStop,
     2},
    {"GapBeyondTheStopShort",
     -1,
     Exits(0.02, 0),
     kWorst,
     false,
     {{100, 100, 99, 99}, {105, 106, 94, 95}},
     105,
     ExitReason::kStop,
     2},
    {"BothPessimistic",
     1,
     Exits(0.02, 0.03),
     kWorst,
     false,
     {kBoth, kEnd},
     98,
     ExitReason::kStop,
     2},
    {"BothOptimistic",
     1,
     Exits(0.02, 0.03),
     IntrabarPolicy::kOptimistic,
     false,
     {kBoth, kEnd},
     103,
     ExitReason::kTakeProfit,
     2},
    {"BothHighFirst",
     1,
     Exits(0.02, 0.03),
     IntrabarPolicy::kHighFirst,
     false,
     {kBoth, kEnd},
     103,
     ExitReason::kTakeProfit,
     2},
    {"BothLowFirst",
     1,
     Exits(0.02, 0.03),
     IntrabarPolicy::kLowFirst,
     false,
     {kBoth, kEnd},
     98,
     ExitReason::kStop,
     2},
    {"BothNearest",
     1,
     Exits(0.02, 0.03),
     IntrabarPolicy::kNearest,
     false,
     {kBoth, kEnd},
     98,
     ExitReason::kStop,
     2},
    {"BothNearestIsTheHigh",
     1,
     Exits(0.04, 0.03),
     IntrabarPolicy::kNearest,
     false,
     {{100, 104, 95, 100}, kEnd},
     103,
     ExitReason::kTakeProfit,
     2},
    {"BothPessimisticShort",
     -1,
     Exits(0.02, 0.03),
     kWorst,
     false,
     {kBothShort, kEnd},
     102,
     ExitReason::kStop,
     2},
    {"BothOptimisticShort",
     -1,
     Exits(0.02, 0.03),
     IntrabarPolicy::kOptimistic,
     false,
     {kBothShort, kEnd},
     97,
     ExitReason::kTakeProfit,
     2},
    {"BothHighFirstShort",
     -1,
     Exits(0.02, 0.03),
     IntrabarPolicy::kHighFirst,
     false,
     {kBothShort, kEnd},
     102,
     ExitReason::kStop,
     2},
    {"BothLowFirstShort",
     -1,
     Exits(0.02, 0.03),
     IntrabarPolicy::kLowFirst,
     false,
     {kBothShort, kEnd},
     97,
     ExitReason::kTakeProfit,
     2},
    {"TakeTouchedIsNotMet",
     1,
     Exits(0, 0.03),
     kWorst,
     false,
     {{100, 103, 99, 101}, {101, 102, 100, 102}},
     102,
     ExitReason::kEnd,
     3},
    {"TakeTouchedIsMet",
     1,
     Exits(0, 0.03),
     kWorst,
     true,
     {{100, 103, 99, 101}, {101, 102, 100, 102}},
     103,
     ExitReason::kTakeProfit,
     2},
    {"GapBeyondTheTake",
     1,
     Exits(0, 0.03),
     kWorst,
     false,
     {{100, 101, 99, 101}, {105, 106, 104, 105}},
     105,
     ExitReason::kTakeProfit,
     2},
    // Bar 1 lifts the best price to 110: the stop at 104.5 is met by bar 2.
    {"Trailing",
     1,
     Exits(0, 0, 0.05),
     kWorst,
     false,
     {{100, 110, 100, 110}, {109, 109, 104, 104}},
     104.5,
     ExitReason::kTrailingStop,
     3},
    // The low comes first and does not reach 95; the high of 120 lifts the stop to 114, and the
    // close of 110 is below it.
    {"TrailingOnTheWayToTheClose",
     1,
     Exits(0, 0, 0.05),
     kWorst,
     false,
     {{100, 120, 96, 110}, kEnd},
     114,
     ExitReason::kTrailingStop,
     2},
    {"TrailingShort",
     -1,
     Exits(0, 0, 0.05),
     kWorst,
     false,
     {{100, 100, 90, 90}, {91, 95, 91, 95}},
     94.5,
     ExitReason::kTrailingStop,
     3},
    // The nearer of both: 97 first, until the best price lifts the trailing stop above it.
    {"FixedBeforeTrailing",
     1,
     Exits(0.03, 0, 0.05),
     kWorst,
     false,
     {{100, 101, 96, 100}, kEnd},
     97,
     ExitReason::kStop,
     2},
};

class ExitTable : public ::testing::TestWithParam<ExitCase> {};

TEST_P(ExitTable, EndsWhereItShould) {
  const ExitCase& c = GetParam();
  SignalExecution execution = Free();
  execution.intrabar = c.policy;
  execution.touch_fills = c.touch;
  const Simulation s =
      SimulateSignals(Bars(c.bars), Decisions({{0, c.side}}), {{}, c.rules}, execution);
  ASSERT_EQ(s.trades.size(), 1u);
  const Trade& trade = s.trades[0];
  EXPECT_EQ(trade.entry_price, 100);
  EXPECT_EQ(trade.units, 10);
  EXPECT_NEAR(trade.exit_price, c.exit_price, 1e-12);
  EXPECT_EQ(Name(trade.exit), Name(c.reason));
  EXPECT_EQ(trade.exit_time, static_cast<TimeMs>(c.exit_hours * kHour));
  EXPECT_NEAR(s.equity.back(), 1000 + c.side * 10 * (c.exit_price - 100), 1e-9);
}
INSTANTIATE_TEST_SUITE_P(Cases, ExitTable, ::testing::ValuesIn(kExitCases),
                         [](const auto& tested) { return tested.param.name; });

TEST(SimulateSignals, LeavesAfterTheLongestHoldingTimeAtTheOpen) {
  TradeRules rules;
  rules.max_hold = 2 * kHour;
  const Simulation s = SimulateSignals(
      Bars({{100, 101, 99, 100}, {100, 101, 99, 100}, {103, 104, 102, 103}, {90, 90, 90, 90}}),
      Decisions({{0, 1}}), {{}, rules}, Free());
  ASSERT_EQ(s.trades.size(), 1u);
  EXPECT_EQ(s.trades[0].exit, ExitReason::kMaxHold);
  EXPECT_EQ(s.trades[0].exit_time, 3 * kHour);
  EXPECT_EQ(s.trades[0].exit_price, 103);
}

TEST(SimulateSignals, ALimitEntryWaitsForItsPrice) {
  TradeRules rules;
  rules.limit_entry = true;
  rules.limit_offset_bps = 100;  // at 99
  rules.limit_bars = 2;
  SignalExecution execution = Free();
  execution.fees = {{0, 10, 50}};
  const auto run = [&](const std::vector<Bar>& bars) {
    return SimulateSignals(Bars(bars), Decisions({{0, 1}}), {{}, rules}, execution);
  };
  const double end = 100;
  // Through it: at its price, as a maker. Leaving at the end pays as a taker.
  const Simulation met = run({{100, 101, 98.5, 100}, {100, 100, 100, end}});
  ASSERT_EQ(met.trades.size(), 1u);
  const double units = 1000 / (99 * 1.001);
  EXPECT_NEAR(met.trades[0].units, units, 1e-12);
  EXPECT_EQ(met.trades[0].entry_price, 99);
  EXPECT_EQ(met.trades[0].entry_time, 2 * kHour);
  EXPECT_NEAR(met.trades[0].costs, units * (99 * 0.001 + 100 * 0.005), 1e-12);
  // Touched, not gone through.
  EXPECT_TRUE(run({{100, 101, 99, 100}, {100, 100, 99, end}}).trades.empty());
  // The open of its first bar is already better: a market order at the open.
  const Simulation at_once = run({{98, 98, 98, 98}, {100, 100, 100, end}});
  EXPECT_EQ(at_once.trades[0].entry_price, 98);
  EXPECT_NEAR(at_once.trades[0].costs, at_once.trades[0].units * (98 + 100) * 0.005, 1e-9);
  // The open of a later bar: still a maker.
  const Simulation later = run({{100, 100, 100, 100}, {98, 98, 98, 98}});
  EXPECT_EQ(later.trades[0].entry_price, 98);
  EXPECT_NEAR(later.trades[0].costs, later.trades[0].units * 98 * (0.001 + 0.005), 1e-9);
  // Too late.
  EXPECT_TRUE(run({{100, 100, 100, 100}, {100, 100, 100, 100}, {98, 98, 98, 98}}).trades.empty());
}

TEST(SimulateSignals, AnEntryInsideTheBarCannotProfitFromItsWholeRange) {
  TradeRules rules = Exits(0.01, 0.02);
  rules.limit_entry = true;
  rules.limit_offset_bps = 100;
  // High 105, then low 98.5: the limit at 99 is met after the high; the stop at 98.01 is not met,
  // the profit at 100.98 lies above the close.
  const CandleSeries bars = Bars({{100, 105, 98.5, 100.5}, {100.5, 100.6, 100.4, 100.5}});
  const Simulation worst = SimulateSignals(bars, Decisions({{0, 1}}), {{}, rules}, Free());
  EXPECT_EQ(worst.trades[0].exit, ExitReason::kEnd);
  SignalExecution kind = Free();
  kind.intrabar = IntrabarPolicy::kOptimistic;
  const Simulation best = SimulateSignals(bars, Decisions({{0, 1}}), {{}, rules}, kind);
  EXPECT_EQ(best.trades[0].exit, ExitReason::kTakeProfit);
  EXPECT_NEAR(best.trades[0].exit_price, 99 * 1.02, 1e-12);
}

TEST(SimulateSignals, OrdersAreFilledInPartsByTheShareOfVolume) {
  SignalExecution execution = Free();
  execution.max_share = 0.1;
  const CandleSeries bars = Bars({{100, 100, 100, 100, 40},
                                  {101, 101, 101, 101, 40},
                                  {102, 102, 102, 102, 40},
                                  {110, 110, 110, 110, 60},
                                  {111, 111, 111, 111, 60},
                                  {112, 112, 112, 112, 60}});
  const Simulation s = SimulateSignals(bars, Decisions({{0, 1}, {3, 0}}), {{}, {}}, execution);
  ASSERT_EQ(s.trades.size(), 1u);
  EXPECT_EQ(s.trades[0].units, 10);
  EXPECT_NEAR(s.trades[0].entry_price, (4 * 100 + 4 * 101 + 2 * 102) / 10.0, 1e-12);
  EXPECT_NEAR(s.trades[0].exit_price, (6 * 110 + 4 * 111) / 10.0, 1e-12);
  EXPECT_EQ(s.traded[1], 400);
  EXPECT_EQ(s.traded[5], 444);
}

TEST(SimulateSignals, LiquidatesWhereTheEquityIsTheMaintenance) {
  SignalExecution execution = Free();
  execution.maintenance = 0.1;
  execution.liquidation_fee_bps = 100;
  const SignalTable table = Decisions({{0, 1}}, 5);  // 50 units, 4000 borrowed
  const Simulation s = SimulateSignals(Bars({{100, 100, 88, 90}, kEnd}), table, {}, execution);
  ASSERT_EQ(s.trades.size(), 1u);
  const double price = 4000 / (50 * 0.9);
  EXPECT_EQ(s.trades[0].exit, ExitReason::kLiquidation);
  EXPECT_NEAR(s.trades[0].exit_price, price, 1e-12);
  EXPECT_NEAR(s.equity.back(), 50 * price - 4000 - 0.01 * 50 * price, 1e-9);
  EXPECT_FALSE(s.ruined_at);
  // A gap: the account owes more than it had, and trades no more.
  const Simulation gap = SimulateSignals(Bars({{100, 100, 95, 95}, {70, 70, 70, 70}, kEnd}),
                                         Decisions({{0, 1}, {2, 1}}, 5), {}, execution);
  EXPECT_NEAR(gap.equity.back(), 50 * 70 - 4000 - 35, 1e-9);
  EXPECT_EQ(gap.ruined_at, 2 * kHour);
  EXPECT_EQ(gap.trades.size(), 1u);
}

TEST(SimulateSignals, PaysFundingAndInterest) {
  SignalExecution execution = Free();
  execution.funding = {{kHour, 0.5}, {2 * kHour, 0.01}, {3 * kHour, -0.02}};
  // The first falls on the entry's open, before it: not paid.
  const CandleSeries bars = Bars({kEnd, {110, 110, 110, 110}, {120, 120, 120, 120}, kEnd});
  const Simulation s = SimulateSignals(bars, Decisions({{0, 1}}), {}, execution);
  EXPECT_NEAR(s.funding, 10 * 110 * 0.01 - 10 * 120 * 0.02, 1e-12);
  EXPECT_NEAR(s.equity.back(), 1000 - s.funding, 1e-9);
  EXPECT_NEAR(s.trades[0].funding, s.funding, 1e-12);
  const Simulation twin = SimulateSignals(bars, Decisions({{0, 1}}), {}, [&] {
    SignalExecution worse = execution;
    worse.funding_paid_factor = 2;
    return worse;
  }());
  EXPECT_NEAR(twin.funding, 2 * 10 * 110 * 0.01 - 10 * 120 * 0.02, 1e-12);

  SignalExecution lent = Free();
  lent.borrow_bps_per_year = 3650;  // 0.1 % a day
  std::vector<Bar> days(48, kEnd);
  EXPECT_NEAR(SimulateSignals(Bars(days), Decisions({{0, -1}}), {}, lent).funding, 2.0, 1e-12);
  EXPECT_EQ(SimulateSignals(Bars(days), Decisions({{0, 1}}), {}, lent).funding, 0);
  // A long of three times the equity borrows two thirds of it; the first night's interest is
  // borrowed, too.
  EXPECT_NEAR(SimulateSignals(Bars(days), Decisions({{0, 1}}, 3), {}, lent).funding, 2 + 2.002,
              1e-9);
}

TEST(SimulateSignals, FeesFollowTheVolumeOfThirtyDays) {
  SignalExecution execution = Free();
  execution.fees = {{0, 0, 100}, {1500, 0, 10}};
  std::vector<Bar> bars(24 * 32, kEnd);
  // In and out on day 0, in and out on day 1 (cheaper), and on day 31, when day 0 is forgotten.
  const Simulation s = SimulateSignals(
      Bars(bars), Decisions({{0, 1}, {1, 0}, {25, 1}, {26, 0}, {24 * 31 + 3, 1}, {24 * 31 + 4, 0}}),
      {}, execution);
  ASSERT_EQ(s.trades.size(), 3u);
  const auto rate = [&](size_t t) { return s.trades[t].costs / (s.trades[t].units * 200); };
  EXPECT_NEAR(rate(0), 0.01, 1e-12);
  EXPECT_NEAR(rate(1), 0.001, 1e-12);
  EXPECT_NEAR(rate(2), 0.001, 1e-12);  // day 1's 1959 are still within 30 days
}

TEST(SimulateSignals, ChargesEveryTermOfSlippage) {
  SignalExecution execution = Free();
  execution.fees = {{0, 0, 1}};
  execution.spread_bps = 4;
  execution.slippage_bps = 3;
  execution.volatility_slippage = 0.5;
  execution.slippage_window = 2;
  execution.impact_bps = 100;
  execution.impact_exponent = 2;
  // Returns before the entry on bar 3: ln 1.1 and -ln 1.1; their standard deviation is ln 1.1 *
  // sqrt 2.
  const CandleSeries bars = Bars(
      {{110, 110, 110, 110}, {100, 100, 100, 100}, {100, 100, 100, 100, 20}, {100, 100, 100, 100}});
  const Simulation s = SimulateSignals(bars, Decisions({{2, 1}}), {}, execution);
  const double without = 1e-4 * (1 + 2 + 3) + 0.5 * std::log(1.1) * std::sqrt(2.0);
  const double units = 1000 / (100 * (1 + without));
  const double share = units / 20;
  ASSERT_EQ(s.trades.size(), 1u);
  EXPECT_NEAR(s.trades[0].units, units, 1e-12);
  const double entry = without + 0.01 * share * share;
  const double at_end = 1e-4 * 6 + 0.01 * std::pow(units / 1000, 2) +
                        0.5 * std::log(1.1) / std::sqrt(2.0);  // returns -ln 1.1 and 0
  EXPECT_NEAR(s.trades[0].costs, units * 100 * (entry + at_end), 1e-9);
}

TEST(SimulateSignals, KeepsToTheStepsAndTheSmallestOrder) {
  SignalExecution execution = Free();
  execution.unit_step = 3;
  EXPECT_EQ(SimulateSignals(Bars({kEnd, kEnd}), Decisions({{0, 1}}), {}, execution).trades[0].units,
            9);
  execution.min_notional = 901;
  EXPECT_TRUE(
      SimulateSignals(Bars({kEnd, kEnd}), Decisions({{0, 1}}), {}, execution).trades.empty());
  execution = Free();
  execution.price_step = 0.5;
  const Simulation s = SimulateSignals(Bars({{100, 101, 97, 99}, kEnd}), Decisions({{0, 1}}),
                                       {{}, Exits(0.018, 0)}, execution);
  EXPECT_EQ(s.trades[0].exit_price, 98);  // 98.2, rounded away from the entry
}

TEST(SimulateSignals, WaitsAfterAStop) {
  TradeRules rules = Exits(0.02, 0);
  const std::vector<Bar> bars = {{100, 100, 97, 100}, kEnd, kEnd, kEnd, kEnd};
  const auto entries = [&](const TradeRules& with, const SignalTable& table) {
    std::vector<TimeMs> hours;
    for (const Trade& trade : SimulateSignals(Bars(bars), table, {{}, with}, Free()).trades) {
      hours.push_back(trade.entry_time / kHour);
    }
    return hours;
  };
  const SignalTable always = Decisions({{0, 1}, {1, 1}, {2, 1}, {3, 1}});
  EXPECT_EQ(entries(rules, always), (std::vector<TimeMs>{1, 2}));
  rules.cool_down = 2 * kHour;
  EXPECT_EQ(entries(rules, always), (std::vector<TimeMs>{1, 4}));
  rules.cool_down = 0;
  rules.reenter = false;
  EXPECT_EQ(entries(rules, always), (std::vector<TimeMs>{1}));
  EXPECT_EQ(entries(rules, Decisions({{0, 1}, {1, 1}, {2, 0}, {3, 1}})),
            (std::vector<TimeMs>{1, 4}));
}

TEST(SimulateSignals, FlipsAndStays) {
  const std::vector<Bar> bars = {kEnd, {110, 110, 110, 110}, {100, 100, 100, 100}};
  const Simulation flip = SimulateSignals(Bars(bars), Decisions({{0, 1}, {1, -1}}), {}, Free());
  ASSERT_EQ(flip.trades.size(), 2u);
  EXPECT_NEAR(flip.equity.back(), 1100 * (1 + 10 / 110.0), 1e-9);
  TradeRules stays;
  stays.exit_on_flat = stays.exit_on_opposite = false;
  EXPECT_EQ(
      SimulateSignals(Bars(bars), Decisions({{0, 1}, {1, -1}}), {{}, stays}, Free()).trades.size(),
      1u);
}

TEST(SimulateSignals, RefusesWhatCannotBe) {
  const CandleSeries bars = Bars({kEnd});
  const auto with = [&](auto change) {
    SignalExecution execution = Free();
    SignalConfig config;
    SignalTable table = Decisions({{0, 1}});
    CandleSeries changed = bars;
    change(execution, config, table, changed);
    SimulateSignals(changed, table, config, execution);
  };
  using E = SignalExecution;
  using C = SignalConfig;
  using T = SignalTable;
  using B = CandleSeries;
  EXPECT_NO_THROW(with([](E&, C&, T&, B&) {}));
  EXPECT_THROW(with([](E& e, C&, T&, B&) { e.fees.clear(); }), Error);
  EXPECT_THROW(with([](E& e, C&, T&, B&) { e.fees = {{0, 0, 0}, {0, 0, 0}}; }), Error);
  EXPECT_THROW(with([](E& e, C&, T&, B&) { e.max_share = 1.5; }), Error);
  EXPECT_THROW(with([](E& e, C&, T&, B&) { e.maintenance = 1; }), Error);
  EXPECT_THROW(with([](E& e, C&, T&, B&) { e.slippage_bps = 6000; }), Error);
  EXPECT_THROW(with([](E& e, C&, T&, B&) { e.funding = {{2, 0.1}, {2, 0.1}}; }), Error);
  EXPECT_THROW(with([](E& e, C&, T&, B&) { e.from = 10 * kHour; }), Error);
  EXPECT_THROW(with([](E&, C& c, T&, B&) { c.trade.stop_loss = 1; }), Error);
  EXPECT_THROW(with([](E&, C& c, T&, B&) { c.trade.limit_bars = 0; }), Error);
  EXPECT_THROW(with([](E&, C& c, T&, B&) { c.rule.long_above = -1; }), Error);
  EXPECT_THROW(with([](E&, C& c, T&, B&) { c.rule.decide_every = 0; }), Error);
  EXPECT_THROW(with([](E&, C& c, T&, B&) { c.rule.signal = 1; }), Error);
  EXPECT_THROW(with([](E&, C&, T& t, B&) { t.signals[0].values[0] = NAN; }), Error);
  EXPECT_THROW(with([](E&, C&, T& t, B&) { t.sizes[0].values.clear(); }), Error);
  EXPECT_THROW(with([](E&, C&, T&, B& b) { b.low[1] = 0; }), Error);
  EXPECT_THROW(with([](E&, C&, T&, B& b) { b.high[1] = 99; }), Error);
}

class SignalProperty : public ::testing::TestWithParam<uint64_t> {
 protected:
  SignalProperty() : bars_(RandomBars(1500, 0.02, GetParam())) {
    Random random(GetParam() + 100);
    table_.signals = {{"x", {}}, {"y", {}}};
    table_.sizes = {{"size", {}}};
    for (size_t i = 5; i + 2 < bars_.size(); i += 1 + random.Below(6)) {
      table_.made_at.push_back(bars_.KnownAt(i));
      table_.signals[0].values.push_back(random.Normal());
      table_.signals[1].values.push_back(random.Normal());
      table_.sizes[0].values.push_back(0.2 + 0.8 * random.Uniform());
    }
    for (int c = 0; c < 700; ++c) {
      SignalConfig config;
      config.rule.signal = random.Below(2);
      config.rule.long_above = random.Uniform();
      config.rule.short_below = random.Uniform();
      config.rule.decide_every = 1 + random.Below(3);
      config.trade.stop_loss = random.Uniform() < 0.5 ? 0.05 * random.Uniform() : 0;
      config.trade.take_profit = random.Uniform() < 0.5 ? 0.05 * random.Uniform() : 0;
      config.trade.trailing_stop = random.Uniform() < 0.3 ? 0.05 * random.Uniform() : 0;
      config.trade.max_hold = random.Uniform() < 0.3 ? 20 * kHour : 0;
      config.trade.limit_entry = random.Uniform() < 0.2;
      configs_.push_back(config);
    }
    execution_.fees = {{0, 2, 5}};
    execution_.spread_bps = 2;
    execution_.funding = ConstantFunding(1e-4, 8 * kHour, 0, bars_.open_time.back());
  }

  CandleSeries bars_;
  SignalTable table_;
  std::vector<SignalConfig> configs_;
  SignalExecution execution_;
};

TEST_P(SignalProperty, ASweepIsEachOfItsConfigurationsAlone) {
  execution_.mark_every = kMsPerDay;
  const SignalSweep sweep = SweepSignals(bars_, table_, configs_, execution_);
  for (size_t c = 0; c < configs_.size(); ++c) {
    const Simulation alone = SimulateSignals(bars_, table_, configs_[c], execution_);
    ASSERT_EQ(std::vector<double>(sweep.Equity(c).begin(), sweep.Equity(c).end()), alone.equity);
    ASSERT_EQ(sweep.totals[c].trades, alone.trades.size());
    ASSERT_EQ(sweep.totals[c].costs, alone.costs);
    ASSERT_EQ(sweep.totals[c].funding, alone.funding);
    ASSERT_EQ(sweep.Returns(c), alone.Returns());
  }
  EXPECT_EQ(sweep.mark_time, SimulateSignals(bars_, table_, configs_[0], execution_).time);
}

TEST_P(SignalProperty, AccountsAddUpAtEveryBar) {
  for (size_t c = 0; c < 20; ++c) {
    const Simulation s = SimulateSignals(bars_, table_, configs_[c], execution_);
    double pnl = 0, costs = 0, funding = 0;
    for (const Trade& trade : s.trades) {
      pnl += trade.pnl;
      costs += trade.costs;
      funding += trade.funding;
      const double gross = (trade.side == Side::kLong ? 1 : -1) * trade.units *
                           (trade.exit_price - trade.entry_price);
      ASSERT_NEAR(trade.pnl, gross - trade.costs - trade.funding, 1e-8);
    }
    EXPECT_NEAR(s.capital + pnl, s.equity.back(), 1e-6);
    EXPECT_NEAR(costs, s.costs, 1e-8);
    EXPECT_NEAR(funding, s.funding, 1e-8);
    // Between trades the account is cash alone: what the closed trades left.
    size_t next = 0;
    double cash = s.capital;
    for (size_t i = 0; i < s.equity.size(); ++i) {
      while (next < s.trades.size() && s.trades[next].exit_bar <= i) cash += s.trades[next++].pnl;
      const bool holds = next < s.trades.size() && s.trades[next].entry_bar <= i;
      if (!holds) {
        ASSERT_NEAR(s.equity[i], cash, 1e-6) << i;
      }
    }
  }
}

TEST_P(SignalProperty, NoFillIsOutsideItsBar) {
  // A trade's prices are notional / units: exact up to rounding.
  constexpr double kUp = 1 + 1e-14, kDown = 1 - 1e-14;
  for (size_t c = 0; c < 100; ++c) {
    const Simulation s = SimulateSignals(bars_, table_, configs_[c], execution_);
    for (const Trade& trade : s.trades) {
      const size_t first =
          static_cast<size_t>(std::lower_bound(bars_.open_time.begin(), bars_.open_time.end(),
                                               s.time[trade.entry_bar]) -
                              bars_.open_time.begin());
      const size_t last = first + trade.exit_bar - trade.entry_bar;
      ASSERT_LE(trade.entry_price, kUp * bars_.high[first]);
      ASSERT_GE(trade.entry_price, kDown * bars_.low[first]);
      ASSERT_LE(trade.exit_price, kUp * bars_.high[last]);
      ASSERT_GE(trade.exit_price, kDown * bars_.low[last]);
    }
  }
}

TEST_P(SignalProperty, AShuffledFutureChangesNothingBeforeIt) {
  const size_t cut = bars_.size() / 2;
  CandleSeries other = bars_;
  Random random(GetParam() + 7);
  for (size_t i = cut; i < other.size(); ++i) {
    const double factor = 0.5 + random.Uniform();
    for (auto* field : {&other.open, &other.high, &other.low, &other.close}) (*field)[i] *= factor;
  }
  for (size_t c = 0; c < 50; ++c) {
    const Simulation a = SimulateSignals(bars_, table_, configs_[c], execution_);
    const Simulation b = SimulateSignals(other, table_, configs_[c], execution_);
    for (size_t i = 0; i < cut; ++i) ASSERT_EQ(a.equity[i], b.equity[i]);
  }
}

// Provable where costs change no fill: no orders at prices, and sizes that follow the equity.
TEST_P(SignalProperty, DoublingCostsNeverHelpsWhereTheFillsAreTheSame) {
  SignalExecution doubled = execution_;
  doubled.fees = {{0, 4, 10}};
  doubled.spread_bps *= 2;
  doubled.slippage_bps *= 2;
  doubled.funding_paid_factor = 2;
  for (size_t c = 0; c < 50; ++c) {
    SignalConfig config = configs_[c];
    config.trade = TradeRules{};
    const double single = SimulateSignals(bars_, table_, config, execution_).equity.back();
    EXPECT_LE(SimulateSignals(bars_, table_, config, doubled).equity.back(), single);
  }
}

TEST_P(SignalProperty, WithoutSignalsNothingChanges) {
  for (auto& column : table_.signals) std::fill(column.values.begin(), column.values.end(), 0.0);
  const Simulation flat = SimulateSignals(bars_, table_, configs_[0], execution_);
  for (const double equity : flat.equity) ASSERT_EQ(equity, execution_.capital);
}

INSTANTIATE_TEST_SUITE_P(Seeds, SignalProperty, ::testing::Range<uint64_t>(1, 5));

TEST(SweepSignals, TheNumberOfThreadsDoesNotMatter) {
  const CandleSeries bars = RandomBars(500, 0, 3);
  SignalTable table = Decisions({{1, 1}, {50, -1}, {200, 1}});
  std::vector<SignalConfig> configs(600);
  for (size_t c = 0; c < configs.size(); ++c)
    configs[c].trade.stop_loss = 1e-4 * static_cast<double>(c);
  const int threads = ThreadCount();
  SetThreadCount(1);
  const SignalSweep one = SweepSignals(bars, table, configs, Free());
  SetThreadCount(2);
  const SignalSweep two = SweepSignals(bars, table, configs, Free());
  SetThreadCount(threads);
  EXPECT_EQ(one.equity, two.equity);
  EXPECT_EQ(one.totals, two.totals);
}

TEST(JudgeSweep, NoiseIsNotProfitableAndAnEdgeIs) {
  const CandleSeries bars = RandomBars(4000, 0, 8);
  Random random(9);
  SignalTable table;
  table.signals = {{"noise", {}}, {"edge", {}}};
  table.sizes = {{"size", {}}};
  for (size_t i = 0; i + 1 < bars.size(); ++i) {
    table.made_at.push_back(bars.KnownAt(i));
    table.signals[0].values.push_back(random.Normal());
    table.signals[1].values.push_back(bars.close[i + 1] / bars.open[i + 1] - 1 +
                                      0.05 * random.Normal());
    table.sizes[0].values.push_back(1);
  }
  std::vector<SignalConfig> noise;
  for (int c = 0; c < 200; ++c) {
    SignalConfig config;
    config.rule.long_above = config.rule.short_below = 0.01 * c;
    noise.push_back(config);
  }
  SignalExecution execution = Free();
  const double periods = PeriodsPerYear(bars.key.timeframe, TradingYear::kAlwaysOpen);
  const JudgedSweep luck = JudgeSweep(SweepSignals(bars, table, noise, execution), periods, {});
  EXPECT_EQ(luck.trials, 201u);
  EXPECT_EQ(luck.profitable, 0u);
  EXPECT_NE(luck.verdict.find("none is distinguishable from luck"), std::string::npos);
  noise.push_back({});
  noise.back().rule.signal = 1;
  const JudgedSweep found = JudgeSweep(SweepSignals(bars, table, noise, execution), periods, {});
  EXPECT_EQ(found.best, 200u);
  EXPECT_TRUE(found.configs[200].profitable);
  EXPECT_THROW(JudgeSweep({}, periods, {}), Error);
}

TEST(RunSignalBacktest, StandsBesideItsTwinAndBuyAndHold) {
  const CandleSeries bars = RandomBars(600, 0, 4);
  SignalTable table;
  table.signals = {{"x", {}}};
  table.sizes = {{"size", {}}};
  for (size_t i = 10; i + 1 < bars.size(); i += 4) {
    table.made_at.push_back(bars.KnownAt(i));
    table.signals[0].values.push_back(bars.close[i + 1] / bars.open[i + 1] - 1);
    table.sizes[0].values.push_back(1);
  }
  table.last_target = bars.KnownAt(bars.size() - 1);
  SignalBacktestOptions options;
  options.name = "oracle";
  options.mark = Timeframe::Parse("4h");
  const BacktestResult result = RunSignalBacktest(bars, table, options);
  EXPECT_GT(result.strategy.performance.total_return, 0);
  EXPECT_LT(result.pessimistic.performance.total_return, result.strategy.performance.total_return);
  EXPECT_EQ(result.pessimistic.name, "oracle, pessimistic");
  EXPECT_EQ(result.buy_and_hold.simulation.trades.size(), 1u);
  EXPECT_EQ(result.strategy.simulation.time[1] - result.strategy.simulation.time[0], 4 * kHour);
  EXPECT_FALSE(result.assumptions.empty());
  options.mark = Timeframe::Parse("30m");
  EXPECT_THROW(RunSignalBacktest(bars, table, options), Error);
}

}  // namespace
}  // namespace almanac
