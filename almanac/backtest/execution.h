// How a signal strategy's orders are executed bar by bar: prices inside a bar, costs, limits of the
// exchange and of the market, protective orders. docs/backtest.md states every convention.
//
// Prices in quote currency, sizes in units; rates in basis points where the name says so, else
// fractions. Errors: Error(kUsage) naming the option and its range.
#ifndef ALMANAC_BACKTEST_EXECUTION_H_
#define ALMANAC_BACKTEST_EXECUTION_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/base/time.h"

namespace almanac {

// Which extreme of a bar comes first.
enum class IntrabarPolicy { kPessimistic, kOptimistic, kHighFirst, kLowFirst, kNearest };
std::string_view Name(IntrabarPolicy policy);  // "pessimistic", "high_first", ...
std::vector<std::string> IntrabarPolicyNames();
IntrabarPolicy ParseIntrabarPolicy(std::string_view name);

struct FeeTier {
  double volume = 0;  // the account's traded notional of the last 30 days from which it applies
  double maker_bps = 10;
  double taker_bps = 10;
};

// A payment of `rate` times the value held at `time`; a long pays a positive rate.
struct FundingRate {
  TimeMs time = 0;
  double rate = 0;
};
// The same rate every `every` (a divisor of a day) in [from, to), at multiples since midnight UTC.
std::vector<FundingRate> ConstantFunding(double rate, DurationMs every, TimeMs from, TimeMs to);

// What holds for the market and the account, whatever the strategy.
struct SignalExecution {
  std::vector<FeeTier> fees = {FeeTier{}};  // by increasing volume, the first from 0
  double spread_bps = 0;                    // of which a market order pays half
  double slippage_bps = 5;
  double volatility_slippage = 0;  // times the standard deviation of bar returns
  size_t slippage_window = 60;     // bars of it, >= 2
  double impact_bps = 0;           // at a share of 1 of the bar's volume
  double impact_exponent = 0.5;    // > 0
  std::vector<FundingRate> funding = {};
  // Doubles what is paid, not what is received: the twin's.
  double funding_paid_factor = 1;
  double borrow_bps_per_year = 0;
  double maintenance = 0;  // equity / value at which a position is liquidated, [0, 1)
  double liquidation_fee_bps = 0;
  double max_share = 0;  // of a bar's volume; 0: no limit
  double min_notional = 0;
  double unit_step = 0;   // 0: any size
  double price_step = 0;  // 0: any price
  IntrabarPolicy intrabar = IntrabarPolicy::kPessimistic;
  bool touch_fills = false;
  size_t delay_bars = 0;
  double capital = 10000;
  // The simulated bars: those that open in [from, to).
  TimeMs from = kMinTime;
  TimeMs to = kMaxTime;
  // The account is marked at the last bar of each such period since the epoch; 0: at every bar.
  DurationMs mark_every = 0;
};
void CheckExecution(const SignalExecution& execution);

// The protective orders and the manner of entry: what the configurations of a sweep differ in.
struct TradeRules {
  double stop_loss = 0;      // fractions of the entry price; 0: none
  double take_profit = 0;    // likewise
  double trailing_stop = 0;  // of the best price since the entry; 0: none
  DurationMs max_hold = 0;   // 0: none
  DurationMs cool_down = 0;
  bool exit_on_flat = true;
  bool exit_on_opposite = true;
  bool reenter = true;
  bool resize = false;
  bool limit_entry = false;
  double limit_offset_bps = 0;
  size_t limit_bars = 1;
  friend bool operator==(const TradeRules&, const TradeRules&) = default;
};
void CheckRules(const TradeRules& rules);

// The same execution as the pessimistic twin meets it.
SignalExecution Pessimistic(SignalExecution execution);

// Sentences for a report.
std::vector<std::string> Describe(const SignalExecution& execution);
std::vector<std::string> Describe(const TradeRules& rules);

}  // namespace almanac

#endif  // ALMANAC_BACKTEST_EXECUTION_H_
