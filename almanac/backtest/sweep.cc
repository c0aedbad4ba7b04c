#include "almanac/backtest/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "almanac/base/error.h"
#include "almanac/base/parallel.h"
#include "almanac/evaluate/p_value.h"

namespace almanac {
namespace {

std::string VerdictOf(const JudgedSweep& judged) {
  const JudgedConfig& best = judged.configs[judged.best];
  if (std::isnan(best.sharpe.ratio)) {
    return fmt::format("none of {} configurations ever traded", judged.configs.size());
  }
  const std::string found = fmt::format(
      "of {} configurations the best has a Sharpe ratio of {:.2f}; {} trials without "
      "skill would show {:.2f} by luck",
      judged.configs.size(), best.sharpe.annual, judged.trials, judged.hurdle_annual);
  if (judged.profitable == 0) {
    return found + fmt::format(": none is distinguishable from luck ({})",
                               FormatPValue(1 - best.deflated_probability));
  }
  return found + fmt::format(": {} {} profitable after deflation", judged.profitable,
                             judged.profitable == 1 ? "is" : "are");
}

}  // namespace

JudgedSweep JudgeSweep(const SignalSweep& sweep, double periods_per_year, const Judging& before) {
  const size_t count = sweep.totals.size();
  if (count == 0) {
    throw Error(ErrorCode::kUsage, "sweep", "no configurations", "give at least one");
  }
  JudgedSweep judged;
  judged.configs.resize(count);
  ParallelFor(count, [&](size_t c) {
    JudgedConfig& config = judged.configs[c];
    config.sharpe = ComputeSharpe(sweep.Returns(c), periods_per_year);
    config.total_return = sweep.Equity(c).back() / sweep.capital - 1;
  });
  std::vector<double> ratios = before.trial_annual_sharpes;
  for (size_t c = 0; c < count; ++c) {
    const double annual = judged.configs[c].sharpe.annual;
    if (!std::isfinite(annual)) continue;
    ratios.push_back(annual);
    const double best = judged.configs[judged.best].sharpe.annual;
    if (!(best >= annual)) judged.best = c;
  }
  judged.trials = before.trials + count;
  const DeflatedSharpe deflated =
      Deflate(judged.configs[judged.best].sharpe, judged.trials, ratios);
  judged.trials = deflated.trials;
  judged.hurdle_annual = deflated.hurdle_annual;
  const double hurdle = deflated.hurdle_annual / std::sqrt(periods_per_year);
  for (JudgedConfig& config : judged.configs) {
    const SharpeStatistics& s = config.sharpe;
    config.deflated_probability =
        ProbabilisticSharpe(s.ratio, hurdle, s.skewness, s.kurtosis, static_cast<double>(s.count));
    config.profitable =
        config.total_return > 0 && config.deflated_probability > 1 - before.significance;
    judged.profitable += config.profitable ? 1 : 0;
  }
  judged.verdict = VerdictOf(judged);
  return judged;
}

std::string SweepCsv(std::span<const std::string> signals, std::span<const SignalConfig> configs,
                     const SignalSweep& sweep, const JudgedSweep& judged) {
  std::string text =
      "signal,long_above,short_below,stop_loss,take_profit,trailing_stop,max_hold_seconds,"
      "total_return,sharpe,p_value,deflated_probability,profitable,trades,winners,costs,funding,"
      "liquidations\n";
  for (size_t c = 0; c < configs.size(); ++c) {
    const SignalRule& rule = configs[c].rule;
    const TradeRules& trade = configs[c].trade;
    const SignalTotals& totals = sweep.totals[c];
    const JudgedConfig& j = judged.configs[c];
    text += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n",
                        signals[rule.signal], rule.long_above, rule.short_below, trade.stop_loss,
                        trade.take_profit, trade.trailing_stop, trade.max_hold / kMsPerSecond,
                        j.total_return, j.sharpe.annual, j.sharpe.p_value, j.deflated_probability,
                        j.profitable ? 1 : 0, totals.trades, totals.winners, totals.costs,
                        totals.funding, totals.liquidations);
  }
  return text;
}

}  // namespace almanac
