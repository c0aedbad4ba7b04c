#include "almanac/pipeline/backtest_section.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"

namespace almanac {
namespace {

using Fraction = Range<double>;
const Fraction kFraction = {0.0, 0.999999, false};
const Fraction kBpsRange = Fraction::Between(0.0, 1000.0);

std::vector<std::string> ReadModels(const ConfigNode& node, const std::vector<std::string>& models,
                                    const std::vector<std::string>& otherwise) {
  std::vector<std::string> traded = node.Strings("models", otherwise);
  for (const std::string& name : traded) {
    if (std::find(models.begin(), models.end(), name) != models.end()) continue;
    const auto near = NearestWord(name, models);
    throw Error(ErrorCode::kUsage, node.Place("models"),
                "there is no model called \"" + name + "\"",
                near ? "did you mean \"" + *near + "\"?" : "name one of its models");
  }
  return traded;
}

size_t ReadCount(const ConfigNode& node, const char* key, size_t otherwise, int64_t least = 0) {
  constexpr int64_t kMost = 1000000;
  return static_cast<size_t>(
      node.Int(key, static_cast<int64_t>(otherwise), Range<int64_t>::Between(least, kMost)));
}

void ReadThreshold(const ConfigNode& node, int64_t horizon, BacktestSection& section) {
  ThresholdStrategy& strategy = section.strategy;
  strategy.threshold = node.Double("threshold", 0.0, Fraction::Between(0.0, 1.0));
  strategy.allow_short = node.Bool("allow_short", true);
  strategy.size = node.Double("size", 1.0, Fraction::Between(0.0001, 1.0));
  strategy.decide_every = ReadCount(node, "decide_every", static_cast<size_t>(horizon), 1);
  CheckStrategy(strategy);
  ExecutionOptions& execution = section.execution;
  execution.costs.fee_bps = node.Double("fee_bps", execution.costs.fee_bps, kBpsRange);
  execution.costs.slippage_bps =
      node.Double("slippage_bps", execution.costs.slippage_bps, kBpsRange);
  execution.capital = section.capital;
  execution.delay_bars = ReadCount(node, "delay_bars", 0);
}

void ReadSizing(const ConfigNode& node, SizingOptions& sizing) {
  sizing.sizing = ParseSizing(node.Choice("kind", SizingNames(), "fixed"));
  sizing.size = node.Double("size", sizing.size, Fraction::Above(0.0));
  sizing.target_volatility =
      node.Double("target_volatility", sizing.target_volatility, Fraction::Above(0.0));
  sizing.volatility_window = ReadCount(node, "volatility_window", sizing.volatility_window, 2);
  sizing.kelly_fraction =
      node.Double("kelly_fraction", sizing.kelly_fraction, Fraction{0.0, 1.0, true});
  sizing.max_weight = node.Double("max_weight", sizing.max_weight, Fraction{0.0, 125.0, true});
}

void ReadExits(const ConfigNode& node, TradeRules& trade) {
  trade.stop_loss = node.Double("stop_loss", 0, kFraction);
  trade.take_profit = node.Double("take_profit", 0, kFraction);
  trade.trailing_stop = node.Double("trailing_stop", 0, kFraction);
  trade.max_hold = node.Duration("max_hold", 0);
  trade.cool_down = node.Duration("cool_down", 0);
  trade.exit_on_flat = node.Bool("on_flat", true);
  trade.exit_on_opposite = node.Bool("on_opposite", true);
  trade.reenter = node.Bool("reenter", true);
}

void ReadEntry(const ConfigNode& node, TradeRules& trade) {
  trade.limit_entry = node.Choice("kind", {"market", "limit"}, "market") == "limit";
  trade.limit_offset_bps = node.Double("offset_bps", 0, kBpsRange);
  trade.limit_bars = ReadCount(node, "bars", 1, 1);
}

void ReadCosts(const ConfigNode& node, SignalSection& signal) {
  SignalExecution& e = signal.execution;
  const Fraction maker = Fraction::Between(-100.0, 1000.0);
  if (node.Has("tiers")) {
    e.fees.clear();
    for (const ConfigNode& tier : node.Maps("tiers")) {
      e.fees.push_back({tier.Double("volume", Fraction::AtLeast(0.0)),
                        tier.Double("maker_bps", maker), tier.Double("taker_bps", kBpsRange)});
    }
  } else {
    e.fees = {{0, node.Double("maker_bps", 10, maker), node.Double("taker_bps", 10, kBpsRange)}};
  }
  e.spread_bps = node.Double("spread_bps", 0, kBpsRange);
  e.slippage_bps = node.Double("slippage_bps", e.slippage_bps, kBpsRange);
  e.volatility_slippage = node.Double("volatility_slippage", 0, Fraction::Between(0.0, 100.0));
  e.slippage_window = ReadCount(node, "slippage_window", e.slippage_window, 2);
  e.impact_bps = node.Double("impact_bps", 0, kBpsRange);
  e.impact_exponent = node.Double("impact_exponent", e.impact_exponent, Fraction{0.0, 4.0, true});
  e.borrow_bps_per_year = node.Double("borrow_bps_per_year", 0, Fraction::Between(0.0, 100000.0));
  signal.funding_rate = node.Double("funding_bps", 0, Fraction::Between(-1000.0, 1000.0)) / 1e4;
  signal.funding_every = node.Duration("funding_every", signal.funding_every);
  if (node.Has("funding")) {
    signal.funding = ReadFundingSource(node.Map("funding"));
    if (signal.funding_rate != 0) {
      throw Error(ErrorCode::kUsage, node.Place("funding_bps"), "a constant rate beside a series",
                  "keep one of funding and funding_bps");
    }
  }
  e.liquidation_fee_bps = node.Double("liquidation_fee_bps", 0, kBpsRange);
}

void ReadLimits(const ConfigNode& node, SignalSection& signal) {
  signal.has_limits = node.Has("limits");
  const ConfigNode limits = node.OptionalMap("limits");
  signal.limits.max_positions = ReadCount(limits, "max_positions", 0);
  signal.limits.max_gross =
      limits.Double("max_gross", signal.sizing.max_weight, Fraction{0.0, 125.0, true});
}

void ReadExecution(const ConfigNode& node, SignalSection& signal) {
  SignalExecution& e = signal.execution;
  if (node.Has("timeframe")) signal.timeframe = Timeframe::Parse(node.String("timeframe"));
  signal.market = node.String("market", "");
  e.intrabar = ParseIntrabarPolicy(node.Choice("intrabar", IntrabarPolicyNames(), "pessimistic"));
  e.touch_fills = node.Bool("touch_fills", false);
  e.delay_bars = ReadCount(node, "delay_bars", 0);
  e.maintenance = node.Double("maintenance", 0, kFraction);
  e.max_share = node.Double("max_share", 0, Fraction::Between(0.0, 1.0));
  e.min_notional = node.Double("min_notional", 0, Fraction::AtLeast(0.0));
  e.unit_step = node.Double("unit_step", 0, Fraction::AtLeast(0.0));
  e.price_step = node.Double("price_step", 0, Fraction::AtLeast(0.0));
}

// How many of the models an ensemble joins, the best first.
std::vector<size_t> ReadBest(const ConfigNode& node, const SignalSection& signal, size_t models) {
  std::vector<size_t> best;
  for (const double count : node.Doubles("best", {}, Range<double>::AtLeast(1))) {
    best.push_back(static_cast<size_t>(count));
    if (static_cast<double>(best.back()) == count && best.back() <= models) continue;
    throw Error(ErrorCode::kUsage, node.Place("best"),
                fmt::format("{} of {} models cannot be", count, models),
                fmt::format("whole numbers from 1 to {}", models));
  }
  if (!best.empty() && (!signal.ensemble || signal.probability)) {
    throw Error(ErrorCode::kUsage, node.Place("best"),
                "only ensembles of forecast returns have best models",
                "set backtest.ensemble, and signal: return");
  }
  return best;
}

SignalGrid ReadGrid(const ConfigNode& node, const SignalSection& signal, size_t models) {
  SignalGrid grid;
  grid.best = ReadBest(node, signal, models);
  for (const std::string& name : node.Strings("ensemble", {})) {
    grid.ensembles.push_back(ParseEnsemble(name));
  }
  if (!grid.ensembles.empty() && !signal.ensemble) {
    throw Error(ErrorCode::kUsage, node.Place("ensemble"), "there is no ensemble to vary",
                "set backtest.ensemble, too");
  }
  grid.thresholds = node.Doubles("threshold", {signal.rule.long_above}, Fraction::AtLeast(0.0));
  grid.stop_losses = node.Doubles("stop_loss", {signal.trade.stop_loss}, kFraction);
  grid.take_profits = node.Doubles("take_profit", {signal.trade.take_profit}, kFraction);
  grid.trailing_stops = node.Doubles("trailing_stop", {signal.trade.trailing_stop}, kFraction);
  for (const std::string& text : node.Strings("max_hold", {})) {
    const auto duration = ParseDuration(text);
    if (!duration || *duration < 0) {
      throw Error(ErrorCode::kUsage, node.Place("max_hold"), "\"" + text + "\" is no duration",
                  "such as 4h, or 0s for none");
    }
    grid.max_holds.push_back(*duration);
  }
  if (grid.max_holds.empty()) grid.max_holds.push_back(signal.trade.max_hold);
  constexpr size_t kMost = 100000;
  if (grid.size() > kMost) {
    throw Error(ErrorCode::kUsage, node.Place(), fmt::format("has {} configurations", grid.size()),
                fmt::format("at most {}", kMost));
  }
  return grid;
}

void ReadSignal(const ConfigNode& node, int64_t horizon, BacktestSection& section) {
  SignalSection& signal = section.signal;
  signal.probability = node.Choice("signal", {"return", "probability"}, "return") == "probability";
  if (signal.probability) {
    signal.up = node.String("up", "up");
    signal.down = node.String("down", "down");
  }
  if (node.Has("ensemble")) {
    signal.ensemble = ParseEnsemble(node.Choice("ensemble", EnsembleNames()));
  }
  const double threshold = node.Double("threshold", 0.0, Fraction::Between(0.0, 1.0));
  signal.rule.long_above = node.Double("long_above", threshold, Fraction::Between(0.0, 1.0));
  signal.rule.short_below = node.Double("short_below", threshold, Fraction::Between(0.0, 1.0));
  signal.rule.allow_long = node.Bool("allow_long", true);
  signal.rule.allow_short = node.Bool("allow_short", true);
  signal.rule.decide_every = ReadCount(node, "decide_every", static_cast<size_t>(horizon), 1);
  signal.trade.resize = node.Bool("resize", false);
  ReadSizing(node.OptionalMap("sizing"), signal.sizing);
  ReadLimits(node, signal);
  ReadExits(node.OptionalMap("exits"), signal.trade);
  ReadEntry(node.OptionalMap("entry"), signal.trade);
  ReadCosts(node.OptionalMap("costs"), signal);
  ReadExecution(node.OptionalMap("execution"), signal);
  if (node.Has("grid")) signal.grid = ReadGrid(node.Map("grid"), signal, section.models.size());
  signal.execution.capital = section.capital;
  CheckRules(signal.trade);
  CheckSizing(signal.sizing);
  CheckExecution(signal.execution);
  if (signal.funding_rate != 0) ConstantFunding(signal.funding_rate, signal.funding_every, 0, 1);
}

void ReadPanel(const ConfigNode& node, int64_t horizon, BacktestSection& section) {
  PanelStrategy& strategy = section.panel.strategy;
  strategy.top_k = ReadCount(node, "top_k", strategy.top_k);
  strategy.bottom_k = ReadCount(node, "bottom_k", 0);
  strategy.weighting = ParseWeighting(node.Choice("weighting", WeightingNames(), "equal"));
  strategy.volatility_window = ReadCount(node, "volatility_window", strategy.volatility_window, 2);
  const bool both = strategy.top_k > 0 && strategy.bottom_k > 0;
  const double side = both ? 0.5 : 1;
  const Fraction weight = Fraction::Between(0.0, 10.0);
  strategy.long_weight = node.Double("long_weight", strategy.top_k > 0 ? side : 0, weight);
  strategy.short_weight = node.Double("short_weight", strategy.bottom_k > 0 ? side : 0, weight);
  const std::string when = node.String("rebalance", std::to_string(horizon));
  if (when == "week" || when == "month") {
    strategy.rebalance = when == "week" ? Rebalance::kWeek : Rebalance::kMonth;
  } else {
    strategy.every = ReadCount(node, "rebalance", static_cast<size_t>(horizon), 1);
  }
  strategy.k_drop = ReadCount(node, "k_drop", 0);
  strategy.min_hold = ReadCount(node, "min_hold", 0);
  strategy.max_hold = ReadCount(node, "max_hold", 0);
  if (node.Has("min_forecast")) strategy.min_forecast = node.Double("min_forecast", Fraction{});
  CheckStrategy(strategy);
  PanelExecution& execution = section.panel.execution;
  execution.costs.fee_bps = node.Double("fee_bps", execution.costs.fee_bps, kBpsRange);
  execution.costs.slippage_bps =
      node.Double("slippage_bps", execution.costs.slippage_bps, kBpsRange);
  execution.borrow_bps_per_year =
      node.Double("borrow_bps_per_year", 0, Fraction::Between(0.0, 100000.0));
  execution.max_share = node.Double("max_share", 0, Fraction::Between(0.0, 1.0));
  execution.delay_bars = ReadCount(node, "delay_bars", 0);
  execution.capital = section.capital;
}

}  // namespace

std::string_view Name(BacktestKind kind) {
  constexpr std::string_view kNames[] = {"threshold", "signal", "panel"};
  return kNames[static_cast<size_t>(kind)];
}

size_t SignalGrid::size() const {
  return std::max<size_t>(1, ensembles.size()) * std::max<size_t>(1, best.size()) *
         thresholds.size() * stop_losses.size() * take_profits.size() * trailing_stops.size() *
         max_holds.size();
}

BacktestSection ReadBacktestSection(const ConfigNode& node, const std::vector<std::string>& models,
                                    const std::vector<std::string>& traded, int64_t horizon) {
  BacktestSection section;
  const std::string kind = node.Choice("kind", {"threshold", "signal", "panel"}, "threshold");
  section.models = ReadModels(node, models, traded);
  section.capital = node.Double("capital", section.capital, Fraction::Above(0.0));
  if (kind == "threshold") {
    ReadThreshold(node, horizon, section);
  } else if (kind == "signal") {
    section.kind = BacktestKind::kSignal;
    ReadSignal(node, horizon, section);
  } else {
    section.kind = BacktestKind::kPanel;
    ReadPanel(node, horizon, section);
  }
  return section;
}

std::string TrialConfiguration(const BacktestSection& section, const ConfigNode& node) {
  if (section.kind == BacktestKind::kThreshold) {
    return Json{{"threshold", section.strategy.threshold},
                {"allow_short", section.strategy.allow_short},
                {"decide_every", section.strategy.decide_every},
                {"size", section.strategy.size},
                {"fee_bps", section.execution.costs.fee_bps},
                {"slippage_bps", section.execution.costs.slippage_bps},
                {"delay_bars", section.execution.delay_bars}}
        .dump();
  }
  Json json = node.ToJson();
  if (!section.signal.ensemble) json.erase("models");
  json.erase("capital");
  json.erase("grid");
  return json.dump();
}

}  // namespace almanac
