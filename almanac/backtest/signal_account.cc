#include "almanac/backtest/signal_account.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace almanac {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kBps = 1e-4;
constexpr double kDaysAYear = 365;
constexpr int64_t kTierDays = 30;
// Prices and sizes that are on the grid up to rounding stay where they are.
constexpr double kGridTolerance = 1e-9;

double RoundDown(double value, double step) {
  return step > 0 ? std::floor(value / step + kGridTolerance) * step : value;
}
double RoundUp(double value, double step) {
  return step > 0 ? std::ceil(value / step - kGridTolerance) * step : value;
}
int SideOf(double value) { return value > 0 ? 1 : value < 0 ? -1 : 0; }
int64_t DayOf(TimeMs time) { return time / kMsPerDay - (time % kMsPerDay < 0 ? 1 : 0); }

}  // namespace

SignalTotals& SignalTotals::operator+=(const SignalTotals& other) {
  costs += other.costs;
  funding += other.funding;
  traded += other.traded;
  gains += other.gains;
  losses += other.losses;
  trades += other.trades;
  winners += other.winners;
  liquidations += other.liquidations;
  entries_too_small += other.entries_too_small;
  entries_refused += other.entries_refused;
  executed += other.executed;
  missed += other.missed;
  return *this;
}

SignalAccount::SignalAccount(const ExecutionBars& bars, const SignalTable& table,
                             const SignalConfig& config, double* equity, Simulation* record)
    : bars_(bars),
      how_(bars.execution),
      table_(table),
      config_(config),
      signal_(table.signals[config.rule.signal].values.data()),
      size_(table.sizes[config.rule.size].values.data()),
      equity_(equity),
      record_(record),
      cash_(bars.execution.capital) {}

// Whether a decision would leave everything as it is, were it taken now: the side is held already,
// or nothing is held and nothing wanted. Only while no order waits.
bool SignalAccount::ChangesNothing(size_t row) const {
  const SignalRule& rule = config_.rule;
  const double signal = signal_[row];
  const bool buys = rule.allow_long && signal > rule.long_above;
  const bool sells = !buys && rule.allow_short && signal < -rule.short_below;
  const bool none = !(buys || sells) || !(size_[row] > 0);
  if (!held()) return none && blocked_side_ == 0;
  if (none) return !config_.trade.exit_on_flat;
  return buys == is_long() ? !config_.trade.resize : !config_.trade.exit_on_opposite;
}

size_t SignalAccount::NextOpenEvent() {
  if (exiting_ || entry_left_ != 0 || limit_left_ != 0) return bar_;
  const size_t rows = bars_.row_bar.size();
  if (ahead_ == kUnknown) {
    ahead_ = row_;
    while (ahead_ < rows && bars_.row_bar[ahead_] != ExecutionBars::kNever &&
           ChangesNothing(ahead_)) {
      ahead_ += config_.rule.decide_every;
    }
  }
  size_t next = bars_.size();
  if (ahead_ < rows) next = std::min<size_t>(next, bars_.row_bar[ahead_]);
  if (!held()) return next;
  if (charge_ < bars_.charges.size()) next = std::min(next, bars_.charges[charge_].bar);
  return std::max(bar_, std::min(next, timeout_bar_));
}

// Takes the decisions of bars before `bar`, which change nothing.
void SignalAccount::PassDecisions(size_t bar) {
  const size_t rows = bars_.row_bar.size();
  while (row_ < rows && bars_.row_bar[row_] < bar) {
    const uint32_t passed = bars_.row_bar[row_];
    row_ += config_.rule.decide_every;
    // Of several on one bar the last is taken.
    totals_.executed += row_ < rows && bars_.row_bar[row_] == passed ? 0 : 1;
  }
}

void SignalAccount::Advance(size_t end) {
  end = std::min(end, bars_.size());
  while (bar_ < end) {
    while (charge_ < bars_.charges.size() && bars_.charges[charge_].bar < bar_) ++charge_;
    const size_t event = ruined_at_ ? end : NextOpenEvent();
    const size_t to = std::min(end, event);
    const size_t loud = held() ? FirstLoud(bar_, to) : to;
    if (!ruined_at_) PassDecisions(loud);
    MarkQuiet(loud);
    bar_ = loud;
    if (loud == end) return;
    // Something was met, or falls due at this bar's open.
    const auto before = std::pair(SideOf(units_), blocked_side_);
    Step(loud);
    if (row_ > ahead_ || before != std::pair(SideOf(units_), blocked_side_)) ahead_ = kUnknown;
    ++bar_;
    if (bars_.marks.BarOf(mark_) == loud) Mark(loud);
  }
}

