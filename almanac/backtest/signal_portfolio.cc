#include "almanac/backtest/signal_portfolio.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>

#include "almanac/backtest/signal_account.h"
#include "almanac/base/error.h"
#include "almanac/base/parallel.h"

namespace almanac {
namespace {

// What all configurations share: the bars of each leg, the instants at which any of them has one.
class PortfolioBars {
 public:
  PortfolioBars(std::span<const PortfolioLeg> legs, const SignalExecution& execution) {
    CheckLegs(legs);
    for (const PortfolioLeg& leg : legs) {
      leg.table.Validate();
      symbols.push_back(leg.bars.key.symbol);
      executions_.push_back(std::make_unique<SignalExecution>(execution));
      executions_.back()->funding = leg.funding;
      bars.emplace_back(leg.bars, leg.table.made_at, *executions_.back());
      tables.push_back(&leg.table);
    }
    std::vector<TimeMs> merged;
    for (const ExecutionBars& one : bars) {
      merged.clear();
      std::set_union(time.begin(), time.end(), one.time.begin(), one.time.end(),
                     std::back_inserter(merged));
      time.swap(merged);
    }
    marks = PlanMarks(time, execution.mark_every);
  }

  std::vector<std::string> symbols;
  std::vector<ExecutionBars> bars;  // one a leg
  std::vector<const SignalTable*> tables;
  std::vector<TimeMs> time;  // every open time that any leg has
  MarkPlan marks;            // indices into `time`

 private:
  static void CheckLegs(std::span<const PortfolioLeg> legs) {
    if (legs.empty()) {
      throw Error(ErrorCode::kUsage, "portfolio", "no symbols", "give at least one");
    }
    for (size_t i = 1; i < legs.size(); ++i) {
      const SeriesKey &key = legs[i].bars.key, &before = legs[i - 1].bars.key;
      if (key.timeframe != before.timeframe) {
        throw Error(ErrorCode::kUsage, "portfolio", ToString(key) + " beside " + ToString(before),
                    "all symbols have bars of one timeframe");
      }
      if (key.symbol > before.symbol) continue;
      throw Error(ErrorCode::kUsage, "portfolio", key.symbol + " after " + before.symbol,
                  "every symbol once, in order of their names");
    }
  }

  std::vector<std::unique_ptr<SignalExecution>> executions_;  // borrowed by `bars`
};

class Portfolio {
 public:
  Portfolio(const PortfolioBars& bars, const SignalConfig& config, const SignalExecution& execution,
            const PortfolioLimits& limits, Simulation& record)
      : bars_(bars),
        limits_(limits),
        maintenance_(execution.maintenance),
        pessimistic_(execution.intrabar == IntrabarPolicy::kPessimistic),
        cash_(execution.capital),
        record_(record),
        legs_(bars.bars.size()) {
    accounts_.reserve(legs_.size());
    for (size_t l = 0; l < legs_.size(); ++l) {
      accounts_.emplace_back(bars.bars[l], *bars.tables[l], config, nullptr, &record);
      // Until its first bar nothing is held that the price would matter for.
      legs_[l].price = bars.bars[l].open.front();
    }
  }

  void Run() {
    size_t mark = 0;
    for (size_t i = 0; i < bars_.time.size(); ++i) {
      mark_ = mark;
      FindBarsAt(bars_.time[i]);
      if (!record_.ruined_at && !active_.empty()) Step(bars_.time[i]);
      const bool last = i + 1 == bars_.time.size();
      for (const size_t l : present_) legs_[l].price = bars_.bars[l].close[legs_[l].bar];
      Settle(bars_.time[i] + bars_.bars.front().duration);
      if (bars_.marks.BarOf(mark) != i) continue;
      Mark(mark++, last);
    }
    for (SignalAccount& account : accounts_) account.CountMissed();
    Finish();
  }

  SignalTotals Totals() const {
    SignalTotals sum;
    for (const SignalAccount& account : accounts_) sum += account.totals();
    return sum;
  }

 private:
  struct Leg {
    size_t next = 0;   // its next bar
    size_t bar = 0;    // that of this instant
    double price = 0;  // at which it is valued at the moment
  };

