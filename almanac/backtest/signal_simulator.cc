#include "almanac/backtest/signal_simulator.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "almanac/backtest/large_pages.h"
#include "almanac/backtest/signal_account.h"
#include "almanac/base/error.h"
#include "almanac/base/parallel.h"

namespace almanac {
namespace {

// 5 arrays of 8 bytes: 80 KB, which leaves room for the accounts in a second-level cache.
constexpr size_t kBarsAPass = 2048;
// Of one piece of parallel work: enough to share the bars, few enough for several threads.
constexpr size_t kConfigsAPiece = 256;

ExecutionBars Prepare(const CandleSeries& bars, const SignalTable& table,
                      std::span<const SignalConfig> configs, const SignalExecution& execution) {
  table.Validate();
  for (const SignalConfig& config : configs) CheckConfig(table, config);
  return {bars, table.made_at, execution};
}

}  // namespace

Simulation SimulateSignals(const CandleSeries& bars, const SignalTable& table,
                           const SignalConfig& config, const SignalExecution& execution) {
  ExecutionBars prepared = Prepare(bars, table, {&config, 1}, execution);
  Simulation simulation;
  simulation.capital = execution.capital;
  for (auto* curve : {&simulation.equity, &simulation.weight, &simulation.traded}) {
    ReserveLarge(*curve, prepared.marks.size());
    curve->resize(prepared.marks.size());
  }
  SignalAccount account(prepared, table, config, simulation.equity.data(), &simulation);
  account.Advance(prepared.size());
  simulation.costs = account.totals().costs;
  simulation.funding = account.totals().funding;
  simulation.targets_executed = account.totals().executed;
  simulation.targets_missed = account.totals().missed;
  simulation.ruined_at = account.ruined_at();
  simulation.time = std::move(prepared.marks.time);
  return simulation;
}

std::vector<double> SignalSweep::Returns(size_t config) const {
  std::vector<double> returns;
  returns.reserve(marks());
  double before = capital;
  for (const double value : Equity(config)) {
    returns.push_back(before > 0 ? value / before - 1 : 0);
    before = value;
  }
  return returns;
}

SignalSweep SweepSignals(const CandleSeries& bars, const SignalTable& table,
                         std::span<const SignalConfig> configs, const SignalExecution& execution) {
  const ExecutionBars prepared = Prepare(bars, table, configs, execution);
  SignalSweep sweep;
  sweep.capital = execution.capital;
  sweep.mark_time = prepared.marks.time;
  sweep.totals.resize(configs.size());
  sweep.ruined_at.resize(configs.size());
  ReserveLarge(sweep.equity, configs.size() * sweep.marks());
  sweep.equity.resize(configs.size() * sweep.marks());
  const size_t pieces = (configs.size() + kConfigsAPiece - 1) / kConfigsAPiece;
  ParallelFor(pieces, [&](size_t piece) {
    const size_t first = piece * kConfigsAPiece;
    const size_t last = std::min(first + kConfigsAPiece, configs.size());
    std::vector<SignalAccount> accounts;
    accounts.reserve(last - first);
    for (size_t c = first; c < last; ++c) {
      accounts.emplace_back(prepared, table, configs[c], sweep.equity.data() + c * sweep.marks());
    }
    for (size_t end = 0; end < prepared.size();) {
      end = std::min(end + kBarsAPass, prepared.size());
      for (SignalAccount& account : accounts) account.Advance(end);
    }
    for (size_t c = first; c < last; ++c) {
      sweep.totals[c] = accounts[c - first].totals();
      sweep.ruined_at[c] = accounts[c - first].ruined_at();
    }
  });
  return sweep;
}

}  // namespace almanac
