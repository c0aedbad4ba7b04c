#include "almanac/backtest/verdict.h"

#include <fmt/format.h>

#include <cmath>

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
      "{} returned {} (Sharpe {:.2f}), {}; with doubled costs and one bar later {}; {}", run.name,
      Percent(run.performance.total_return), run.performance.sharpe.annual,
      Significance(result, significance), Percent(result.pessimistic.performance.total_return),
      hold);
}

}  // namespace

void Conclude(const Judging& judging, BacktestResult& result) {
  result.deflated =
      Deflate(result.strategy.performance.sharpe, judging.trials, judging.trial_annual_sharpes);
  result.verdict = VerdictOf(result, judging.significance);
}

}  // namespace almanac
