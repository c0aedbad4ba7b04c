#include "almanac/backtest/performance.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "almanac/evaluate/json_value.h"
#include "almanac/evaluate/statistics.h"

namespace almanac {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

void AddTrades(std::span<const Trade> trades, Performance& performance) {
  performance.trades = trades.size();
  double gains = 0;
  double losses = 0;
  double returns = 0;
  double bars = 0;
  size_t hits = 0;
  for (const Trade& trade : trades) {
    hits += trade.pnl > 0 ? 1 : 0;
    (trade.pnl > 0 ? gains : losses) += std::abs(trade.pnl);
    returns += trade.return_on_entry;
    // A position closed at a bar's close was held through that bar.
    bars += static_cast<double>(trade.exit_bar - trade.entry_bar) + (trade.closed_at_end ? 1 : 0);
  }
  const auto count = static_cast<double>(trades.size());
  const bool any = !trades.empty();
  performance.hit_rate = any ? static_cast<double>(hits) / count : kNan;
  performance.profit_factor = losses > 0 ? gains / losses : kNan;
  performance.mean_trade_return = any ? returns / count : kNan;
  performance.mean_trade_bars = any ? bars / count : kNan;
}

double AnnualReturn(double total_return, double years) {
  return total_return <= -1 ? -1 : std::pow(1 + total_return, 1 / years) - 1;
}

}  // namespace

double SortinoRatio(std::span<const double> returns, double periods_per_year) {
  double squares = 0;
  for (const double r : returns) squares += r < 0 ? r * r : 0;
  if (squares == 0) return kNan;
  const double downside = std::sqrt(squares / static_cast<double>(returns.size()));
  return Mean(returns) / downside * std::sqrt(periods_per_year);
}

double TailRatio(std::span<const double> returns) {
  if (returns.empty()) return kNan;
  std::vector<double> sorted(returns.begin(), returns.end());
  std::sort(sorted.begin(), sorted.end());
  const double lower = SortedQuantile(sorted, 0.05);
  return lower < 0 ? SortedQuantile(sorted, 0.95) / -lower : kNan;
}

Drawdown ComputeDrawdown(double capital, std::span<const double> equity) {
  Drawdown drawdown;
  double peak = capital;
  std::ptrdiff_t peak_bar = -1;
  for (size_t i = 0; i < equity.size(); ++i) {
    const auto bar = static_cast<std::ptrdiff_t>(i);
    if (equity[i] >= peak) {
      peak = equity[i];
      peak_bar = bar;
      drawdown.recovered = true;
      continue;
    }
    drawdown.recovered = false;
    drawdown.longest_bars = std::max(drawdown.longest_bars, static_cast<size_t>(bar - peak_bar));
    const double depth = 1 - equity[i] / peak;
    if (depth > drawdown.depth) {
      drawdown.depth = depth;
      drawdown.peak_bar = peak_bar;
      drawdown.trough_bar = bar;
    }
  }
  return drawdown;
}

std::vector<double> DrawdownCurve(double capital, std::span<const double> equity) {
  std::vector<double> curve(equity.size());
  double peak = capital;
  for (size_t i = 0; i < equity.size(); ++i) {
    peak = std::max(peak, equity[i]);
    curve[i] = equity[i] / peak - 1;
  }
  return curve;
}