  // Who has a bar at this instant, and who of them may do something on it.
  void FindBarsAt(TimeMs time) {
    present_.clear();
    active_.clear();
    ended_.clear();
    for (size_t l = 0; l < legs_.size(); ++l) {
      const ExecutionBars& bars = bars_.bars[l];
      Leg& leg = legs_[l];
      if (leg.next < bars.size() && bars.time[leg.next] == time) {
        leg.bar = leg.next++;
        leg.price = bars.open[leg.bar];
        present_.push_back(l);
        if (!accounts_[l].IsIdle(leg.bar)) active_.push_back(l);
      } else if (leg.next == bars.size() && accounts_[l].units() != 0) {
        ended_.push_back(l);
        active_.push_back(l);
      }
    }
  }

  void Step(TimeMs time) {
    for (const size_t l : ended_) {
      Join(l);
      accounts_[l].CloseAt(legs_[l].bar, time, ExitReason::kDelisting);
      Leave(l);
    }
    std::erase_if(active_, [&](size_t l) {
      return std::find(ended_.begin(), ended_.end(), l) != ended_.end();
    });
    borrowed_ = std::max(0.0, -cash_);
    for (const size_t l : active_) {
      accounts_[l].ForgetRuin();
      Do(l, &SignalAccount::OpenBar);
    }
    SortByTurn();
    for (const size_t l : active_) Do(l, &SignalAccount::DecideBar);
    std::sort(active_.begin(), active_.end());
    if (pessimistic_) {
      for (const size_t l : active_) {
        if (accounts_[l].units() != 0) legs_[l].price = accounts_[l].WorstPrice(legs_[l].bar);
      }
    }
    for (const size_t l : active_) Do(l, &SignalAccount::InsideBar);
  }

  // Who holds something decides first; of the others the strongest signal. Ties: by name.
  void SortByTurn() {
    const auto turn = [&](size_t l) {
      const bool held = accounts_[l].units() != 0;
      return std::pair(held ? 0 : 1, held ? 0.0 : -accounts_[l].StrengthAt(legs_[l].bar));
    };
    std::stable_sort(active_.begin(), active_.end(),
                     [&](size_t a, size_t b) { return turn(a) < turn(b); });
  }

  void Do(size_t l, void (SignalAccount::*step)(size_t)) {
    Join(l);
    (accounts_[l].*step)(legs_[l].bar);
    Leave(l);
  }

  void Join(size_t l) {
    SignalAccount::Others others;
    double longs = 0, gross = 0, equity = cash_;
    size_t positions = 0;
    for (size_t o = 0; o < legs_.size(); ++o) {
      const double value = accounts_[o].units() * legs_[o].price;
      equity += value;
      longs += std::max(0.0, value);
      if (o == l) continue;
      const double reserved = accounts_[o].ReservedValue(legs_[o].price);
      others.value += value;
      others.required += maintenance_ * std::abs(value);
      gross += std::abs(value) + reserved;
      positions += value != 0 || reserved != 0 ? 1 : 0;
    }
    const double own = accounts_[l].units() * legs_[l].price;
    others.borrowed = own > 0 ? borrowed_ * (own < longs ? own / longs : 1) : 0;
    if (legs_.size() > 1) others.room = std::max(0.0, limits_.max_gross * equity - gross);
    others.may_enter = limits_.max_positions == 0 || positions < limits_.max_positions;
    others.traded_days = &traded_days_;
    accounts_[l].Join(cash_, others, mark_);
    trades_before_ = record_.trades.size();
  }

  void Leave(size_t l) {
    cash_ = accounts_[l].cash();
    for (size_t t = trades_before_; t < record_.trades.size(); ++t) record_.trades[t].symbol = l;
  }

  double Equity() const {
    double equity = cash_;
    for (size_t l = 0; l < legs_.size(); ++l) equity += accounts_[l].units() * legs_[l].price;
    return equity;
  }

  // An account that owes more than it holds is closed at these closes.
  void Settle(TimeMs known_at) {
    if (record_.ruined_at || Equity() > 0) return;
    record_.ruined_at = known_at;
    for (const SignalAccount& account : accounts_) {
      if (account.ruined_at())
        record_.ruined_at = std::min(*record_.ruined_at, *account.ruined_at());
    }
    CloseAll(known_at);
  }

  void CloseAll(TimeMs time) {
    for (size_t l = 0; l < legs_.size(); ++l) {
      if (accounts_[l].units() == 0) continue;
      Join(l);
      accounts_[l].CloseAt(legs_[l].bar, time, ExitReason::kEnd);
      Leave(l);
    }
  }

