#include "almanac/backtest/signal_backtest.h"

#include <fmt/format.h>

#include <algorithm>

#include "almanac/backtest/signal_simulator.h"
#include "almanac/backtest/verdict.h"
#include "almanac/base/error.h"

namespace almanac {
namespace {

BacktestRun RunOf(std::string name, Simulation simulation, double periods_per_year) {
  BacktestRun run;
  run.name = std::move(name);
  run.simulation = std::move(simulation);
  run.performance = ComputePerformance(run.simulation, periods_per_year);
  return run;
}

// One decision: that part of the equity into the market, and never out.
SignalTable HoldTable(TimeMs from, TimeMs to, double part) {
  return {{from}, to, {{"hold", {1.0}}}, {{"part", {part}}}};
}

void CheckMark(const SignalBacktestOptions& options, const CandleSeries& bars) {
  if (options.mark >= bars.key.timeframe) return;
  throw Error(ErrorCode::kUsage, "backtest.execution.timeframe",
              fmt::format("{} bars are longer than the forecasts' {}", bars.key.timeframe.name(),
                          options.mark.name()),
              "execute on the same bars or on finer ones");
}

std::vector<std::string> Assumptions(const CandleSeries& bars, const SignalTable& table,
                                     const SignalBacktestOptions& options,
                                     const SignalExecution& execution, double periods) {
  std::vector<std::string> lines = options.description;
  const auto add = [&](std::vector<std::string> more) {
    lines.insert(lines.end(), more.begin(), more.end());
  };
  add(Describe(options.config.rule, table.signals[options.config.rule.signal].name));
  add(Describe(options.config.trade));
  lines.push_back(fmt::format("Executed on {} bars.", bars.key.timeframe.name()));
  add(Describe(execution));
  lines.push_back(fmt::format(
      "Equity is marked at the close of every {}; an open position is closed at the last one. "
      "Ratios are annualised with {:.6g} of them a year ({}).",
      options.mark.name(), periods,
      options.year == TradingYear::kAlwaysOpen ? "365 days of 24 hours" : "252 trading days"));
  lines.emplace_back(
      "Sharpe ratio over a risk-free rate of 0; its p-value is one-sided with a standard error "
      "that allows for autocorrelation and fat tails (Lo 2002).");
  lines.emplace_back(
      "The pessimistic twin meets the worst order of prices inside a bar, pays doubled costs and "
      "decides one bar later.");
  lines.emplace_back("Buy and hold pays the same costs, funding included.");
  return lines;
}

}  // namespace

SignalExecution NarrowTo(std::span<const SignalTable* const> tables, Timeframe mark,
                         SignalExecution execution) {
  TimeMs from = kMaxTime, to = kMinTime;
  for (const SignalTable* table : tables) {
    table->Validate();
    if (table->last_target <= table->made_at.back()) {
      throw Error(ErrorCode::kBadData, "backtest",
                  fmt::format("the last forecast, made {}, is for {}",
                              FormatTime(table->made_at.back()), FormatTime(table->last_target)),
                  "a target lies in the future");
    }
    from = std::min(from, table->made_at.front());
    to = std::max(to, table->last_target);
  }
  execution.from = std::max(execution.from, from);
  execution.to = std::min(execution.to, to);
  execution.mark_every = mark.duration();
  return execution;
}

BacktestResult RunSignalBacktest(const CandleSeries& bars, const SignalTable& table,
                                 const SignalBacktestOptions& options) {
  CheckMark(options, bars);
  const SignalTable* const tables[] = {&table};
  const SignalExecution execution = NarrowTo(tables, options.mark, options.execution);
  const double periods = PeriodsPerYear(options.mark, options.year);
  BacktestResult result;
  result.strategy =
      RunOf(options.name, SimulateSignals(bars, table, options.config, execution), periods);
  SignalExecution hold = execution;
  hold.delay_bars = 0;
  result.buy_and_hold =
      RunOf("buy and hold",
            SimulateSignals(bars, HoldTable(execution.from, execution.to, 1), {}, hold), periods);
  result.pessimistic =
      RunOf(options.name + ", pessimistic",
            SimulateSignals(bars, table, options.config, Pessimistic(execution)), periods);
  result.assumptions = Assumptions(bars, table, options, execution, periods);
  Conclude(options.judging, result);
  return result;
}

BacktestResult RunSignalPortfolioBacktest(std::span<const PortfolioLeg> legs,
                                          const SignalBacktestOptions& options,
                                          const PortfolioLimits& limits) {
  std::vector<const SignalTable*> tables;
  for (const PortfolioLeg& leg : legs) {
    CheckMark(options, leg.bars);
    tables.push_back(&leg.table);
  }
  const SignalExecution execution = NarrowTo(tables, options.mark, options.execution);
  const double periods = PeriodsPerYear(options.mark, options.year);
  BacktestResult result;
  result.strategy = RunOf(
      options.name, SimulateSignalPortfolio(legs, options.config, execution, limits), periods);
  SignalExecution hold = execution;
  hold.delay_bars = 0;
  const SignalTable part =
      HoldTable(execution.from, execution.to, 1 / static_cast<double>(legs.size()));
  std::vector<PortfolioLeg> parts;
  for (const PortfolioLeg& leg : legs) parts.push_back({leg.bars, part, leg.funding});
  result.buy_and_hold =
      RunOf("all symbols in equal parts", SimulateSignalPortfolio(parts, {}, hold, {}), periods);
  result.pessimistic =
      RunOf(options.name + ", pessimistic",
            SimulateSignalPortfolio(legs, options.config, Pessimistic(execution), limits), periods);
  SignalExecution described = execution;  // of all legs, in one sentence
  for (const PortfolioLeg& leg : legs) {
    described.funding.insert(described.funding.end(), leg.funding.begin(), leg.funding.end());
  }
  result.assumptions = Describe(limits);
  const auto more = Assumptions(legs.front().bars, legs.front().table, options, described, periods);
  result.assumptions.insert(result.assumptions.end(), more.begin(), more.end());
  Conclude(options.judging, result);
  return result;
}

}  // namespace almanac
