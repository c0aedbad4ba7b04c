#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "almanac/backtest/panel_backtest.h"
#include "almanac/base/error.h"
#include "almanac/base/random.h"

namespace almanac {
namespace {

constexpr DurationMs kDay = kMsPerDay;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Daily bars from day 0; a NaN open is a missing bar.
CandleSeries Daily(const std::string& symbol, const std::vector<double>& open,
                   const std::vector<double>& close, double volume = 1e6) {
  CandleSeries bars;
  bars.key = {"test", symbol, Timeframe::Parse("1d")};
  for (size_t i = 0; i < open.size(); ++i) {
    if (std::isnan(open[i])) continue;
    bars.Append({.open_time = static_cast<TimeMs>(i) * kDay,
                 .open = open[i],
                 .high = std::max(open[i], close[i]),
                 .low = std::min(open[i], close[i]),
                 .close = close[i],
                 .volume = volume});
  }
  return bars;
}

PanelBars Align(const std::vector<CandleSeries>& series) {
  std::vector<const CandleSeries*> pointers;
  for (const CandleSeries& one : series) pointers.push_back(&one);
  return AlignPanel(pointers);
}

// Forecasts made at the end of each day, in rows of symbols.
PanelForecasts Forecasts(const std::vector<std::vector<double>>& rows, size_t first_day = 0) {
  PanelForecasts forecasts;
  forecasts.value = PanelGrid(rows.size(), rows[0].size());
  for (size_t i = 0; i < rows.size(); ++i) {
    forecasts.made_at.push_back(static_cast<TimeMs>(first_day + i + 1) * kDay);
    for (size_t s = 0; s < rows[i].size(); ++s) forecasts.value.At(i, s) = rows[i][s];
  }
  forecasts.last_target = forecasts.made_at.back() + 10 * kDay;
  return forecasts;
}

PanelBars FlatPanel(size_t symbols, size_t days) {
  std::vector<CandleSeries> series;
  const std::vector<double> prices(days, 100);
  for (size_t s = 0; s < symbols; ++s) {
    series.push_back(Daily(std::string(1, static_cast<char>('A' + s)), prices, prices));
  }
  return Align(series);
}

std::string Held(const PanelTarget& target) {
  std::string text;
  for (const PanelWeight& w : target.weights) {
    text += w.weight < 0 ? "-" : "";
    text += static_cast<char>('A' + w.symbol);
  }
  return text;
}

std::vector<std::string> HeldBy(const PanelStrategy& strategy, const PanelForecasts& forecasts) {
  std::vector<std::string> held;
  const PanelBars bars = FlatPanel(5, 40);
  for (const PanelTarget& target : DecidePanel(strategy, bars, forecasts)) {
    held.push_back(Held(target));
  }
  return held;
}

using Held5 = std::vector<std::string>;

TEST(DecidePanel, TakesTheHighestAndTheLowest) {
  PanelStrategy strategy;
  strategy.top_k = 2;
  EXPECT_EQ(HeldBy(strategy, Forecasts({{1, 2, 3, 4, 5}, {5, 4, kNan, 2, 1}})),
            (Held5{"DE", "AB"}));
  strategy.bottom_k = 2;
  strategy.long_weight = strategy.short_weight = 0.5;
  EXPECT_EQ(HeldBy(strategy, Forecasts({{1, 2, 3, 4, 5}})), (Held5{"-A-BDE"}));
  // Equal forecasts: by name. Too few: longs first.
  EXPECT_EQ(HeldBy(strategy, Forecasts({{0, 0, 0, 0, 0}, {kNan, 1, 2, 3, kNan}})),
            (Held5{"AB-C-D", "-BCD"}));
  strategy.min_forecast = 2.5;
  EXPECT_EQ(HeldBy(strategy, Forecasts({{1, 2, 3, 4, -5}})), (Held5{"CD-E"}));
}

TEST(DecidePanel, ReplacesAtMostKDrop) {
  PanelStrategy strategy;
  strategy.top_k = 2;
  strategy.k_drop = 1;
  // DE held; then A and B are the best: the worse of D and E goes, A comes.
  const PanelForecasts forecasts = Forecasts({{1, 2, 3, 4, 5}, {9, 8, 3, 2, 1}, {9, 8, 3, 2, 1}});
  EXPECT_EQ(HeldBy(strategy, forecasts), (Held5{"DE", "AD", "AB"}));
  const PanelBars bars = FlatPanel(5, 40);
  const auto targets = DecidePanel(strategy, bars, forecasts);
  EXPECT_FALSE(targets[1].weights[0].keep);
  EXPECT_TRUE(targets[1].weights[1].keep);
}

TEST(DecidePanel, KeepsToHoldingTimes) {
  PanelStrategy strategy;
  strategy.top_k = 1;
  strategy.min_hold = 2;
  const PanelForecasts turning = Forecasts({{1, 0, 0, 0, 0}, {0, 1, 0, 0, 0}, {0, 0, 1, 0, 0}});
  EXPECT_EQ(HeldBy(strategy, turning), (Held5{"A", "A", "C"}));
  strategy.min_hold = 0;
  strategy.max_hold = 2;
  strategy.k_drop = 1;
  const PanelForecasts steady = Forecasts({{2, 1, 0, 0, 0}, {2, 1, 0, 0, 0}, {2, 1, 0, 0, 0}});
  const PanelBars bars = FlatPanel(5, 40);
  const auto targets = DecidePanel(strategy, bars, steady);
  EXPECT_TRUE(targets[1].weights[0].keep);
  EXPECT_FALSE(targets[2].weights[0].keep);  // sold at two bars, and bought again
}

TEST(DecidePanel, WeightsItsPlaces) {
  const auto weights = [](Weighting weighting, const PanelBars& bars, const PanelForecasts& f) {
    PanelStrategy strategy;
    strategy.top_k = 2;
    strategy.weighting = weighting;
    strategy.volatility_window = 3;
    std::vector<double> result;
    const std::vector<PanelTarget> targets = DecidePanel(strategy, bars, f);
    for (const PanelWeight& w : targets.back().weights) result.push_back(w.weight);
    return result;
  };
  const PanelBars flat = FlatPanel(5, 10);
  EXPECT_EQ(weights(Weighting::kEqual, flat, Forecasts({{0, 1, 2, 4, 8}})),
            (std::vector<double>{0.5, 0.5}));
  // Distances from the median 2: 2 and 6.
  EXPECT_EQ(weights(Weighting::kForecast, flat, Forecasts({{0, 1, 2, 4, 8}})),
            (std::vector<double>{0.25, 0.75}));
  // One place is not taken: half stays cash.
  EXPECT_EQ(weights(Weighting::kEqual, flat, Forecasts({{kNan, kNan, kNan, kNan, 8}})),
            (std::vector<double>{0.5}));
  const std::vector<double> calm = {100, 101, 100, 101, 100}, wild = {100, 104, 100, 104, 100};
  const PanelBars bars = Align({Daily("A", calm, calm), Daily("B", wild, wild)});
  const auto by_risk = weights(Weighting::kInverseVolatility, bars, Forecasts({{1, 1}}, 3));
  EXPECT_NEAR(by_risk[0] / by_risk[1], std::log(1.04) / std::log(1.01), 1e-9);
  EXPECT_NEAR(by_risk[0] + by_risk[1], 1, 1e-12);
}

TEST(DecidePanel, RebalancesByTheCalendar) {
  PanelStrategy strategy;
  strategy.top_k = 1;
  const std::vector<std::vector<double>> rows(35, {1, 2, 3, 4, 5});
  strategy.every = 10;
  EXPECT_EQ(HeldBy(strategy, Forecasts(rows)).size(), 4u);
  // Day 0 is a Thursday: fills on Friday 2 January, and on Mondays 5, 12, 19, 26, 2 February.
  strategy.rebalance = Rebalance::kWeek;
  const PanelBars bars = FlatPanel(5, 40);
  const auto weeks = DecidePanel(strategy, bars, Forecasts(rows));
  ASSERT_EQ(weeks.size(), 6u);
  EXPECT_EQ(weeks[1].decided_at, 4 * kDay);
  EXPECT_EQ(weeks[5].decided_at, 32 * kDay);
  strategy.rebalance = Rebalance::kMonth;
  const auto months = DecidePanel(strategy, bars, Forecasts(rows));
  ASSERT_EQ(months.size(), 2u);
  EXPECT_EQ(months[1].decided_at, 31 * kDay);
}

TEST(SimulatePanel, BuysHoldsAndSells) {
  // The plan of the recipe: bought at the open of day 1, sold at that of day 3.
  const PanelBars bars = Align({Daily("A", {10, 10, 12, 15}, {10, 11, 14, 16}),
                                Daily("B", {20, 20, 20, 10}, {20, 20, 15, 10})});
  std::vector<PanelTarget> targets = {{kDay, {{0, 0.5, false}, {1, 0.5, false}}}, {3 * kDay, {}}};
  PanelExecution execution;
  execution.costs = {100, 0};  // 1 %
  execution.capital = 1010;
  const PanelSimulation result = SimulatePanel(bars, targets, execution);
  const Simulation& s = result.simulation;
  // e = 1010 - 0.01 e: 1000, half in each: 50 A and 25 B.
  ASSERT_EQ(s.trades.size(), 2u);
  EXPECT_NEAR(s.trades[0].units, 50, 1e-9);
  EXPECT_NEAR(s.trades[1].units, 25, 1e-9);
  EXPECT_NEAR(s.equity[1], 50 * 11 + 25 * 20, 1e-9);
  EXPECT_NEAR(s.equity[2], 50 * 14 + 25 * 15, 1e-9);
  EXPECT_NEAR(s.equity[3], 0.99 * (50 * 15 + 25 * 10), 1e-9);
  EXPECT_EQ(s.symbols, (std::vector<std::string>{"A", "B"}));
  EXPECT_EQ(s.trades[1].symbol, 1u);
  EXPECT_NEAR(s.costs, 0.01 * (1000 + 1000), 1e-9);
}

TEST(SimulatePanel, LimitsTheShareOfVolumeAndKnowsItsCapacity) {
  const std::vector<double> price(4, 10);
  const PanelBars bars = Align({Daily("A", price, price, 100)});
  std::vector<PanelTarget> targets = {{kDay, {{0, 1, false}}}};
  PanelExecution execution;
  execution.costs = {0, 0};
  execution.capital = 1000;
  execution.max_share = 0.25;
  const PanelSimulation cut = SimulatePanel(bars, targets, execution);
  EXPECT_EQ(cut.simulation.trades[0].units, 25);
  EXPECT_EQ(cut.orders_cut, 1u);
  execution.max_share = 0;
  // All of the 100 units of the bar are bought: 1 % of it would be bought with a hundredth.
  EXPECT_NEAR(SimulatePanel(bars, targets, execution).capacity, 10, 1e-9);
}

TEST(SimulatePanel, CapacityIsTheQuantileOfTheNotional) {
  Random random(5);
  for (int round = 0; round < 20; ++round) {
    std::vector<CandleSeries> series;
    PanelTarget target{kDay, {}};
    const size_t symbols = 1 + random.Below(60);
    std::vector<std::pair<double, double>> shares;  // of volume, and the notional
    for (size_t s = 0; s < symbols; ++s) {
      // Some shares are equal.
      const double volume = 100 * static_cast<double>(1 + random.Below(5));
      const double weight = 0.001 * static_cast<double>(1 + random.Below(9));
      series.push_back(Daily(fmt::format("S{:03}", s), {10, 10, 10}, {10, 10, 10}, volume));
      target.weights.push_back({s, weight, false});
      shares.emplace_back(weight * 1000 / 10 / volume, weight * 1000);
    }
    PanelExecution execution;
    execution.costs = {0, 0};
    execution.capital = 1000;
    const std::vector<PanelTarget> targets = {target};
    const double capacity = SimulatePanel(Align(series), targets, execution).capacity;
    std::sort(shares.begin(), shares.end());
    double total = 0, sum = 0;
    for (const auto& [share, notional] : shares) total += notional;
    size_t place = 0;
    while (sum + shares[place].second < 0.95 * total - 1e-9) sum += shares[place++].second;
    EXPECT_NEAR(capacity, 1000 * 0.01 / shares[place].first, 1e-9 * capacity) << round;
  }
}

TEST(DecidePanel, TakesOfManyWhatSortingWouldTake) {
  constexpr size_t kSymbols = 203, kInstants = 40;
  std::vector<CandleSeries> series;
  for (size_t s = 0; s < kSymbols; ++s) {
    const std::vector<double> price(kInstants + 1, 10);
    series.push_back(Daily(fmt::format("S{:03}", s), price, price, 100));
  }
  const PanelBars bars = Align(series);
  Random random(7);
  for (const size_t top : {1u, 3u, 10u, 13u, 14u, 40u, 203u}) {
    for (const size_t bottom : {0u, 10u}) {
      PanelForecasts forecasts;
      forecasts.value = PanelGrid(kInstants, kSymbols);
      forecasts.last_target = bars.KnownAt(kInstants);
      for (size_t i = 0; i < kInstants; ++i) {
        forecasts.made_at.push_back(bars.KnownAt(i));
        const double gaps = random.Uniform();
        for (size_t s = 0; s < kSymbols; ++s) {
          if (random.Uniform() < gaps) continue;
          // With equals.
          forecasts.value.At(i, s) = std::round(20 * random.Normal()) / 1000;
        }
      }
      PanelStrategy strategy;
      strategy.top_k = top;
      strategy.bottom_k = bottom;
      strategy.short_weight = bottom > 0 ? 1 : 0;
      if (bottom > 0) strategy.min_forecast = 0.005;
      const std::vector<PanelTarget> targets = DecidePanel(strategy, bars, forecasts);
      ASSERT_EQ(targets.size(), kInstants);
      for (size_t i = 0; i < kInstants; ++i) {
        std::map<size_t, double> wanted;
        const auto take = [&](double sign, size_t places) {
          std::vector<std::pair<double, size_t>> order;
          for (size_t s = 0; s < kSymbols; ++s) {
            const double value = sign * forecasts.value.At(i, s);
            if (value > strategy.min_forecast && !wanted.contains(s)) order.emplace_back(-value, s);
          }
          std::sort(order.begin(), order.end());
          order.resize(std::min(order.size(), places));
          for (const auto& [value, s] : order) wanted[s] = sign / static_cast<double>(places);
        };
        take(1, top);
        if (bottom > 0) take(-1, bottom);
        ASSERT_EQ(targets[i].weights.size(), wanted.size()) << top << " " << bottom << " " << i;
        for (const PanelWeight& weight : targets[i].weights) {
          ASSERT_TRUE(wanted.contains(weight.symbol));
          EXPECT_NEAR(weight.weight, wanted[weight.symbol], 1e-12);
        }
      }
    }
  }
}

TEST(SimulatePanel, LivesWithMissingBarsAndDelistings) {
  const PanelBars bars = Align({Daily("A", {10, kNan, 10, 10, 10}, {10, kNan, 10, 10, 10}),
                                Daily("B", {20, 20, 22, kNan, kNan}, {20, 20, 24, kNan, kNan})});
  std::vector<PanelTarget> targets = {{kDay, {{0, 0.5, false}, {1, 0.5, false}}}};
  PanelExecution execution;
  execution.costs = {0, 0};
  execution.capital = 1000;
  const PanelSimulation result = SimulatePanel(bars, targets, execution);
  EXPECT_EQ(result.orders_without_bar, 1u);  // A has no bar on day 1
  ASSERT_EQ(result.simulation.trades.size(), 1u);
  EXPECT_EQ(result.simulation.trades[0].exit, ExitReason::kDelisting);
  EXPECT_EQ(result.simulation.trades[0].exit_price, 24);
  EXPECT_EQ(result.simulation.equity.back(), 1100);
}

TEST(SimulatePanel, ShortsPayForWhatTheyBorrow) {
  const std::vector<double> price(4, 10);
  const PanelBars bars = Align({Daily("A", price, price)});
  std::vector<PanelTarget> targets = {{kDay, {{0, -1, false}}}};
  PanelExecution execution;
  execution.costs = {0, 0};
  execution.capital = 1000;
  execution.borrow_bps_per_year = 3650;
  const Simulation s = SimulatePanel(bars, targets, execution).simulation;
  EXPECT_NEAR(s.funding, 2.0, 1e-12);  // two nights at 0.1 %
  EXPECT_NEAR(s.equity.back(), 998, 1e-9);
}

TEST(SimulatePanel, RefusesWhatCannotBe) {
  const PanelBars bars = FlatPanel(2, 5);
  const std::vector<PanelTarget> backwards = {{2 * kDay, {}}, {kDay, {}}};
  EXPECT_THROW(SimulatePanel(bars, backwards, {}), Error);
  PanelExecution execution;
  execution.max_share = 2;
  EXPECT_THROW(SimulatePanel(bars, {}, execution), Error);
  execution = {};
  execution.from = 100 * kDay;
  EXPECT_THROW(SimulatePanel(bars, {}, execution), Error);
  PanelStrategy strategy;
  strategy.top_k = 0;
  EXPECT_THROW(CheckStrategy(strategy), Error);
  strategy.top_k = 2;
  strategy.long_weight = 0;
  EXPECT_THROW(CheckStrategy(strategy), Error);
  EXPECT_THROW(Align({}), Error);
  EXPECT_THROW(Align({Daily("A", {1}, {1}), Daily("A", {1}, {1})}), Error);
  EXPECT_THROW(Align({Daily("A", {-1}, {1})}), Error);
}

// A panel with gaps and symbols that come and go, random forecasts and options.
class PanelReference : public ::testing::TestWithParam<uint64_t> {
 protected:
  static constexpr size_t kDays = 120;
  PanelReference() : random_(GetParam()) {
    std::vector<CandleSeries> series;
    for (int s = 0; s < 12; ++s) {
      std::vector<double> open, close;
      double price = 50 + 50 * random_.Uniform();
      const size_t begin = s % 4 == 1 ? random_.Below(60) : 0;
      const size_t end = s % 4 == 2 ? 60 + random_.Below(60) : kDays;
      for (size_t d = 0; d < kDays; ++d) {
        const double o = price * std::exp(0.01 * random_.Normal());
        price = o * std::exp(0.02 * random_.Normal());
        const bool there = d >= begin && d < end && random_.Uniform() > 0.05;
        open.push_back(there ? o : kNan);
        close.push_back(price);
      }
      series.push_back(Daily("S" + std::to_string(10 + s), open, close, 200 * random_.Uniform()));
    }
    bars_ = Align(series);
    std::vector<std::vector<double>> rows;
    for (size_t d = 0; d + 2 < bars_.size(); ++d) {
      rows.emplace_back();
      for (size_t s = 0; s < 12; ++s) {
        rows.back().push_back(random_.Uniform() < 0.1 ? kNan : 0.01 * random_.Normal());
      }
    }
    forecasts_ = Forecasts(rows);
    strategy_.top_k = 1 + random_.Below(4);
    strategy_.bottom_k = random_.Below(3);
    strategy_.long_weight = strategy_.bottom_k > 0 ? 0.6 : 1;
    strategy_.short_weight = strategy_.bottom_k > 0 ? 0.4 : 0;
    strategy_.weighting = static_cast<Weighting>(random_.Below(3));
    strategy_.every = 1 + random_.Below(7);
    strategy_.k_drop = random_.Below(3);
    strategy_.min_hold = random_.Below(2) * 5;
    execution_.costs = {5 + 10 * random_.Uniform(), 5};
    execution_.borrow_bps_per_year = 300 * static_cast<double>(random_.Below(2));
    execution_.max_share = random_.Below(2) == 0 ? 0 : 0.3;
    execution_.delay_bars = random_.Below(3);
  }