// The marks before `end`, over bars on which nothing happened.
void SignalAccount::MarkQuiet(size_t end) {
  const size_t last = bars_.size() - 1;
  const size_t before = std::min(end, last);
  const size_t first = mark_;
  const std::vector<uint32_t>& at = bars_.marks.bars;
  if (at.empty()) {
    mark_ = std::max(mark_, before);
    MarkEach(first, [](size_t mark) { return mark; });
  } else {
    while (mark_ < at.size() && at[mark_] < before) ++mark_;
    MarkEach(first, [&](size_t mark) { return at[mark]; });
  }
  if (record_ != nullptr && first < mark_) record_->traded[first] = TakeTraded();
  if (end > last) Mark(last);
}

// The marks from `first` to before mark_; `bar_of` says at whose close. Where nothing is held the
// recorded weights are 0 already.
template <typename BarOf>
void SignalAccount::MarkEach(size_t first, const BarOf& bar_of) {
  const double cash = cash_, units = units_;
  const double* close = bars_.close.data();
  double* equity = equity_;
  const size_t last = mark_;
  for (size_t m = first; m < last; ++m) equity[m] = cash + units * close[bar_of(m)];
  if (record_ == nullptr || !held()) return;
  double* weight = record_->weight.data();
  for (size_t m = first; m < last; ++m) {
    const double share = units * close[bar_of(m)] / equity[m];
    weight[m] = equity[m] > 0 ? share : 0;
  }
}

// The first bar in [from, to) on which an order may be met, or `to`. A superset of those on which
// one is: what it passes over is certain.
size_t SignalAccount::FirstLoud(size_t from, size_t to) {
  if (config_.trade.trailing_stop > 0) return FirstLoudTrailing(from, to);
  const auto or_never = [](double level) { return level > 0 ? level : kInfinity; };
  const double down = is_long() ? std::max(stop_, liquidation_) : take_;
  const double up = is_long() ? or_never(take_) : std::min(or_never(stop_), or_never(liquidation_));
  if (!(down > 0) && up == kInfinity) return to;
  for (size_t i = from; i < to;) {
    const size_t block = i / ExecutionBars::kBlock;
    const size_t end = std::min(to, (block + 1) * ExecutionBars::kBlock);
    if (bars_.block_low[block] <= down || bars_.block_high[block] >= up) {
      for (; i < end; ++i) {
        if (bars_.low[i] <= down || bars_.high[i] >= up) return i;
      }
    }
    i = end;
  }
  return to;
}

// The same where the stop follows the price: a bar is quiet if it does not reach the stop as it
// would be after the bar's own best price.
size_t SignalAccount::FirstLoudTrailing(size_t from, size_t to) {
  const bool buys = is_long();
  const double take = take_ > 0 ? take_ : buys ? kInfinity : -kInfinity;
  for (size_t i = from; i < to;) {
    const size_t block = i / ExecutionBars::kBlock;
    const size_t end = std::min(to, (block + 1) * ExecutionBars::kBlock);
    const double ahead = buys ? bars_.block_high[block] : bars_.block_low[block];
    const double against = buys ? bars_.block_low[block] : bars_.block_high[block];
    const bool no_better = buys ? ahead <= best_ : ahead >= best_;
    const bool stops = buys ? against <= std::max(stop_, liquidation_)
                            : against >= stop_ || (liquidation_ > 0 && against >= liquidation_);
    const bool takes = buys ? ahead >= take : ahead <= take;
    if (no_better && !stops && !takes) {
      i = end;
      continue;
    }
    for (; i < end; ++i) {
      const double best = buys ? std::max(best_, bars_.high[i]) : std::min(best_, bars_.low[i]);
      const double trailing = best == best_ ? stop_ : TrailingLevel(best);
      const double stop = buys ? std::max({trailing, fixed_stop_, liquidation_})
                               : std::min(fixed_stop_ > 0 ? fixed_stop_ : kInfinity, trailing);
      const bool loud = buys ? bars_.low[i] <= stop || bars_.high[i] >= take
                             : bars_.high[i] >= stop || bars_.low[i] <= take ||
                                   (liquidation_ > 0 && bars_.high[i] >= liquidation_);
      if (loud) return i;
      if (best == best_) continue;
      best_ = best;
      stop_ = buys ? std::max(trailing, fixed_stop_) : stop;
    }
  }
  return to;
}

