#include "almanac/backtest/simulator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "almanac/backtest/open_trade.h"
#include "almanac/base/error.h"

namespace almanac {
namespace {

// Cash, units and the trade they belong to.
class Account {
 public:
  Account(double capital, double cost_rate) : cash_(capital), cost_rate_(cost_rate) {}

  double Equity(double price) const { return cash_ + units_ * price; }
  bool flat() const { return units_ == 0; }
  double units() const { return units_; }
  double costs() const { return costs_; }
  std::vector<Trade> TakeTrades() { return std::move(trades_); }

  // Trades so that after costs units * price = weight * equity. Returns the traded notional.
  double MoveTo(double weight, double price, TimeMs time, size_t bar) {
    if (weight == 0) return Close(price, time, bar, false);
    const double held = units_ * price;
    const double equity = cash_ + held;
    // x = w (E - c s (x - held)) with s the sign of the trade, which costs do not change.
    const double sign = weight * equity > held ? 1 : -1;
    const double wanted =
        weight * (equity + cost_rate_ * sign * held) / (1 + weight * cost_rate_ * sign);
    double traded = 0;
    if (units_ != 0 && (units_ > 0) != (wanted > 0)) traded += Close(price, time, bar, false);
    const double before = units_ * price;
    const double change = (wanted - before) / price;
    if (change == 0) return traded;
    if (flat()) {
      open_ = OpenTrade{};
      open_.side = wanted > 0 ? Side::kLong : Side::kShort;
      open_.entry_time = time;
      open_.entry_bar = bar;
    }
    Fill(change, price);
    return traded + std::abs(change) * price;
  }

  double Close(double price, TimeMs time, size_t bar, bool at_end) {
    if (flat()) return 0;
    const double notional = std::abs(units_) * price;
    Fill(-units_, price);
    units_ = 0;
    trades_.push_back(open_.Finish(time, bar, at_end ? ExitReason::kEnd : ExitReason::kDecision));
    return notional;
  }

 private:
  void Fill(double change, double price) {
    const double cost = cost_rate_ * std::abs(change) * price;
    open_.Add(change, price, cost);
    costs_ += cost;
    cash_ -= change * price + cost;
    units_ += change;
  }