  Random random_;
  PanelBars bars_;
  PanelForecasts forecasts_;
  PanelStrategy strategy_;
  PanelExecution execution_;
};

// Written from docs/backtest.md: a map of holdings, the equity after costs by bisection.
std::vector<double> SlowEquity(const PanelBars& bars, const std::vector<PanelTarget>& targets,
                               const PanelExecution& e) {
  std::map<size_t, double> units;
  double cash = e.capital;
  const double rate = (e.costs.fee_bps + e.costs.slippage_bps) / 1e4;
  std::vector<double> equity;
  const auto last_close = [&](size_t s, size_t bar) {
    for (size_t b = bar + 1; b-- > 0;) {
      if (!std::isnan(bars.close.At(b, s))) return bars.close.At(b, s);
    }
    return kNan;
  };
  for (size_t bar = 0; bar < bars.size(); ++bar) {
    const auto fill = [&](size_t s, double change, double price) {
      cash -= change * price + rate * std::abs(change) * price;
      units[s] += change;
    };
    for (auto& [s, u] : units) {
      if (bar == 0 || u == 0) continue;
      const TimeMs nights = bars.time[bar] / kDay - bars.time[bar - 1] / kDay;
      if (u < 0) {
        cash += u * last_close(s, bar - 1) * e.borrow_bps_per_year / 1e4 / 365 *
                static_cast<double>(nights);
      }
    }
    for (auto& [s, u] : units) {
      bool gone = u != 0;
      for (size_t b = bar; b < bars.size(); ++b) gone = gone && std::isnan(bars.close.At(b, s));
      if (gone) fill(s, -u, last_close(s, bar)), u = 0;
    }
    const PanelTarget* target = nullptr;
    for (const PanelTarget& t : targets) {
      size_t at = 0;
      while (at < bars.size() && bars.time[at] < t.decided_at) ++at;
      if (at + e.delay_bars == bar) target = &t;
    }
    if (target != nullptr) {
      std::map<size_t, double> wanted;
      for (const auto& [s, u] : units) {
        if (u != 0) wanted[s] = 0;
      }
      for (const PanelWeight& w : target->weights) {
        if (w.keep && units[w.symbol] != 0) {
          wanted.erase(w.symbol);
        } else {
          wanted[w.symbol] = w.weight;
        }
      }
      double before = cash;
      for (const auto& [s, u] : units) {
        const double open = bars.open.At(bar, s);
        if (u != 0) before += u * (std::isnan(open) ? last_close(s, bar) : open);
      }
      std::erase_if(wanted, [&](const auto& w) { return std::isnan(bars.open.At(bar, w.first)); });
      double low = 0, high = before;
      for (int i = 0; i < 200; ++i) {
        const double middle = (low + high) / 2;
        double costs = 0;
        for (const auto& [s, w] : wanted) {
          costs += rate * std::abs(w * middle - units[s] * bars.open.At(bar, s));
        }
        (middle + costs < before ? low : high) = middle;
      }
      for (const auto& [s, w] : wanted) {
        const double open = bars.open.At(bar, s);
        double change = w == 0 ? -units[s] : w * low / open - units[s];
        const double most = e.max_share * bars.volume.At(bar, s);
        if (e.max_share > 0) change = std::clamp(change, -most, most);
        fill(s, change, open);
        if (std::abs(units[s]) < 1e-9) units[s] = 0;
      }
    }
    if (bar + 1 == bars.size()) {
      for (auto& [s, u] : units) {
        if (u != 0) fill(s, -u, last_close(s, bar)), u = 0;
      }
    }
    double value = cash;
    for (const auto& [s, u] : units) value += u == 0 ? 0 : u * last_close(s, bar);
    equity.push_back(value);
  }
  return equity;
}

TEST_P(PanelReference, TheSlowAccountAgrees) {
  const std::vector<PanelTarget> targets = DecidePanel(strategy_, bars_, forecasts_);
  const Simulation s = SimulatePanel(bars_, targets, execution_).simulation;
  const std::vector<double> slow = SlowEquity(bars_, targets, execution_);
  ASSERT_EQ(s.equity.size(), slow.size());
  for (size_t i = 0; i < slow.size(); ++i) ASSERT_NEAR(s.equity[i], slow[i], 1e-6) << i;
  double pnl = 0;
  for (const Trade& trade : s.trades) pnl += trade.pnl;
  EXPECT_NEAR(s.capital + pnl, s.equity.back(), 1e-6);
  EXPECT_FALSE(s.trades.empty());
}

TEST_P(PanelReference, ReplacementsAreLimitedAndPlacesAreNotExceeded) {
  std::set<size_t> before;
  for (const PanelTarget& target : DecidePanel(strategy_, bars_, forecasts_)) {
    std::set<size_t> longs;
    size_t shorts = 0;
    for (const PanelWeight& w : target.weights) {
      if (w.weight > 0) longs.insert(w.symbol);
      if (w.weight < 0) ++shorts;
    }
    ASSERT_LE(longs.size(), strategy_.top_k);
    ASSERT_LE(shorts, strategy_.bottom_k);
    size_t gone = 0;
    for (const size_t s : before) gone += longs.count(s) == 0 ? 1 : 0;
    if (strategy_.k_drop > 0) {
      ASSERT_LE(gone, strategy_.k_drop);
    }
    if (strategy_.weighting == Weighting::kEqual) before = longs;
  }
}

TEST_P(PanelReference, AShuffledFutureChangesNothingBeforeIt) {
  const size_t cut = bars_.size() / 2;
  PanelBars other = bars_;
  for (size_t b = cut; b < other.size(); ++b) {
    for (size_t s = 0; s < other.symbols.size(); ++s) {
      const double factor = 0.5 + random_.Uniform();
      for (PanelGrid* grid : {&other.open, &other.close, &other.mark}) grid->At(b, s) *= factor;
    }
  }
  const auto run = [&](const PanelBars& bars) {
    return SimulatePanel(bars, DecidePanel(strategy_, bars, forecasts_), execution_).simulation;
  };
  const Simulation a = run(bars_), b = run(other);
  for (size_t i = 0; i < cut; ++i) ASSERT_EQ(a.equity[i], b.equity[i]);
}

INSTANTIATE_TEST_SUITE_P(Seeds, PanelReference, ::testing::Range<uint64_t>(1, 31));

TEST(RunPanelBacktest, StandsBesideEqualPartsAndATwin) {
  const std::vector<double> up = {10, 10, 11, 12, 13, 14}, flat(6, 10.0);
  const PanelBars bars = Align({Daily("A", up, up), Daily("B", flat, flat)});
  PanelBacktestOptions options;
  options.name = "momentum";
  options.strategy.top_k = 1;
  const BacktestResult result =
      RunPanelBacktest(bars, Forecasts({{1, 0}, {1, 0}, {1, 0}}), options);
  EXPECT_EQ(result.buy_and_hold.name, "all symbols in equal parts");
  EXPECT_GT(result.strategy.performance.total_return, result.buy_and_hold.performance.total_return);
  EXPECT_LT(result.pessimistic.performance.total_return, result.strategy.performance.total_return);
  EXPECT_NE(result.verdict.find("all symbols in equal parts returned"), std::string::npos);
  EXPECT_GT(result.on_hold.count, 0U);
  const Json trade = ToJson(result.strategy)["trades"][0];
  EXPECT_EQ(trade["symbol"], "A");
  EXPECT_EQ(trade["exit"], "end");
  EXPECT_GT(result.capacity, 0);
}

TEST(AlignForecasts, PutsATableOnTheGrid) {
  ForecastTable table;
  table.Append({"m", "B", kDay, 2 * kDay, 1, 10, 0.5});
  table.Append({"m", "A", 2 * kDay, 3 * kDay, 1, 10, 0.25});
  table.Append({"other", "A", 5 * kDay, 6 * kDay, 1, 10, 0.25});
  table.Sort();
  const std::vector<std::string> symbols = {"A", "B"};
  const PanelForecasts forecasts = AlignForecasts(table, "m", 1, symbols);
  EXPECT_EQ(forecasts.made_at, (std::vector<TimeMs>{kDay, 2 * kDay}));
  EXPECT_EQ(forecasts.last_target, 3 * kDay);
  EXPECT_EQ(forecasts.value.At(0, 1), 0.5);
  EXPECT_TRUE(std::isnan(forecasts.value.At(0, 0)));
  EXPECT_THROW(AlignForecasts(table, "m", 2, symbols), Error);
  EXPECT_THROW(AlignForecasts(table, "m", 1, std::vector<std::string>{"A"}), Error);
}

}  // namespace
}  // namespace almanac
