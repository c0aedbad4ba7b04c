#include "almanac/backtest/verdict.h"

#include <fmt/format.h>

#include <cmath>

#include "almanac/backtest/benchmark.h"
#include "almanac/evaluate/p_value.h"

namespace almanac {
namespace {

std::string Percent(double fraction) {
  return std::isnan(fraction) ? "no" : fmt::format("{:.2f} %", 100 * fraction);
}

// Whether the ratio means anything, by itself and after deflation.
std::string Significance(const BacktestResult& result, double significance) {
  const SharpeStatistics& sharpe = result.strategy.performance.sharpe;
  const DeflatedSharpe& deflated = result.deflated;
  const std::string alone = FormatPValue(sharpe.p_value);
  if (sharpe.ratio <= 0) return fmt::format("no sign of skill ({})", alone);
  if (sharpe.p_value >= significance) {
    return fmt::format("not distinguishable from luck ({})", alone);
  }
  if (deflated.trials < 2) {
    return fmt::format("unlikely to be luck ({}, the only trial on record)", alone);
  }
  const std::string p = FormatPValue(1 - deflated.probability);
  if (1 - deflated.probability >= significance) {
    return fmt::format("not distinguishable from the best of {} lucky trials ({}; {} taken alone)",
                       deflated.trials, p, alone);
  }
  return fmt::format("better than the best of {} lucky trials would be ({})", deflated.trials, p);
}

// A strategy that is no luck may still be worse than doing nothing.
std::string BesideHolding(const BacktestResult& result, double significance) {
  const bool has_skill = result.strategy.performance.sharpe.p_value < significance;
  if (!has_skill || BeatsHolding(result, significance)) return "";
  return fmt::format(", but no better than {}, whose Sharpe ratio is {:.2f}",
                     result.buy_and_hold.name, result.buy_and_hold.performance.sharpe.annual);
}

std::string VerdictOf(const BacktestResult& result, double significance) {
  const BacktestRun& run = result.strategy;
  const std::string hold = fmt::format("{} returned {}", result.buy_and_hold.name,
                                       Percent(result.buy_and_hold.performance.total_return));
  if (run.simulation.trades.empty()) {
    return fmt::format("{} never traded: no forecast was beyond the threshold; {}", run.name, hold);
  }
  if (run.simulation.ruined_at) {
    return fmt::format("{} lost everything by {}; {}", run.name,
                       FormatDate(*run.simulation.ruined_at), hold);
  }
  return fmt::format(
      "{} returned {} (Sharpe {:.2f}), {}{}; with doubled costs and one bar later {}; {}", run.name,
      Percent(run.performance.total_return), run.performance.sharpe.annual,
      Significance(result, significance), BesideHolding(result, significance),
      Percent(result.pessimistic.performance.total_return), hold);
}

}  // namespace

bool BeatsHolding(const BacktestResult& result, double significance) {
  const double held = result.buy_and_hold.performance.sharpe.annual;
  const bool has_alpha = result.on_hold.alpha > 0 && result.on_hold.alpha_p < significance;
  return has_alpha || !(result.strategy.performance.sharpe.annual <= held);
}

void Conclude(const Judging& judging, BacktestResult& result) {
  const std::vector<double> returns = result.strategy.simulation.Returns();
  const std::vector<double> held = result.buy_and_hold.simulation.Returns();
  if (returns.size() == held.size()) {
    result.on_hold =
        RegressOnBenchmark(returns, held, result.strategy.performance.sharpe.periods_per_year);
  }
  result.deflated =
      Deflate(result.strategy.performance.sharpe, judging.trials, judging.trial_annual_sharpes);
  result.verdict = VerdictOf(result, judging.significance);
}

}  // namespace almanac
