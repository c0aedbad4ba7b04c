// The account beside a slow one written from docs/backtest.md alone: no levels kept, no bar passed
// over, everything computed anew when it is needed. Random markets, decisions and options.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "almanac/backtest/bars_test_util.h"
#include "almanac/backtest/signal_random_test_util.h"
#include "almanac/backtest/signal_simulator.h"
#include "almanac/base/random.h"

namespace almanac {
namespace {

double Down(double x, double step) {
  if (step == 0) return x;
  const double n = std::round(x / step);
  return std::abs(n - x / step) < 1e-7 ? n * step : std::floor(x / step) * step;
}
double Up(double x, double step) { return -Down(-x, step); }

struct SlowTrade {
  bool is_long = true;
  TimeMs entry_time = 0, exit_time = 0;
  double pnl = 0, costs = 0, funding = 0;
  std::string reason;
};

class SlowAccount {
 public:
  SlowAccount(const CandleSeries& bars, const SignalTable& table, const SignalConfig& config,
              const SignalExecution& how)
      : bars_(bars), table_(table), rule_(config.rule), rules_(config.trade), how_(how) {}

  void Run() {
    cash_ = how_.capital;
    for (size_t b = 0; b < bars_.size(); ++b) {
      if (bars_.open_time[b] < how_.from || bars_.open_time[b] >= how_.to) continue;
      if (!started_) first_ = b;
      started_ = true;
      budget_ =
          how_.max_share == 0 ? 1e300 : Down(how_.max_share * bars_.volume[b], how_.unit_step);
      PayDue(b);
      AtOpen(b);
      InsideBar(b);
      if (limit_ && --limit_->bars_left == 0) limit_.reset();
      const bool last = b + 1 == bars_.size() || bars_.open_time[b + 1] >= how_.to;
      if (last && units_ != 0) {
        budget_ = 1e300;
        Leave(b, bars_.close[b], true, bars_.KnownAt(b), "end");
      }
      equity.push_back(cash_ + units_ * bars_.close[b]);
    }
  }

  std::vector<double> equity;
  std::vector<SlowTrade> trades;
  double costs = 0;
  bool ruined = false;

 private:
  struct Limit {
    double units, price;
    size_t bars_left;
    bool fresh;
  };
  struct FillRecord {
    double change, price;
  };

  double Average() const {
    double units = 0, value = 0;
    for (const FillRecord& fill : fills_) {
      if ((fill.change > 0) != now_.is_long) continue;
      units += std::abs(fill.change);
      value += std::abs(fill.change) * fill.price;
    }
    return value / units;
  }

  // The stop and what kind it is; 0: none.
  std::pair<double, std::string> Stop() const {
    const double s = now_.is_long ? 1 : -1;
    const auto away = [&](double price) {
      return now_.is_long ? Down(price, how_.price_step) : Up(price, how_.price_step);
    };
    std::pair<double, std::string> stop = {0, ""};
    if (rules_.stop_loss > 0) stop = {away(Average() * (1 - s * rules_.stop_loss)), "stop"};
    if (rules_.trailing_stop > 0) {
      const double trailing = away(best_ * (1 - s * rules_.trailing_stop));
      if (stop.first == 0 || s * trailing > s * stop.first) stop = {trailing, "trailing stop"};
    }
    return stop;
  }

  double Take() const {
    if (rules_.take_profit == 0) return 0;
    return now_.is_long ? Up(Average() * (1 + rules_.take_profit), how_.price_step)
                        : Down(Average() * (1 - rules_.take_profit), how_.price_step);
  }

  double Deviation(size_t b) const {
    std::vector<double> r;
    for (size_t k = b; k-- > 1 && r.size() < how_.slippage_window;) {
      r.push_back(std::log(bars_.close[k] / bars_.close[k - 1]));
    }
    if (r.size() < 2) return 0;
    double mean = 0, squares = 0;
    for (const double x : r) mean += x / static_cast<double>(r.size());
    for (const double x : r) squares += (x - mean) * (x - mean);
    return std::sqrt(squares / static_cast<double>(r.size() - 1));
  }

