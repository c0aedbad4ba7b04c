#include "almanac/backtest/panel_simulator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "almanac/backtest/large_pages.h"
#include "almanac/backtest/open_trade.h"
#include "almanac/base/error.h"

namespace almanac {
namespace {

constexpr double kDaysAYear = 365;
constexpr double kCapacityQuantile = 0.95;

void Require(bool allowed, const char* option, double found, const char* range) {
  if (allowed && std::isfinite(found)) return;
  throw Error(ErrorCode::kUsage, fmt::format("execution.{}", option),
              fmt::format("{} is not possible", found), range);
}

void Check(const PanelExecution& e) {
  Require(e.costs.fee_bps >= 0, "fee_bps", e.costs.fee_bps, "0 or more");
  Require(e.costs.slippage_bps >= 0, "slippage_bps", e.costs.slippage_bps, "0 or more");
  Require(e.costs.Rate() < 0.5, "fee_bps", e.costs.fee_bps + e.costs.slippage_bps,
          "fee and slippage together below 5000");
  Require(e.borrow_bps_per_year >= 0, "borrow_bps_per_year", e.borrow_bps_per_year, "0 or more");
  Require(e.max_share >= 0 && e.max_share <= 1, "max_share", e.max_share, "0 (no limit) to 1");
  Require(e.capital > 0, "capital", e.capital, "above 0");
}

int64_t DayOf(TimeMs time) { return time / kMsPerDay - (time % kMsPerDay < 0 ? 1 : 0); }

using Share = std::pair<double, double>;  // of a bar's volume, and the notional

// The smallest share such that those up to it have `part` of the notional; NaN without any.
// Reorders.
double NotionalQuantile(std::vector<Share>& shares, double part) {
  if (shares.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto sum = [](auto first, auto last) {
    double notional = 0;
    for (; first != last; ++first) notional += first->second;
    return notional;
  };
  auto first = shares.begin(), last = shares.end();
  double wanted = part * sum(first, last);
  while (last - first > 1) {
    const double pivot = (first + (last - first) / 2)->first;
    const auto equal =
        std::partition(first, last, [&](const Share& share) { return share.first < pivot; });
    const double below = sum(first, equal);
    if (below >= wanted) {
      last = equal;
      continue;
    }
    const auto above =
        std::partition(equal, last, [&](const Share& share) { return !(pivot < share.first); });
    wanted -= below + sum(equal, above);
    if (wanted <= 0 || above == last) return pivot;
    first = above;
  }
  return first->first;
}

class Portfolio {
 public:
  Portfolio(const PanelBars& bars, const PanelExecution& execution, size_t first, size_t last)
      : bars_(bars),
        execution_(execution),
        first_(first),
        last_(last),
        rate_(execution.costs.Rate()),
        cash_(execution.capital),
        units_(bars.symbols.size(), 0),
        wanted_(bars.symbols.size(), kUnwanted),
        open_(bars.symbols.size()) {
    result_.simulation.capital = execution.capital;
    result_.simulation.symbols = bars.symbols;
    for (auto* column :
         {&result_.simulation.equity, &result_.simulation.weight, &result_.simulation.traded}) {
      column->reserve(last - first);
    }
    result_.simulation.time.reserve(last - first);
  }

  PanelSimulation Run(std::span<const PanelTarget> targets) {
    // As many trades as entries at most, and twice as many fills; more than so many grow as needed.
    constexpr size_t kMostReserved = size_t{1} << 18;
    size_t entries = 0;
    for (const PanelTarget& target : targets) entries += target.weights.size();
    entries = std::min(entries, kMostReserved);
    ReserveLarge(result_.simulation.trades, entries);
    shares_.reserve(2 * entries);
    const std::vector<const PanelTarget*> of_bar = PlanFills(targets);
    for (size_t bar = first_; bar < last_; ++bar) {
      traded_ = 0;
      if (bar > first_) {
        PayBorrowing(bar);
        CloseDelisted(bar);
      }
      if (bar + 1 < last_ && of_bar[bar + 1 - first_] != nullptr) {
        Prefetch(bar + 1, *of_bar[bar + 1 - first_]);
      }
      const PanelTarget* target = of_bar[bar - first_];
      if (target != nullptr && !result_.simulation.ruined_at) Trade(bar, *target);
      Mark(bar);
    }
    result_.simulation.costs = costs_;
    result_.simulation.funding = borrowing_;
    result_.capacity = Capacity();
    return std::move(result_);
  }

 private:
  static constexpr double kUnwanted = 0;

  std::vector<const PanelTarget*> PlanFills(std::span<const PanelTarget> targets) {
    std::vector<const PanelTarget*> of_bar(last_ - first_, nullptr);
    Simulation& simulation = result_.simulation;
    for (size_t t = 0; t < targets.size(); ++t) {
      if (t > 0 && targets[t].decided_at < targets[t - 1].decided_at) {
        throw Error(ErrorCode::kBadData, fmt::format("panel target {}", t),
                    "decided before the one above it", "targets are in order");
      }
      const size_t bar =
          std::max(bars_.FirstBarAt(targets[t].decided_at) + execution_.delay_bars, first_);
      if (bar >= last_) {
        ++simulation.targets_missed;
        continue;
      }
      if (of_bar[bar - first_] == nullptr) ++simulation.targets_executed;
      of_bar[bar - first_] = &targets[t];
    }
    return of_bar;
  }

  // A bar's cells of a few symbols are far apart: asked for a bar ahead, they are there in time.
  void Prefetch(size_t bar, const PanelTarget& target) const {
    const auto open = bars_.open.Row(bar), volume = bars_.volume.Row(bar);
    const auto ask = [&](size_t symbol) {
      __builtin_prefetch(&open[symbol]);
      __builtin_prefetch(&volume[symbol]);
    };
    for (const PanelWeight& wanted : target.weights) ask(wanted.symbol);
    for (const size_t symbol : held_) ask(symbol);
  }

  double EquityAt(const PanelGrid& prices, size_t bar) const {
    double equity = cash_;
    for (const size_t s : held_) {
      const double price = prices.At(bar, s);
      equity += units_[s] * (std::isnan(price) ? bars_.mark.At(bar, s) : price);
    }
    return equity;
  }

  void PayBorrowing(size_t bar) {
    if (execution_.borrow_bps_per_year == 0) return;
    const auto days = static_cast<double>(DayOf(bars_.time[bar]) - DayOf(bars_.time[bar - 1]));
    for (const size_t s : held_) {
      if (units_[s] >= 0) continue;
      const double value = -units_[s] * bars_.mark.At(bar - 1, s);
      const double paid = value * execution_.borrow_bps_per_year / 1e4 / kDaysAYear * days;
      cash_ -= paid;
      borrowing_ += paid;
      open_[s].funding += paid;
    }
  }

  void CloseDelisted(size_t bar) {
    for (size_t i = 0; i < held_.size();) {
      const size_t s = held_[i];
      if (bars_.last_bar[s] >= bar) {
        ++i;
        continue;
      }
      Fill(s, -units_[s], bars_.mark.At(bar, s), bar, bars_.time[bar], ExitReason::kDelisting);
    }
  }

  // The equity after trading: e = before - rate * sum |wanted(e) - held|. The right side changes
  // by less than `rate` times the weights when e does, so repeating it converges.
  double EquityAfter(double before, std::span<const std::pair<size_t, double>> orders, size_t bar) {
    double after = before;
    held_values_.clear();
    for (const auto& [s, weight] : orders) {
      held_values_.push_back(units_[s] * bars_.open.At(bar, s));
    }
    for (int i = 0; i < 200; ++i) {
      double traded = 0;
      for (size_t o = 0; o < orders.size(); ++o) {
        traded += std::abs(orders[o].second * after - held_values_[o]);
      }
      const double next = before - rate_ * traded;
      // The last bit may go back and forth.
      const bool settled = std::abs(next - after) <= 1e-15 * before;
      after = next;
      if (settled) break;
    }
    return after;
  }

  void Trade(size_t bar, const PanelTarget& target) {
    const double before = EquityAt(bars_.open, bar);
    if (before <= 0) {
      Ruin(bar, bars_.open, bars_.time[bar]);
      return;
    }
    orders_.clear();
    for (const PanelWeight& wanted : target.weights) {
      mentioned_.push_back(wanted.symbol);
      wanted_[wanted.symbol] = 1;
      if (wanted.keep && units_[wanted.symbol] != 0) continue;
      Order(bar, wanted.symbol, wanted.weight);
    }
    for (const size_t s : held_) {
      if (wanted_[s] == kUnwanted) Order(bar, s, 0);
    }
    for (const size_t s : mentioned_) wanted_[s] = kUnwanted;
    mentioned_.clear();
    const double after = EquityAfter(before, orders_, bar);
    for (const auto& [s, weight] : orders_) {
      const double price = bars_.open.At(bar, s);
      const double change = weight == 0 ? -units_[s] : weight * after / price - units_[s];
      Execute(bar, s, change, price);
    }
  }

  void Order(size_t bar, size_t symbol, double weight) {
    if (bars_.Trades(bar, symbol)) {
      orders_.emplace_back(symbol, weight);
    } else {
      ++result_.orders_without_bar;
    }
  }

  void Execute(size_t bar, size_t symbol, double change, double price) {
    if (change == 0) return;
    const double volume = bars_.volume.At(bar, symbol);
    if (execution_.max_share > 0 && std::abs(change) > execution_.max_share * volume) {
      ++result_.orders_cut;
      const double most = execution_.max_share * volume;
      change = change > 0 ? most : -most;
      if (change == 0) return;
    }
    const double share = volume > 0 ? std::abs(change) / volume : 1;
    shares_.emplace_back(share, std::abs(change) * price);
    // Through zero: one trade ends and another begins.
    const bool flips = units_[symbol] != 0 && std::abs(change) > std::abs(units_[symbol]) &&
                       (change > 0) != (units_[symbol] > 0);
    const TimeMs time = bars_.time[bar];
    if (flips) {
      const double rest = change + units_[symbol];
      Fill(symbol, -units_[symbol], price, bar, time, ExitReason::kDecision);
      change = rest;
    }
    Fill(symbol, change, price, bar, time, ExitReason::kDecision);
  }

  // Removes the symbol from `held_` when it becomes flat.
  void Fill(size_t s, double change, double price, size_t bar, TimeMs time, ExitReason reason) {
    const double cost = rate_ * std::abs(change) * price;
    if (units_[s] == 0) {
      open_[s] = OpenTrade{};
      open_[s].side = change > 0 ? Side::kLong : Side::kShort;
      open_[s].entry_time = time;
      open_[s].entry_bar = bar - first_;
      held_.insert(std::lower_bound(held_.begin(), held_.end(), s), s);
    }
    open_[s].Add(change, price, cost);
    costs_ += cost;
    traded_ += std::abs(change) * price;
    cash_ -= change * price + cost;
    units_[s] = change == -units_[s] ? 0 : units_[s] + change;
    if (units_[s] != 0) return;
    held_.erase(std::lower_bound(held_.begin(), held_.end(), s));
    result_.simulation.trades.push_back(open_[s].Finish(time, bar - first_, reason));
    result_.simulation.trades.back().symbol = s;
  }

  void CloseAll(size_t bar, const PanelGrid& prices, TimeMs time) {
    while (!held_.empty()) {
      const size_t s = held_.front();
      const double price = prices.At(bar, s);
      Fill(s, -units_[s], std::isnan(price) ? bars_.mark.At(bar, s) : price, bar, time,
           ExitReason::kEnd);
    }
  }

  void Ruin(size_t bar, const PanelGrid& prices, TimeMs time) {
    result_.simulation.ruined_at = time;
    CloseAll(bar, prices, time);
  }

  void Mark(size_t bar) {
    Simulation& simulation = result_.simulation;
    const double equity = EquityAt(bars_.mark, bar);
    double value = 0;
    for (const size_t s : held_) value += std::abs(units_[s]) * bars_.mark.At(bar, s);
    simulation.time.push_back(bars_.time[bar]);
    simulation.weight.push_back(equity > 0 ? value / equity : 0);
    if (equity <= 0 && !simulation.ruined_at) Ruin(bar, bars_.mark, bars_.KnownAt(bar));
    if (bar + 1 == last_) CloseAll(bar, bars_.mark, bars_.KnownAt(bar));
    simulation.equity.push_back(held_.empty() ? cash_ : equity);
    simulation.traded.push_back(traded_);
  }

  double Capacity() {
    return execution_.capital * kCapacityShare / NotionalQuantile(shares_, kCapacityQuantile);
  }

  const PanelBars& bars_;
  const PanelExecution& execution_;
  size_t first_, last_;
  double rate_;
  double cash_;
  double costs_ = 0, borrowing_ = 0, traded_ = 0;
  std::vector<double> units_;
  std::vector<double> wanted_;
  std::vector<OpenTrade> open_;
  std::vector<size_t> held_;       // sorted
  std::vector<size_t> mentioned_;  // by the target that is executed
  std::vector<std::pair<size_t, double>> orders_;
  std::vector<double> held_values_;  // of the orders' symbols, at the opens
  std::vector<Share> shares_;
  PanelSimulation result_;
};

}  // namespace

PanelSimulation SimulatePanel(const PanelBars& bars, std::span<const PanelTarget> targets,
                              const PanelExecution& execution) {
  Check(execution);
  const size_t first = bars.FirstBarAt(execution.from);
  const size_t last = bars.FirstBarAt(execution.to);
  if (first >= last) {
    throw Error(ErrorCode::kBadData, "panel", "no bar in the simulated time",
                "the bars must cover the forecasts");
  }
  return Portfolio(bars, execution, first, last).Run(targets);
}

std::vector<std::string> Describe(const PanelExecution& e) {
  std::vector<std::string> lines;
  lines.push_back(
      e.delay_bars == 0
          ? std::string("A decision is filled at the open of the next bar, never at a "
                        "price of the bar it was made on.")
          : fmt::format("A decision is filled {} bars after the next open.", e.delay_bars));
  lines.push_back(fmt::format(
      "Every fill pays {:.6g} bp fee and {:.6g} bp slippage of its notional; shorts pay "
      "{:.6g} bp a year.",
      e.costs.fee_bps, e.costs.slippage_bps, e.borrow_bps_per_year));
  lines.push_back(e.max_share > 0
                      ? fmt::format("An order takes at most {:.6g} % of its bar's volume; the rest "
                                    "is dropped.",
                                    100 * e.max_share)
                      : std::string("Every order is filled whole, whatever its size."));
  lines.emplace_back(
      "Without a bar a symbol is not traded and keeps its last price; after its last bar it is "
      "sold at its last close.");
  lines.emplace_back("Cash earns nothing; no dividend or tax beyond what the prices hold.");
  return lines;
}

}  // namespace almanac