Performance ComputePerformance(const Simulation& simulation, double periods_per_year) {
  Performance performance;
  const std::vector<double> returns = simulation.Returns();
  performance.bars = returns.size();
  if (returns.empty()) return performance;
  performance.first_time = simulation.time.front();
  performance.last_time = simulation.time.back();
  performance.years = static_cast<double>(returns.size()) / periods_per_year;
  performance.total_return = simulation.TotalReturn();
  performance.annual_return = AnnualReturn(performance.total_return, performance.years);
  performance.annual_volatility = std::sqrt(Variance(returns) * periods_per_year);
  performance.sharpe = ComputeSharpe(returns, periods_per_year);
  performance.sortino = SortinoRatio(returns, periods_per_year);
  performance.tail_ratio = TailRatio(returns);
  performance.drawdown = ComputeDrawdown(simulation.capital, simulation.equity);
  performance.calmar = performance.drawdown.depth > 0
                           ? performance.annual_return / performance.drawdown.depth
                           : kNan;
  AddTrades(simulation.trades, performance);
  const auto held = std::count_if(simulation.weight.begin(), simulation.weight.end(),
                                  [](double weight) { return weight != 0; });
  performance.exposure = static_cast<double>(held) / static_cast<double>(returns.size());
  const double traded = std::accumulate(simulation.traded.begin(), simulation.traded.end(), 0.0);
  const double mean_equity = Mean(simulation.equity);
  performance.annual_turnover = mean_equity > 0 ? traded / mean_equity / performance.years : kNan;
  performance.costs = simulation.costs;
  performance.costs_share = simulation.costs / simulation.capital;
  return performance;
}

std::vector<MonthReturn> MonthlyReturns(const Simulation& simulation) {
  std::vector<MonthReturn> months;
  double start = simulation.capital;
  for (size_t i = 0; i < simulation.time.size(); ++i) {
    const CivilDate date = DateOf(simulation.time[i]);
    if (months.empty() || months.back().year != date.year || months.back().month != date.month) {
      if (i > 0) start = simulation.equity[i - 1];
      months.push_back({date.year, date.month, 0});
    }
    months.back().value = start > 0 ? simulation.equity[i] / start - 1 : 0;
  }
  return months;
}

Json ToJson(const Drawdown& drawdown) {
  return Json{{"depth", NumberOrNull(drawdown.depth)},
              {"peak_bar", drawdown.peak_bar},
              {"trough_bar", drawdown.trough_bar},
              {"longest_bars", drawdown.longest_bars},
              {"recovered", drawdown.recovered}};
}

Json ToJson(const Performance& performance) {
  return Json{{"bars", performance.bars},
              {"first_time", FormatTime(performance.first_time)},
              {"last_time", FormatTime(performance.last_time)},
              {"years", NumberOrNull(performance.years)},
              {"total_return", NumberOrNull(performance.total_return)},
              {"annual_return", NumberOrNull(performance.annual_return)},
              {"annual_volatility", NumberOrNull(performance.annual_volatility)},
              {"sharpe", ToJson(performance.sharpe)},
              {"sortino", NumberOrNull(performance.sortino)},
              {"calmar", NumberOrNull(performance.calmar)},
              {"tail_ratio", NumberOrNull(performance.tail_ratio)},
              {"drawdown", ToJson(performance.drawdown)},
              {"trades", performance.trades},
              {"hit_rate", NumberOrNull(performance.hit_rate)},
              {"profit_factor", NumberOrNull(performance.profit_factor)},
              {"mean_trade_return", NumberOrNull(performance.mean_trade_return)},
              {"mean_trade_bars", NumberOrNull(performance.mean_trade_bars)},
              {"exposure", NumberOrNull(performance.exposure)},
              {"annual_turnover", NumberOrNull(performance.annual_turnover)},
              {"costs", NumberOrNull(performance.costs)},
              {"costs_share", NumberOrNull(performance.costs_share)}};
}

Json ToJson(const Trade& trade) {
  return Json{{"side", trade.side == Side::kLong ? "long" : "short"},
              {"entry_time", FormatTime(trade.entry_time)},
              {"entry_price", trade.entry_price},
              {"exit_time", FormatTime(trade.exit_time)},
              {"exit_price", trade.exit_price},
              {"units", trade.units},
              {"costs", trade.costs},
              {"pnl", trade.pnl},
              {"return_on_entry", trade.return_on_entry},
              {"funding", trade.funding},
              {"exit", Name(trade.exit)},
              {"closed_at_end", trade.closed_at_end}};
}

}  // namespace almanac