  double RateFor(size_t b, bool taker, double units, bool with_impact) const {
    double volume = 0;
    const TimeMs today = bars_.open_time[b] / kMsPerDay;
    for (const auto& [day, notional] : traded_) {
      if (day >= today - 30 && day < today) volume += notional;
    }
    FeeTier tier;
    for (const FeeTier& candidate : how_.fees) {
      if (candidate.volume <= volume) tier = candidate;
    }
    if (!taker) return tier.maker_bps / 1e4;
    double rate = (tier.taker_bps + how_.spread_bps / 2 + how_.slippage_bps) / 1e4;
    rate += how_.volatility_slippage * Deviation(b);
    if (with_impact && how_.impact_bps > 0) {
      const double share = bars_.volume[b] > 0 ? std::min(1.0, units / bars_.volume[b]) : 1.0;
      rate += how_.impact_bps / 1e4 * std::pow(share, how_.impact_exponent);
    }
    return rate;
  }

  void Trade(size_t b, double change, double price, bool taker, TimeMs time) {
    const double cost = RateFor(b, taker, std::abs(change), true) * std::abs(change) * price;
    if (units_ == 0) {
      now_ = {};
      now_.is_long = change > 0;
      now_.entry_time = time;
      entry_open_ = bars_.open_time[b];
      fills_.clear();
      best_ = price;
      reason_ = "decision";
    }
    fills_.push_back({change, price});
    cash_ -= change * price + cost;
    now_.costs += cost;
    costs += cost;
    traded_[time / kMsPerDay] += std::abs(change) * price;
    budget_ = Down(budget_ - std::abs(change), how_.unit_step);
    if ((change > 0) == now_.is_long) {
      best_ = now_.is_long ? std::max(best_, price) : std::min(best_, price);
    }
    units_ = std::abs(units_ + change) < 1e-12 ? 0 : units_ + change;
    if (units_ != 0) return;
    now_.exit_time = time;
    now_.reason = reason_;
    for (const FillRecord& fill : fills_) now_.pnl -= fill.change * fill.price;
    now_.pnl -= now_.costs + now_.funding;
    trades.push_back(now_);
  }

  void Leave(size_t b, double price, bool taker, TimeMs time, const std::string& reason) {
    const double units = std::min(std::abs(units_), budget_);
    const int side = units_ > 0 ? 1 : -1;
    market_ = 0;
    limit_.reset();
    reason_ = reason;
    leaving_ = units < std::abs(units_);
    if (reason != "decision") {
      wait_until_ = bars_.KnownAt(b) + rules_.cool_down;
      if (!rules_.reenter) blocked_ = side;
    }
    if (units > 0) Trade(b, -side * units, price, taker, time);
  }

  void Liquidate(size_t b, double price, TimeMs time) {
    const double fee = how_.liquidation_fee_bps / 1e4 * std::abs(units_) * price;
    cash_ -= fee;
    costs += fee;
    now_.costs += fee;
    budget_ = 1e300;
    Leave(b, price, true, time, "liquidation");
    ruined = ruined || cash_ <= 0;
  }

  void PayDue(size_t b) {
    if (units_ == 0 || b == first_) return;
    const double open = bars_.open[b];
    double paid = 0;
    for (const FundingRate& f : how_.funding) {
      if (f.time <= bars_.open_time[b - 1] || f.time > bars_.open_time[b]) continue;
      const double p = units_ * open * f.rate;
      paid += p > 0 ? p * how_.funding_paid_factor : p;
    }
    const double borrowed = units_ < 0 ? -units_ * open : std::max(0.0, -cash_);
    for (TimeMs t = bars_.open_time[b - 1] + 1; t <= bars_.open_time[b]; ++t) {
      if (t % kMsPerDay != 0) {
        t += kMsPerDay - t % kMsPerDay - 1;
        continue;
      }
      paid += borrowed * how_.borrow_bps_per_year / 1e4 / 365;
    }
    cash_ -= paid;
    now_.funding += paid;
  }

