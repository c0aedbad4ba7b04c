#include "almanac/backtest/backtest.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "almanac/backtest/verdict.h"
#include "almanac/base/error.h"
#include "almanac/evaluate/json_value.h"

namespace almanac {
namespace {

constexpr double kPessimisticCosts = 2;
constexpr size_t kPessimisticDelay = 1;

void CheckInput(const SignalInput& input, const BacktestOptions& options) {
  if (options.execution.costs.Rate() * kPessimisticCosts >= 1) {
    throw Error(ErrorCode::kUsage, "execution.fee_bps",
                "twice the costs, as the pessimistic twin pays them, are the whole notional",
                "fee and slippage together below 5000");
  }
  if (input.made_at.empty()) {
    throw Error(ErrorCode::kBadData, "backtest", "no forecasts", "widen the test period");
  }
  if (input.target_time.size() != input.made_at.size()) {
    throw Error(ErrorCode::kUsage, "backtest",
                fmt::format("{} target times for {} forecasts", input.target_time.size(),
                            input.made_at.size()),
                "pass one each");
  }
  for (size_t i = 0; i < input.made_at.size(); ++i) {
    if (input.target_time[i] > input.made_at[i]) continue;
    throw Error(ErrorCode::kBadData,
                fmt::format("forecast row {}, {}", i, FormatTime(input.made_at[i])),
                "its target is not after the instant it was made", "a target lies in the future");
  }
}

ExecutionOptions NarrowToForecasts(ExecutionOptions execution, const SignalInput& input) {
  execution.from = std::max(execution.from, input.made_at.front());
  execution.to =
      std::min(execution.to, *std::max_element(input.target_time.begin(), input.target_time.end()));
  return execution;
}

BacktestRun RunOne(std::string name, const CandleSeries& bars,
                   std::span<const PositionTarget> targets, const ExecutionOptions& execution,
                   double periods_per_year) {
  BacktestRun run;
  run.name = std::move(name);
  run.simulation = Simulate(bars, targets, execution);
  run.performance = ComputePerformance(run.simulation, periods_per_year);
  return run;
}

std::vector<std::string> Assumptions(const CandleSeries& bars, const BacktestOptions& options,
                                     double periods_per_year) {
  std::vector<std::string> lines = Describe(options.strategy);
  const ExecutionOptions& execution = options.execution;
  lines.push_back(
      execution.delay_bars == 0
          ? fmt::format("A decision is filled at the open of the next {} bar, never at a price of "
                        "the bar it was made on; after a gap, at the next bar that exists.",
                        bars.key.timeframe.name())
          : fmt::format("A decision is filled at the open of the next {} bar, {} bars later.",
                        bars.key.timeframe.name(), execution.delay_bars));
  lines.push_back(
      fmt::format("Every fill pays {:.6g} bp fee and {:.6g} bp slippage of its notional.",
                  execution.costs.fee_bps, execution.costs.slippage_bps));
  lines.emplace_back("Every order is filled whole at that price, whatever its size.");
  lines.emplace_back("Cash earns nothing; no funding, borrow fee, dividend or tax.");
  lines.emplace_back("Equity is marked at each close; an open position is closed at the last one.");
  lines.push_back(fmt::format(
      "Ratios are annualised with {:.6g} bars a year ({}).", periods_per_year,
      options.year == TradingYear::kAlwaysOpen ? "365 days of 24 hours" : "252 trading days"));
  lines.emplace_back(
      "Sharpe ratio over a risk-free rate of 0; its p-value is one-sided with a standard error "
      "that "
      "allows for autocorrelation and fat tails (Lo 2002).");
  lines.push_back(
      fmt::format("The pessimistic twin pays {:g} times the costs and is filled {} bar later.",
                  kPessimisticCosts, kPessimisticDelay));
  lines.emplace_back("Buy and hold pays the same costs, once to buy and once to sell.");
  return lines;
}

}  // namespace

BacktestResult RunBacktest(const CandleSeries& bars, const SignalInput& input,
                           const BacktestOptions& options) {
  CheckInput(input, options);
  const std::vector<PositionTarget> targets =
      DecideTargets(options.strategy, input.made_at, input.forecast);
  const ExecutionOptions execution = NarrowToForecasts(options.execution, input);
  const double periods = PeriodsPerYear(bars.key.timeframe, options.year);
  BacktestResult result;
  result.strategy = RunOne(options.name, bars, targets, execution, periods);

  ExecutionOptions at_once = execution;
  at_once.delay_bars = 0;
  const std::vector<PositionTarget> hold = {{execution.from, 1.0}};
  result.buy_and_hold = RunOne("buy and hold", bars, hold, at_once, periods);

  ExecutionOptions worse = execution;
  worse.costs.fee_bps *= kPessimisticCosts;
  worse.costs.slippage_bps *= kPessimisticCosts;
  worse.delay_bars += kPessimisticDelay;
  result.pessimistic = RunOne(options.name + ", pessimistic", bars, targets, worse, periods);

  result.assumptions = Assumptions(bars, options, periods);
  Conclude({options.trials, options.trial_annual_sharpes, options.significance}, result);
  return result;
}

Json ToJson(const BacktestRun& run) {
  Json trades = Json::array();
  for (const Trade& trade : run.simulation.trades) {
    Json entry = ToJson(trade);
    if (!run.simulation.symbols.empty()) entry["symbol"] = run.simulation.symbols[trade.symbol];
    trades.push_back(std::move(entry));
  }
  Json months = Json::array();
  for (const MonthReturn& month : MonthlyReturns(run.simulation)) {
    months.push_back(
        {{"month", fmt::format("{:04}-{:02}", month.year, month.month)}, {"return", month.value}});
  }
  const auto& ruined_at = run.simulation.ruined_at;
  return Json{{"name", run.name},
              {"capital", run.simulation.capital},
              {"targets_executed", run.simulation.targets_executed},
              {"targets_missed", run.simulation.targets_missed},
              {"ruined_at", ruined_at ? Json(FormatTime(*ruined_at)) : Json(nullptr)},
              {"performance", ToJson(run.performance)},
              {"months", std::move(months)},
              {"trades", std::move(trades)}};
}

Json ToJson(const BacktestResult& result) {
  return Json{{"verdict", result.verdict},
              {"strategy", ToJson(result.strategy)},
              {"buy_and_hold", ToJson(result.buy_and_hold)},
              {"pessimistic", ToJson(result.pessimistic)},
              {"deflated_sharpe", ToJson(result.deflated)},
              {"on_buy_and_hold", ToJson(result.on_hold)},
              {"capacity", NumberOrNull(result.capacity)},
              {"assumptions", result.assumptions}};
}

}  // namespace almanac