void SignalAccount::Step(size_t bar) {
  OpenBar(bar);
  DecideBar(bar);
  InsideBar(bar);
}

void SignalAccount::OpenBar(size_t bar) {
  budget_ = how_.max_share > 0 ? RoundDown(how_.max_share * bars_.volume[bar], how_.unit_step)
                               : kInfinity;
  if (!held()) return;
  Charge(bar);
  ProtectAtOpen(bar);
  if (exiting_) GoOnExiting(bar);
}

void SignalAccount::DecideBar(size_t bar) {
  Decide(bar);
  if (entry_left_ != 0 && !ruined_at_) FillEntryAtOpen(bar);
  if (limit_left_ != 0) LimitAtOpen(bar);
}

void SignalAccount::InsideBar(size_t bar) {
  if (limit_left_ != 0 || (held() && FirstLoud(bar, bar + 1) == bar)) Inside(bar);
  if (bar >= limit_last_) limit_left_ = 0;
}

void SignalAccount::Join(double cash, const Others& others, size_t mark) {
  cash_ = cash;
  others_ = others;
  mark_ = mark;
  if (held()) FindLevels();
}

bool SignalAccount::IsIdle(size_t bar) const {
  const bool decides = row_ < bars_.row_bar.size() && bars_.row_bar[row_] == bar;
  return !decides && !held() && entry_left_ == 0 && limit_left_ == 0;
}

double SignalAccount::StrengthAt(size_t bar) const {
  double strength = -1;
  for (size_t row = row_; row < bars_.row_bar.size() && bars_.row_bar[row] == bar;
       row += config_.rule.decide_every) {
    strength = std::abs(table_.signals[config_.rule.signal].values[row]);
  }
  return strength;
}

double SignalAccount::WorstPrice(size_t bar) const {
  const double open = bars_.open[bar];
  if (is_long()) return std::max(bars_.low[bar], std::min(stop_, open));
  return stop_ > 0 ? std::min(bars_.high[bar], std::max(stop_, open)) : bars_.high[bar];
}

double SignalAccount::ReservedValue(double price) const {
  return std::abs(entry_left_) * price + std::abs(limit_left_) * limit_price_;
}

void SignalAccount::CloseAt(size_t bar, TimeMs time, ExitReason reason) {
  entry_left_ = limit_left_ = 0;
  if (!held()) return;
  budget_ = kInfinity;
  Exit(bar, bars_.close[bar], Pays::kTaker, time, reason);
}

void SignalAccount::CountMissed() {
  for (; row_ < bars_.row_bar.size(); row_ += config_.rule.decide_every) ++totals_.missed;
}

void SignalAccount::Charge(size_t bar) {
  while (charge_ < bars_.charges.size() && bars_.charges[charge_].bar < bar) ++charge_;
  if (charge_ >= bars_.charges.size() || bars_.charges[charge_].bar != bar) return;
  const DueCharge& due = bars_.charges[charge_++];
  const double value = std::abs(units_) * bars_.open[bar];
  const double borrowed = !is_long()              ? value
                          : others_.borrowed >= 0 ? others_.borrowed
                                                  : std::max(0.0, -cash_);
  const double paid = value * (is_long() ? due.paid_by_long : due.paid_by_short) +
                      borrowed * how_.borrow_bps_per_year * kBps / kDaysAYear * due.midnights;
  cash_ -= paid;
  open_.funding += paid;
  totals_.funding += paid;
  FindLevels();
}