  void AtOpen(size_t b) {
    const double open = bars_.open[b];
    const TimeMs time = bars_.open_time[b];
    if (units_ != 0 && cash_ + units_ * open <= how_.maintenance * std::abs(units_) * open) {
      Liquidate(b, open, time);
    }
    if (units_ != 0 && !leaving_) {
      const auto [stop, kind] = Stop();
      const double take = Take();
      const bool up = units_ > 0;
      if (stop > 0 && (up ? open <= stop : open >= stop)) {
        Leave(b, open, true, time, kind);
      } else if (take > 0 && (up ? open > take : open < take)) {
        Leave(b, open, false, time, "take-profit");
      } else if (take > 0 && how_.touch_fills && open == take) {
        Leave(b, open, false, time, "take-profit");
      } else if (rules_.max_hold > 0 && time >= entry_open_ + rules_.max_hold) {
        Leave(b, open, true, time, "maximum holding time");
      }
    } else if (units_ != 0) {
      const double units = std::min(std::abs(units_), budget_);
      leaving_ = units < std::abs(units_);
      if (units > 0) Trade(b, units_ > 0 ? -units : units, open, true, time);
    }
    Decision(b);
    if (market_ != 0 && !ruined) GoOnEntering(b);
    if (limit_) {
      const bool buys = limit_->units > 0;
      const bool through = buys ? open < limit_->price : open > limit_->price;
      if (through || (how_.touch_fills && open == limit_->price)) {
        FillLimit(b, open, limit_->fresh, time);
      }
    }
    if (limit_) limit_->fresh = false;
  }

  void GoOnEntering(size_t b) {
    const double units = std::min(std::abs(market_), budget_);
    if (units <= 0) return;
    const double change = market_ > 0 ? units : -units;
    market_ = std::abs(market_ - change) < 1e-12 ? 0 : market_ - change;
    Trade(b, change, bars_.open[b], true, bars_.open_time[b]);
  }

  void FillLimit(size_t b, double price, bool taker, TimeMs time) {
    const double units = std::min(std::abs(limit_->units), budget_);
    if (units <= 0) return;
    const double change = limit_->units > 0 ? units : -units;
    limit_->units -= change;
    if (std::abs(limit_->units) < 1e-12) limit_.reset();
    Trade(b, change, price, taker, time);
  }

  void Decision(size_t b) {
    std::optional<size_t> row;
    for (size_t r = 0; r < table_.rows(); r += rule_.decide_every) {
      const auto& opens = bars_.open_time;
      size_t at = static_cast<size_t>(
          std::lower_bound(opens.begin(), opens.end(), table_.made_at[r]) - opens.begin());
      at = std::max(at + how_.delay_bars, first_);
      if (at == b) row = r;
    }
    if (!row) return;
    limit_.reset();
    if (leaving_ || ruined) return;
    const double x = table_.signals[rule_.signal].values[*row];
    const double size = table_.sizes[rule_.size].values[*row];
    int side = 0;
    if (size > 0 && x > rule_.long_above && rule_.allow_long) side = 1;
    if (size > 0 && x < -rule_.short_below && rule_.allow_short) side = -1;
    if (side != blocked_) blocked_ = 0;
    const int holds = units_ > 0 ? 1 : units_ < 0 ? -1 : 0;
    if (holds == 0) {
      if (market_ != 0 && side == (market_ > 0 ? 1 : -1)) return;
      market_ = 0;
      Enter(b, side, size);
    } else if (side == holds) {
      if (rules_.resize) Resize(b, side, size);
    } else {
      market_ = 0;
      if (side == 0 ? !rules_.exit_on_flat : !rules_.exit_on_opposite) return;
      Leave(b, bars_.open[b], true, bars_.open_time[b], "decision");
      if (units_ == 0) Enter(b, side, size);
    }
  }

