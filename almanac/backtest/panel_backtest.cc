#include "almanac/backtest/panel_backtest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "almanac/backtest/verdict.h"
#include "almanac/base/text.h"

namespace almanac {
namespace {

constexpr double kPessimisticCosts = 2;

BacktestRun RunOne(std::string name, PanelSimulation simulated, double periods_per_year) {
  BacktestRun run;
  run.name = std::move(name);
  run.simulation = std::move(simulated.simulation);
  run.performance = ComputePerformance(run.simulation, periods_per_year);
  return run;
}

// All symbols that trade on the first bar, bought there in equal parts.
PanelTarget EqualParts(const PanelBars& bars, TimeMs from) {
  PanelTarget target;
  target.decided_at = from;
  const size_t bar = bars.FirstBarAt(from);
  for (size_t s = 0; bar < bars.size() && s < bars.symbols.size(); ++s) {
    if (bars.Trades(bar, s)) target.weights.push_back({s, 0, false});
  }
  for (PanelWeight& wanted : target.weights) {
    wanted.weight = 1 / static_cast<double>(target.weights.size());
  }
  return target;
}

std::string DroppedSentence(const PanelSimulation& simulated) {
  return fmt::format(
      "{} orders were dropped because their symbol had no bar, {} were cut to the "
      "share of volume.",
      FormatCount(static_cast<int64_t>(simulated.orders_without_bar)),
      FormatCount(static_cast<int64_t>(simulated.orders_cut)));
}

}  // namespace

BacktestResult RunPanelBacktest(const PanelBars& bars, const PanelForecasts& forecasts,
                                const PanelBacktestOptions& options) {
  const std::vector<PanelTarget> targets = DecidePanel(options.strategy, bars, forecasts);
  PanelExecution execution = options.execution;
  execution.from = std::max(execution.from, forecasts.made_at.front());
  execution.to = std::min(execution.to, forecasts.last_target);
  const double periods = PeriodsPerYear(bars.timeframe, options.year);
  const PanelSimulation simulated = SimulatePanel(bars, targets, execution);

  BacktestResult result;
  result.assumptions = Describe(options.strategy);
  const auto add = [&](const std::vector<std::string>& lines) {
    result.assumptions.insert(result.assumptions.end(), lines.begin(), lines.end());
  };
  add(Describe(execution));
  add({DroppedSentence(simulated)});
  if (std::isfinite(simulated.capacity)) {
    add({fmt::format(
        "Capacity: with {} of capital 95 % of what is traded would take at most {:g} % "
        "of its bar's volume.",
        FormatCount(static_cast<int64_t>(simulated.capacity)), 100 * kCapacityShare)});
  }
  result.capacity = simulated.capacity;
  result.strategy = RunOne(options.name, simulated, periods);

  PanelExecution hold = execution;
  hold.delay_bars = 0;
  const PanelTarget everything = EqualParts(bars, execution.from);
  result.buy_and_hold =
      RunOne("all symbols in equal parts", SimulatePanel(bars, {&everything, 1}, hold), periods);

  PanelExecution worse = execution;
  worse.costs.fee_bps *= kPessimisticCosts;
  worse.costs.slippage_bps *= kPessimisticCosts;
  worse.borrow_bps_per_year *= kPessimisticCosts;
  worse.delay_bars += 1;
  result.pessimistic =
      RunOne(options.name + ", pessimistic", SimulatePanel(bars, targets, worse), periods);
  add({fmt::format(
           "Equity is marked at each close; ratios are annualised with {:.6g} bars a year "
           "({}).",
           periods,
           options.year == TradingYear::kAlwaysOpen ? "365 days of 24 hours" : "252 trading days"),
       "Sharpe ratio over a risk-free rate of 0; its p-value is one-sided with a standard error "
       "that allows for autocorrelation and fat tails (Lo 2002).",
       fmt::format("The pessimistic twin pays {:g} times the costs and is filled one bar later.",
                   kPessimisticCosts),
       "The benchmark buys every symbol that trades on the first bar, in equal parts, pays the "
       "same "
       "costs and never trades again."});
  Conclude(options.judging, result);
  return result;
}

}  // namespace almanac