  void Mark(size_t mark, bool last) {
    const double equity = Equity();
    double gross = 0;
    bool held = false;
    for (size_t l = 0; l < legs_.size(); ++l) {
      held = held || accounts_[l].units() != 0;
      // Of one symbol the weight has its sign.
      const double value = accounts_[l].units() * legs_[l].price;
      gross += legs_.size() > 1 ? std::abs(value) : value;
    }
    record_.weight[mark] = held && equity > 0 ? gross / equity : 0;
    if (last) CloseAll(bars_.time.back() + bars_.bars.front().duration);
    record_.equity[mark] = held && !last ? equity : cash_;
    for (SignalAccount& account : accounts_) record_.traded[mark] += account.TakeTraded();
  }

  void Finish() {
    const SignalTotals totals = Totals();
    record_.costs = totals.costs;
    record_.funding = totals.funding;
    record_.targets_executed = totals.executed;
    record_.targets_missed = totals.missed;
  }

  const PortfolioBars& bars_;
  const PortfolioLimits& limits_;
  double maintenance_;
  bool pessimistic_;
  double cash_;
  double borrowed_ = 0;  // at the open of this instant, before interest on it
  Simulation& record_;
  std::vector<Leg> legs_;
  std::vector<SignalAccount> accounts_;
  std::vector<size_t> present_, active_, ended_;  // legs, at this instant
  size_t mark_ = 0, trades_before_ = 0;
  TradedDays traded_days_;
};

void Check(const PortfolioBars& bars, std::span<const SignalConfig> configs,
           const PortfolioLimits& limits) {
  CheckLimits(limits);
  for (const SignalConfig& config : configs) {
    for (const SignalTable* table : bars.tables) CheckConfig(*table, config);
  }
}

Simulation EmptyRecord(const PortfolioBars& bars, double capital) {
  Simulation record;
  record.capital = capital;
  record.time = bars.marks.time;
  record.equity.resize(record.time.size());
  record.weight.resize(record.time.size());
  record.traded.resize(record.time.size());
  record.symbols = bars.symbols;
  return record;
}

}  // namespace

void CheckLimits(const PortfolioLimits& limits) {
  if (limits.max_gross > 0 && std::isfinite(limits.max_gross)) return;
  throw Error(ErrorCode::kUsage, "limits.max_gross",
              fmt::format("{} is not possible", limits.max_gross), "above 0");
}

Simulation SimulateSignalPortfolio(std::span<const PortfolioLeg> legs, const SignalConfig& config,
                                   const SignalExecution& execution,
                                   const PortfolioLimits& limits) {
  const PortfolioBars bars(legs, execution);
  Check(bars, {&config, 1}, limits);
  Simulation record = EmptyRecord(bars, execution.capital);
  Portfolio(bars, config, execution, limits, record).Run();
  return record;
}

SignalSweep SweepSignalPortfolio(std::span<const PortfolioLeg> legs,
                                 std::span<const SignalConfig> configs,
                                 const SignalExecution& execution, const PortfolioLimits& limits) {
  const PortfolioBars bars(legs, execution);
  Check(bars, configs, limits);
  SignalSweep sweep;
  sweep.capital = execution.capital;
  sweep.mark_time = bars.marks.time;
  sweep.totals.resize(configs.size());
  sweep.ruined_at.resize(configs.size());
  sweep.equity.resize(configs.size() * sweep.marks());
  ParallelFor(configs.size(), [&](size_t c) {
    Simulation record = EmptyRecord(bars, execution.capital);
    Portfolio portfolio(bars, configs[c], execution, limits, record);
    portfolio.Run();
    sweep.totals[c] = portfolio.Totals();
    sweep.ruined_at[c] = record.ruined_at;
    std::copy(record.equity.begin(), record.equity.end(),
              sweep.equity.begin() + static_cast<std::ptrdiff_t>(c * sweep.marks()));
  });
  return sweep;
}

std::vector<std::string> Describe(const PortfolioLimits& limits) {
  std::vector<std::string> lines = {
      fmt::format("All symbols share one account: an entry may bring the sum of all positions to "
                  "{:.6g} times the equity{}.",
                  limits.max_gross,
                  limits.max_positions == 0
                      ? std::string()
                      : fmt::format(", and at most {} are held at once", limits.max_positions)),
      "Symbols that hold a position decide first, then the others by the strength of their signal.",
      "The position on whose way the account falls to its maintenance margin is liquidated; the "
      "pessimistic order of prices puts all other positions at their worst price of the bar."};
  return lines;
}

}  // namespace almanac