  void Enter(size_t b, int side, double size) {
    if (side == 0 || side == blocked_ || bars_.open_time[b] < wait_until_) return;
    if (cash_ <= 0) {
      ruined = true;
      return;
    }
    double price = bars_.open[b];
    if (rules_.limit_entry) {
      const double before = b > 0 ? bars_.close[b - 1] : bars_.open[b];
      const double limit = before * (1 - side * rules_.limit_offset_bps / 1e4);
      price = side > 0 ? Down(limit, how_.price_step) : Up(limit, how_.price_step);
    }
    const double rate = RateFor(b, !rules_.limit_entry, 0, false);
    const double units = Down(size * cash_ / (price * (1 + size * rate)), how_.unit_step);
    if (units <= 0 || units * price < how_.min_notional) return;
    if (rules_.limit_entry) {
      limit_ = Limit{side * units, price, rules_.limit_bars, true};
    } else {
      market_ = side * units;
    }
  }

  void Resize(size_t b, int side, double size) {
    market_ = 0;
    const double open = bars_.open[b];
    const double rate = RateFor(b, true, 0, false);
    // The value after which equity, less the costs of getting there, is right: by bisection.
    const auto excess = [&](double value) {
      const double after = cash_ + units_ * open - rate * std::abs(value - units_ * open);
      return side * value - size * after;
    };
    double low = 0, high = 1;
    while (excess(side * high) < 0) high *= 2;
    for (int i = 0; i < 200; ++i) {
      const double middle = (low + high) / 2;
      (excess(side * middle) < 0 ? low : high) = middle;
    }
    const double change = side * Down(high / open, how_.unit_step) - units_;
    if (change == 0 || std::abs(change) * open < how_.min_notional) return;
    if ((change > 0) == (side > 0)) {
      market_ = change;
      GoOnEntering(b);
      return;
    }
    const double units = std::min(std::abs(change), budget_);
    if (units > 0) Trade(b, change > 0 ? units : -units, open, true, bars_.open_time[b]);
  }

  void InsideBar(size_t b) {
    if (units_ == 0 && !limit_) return;
    const double o = bars_.open[b], h = bars_.high[b], l = bars_.low[b];
    if (units_ != 0) best_ = units_ > 0 ? std::max(best_, o) : std::min(best_, o);
    const bool worst_high = units_ != 0 ? units_ < 0 : limit_->units > 0;
    bool high_first = worst_high;
    if (how_.intrabar == IntrabarPolicy::kOptimistic) high_first = !worst_high;
    if (how_.intrabar == IntrabarPolicy::kHighFirst) high_first = true;
    if (how_.intrabar == IntrabarPolicy::kLowFirst) high_first = false;
    if (how_.intrabar == IntrabarPolicy::kNearest) high_first = h - o <= o - l;
    const double way[4] = {o, high_first ? h : l, high_first ? l : h, bars_.close[b]};
    for (int part = 0; part < 3; ++part) {
      double at = way[part];
      while (MeetNext(b, at, way[part + 1])) {
      }
      if (units_ != 0) {
        best_ = units_ > 0 ? std::max(best_, way[part + 1]) : std::min(best_, way[part + 1]);
      }
    }
  }

