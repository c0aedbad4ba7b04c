#include "almanac/backtest/signal_backtest.h"

#include <fmt/format.h>

#include <algorithm>

#include "almanac/backtest/signal_simulator.h"
#include "almanac/backtest/verdict.h"
#include "almanac/base/error.h"

namespace almanac {
namespace {

BacktestRun RunOne(std::string name, const CandleSeries& bars, const SignalTable& table,
                   const SignalConfig& config, const SignalExecution& execution,
                   double periods_per_year) {
  BacktestRun run;
  run.name = std::move(name);
  run.simulation = SimulateSignals(bars, table, config, execution);
  run.performance = ComputePerformance(run.simulation, periods_per_year);
  return run;
}

// One decision: everything into the market, and never out.
SignalTable HoldTable(TimeMs from, TimeMs to) {
  return {{from}, to, {{"hold", {1.0}}}, {{"all", {1.0}}}};
}

std::vector<std::string> Assumptions(const CandleSeries& bars, const SignalTable& table,
                                     const SignalBacktestOptions& options, double periods) {
  std::vector<std::string> lines = options.description;
  const auto add = [&](std::vector<std::string> more) {
    lines.insert(lines.end(), more.begin(), more.end());
  };
  add(Describe(options.config.rule, table.signals[options.config.rule.signal].name));
  add(Describe(options.config.trade));
  lines.push_back(fmt::format("Executed on {} bars.", bars.key.timeframe.name()));
  add(Describe(options.execution));
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

SignalExecution NarrowTo(const SignalTable& table, Timeframe mark, SignalExecution execution) {
  table.Validate();
  if (table.last_target <= table.made_at.back()) {
    throw Error(ErrorCode::kBadData, "backtest",
                fmt::format("the last forecast, made {}, is for {}",
                            FormatTime(table.made_at.back()), FormatTime(table.last_target)),
                "a target lies in the future");
  }
  execution.from = std::max(execution.from, table.made_at.front());
  execution.to = std::min(execution.to, table.last_target);
  execution.mark_every = mark.duration();
  return execution;
}

BacktestResult RunSignalBacktest(const CandleSeries& bars, const SignalTable& table,
                                 const SignalBacktestOptions& options) {
  if (options.mark < bars.key.timeframe) {
    throw Error(ErrorCode::kUsage, "backtest.execution.timeframe",
                fmt::format("{} bars are longer than the forecasts' {}", bars.key.timeframe.name(),
                            options.mark.name()),
                "execute on the same bars or on finer ones");
  }
  const SignalExecution execution = NarrowTo(table, options.mark, options.execution);
  const double periods = PeriodsPerYear(options.mark, options.year);
  BacktestResult result;
  result.strategy = RunOne(options.name, bars, table, options.config, execution, periods);
  SignalExecution hold = execution;
  hold.delay_bars = 0;
  result.buy_and_hold =
      RunOne("buy and hold", bars, HoldTable(execution.from, execution.to), {}, hold, periods);
  result.pessimistic = RunOne(options.name + ", pessimistic", bars, table, options.config,
                              Pessimistic(execution), periods);
  result.assumptions = Assumptions(bars, table, options, periods);
  Conclude(options.judging, result);
  return result;
}

}  // namespace almanac