void SignalAccount::ProtectAtOpen(size_t bar) {
  const double open = bars_.open[bar];
  const TimeMs time = bars_.time[bar];
  const double margin = how_.maintenance * std::abs(units_) * open + others_.required;
  if (Funds() + units_ * open <= margin) {
    Liquidate(bar, open, time);
    return;
  }
  if (exiting_) return;
  const bool trails = stop_ != fixed_stop_;
  if (stop_ > 0 && (is_long() ? open <= stop_ : open >= stop_)) {
    Exit(bar, open, Pays::kTaker, time, trails ? ExitReason::kTrailingStop : ExitReason::kStop);
  } else if (take_ > 0 && Reaches(take_, open, !is_long(), true)) {
    Exit(bar, open, Pays::kMaker, time, ExitReason::kTakeProfit);
  } else if (bar >= timeout_bar_) {
    Exit(bar, open, Pays::kTaker, time, ExitReason::kMaxHold);
  }
}

void SignalAccount::GoOnExiting(size_t bar) {
  const double units = std::min(std::abs(units_), budget_);
  exiting_ = units < std::abs(units_);
  if (units > 0) {
    Fill(bar, exiting_ ? (is_long() ? -units : units) : -units_, bars_.open[bar], Pays::kTaker,
         bars_.time[bar]);
  }
}

void SignalAccount::Decide(size_t bar) {
  const size_t rows = bars_.row_bar.size();
  if (row_ >= rows || bars_.row_bar[row_] != bar) return;
  size_t row = row_;
  for (; row_ < rows && bars_.row_bar[row_] == bar; row_ += config_.rule.decide_every) row = row_;
  ++totals_.executed;
  limit_left_ = 0;
  if (exiting_ || ruined_at_) return;
  Follow(bar, table_.Weight(config_.rule, row));
}

void SignalAccount::Follow(size_t bar, double weight) {
  const int side = SideOf(weight);
  if (side != blocked_side_) blocked_side_ = 0;
  if (!held()) {
    if (side != 0 && SideOf(entry_left_) == side) return;
    entry_left_ = 0;
    TryToEnter(bar, weight);
    return;
  }
  if (side == SideOf(units_)) {
    if (config_.trade.resize) Resize(bar, weight);
    return;
  }
  entry_left_ = 0;
  if (!(side == 0 ? config_.trade.exit_on_flat : config_.trade.exit_on_opposite)) return;
  Exit(bar, bars_.open[bar], Pays::kTaker, bars_.time[bar], ExitReason::kDecision);
  if (!held()) TryToEnter(bar, weight);
}

void SignalAccount::TryToEnter(size_t bar, double weight) {
  const int side = SideOf(weight);
  if (side == 0 || side == blocked_side_ || bars_.time[bar] < quiet_until_) return;
  if (Funds() <= 0) {
    ruined_at_ = bars_.time[bar];
    return;
  }
  if (!others_.may_enter || others_.room <= 0) {
    ++totals_.entries_refused;
    return;
  }
  if (config_.trade.limit_entry) {
    PlaceLimit(bar, weight);
  } else {
    Enter(bar, weight);
  }
}

bool SignalAccount::BigEnough(double units, double price) {
  if (units > 0 && units * price >= how_.min_notional) return true;
  ++totals_.entries_too_small;
  return false;
}

void SignalAccount::Enter(size_t bar, double weight) {
  const double open = bars_.open[bar];
  const double share = std::abs(weight);
  const double rate = RateWithoutImpact(bar, Pays::kTaker);
  const double wanted = share * Funds() / (open * (1 + share * rate));
  const double units = RoundDown(std::min(wanted, others_.room / open), how_.unit_step);
  if (!BigEnough(units, open)) return;
  entry_left_ = weight > 0 ? units : -units;
  FillEntryAtOpen(bar);
}

void SignalAccount::PlaceLimit(size_t bar, double weight) {
  const double before = bar > 0 ? bars_.close[bar - 1] : bars_.close_before;
  const double market = std::isnan(before) ? bars_.open[bar] : before;
  const double offset = config_.trade.limit_offset_bps * kBps;
  limit_price_ = weight > 0 ? RoundDown(market * (1 - offset), how_.price_step)
                            : RoundUp(market * (1 + offset), how_.price_step);
  if (!(limit_price_ > 0)) return;
  const double share = std::abs(weight);
  const double rate = RateWithoutImpact(bar, Pays::kMaker);
  const double wanted = share * Funds() / (limit_price_ * (1 + share * rate));
  const double units = RoundDown(std::min(wanted, others_.room / limit_price_), how_.unit_step);
  if (!BigEnough(units, limit_price_)) return;
  limit_left_ = weight > 0 ? units : -units;
  limit_placed_ = bar;
  limit_last_ = bar + config_.trade.limit_bars - 1;
}