  double cash_;
  double cost_rate_;
  double units_ = 0;
  double costs_ = 0;
  OpenTrade open_;
  std::vector<Trade> trades_;
};

void CheckExecution(const ExecutionOptions& options) {
  const auto refuse = [](const char* option, double found, const char* allowed) {
    throw Error(ErrorCode::kUsage, fmt::format("execution.{}", option),
                fmt::format("{} is not possible", found), allowed);
  };
  const CostModel& costs = options.costs;
  if (!(costs.fee_bps >= 0)) refuse("fee_bps", costs.fee_bps, "0 or more");
  if (!(costs.slippage_bps >= 0)) refuse("slippage_bps", costs.slippage_bps, "0 or more");
  if (!(costs.Rate() < 1)) {
    refuse("fee_bps", costs.fee_bps + costs.slippage_bps, "fee and slippage together below 10000");
  }
  if (!(options.capital > 0) || !std::isfinite(options.capital)) {
    refuse("capital", options.capital, "above 0");
  }
}

void CheckTargets(std::span<const PositionTarget> targets) {
  for (size_t i = 0; i < targets.size(); ++i) {
    const char* problem = nullptr;
    if (!std::isfinite(targets[i].weight)) problem = "a weight that is not finite";
    if (std::abs(targets[i].weight) > 1) problem = "a weight beyond the whole equity";
    if (i > 0 && targets[i].decided_at < targets[i - 1].decided_at) {
      problem = "decided before the target above it";
    }
    if (problem == nullptr) continue;
    throw Error(ErrorCode::kBadData,
                fmt::format("position target {}, {}", i, FormatTime(targets[i].decided_at)),
                problem, "targets are in order of their decision, weights from -1 to 1");
  }
}

void CheckBar(const CandleSeries& bars, size_t i) {
  const auto fine = [](double price) { return price > 0 && std::isfinite(price); };
  if (fine(bars.open[i]) && fine(bars.close[i])) return;
  throw Error(ErrorCode::kBadData,
              fmt::format("{} {}", ToString(bars.key), FormatTime(bars.open_time[i])),
              fmt::format("open {}, close {}", bars.open[i], bars.close[i]),
              "prices above 0 are needed; audit the series");
}

size_t FirstBarFrom(const CandleSeries& bars, TimeMs time) {
  return static_cast<size_t>(std::lower_bound(bars.open_time.begin(), bars.open_time.end(), time) -
                             bars.open_time.begin());
}

// Which target is filled at each bar of [first, last): the index of the last one, or none.
struct FillPlan {
  std::vector<size_t> target_of_bar;
  size_t executed = 0;
  size_t missed = 0;
};
constexpr size_t kNoTarget = static_cast<size_t>(-1);

FillPlan PlanFills(const CandleSeries& bars, size_t first, size_t last,
                   std::span<const PositionTarget> targets, size_t delay) {
  FillPlan plan;
  plan.target_of_bar.assign(last - first, kNoTarget);
  for (size_t t = 0; t < targets.size(); ++t) {
    const auto open_after =
        std::lower_bound(bars.open_time.begin(), bars.open_time.end(), targets[t].decided_at);
    const auto earliest = static_cast<size_t>(open_after - bars.open_time.begin());
    if (earliest >= last || delay >= last - earliest) {
      ++plan.missed;
      continue;
    }
    // A target from before the simulated range is taken up at its first bar.
    const size_t bar = std::max(earliest + delay, first);
    if (plan.target_of_bar[bar - first] == kNoTarget) ++plan.executed;
    plan.target_of_bar[bar - first] = t;
  }
  return plan;
}

// Both return the notional traded.
double FillAtOpen(Account& account, double weight, const CandleSeries& bars, size_t i, size_t bar,
                  Simulation& result) {
  const double price = bars.open[i];
  const TimeMs time = bars.open_time[i];
  if (account.Equity(price) > 0) return account.MoveTo(weight, price, time, bar);
  result.ruined_at = time;
  return account.Close(price, time, bar, true);
}

double MarkAtClose(Account& account, bool is_last, const CandleSeries& bars, size_t i, size_t bar,
                   Simulation& result) {
  const double price = bars.close[i];
  const double equity = account.Equity(price);
  result.time.push_back(bars.open_time[i]);
  result.weight.push_back(equity > 0 ? account.units() * price / equity : 0);
  const bool ruined = !result.ruined_at && equity <= 0;
  if (ruined) result.ruined_at = bars.KnownAt(i);
  const double traded = ruined || is_last ? account.Close(price, bars.KnownAt(i), bar, true) : 0;
  result.equity.push_back(account.Equity(price));
  return traded;
}

}  // namespace

std::string_view Name(ExitReason reason) {
  switch (reason) {
    case ExitReason::kDecision:
      return "decision";
    case ExitReason::kStop:
      return "stop";
    case ExitReason::kTrailingStop:
      return "trailing stop";
    case ExitReason::kTakeProfit:
      return "take-profit";
    case ExitReason::kMaxHold:
      return "maximum holding time";
    case ExitReason::kLiquidation:
      return "liquidation";
    case ExitReason::kDelisting:
      return "delisting";
    case ExitReason::kEnd:
      return "end";
  }
  return "";
}

std::vector<double> Simulation::Returns() const {
  std::vector<double> returns(equity.size());
  double before = capital;
  for (size_t i = 0; i < equity.size(); ++i) {
    returns[i] = before > 0 ? equity[i] / before - 1 : 0;
    before = equity[i];
  }
  return returns;
}

double Simulation::TotalReturn() const { return equity.empty() ? 0 : equity.back() / capital - 1; }

Simulation Simulate(const CandleSeries& bars, std::span<const PositionTarget> targets,
                    const ExecutionOptions& options) {
  CheckExecution(options);
  CheckTargets(targets);
  const size_t first = FirstBarFrom(bars, options.from);
  const size_t last = FirstBarFrom(bars, options.to);
  if (first >= last) {
    throw Error(ErrorCode::kBadData, ToString(bars.key), "no bar in the simulated time",
                "the bars must cover the forecasts");
  }
  const FillPlan plan = PlanFills(bars, first, last, targets, options.delay_bars);
  Simulation result;
  result.capital = options.capital;
  result.targets_executed = plan.executed;
  result.targets_missed = plan.missed;
  Account account(options.capital, options.costs.Rate());
  double standing = 0;
  for (size_t i = first; i < last; ++i) {
    CheckBar(bars, i);
    const size_t target = plan.target_of_bar[i - first];
    double traded = 0;
    if (target != kNoTarget && targets[target].weight != standing && !result.ruined_at) {
      standing = targets[target].weight;
      traded += FillAtOpen(account, standing, bars, i, i - first, result);
    }
    traded += MarkAtClose(account, i + 1 == last, bars, i, i - first, result);
    result.traded.push_back(traded);
  }
  result.costs = account.costs();
  result.trades = account.TakeTrades();
  return result;
}

}  // namespace almanac
