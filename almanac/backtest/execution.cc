#include "almanac/backtest/execution.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "almanac/base/error.h"

namespace almanac {
namespace {

constexpr std::string_view kPolicies[] = {"pessimistic", "optimistic", "high_first", "low_first",
                                          "nearest"};

// Refuses options outside [low, high).
void Require(bool allowed, std::string_view option, double found, const char* range) {
  if (allowed && std::isfinite(found)) return;
  throw Error(ErrorCode::kUsage, fmt::format("execution.{}", option),
              fmt::format("{} is not possible", found), range);
}

void RequireAtLeastZero(std::string_view option, double found) {
  Require(found >= 0, option, found, "0 or more");
}

void CheckFees(const std::vector<FeeTier>& fees) {
  if (fees.empty() || fees.front().volume != 0) {
    throw Error(ErrorCode::kUsage, "execution.fees", "no tier from a volume of 0",
                "the first tier has volume: 0");
  }
  for (size_t i = 0; i < fees.size(); ++i) {
    Require(fees[i].maker_bps > -1000 && fees[i].maker_bps < 5000, "maker_bps", fees[i].maker_bps,
            "from -1000 (a rebate) to below 5000");
    Require(fees[i].taker_bps >= 0 && fees[i].taker_bps < 5000, "taker_bps", fees[i].taker_bps,
            "from 0 to below 5000");
    if (i > 0) {
      Require(fees[i].volume > fees[i - 1].volume, "fees", fees[i].volume,
              "tiers are in order of their volume");
    }
  }
}

void CheckFunding(const std::vector<FundingRate>& funding) {
  for (size_t i = 0; i < funding.size(); ++i) {
    const bool after = i == 0 || funding[i].time > funding[i - 1].time;
    if (after && std::abs(funding[i].rate) < 1) continue;
    throw Error(ErrorCode::kBadData, fmt::format("funding rate {}", i),
                fmt::format("{} at {}", funding[i].rate, FormatTime(funding[i].time)),
                "rates lie between -1 and 1, their times increase");
  }
}

std::string CostSentence(const SignalExecution& e) {
  std::string text;
  if (e.fees.size() == 1) {
    text = fmt::format("Market orders pay {:.6g} bp fee, limit orders {:.6g} bp",
                       e.fees[0].taker_bps, e.fees[0].maker_bps);
  } else {
    text = "Fees by the account's own volume of 30 days:";
    for (const FeeTier& tier : e.fees) {
      text += fmt::format(" from {:.6g} {:.6g} bp (limit orders {:.6g})", tier.volume,
                          tier.taker_bps, tier.maker_bps);
    }
  }
  text += fmt::format("; market orders also half a spread of {:.6g} bp and {:.6g} bp slippage",
                      e.spread_bps, e.slippage_bps);
  if (e.volatility_slippage > 0) {
    text += fmt::format(", {:.6g} standard deviations of the last {} bar returns",
                        e.volatility_slippage, e.slippage_window);
  }
  if (e.impact_bps > 0) {
    text += fmt::format(", {:.6g} bp times (share of the bar's volume)^{:.6g}", e.impact_bps,
                        e.impact_exponent);
  }
  return text + ".";
}

std::string FundingSentence(const SignalExecution& e) {
  std::string text;
  if (e.funding.empty()) {
    text = "No funding is paid";
  } else {
    double sum = 0;
    for (const FundingRate& rate : e.funding) sum += rate.rate;
    text = fmt::format("Funding is paid at {} instants, {:.4f} % of the value held on average",
                       e.funding.size(), 100 * sum / static_cast<double>(e.funding.size()));
    if (e.funding_paid_factor != 1)
      text += fmt::format(", times {:g} if paid", e.funding_paid_factor);
  }
  return text + fmt::format("; {:.6g} bp a year for what is borrowed.", e.borrow_bps_per_year);
}

std::string LimitsSentence(const SignalExecution& e) {
  std::string text =
      e.max_share > 0 ? fmt::format("A bar fills at most {:.6g} % of its volume", 100 * e.max_share)
                      : std::string("Every order is filled whole, whatever its size");
  if (e.min_notional > 0) text += fmt::format("; no entry below {:.6g}", e.min_notional);
  if (e.unit_step > 0) text += fmt::format("; sizes in steps of {:.6g}", e.unit_step);
  if (e.price_step > 0) text += fmt::format("; prices in steps of {:.6g}", e.price_step);
  return text + ".";
}

std::string_view IntrabarSentence(IntrabarPolicy policy) {
  switch (policy) {
    case IntrabarPolicy::kPessimistic:
      return "Inside a bar the price goes against the position first.";
    case IntrabarPolicy::kOptimistic:
      return "Inside a bar the price favours the position first (optimistic).";
    case IntrabarPolicy::kHighFirst:
      return "Inside a bar the high comes before the low.";
    case IntrabarPolicy::kLowFirst:
      return "Inside a bar the low comes before the high.";
    case IntrabarPolicy::kNearest:
      return "Inside a bar the extreme nearer to the open comes first.";
  }
  return "";
}

}  // namespace

std::string_view Name(IntrabarPolicy policy) { return kPolicies[static_cast<size_t>(policy)]; }

std::vector<std::string> IntrabarPolicyNames() {
  return {std::begin(kPolicies), std::end(kPolicies)};
}

IntrabarPolicy ParseIntrabarPolicy(std::string_view name) {
  const auto* found = std::find(std::begin(kPolicies), std::end(kPolicies), name);
  if (found == std::end(kPolicies)) {
    throw Error(ErrorCode::kUsage, "execution.intrabar", fmt::format("\"{}\" is no policy", name),
                fmt::format("{}", fmt::join(kPolicies, ", ")));
  }
  return static_cast<IntrabarPolicy>(found - std::begin(kPolicies));
}

std::vector<FundingRate> ConstantFunding(double rate, DurationMs every, TimeMs from, TimeMs to) {
  if (every <= 0 || kMsPerDay % every != 0) {
    throw Error(ErrorCode::kUsage, "execution.funding.every", FormatDuration(every),
                "a divisor of a day, such as 8h");
  }
  std::vector<FundingRate> rates;
  TimeMs first = from / every * every;
  if (first < from) first += every;
  for (TimeMs time = first; time < to; time += every) rates.push_back({time, rate});
  return rates;
}

void CheckExecution(const SignalExecution& e) {
  CheckFees(e.fees);
  CheckFunding(e.funding);
  RequireAtLeastZero("spread_bps", e.spread_bps);
  RequireAtLeastZero("slippage_bps", e.slippage_bps);
  const double fixed = e.fees.front().taker_bps + e.spread_bps / 2 + e.slippage_bps;
  Require(fixed < 5000, "slippage_bps", fixed, "fee, half the spread and slippage below 5000");
  Require(e.volatility_slippage >= 0 && e.volatility_slippage <= 100, "volatility_slippage",
          e.volatility_slippage, "0 to 100");
  Require(e.slippage_window >= 2, "slippage_window", static_cast<double>(e.slippage_window),
          "at least 2");
  Require(e.impact_bps >= 0 && e.impact_bps < 5000, "impact_bps", e.impact_bps, "0 to below 5000");
  Require(e.impact_exponent > 0, "impact_exponent", e.impact_exponent, "above 0");
  RequireAtLeastZero("borrow_bps_per_year", e.borrow_bps_per_year);
  Require(e.maintenance >= 0 && e.maintenance < 1, "maintenance", e.maintenance, "0 to below 1");
  Require(e.liquidation_fee_bps >= 0 && e.liquidation_fee_bps < 5000, "liquidation_fee_bps",
          e.liquidation_fee_bps, "0 to below 5000");
  Require(e.max_share >= 0 && e.max_share <= 1, "max_share", e.max_share, "0 (no limit) to 1");
  RequireAtLeastZero("min_notional", e.min_notional);
  RequireAtLeastZero("unit_step", e.unit_step);
  RequireAtLeastZero("price_step", e.price_step);
  Require(e.capital > 0, "capital", e.capital, "above 0");
  Require(e.mark_every >= 0, "mark_every", static_cast<double>(e.mark_every), "0 or more");
}

void CheckRules(const TradeRules& r) {
  Require(r.stop_loss >= 0 && r.stop_loss < 1, "stop_loss", r.stop_loss, "0 (none) to below 1");
  Require(r.trailing_stop >= 0 && r.trailing_stop < 1, "trailing_stop", r.trailing_stop,
          "0 (none) to below 1");
  // A short's take-profit lies below the entry price.
  Require(r.take_profit >= 0 && r.take_profit < 1, "take_profit", r.take_profit,
          "0 (none) to below 1");
  Require(r.max_hold >= 0, "max_hold", static_cast<double>(r.max_hold), "0 (none) or more");
  Require(r.cool_down >= 0, "cool_down", static_cast<double>(r.cool_down), "0 or more");
  Require(r.limit_offset_bps >= 0 && r.limit_offset_bps < 5000, "limit_offset_bps",
          r.limit_offset_bps, "0 to below 5000");
  Require(r.limit_bars >= 1, "limit_bars", static_cast<double>(r.limit_bars), "at least 1");
}

SignalExecution Pessimistic(SignalExecution e) {
  constexpr double kCosts = 2;
  for (FeeTier& tier : e.fees) {
    tier.taker_bps *= kCosts;
    // A rebate is not doubled.
    tier.maker_bps *= tier.maker_bps > 0 ? kCosts : 1;
  }
  e.spread_bps *= kCosts;
  e.slippage_bps *= kCosts;
  e.volatility_slippage *= kCosts;
  e.impact_bps *= kCosts;
  e.borrow_bps_per_year *= kCosts;
  e.liquidation_fee_bps *= kCosts;
  e.funding_paid_factor *= kCosts;
  e.intrabar = IntrabarPolicy::kPessimistic;
  e.touch_fills = false;
  e.delay_bars += 1;
  return e;
}

std::vector<std::string> Describe(const SignalExecution& e) {
  std::vector<std::string> lines;
  lines.push_back(
      e.delay_bars == 0
          ? std::string("A decision is executed at the open of the next bar, never at a price of "
                        "the bar it was made on; after a gap, at the next bar that exists.")
          : fmt::format("A decision is executed {} bars after the next open.", e.delay_bars));
  lines.emplace_back(IntrabarSentence(e.intrabar));
  lines.emplace_back(
      "A stop that the open is already beyond is filled at the open, else at the stop's price.");
  lines.emplace_back(e.touch_fills
                         ? "Limit orders and take-profits are filled when the price touches them."
                         : "Limit orders and take-profits are filled when the price goes through "
                           "them, not when it touches them.");
  lines.push_back(CostSentence(e));
  lines.push_back(FundingSentence(e));
  lines.push_back(LimitsSentence(e));
  lines.push_back(fmt::format(
      "A position is liquidated when equity is {:.6g} % of its value, for {:.6g} bp more; cash "
      "earns nothing; no tax.",
      100 * e.maintenance, e.liquidation_fee_bps));
  return lines;
}

std::vector<std::string> Describe(const TradeRules& r) {
  std::vector<std::string> exits;
  const auto add = [&](double value, const char* name) {
    if (value > 0) exits.push_back(fmt::format("{} {:.6g} %", name, 100 * value));
  };
  add(r.stop_loss, "stop-loss");
  add(r.take_profit, "take-profit");
  add(r.trailing_stop, "trailing stop");
  if (r.max_hold > 0) exits.push_back("at most " + FormatDuration(r.max_hold));
  std::string text = exits.empty() ? std::string("No protective orders")
                                   : fmt::format("Exits: {}", fmt::join(exits, ", "));
  if (r.cool_down > 0) text += "; no entry for " + FormatDuration(r.cool_down) + " after them";
  if (!r.reenter) text += "; the same side again only after another decision";
  std::vector<std::string> lines = {text + "."};
  if (r.limit_entry) {
    lines.push_back(
        fmt::format("Entries are limit orders {:.6g} bp from the last close, valid for "
                    "{} {}.",
                    r.limit_offset_bps, r.limit_bars, r.limit_bars == 1 ? "bar" : "bars"));
  } else {
    lines.emplace_back("Entries are market orders.");
  }
  if (!r.exit_on_flat || !r.exit_on_opposite) {
    lines.push_back(fmt::format("A flat signal {} a position, an opposite one {}.",
                                r.exit_on_flat ? "ends" : "keeps",
                                r.exit_on_opposite ? "ends it" : "keeps it"));
  }
  lines.emplace_back(r.resize ? "Every decision brings the position to its size."
                              : "A position keeps its units until it is left.");
  return lines;
}

}  // namespace almanac