void SignalAccount::Resize(size_t bar, double weight) {
  const double open = bars_.open[bar];
  const double value = units_ * open;
  const double equity = Funds() + value;
  const double rate = RateWithoutImpact(bar, Pays::kTaker);
  const double sign = weight * equity > value ? 1 : -1;
  const double wanted = weight * (equity + rate * sign * value) / (1 + weight * rate * sign);
  const double units =
      RoundDown(std::min(std::abs(wanted / open), others_.room / open), how_.unit_step);
  const double change = (is_long() ? units : -units) - units_;
  entry_left_ = 0;
  if (change == 0 || std::abs(change) * open < how_.min_notional) return;
  if (SideOf(change) == SideOf(units_)) {
    entry_left_ = change;
    FillEntryAtOpen(bar);
  } else {
    const double sold = std::min(std::abs(change), budget_);
    if (sold > 0) {
      Fill(bar, change > 0 ? sold : -sold, open, Pays::kTaker, bars_.time[bar]);
    }
  }
}

void SignalAccount::FillEntryAtOpen(size_t bar) {
  const double units = std::min(std::abs(entry_left_), budget_);
  if (!(units > 0)) return;
  const bool whole = units == std::abs(entry_left_);
  const double change = entry_left_ > 0 ? units : -units;
  entry_left_ = whole ? 0 : entry_left_ - change;
  Fill(bar, change, bars_.open[bar], Pays::kTaker, bars_.time[bar]);
}

void SignalAccount::LimitAtOpen(size_t bar) {
  const double open = bars_.open[bar];
  if (!Reaches(limit_price_, open, limit_left_ > 0, true)) return;
  // What the market fills at once was a market order.
  const Pays pays = bar == limit_placed_ ? Pays::kTaker : Pays::kMaker;
  FillLimit(bar, open, pays, bars_.time[bar]);
}

void SignalAccount::FillLimit(size_t bar, double price, Pays pays, TimeMs time) {
  const double units = std::min(std::abs(limit_left_), budget_);
  if (!(units > 0)) return;
  const bool whole = units == std::abs(limit_left_);
  const double change = limit_left_ > 0 ? units : -units;
  limit_left_ = whole ? 0 : limit_left_ - change;
  Fill(bar, change, price, pays, time);
}

void SignalAccount::Inside(size_t bar) {
  const double open = bars_.open[bar], high = bars_.high[bar], low = bars_.low[bar];
  if (held()) {
    best_ = is_long() ? std::max(best_, open) : std::min(best_, open);
    FindLevels();
  }
  bool high_first = false;
  switch (how_.intrabar) {
    case IntrabarPolicy::kPessimistic:
    case IntrabarPolicy::kOptimistic: {
      const bool worst_is_high = held() ? !is_long() : limit_left_ > 0;
      high_first = worst_is_high == (how_.intrabar == IntrabarPolicy::kPessimistic);
      break;
    }
    case IntrabarPolicy::kHighFirst:
      high_first = true;
      break;
    case IntrabarPolicy::kLowFirst:
      break;
    case IntrabarPolicy::kNearest:
      high_first = high - open <= open - low;
      break;
  }
  const double first = high_first ? high : low, second = high_first ? low : high;
  Walk(bar, open, first);
  Walk(bar, first, second);
  Walk(bar, second, bars_.close[bar]);
}