  // Whether anything was met on the way to `to`; moves `at` there.
  bool MeetNext(size_t b, double& at, double to) {
    if (at == to) return false;
    const double way = to > at ? 1 : -1;
    struct Order {
      std::string what;
      double price;
      bool needs_through;
    };
    std::vector<Order> orders;
    if (units_ != 0 && units_ * way < 0) {
      const double level = cash_ / (how_.maintenance * std::abs(units_) - units_);
      if (level > 0) orders.push_back({"liquidation", level, false});
      if (!leaving_ && Stop().first > 0) orders.push_back({"stop", Stop().first, false});
    }
    if (units_ * way > 0 && !leaving_ && Take() > 0) orders.push_back({"take", Take(), true});
    if (limit_ && budget_ > 0 && limit_->units * way < 0) {
      orders.push_back({"limit", limit_->price, true});
    }
    std::optional<Order> next;
    for (Order order : orders) {
      const double beyond = (to - order.price) * way;
      const bool reached = order.needs_through && !how_.touch_fills ? beyond > 0 : beyond >= 0;
      if (!reached) continue;
      if ((order.price - at) * way < 0) order.price = at;
      if (!next || (order.price - next->price) * way < 0) next = order;
    }
    if (!next) return false;
    at = next->price;
    const TimeMs time = bars_.KnownAt(b);
    if (next->what == "liquidation") Liquidate(b, at, time);
    if (next->what == "stop") Leave(b, at, true, time, Stop().second);
    if (next->what == "take") Leave(b, at, false, time, "take-profit");
    if (next->what == "limit") FillLimit(b, at, false, time);
    return true;
  }

  const CandleSeries& bars_;
  const SignalTable& table_;
  SignalRule rule_;
  TradeRules rules_;
  SignalExecution how_;
  bool started_ = false;
  size_t first_ = 0;
  double cash_ = 0, units_ = 0, market_ = 0, budget_ = 0, best_ = 0;
  bool leaving_ = false;
  std::optional<Limit> limit_;
  int blocked_ = 0;
  TimeMs wait_until_ = kMinTime, entry_open_ = 0;
  SlowTrade now_;
  std::string reason_;
  std::vector<FillRecord> fills_;
  std::map<TimeMs, double> traded_;
};

class SignalReference : public ::testing::TestWithParam<uint64_t> {};

TEST_P(SignalReference, TheSlowAccountAgrees) {
  Random random(GetParam());
  size_t trades = 0;
  for (int round = 0; round < 25; ++round) {
    const CandleSeries bars = MinuteBars(random, 300, OneOf(random, {0.002, 0.008, 0.02}));
    const SignalTable table = RandomTable(random, bars);
    const SignalExecution how = RandomExecution(random, bars.open_time.back());
    const SignalConfig config = RandomConfig(random);
    const Simulation fast = SimulateSignals(bars, table, config, how);
    SlowAccount slow(bars, table, config, how);
    slow.Run();
    const std::string where =
        "seed " + std::to_string(GetParam()) + " round " + std::to_string(round);
    ASSERT_EQ(fast.equity.size(), slow.equity.size()) << where;
    for (size_t i = 0; i < slow.equity.size(); ++i) {
      ASSERT_NEAR(fast.equity[i], slow.equity[i], 1e-7 * std::abs(slow.equity[i]) + 1e-6)
          << where << " bar " << i;
    }
    ASSERT_EQ(fast.trades.size(), slow.trades.size()) << where;
    for (size_t t = 0; t < slow.trades.size(); ++t) {
      ASSERT_EQ(fast.trades[t].entry_time, slow.trades[t].entry_time) << where;
      ASSERT_EQ(fast.trades[t].exit_time, slow.trades[t].exit_time) << where;
      ASSERT_EQ(Name(fast.trades[t].exit), slow.trades[t].reason) << where;
      ASSERT_EQ(fast.trades[t].side == Side::kLong, slow.trades[t].is_long) << where;
      ASSERT_NEAR(fast.trades[t].pnl, slow.trades[t].pnl, 1e-5) << where;
      ASSERT_NEAR(fast.trades[t].costs, slow.trades[t].costs, 1e-6) << where;
      ASSERT_NEAR(fast.trades[t].funding, slow.trades[t].funding, 1e-6) << where;
    }
    ASSERT_EQ(fast.ruined_at.has_value(), slow.ruined) << where;
    trades += slow.trades.size();
  }
  EXPECT_GT(trades, 100u);  // they did trade
}

INSTANTIATE_TEST_SUITE_P(Seeds, SignalReference, ::testing::Range<uint64_t>(1, 41));

}  // namespace
}  // namespace almanac