void SignalAccount::Walk(size_t bar, double from, double to) {
  double at = from;
  const TimeMs time = bars_.KnownAt(bar);
  for (;;) {
    const Meeting meeting = NextMeeting(at, to);
    if (meeting.what == Meets::kNothing) break;
    at = meeting.price;
    if (meeting.what == Meets::kLiquidation) {
      Liquidate(bar, at, time);
    } else if (meeting.what == Meets::kStop) {
      Exit(bar, at, Pays::kTaker, time,
           stop_ != fixed_stop_ ? ExitReason::kTrailingStop : ExitReason::kStop);
    } else if (meeting.what == Meets::kTake) {
      Exit(bar, at, Pays::kMaker, time, ExitReason::kTakeProfit);
    } else {
      FillLimit(bar, at, Pays::kMaker, time);
    }
  }
  if (held() && (is_long() ? to > best_ : to < best_)) {
    best_ = to;
    FindLevels();
  }
}

// Whether a price that moves `down` (or up) to `to` sets off the order at `level`.
bool SignalAccount::Reaches(double level, double to, bool down, bool limit) const {
  if (level == to) return !limit || how_.touch_fills;
  return down ? to < level : to > level;
}

SignalAccount::Meeting SignalAccount::NextMeeting(double from, double to) const {
  Meeting next;
  if (from == to) return next;
  const bool down = to < from;
  const auto consider = [&](Meets what, double level, bool limit) {
    if (!(level > 0) || !Reaches(level, to, down, limit)) return;
    const double price = down ? std::min(level, from) : std::max(level, from);
    const bool nearer = down ? price > next.price : price < next.price;
    if (next.what == Meets::kNothing || nearer) next = {what, price};
  };
  const bool against = held() && is_long() == down;
  if (against) consider(Meets::kLiquidation, liquidation_, false);
  if (against && !exiting_) consider(Meets::kStop, stop_, false);
  if (held() && !against && !exiting_) consider(Meets::kTake, take_, true);
  if (limit_left_ != 0 && budget_ > 0 && (limit_left_ > 0) == down) {
    consider(Meets::kLimit, limit_price_, true);
  }
  return next;
}

double SignalAccount::Rate(size_t bar, Pays pays, double units) const {
  double rate = RateWithoutImpact(bar, pays);
  if (pays == Pays::kTaker && how_.impact_bps > 0) {
    const double share = units < bars_.volume[bar] ? units / bars_.volume[bar] : 1;
    rate += how_.impact_bps * kBps * std::pow(share, how_.impact_exponent);
  }
  return rate;
}

double SignalAccount::RateWithoutImpact(size_t bar, Pays pays) const {
  const FeeTier& tier = how_.fees.size() == 1 ? how_.fees.front() : Tier(bars_.time[bar]);
  if (pays == Pays::kMaker) return tier.maker_bps * kBps;
  double rate = (tier.taker_bps + how_.spread_bps / 2 + how_.slippage_bps) * kBps;
  if (!bars_.deviation.empty()) rate += how_.volatility_slippage * bars_.deviation[bar];
  return rate;
}

const FeeTier& SignalAccount::Tier(TimeMs time) const {
  const int64_t today = DayOf(time);
  double volume = 0;
  for (const auto& [day, notional] : Days()) {
    if (day >= today - kTierDays && day < today) volume += notional;
  }
  size_t tier = 0;
  while (tier + 1 < how_.fees.size() && how_.fees[tier + 1].volume <= volume) ++tier;
  return how_.fees[tier];
}

void SignalAccount::Exit(size_t bar, double price, Pays pays, TimeMs time, ExitReason reason) {
  const double units = std::min(std::abs(units_), budget_);
  const int side = SideOf(units_);
  entry_left_ = 0;
  limit_left_ = 0;
  reason_ = reason;
  exiting_ = units < std::abs(units_);
  if (reason != ExitReason::kDecision) {
    quiet_until_ = bars_.KnownAt(bar) + config_.trade.cool_down;
    if (!config_.trade.reenter) blocked_side_ = side;
  }
  if (units > 0) Fill(bar, exiting_ ? -side * units : -units_, price, pays, time);
}

void SignalAccount::Liquidate(size_t bar, double price, TimeMs time) {
  budget_ = kInfinity;
  const double fee = std::abs(units_) * price * how_.liquidation_fee_bps * kBps;
  cash_ -= fee;
  open_.costs += fee;
  totals_.costs += fee;
  ++totals_.liquidations;
  Exit(bar, price, Pays::kTaker, time, ExitReason::kLiquidation);
  if (Funds() <= 0) ruined_at_ = time;
}

void SignalAccount::Fill(size_t bar, double change, double price, Pays pays, TimeMs time) {
  const double units = std::abs(change);
  const double notional = units * price;
  const double cost = Rate(bar, pays, units) * notional;
  if (!held()) BeginTrade(bar, change, price, time);
  const bool enters = (change > 0) == (open_.side == Side::kLong);
  open_.Add(change, price, cost);
  totals_.costs += cost;
  totals_.traded += notional;
  traded_since_mark_ += notional;
  // Differences of grid points are off the grid by rounding.
  budget_ = RoundDown(budget_ - units, how_.unit_step);
  cash_ -= change * price + cost;
  units_ = change == -units_ ? 0 : units_ + change;
  if (how_.fees.size() > 1) {
    const int64_t day = DayOf(time);
    TradedDays& days = Days();
    if (days.empty() || days.back().first != day) days.push_back({day, 0});
    days.back().second += notional;
  }
  if (!held()) {
    FinishTrade(time);
    return;
  }
  if (enters) best_ = is_long() ? std::max(best_, price) : std::min(best_, price);
  FindLevels();
}

void SignalAccount::BeginTrade(size_t bar, double change, double price, TimeMs time) {
  open_ = OpenTrade{};
  open_.side = change > 0 ? Side::kLong : Side::kShort;
  open_.entry_time = time;
  open_.entry_bar = mark_;
  best_ = price;
  timeout_bar_ = config_.trade.max_hold > 0
                     ? bars_.FirstBarAt(bars_.time[bar] + config_.trade.max_hold, bar)
                     : bars_.size();
  reason_ = ExitReason::kDecision;
}

void SignalAccount::FinishTrade(TimeMs time) {
  const double pnl = open_.Pnl();
  ++totals_.trades;
  totals_.winners += pnl > 0 ? 1 : 0;
  (pnl > 0 ? totals_.gains : totals_.losses) += std::abs(pnl);
  if (record_ != nullptr) record_->trades.push_back(open_.Finish(time, mark_, reason_));
}

double SignalAccount::TrailingLevel(double best) const {
  const double distance = config_.trade.trailing_stop;
  return is_long() ? RoundDown(best * (1 - distance), how_.price_step)
                   : RoundUp(best * (1 + distance), how_.price_step);
}

void SignalAccount::FindLevels() {
  const TradeRules& rules = config_.trade;
  const double entry = open_.EntryPrice();
  const double step = how_.price_step;
  fixed_stop_ = 0;
  take_ = 0;
  if (is_long()) {
    if (rules.stop_loss > 0) fixed_stop_ = RoundDown(entry * (1 - rules.stop_loss), step);
    if (rules.take_profit > 0) take_ = RoundUp(entry * (1 + rules.take_profit), step);
    stop_ = fixed_stop_;
    if (rules.trailing_stop > 0) stop_ = std::max(stop_, TrailingLevel(best_));
  } else {
    if (rules.stop_loss > 0) fixed_stop_ = RoundUp(entry * (1 + rules.stop_loss), step);
    if (rules.take_profit > 0) take_ = RoundDown(entry * (1 - rules.take_profit), step);
    stop_ = fixed_stop_;
    if (rules.trailing_stop > 0) {
      const double trailing = TrailingLevel(best_);
      stop_ = stop_ > 0 ? std::min(stop_, trailing) : trailing;
    }
  }
  const double level =
      (Funds() - others_.required) / (how_.maintenance * std::abs(units_) - units_);
  liquidation_ = level > 0 ? level : 0;
}

void SignalAccount::Mark(size_t bar) {
  const double price = bars_.close[bar];
  const double equity = cash_ + units_ * price;
  if (record_ != nullptr) {
    record_->weight[mark_] = held() && equity > 0 ? units_ * price / equity : 0;
  }
  if (bar + 1 == bars_.size()) CloseAtEnd(bar);
  equity_[mark_] = held() ? equity : cash_;
  if (record_ != nullptr) record_->traded[mark_] = TakeTraded();
  ++mark_;
}

void SignalAccount::CloseAtEnd(size_t bar) {
  CountMissed();
  CloseAt(bar, bars_.KnownAt(bar), ExitReason::kEnd);
}

}  // namespace almanac
