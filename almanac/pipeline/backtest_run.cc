#include "almanac/pipeline/backtest_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>

#include "almanac/backtest/panel_backtest.h"
#include "almanac/backtest/signal_backtest.h"
#include "almanac/base/error.h"
#include "almanac/base/hash.h"

namespace almanac {
namespace {

const std::vector<double>& ExtraOf(const ForecastTable& table, const std::string& name) {
  for (const ForecastTable::Extra& extra : table.extra) {
    if (extra.name == name) return extra.values;
  }
  throw Error(ErrorCode::kUsage, "backtest.signal", "the forecasts have no column " + name,
              "use signal: return, or name the classes with up and down");
}

struct ModelSignal {
  std::vector<TimeMs> made_at, target_time;
  std::vector<double> signal;
};

// One model's signals, in order of made_at.
ModelSignal SignalOf(const SignalSection& section, const std::string& model,
                     const BacktestInput& input) {
  const ForecastTable& table = input.forecasts;
  std::vector<double> values;
  if (section.probability) {
    const std::vector<double>&up = ExtraOf(table, "p_" + section.up),
          &down = ExtraOf(table, "p_" + section.down);
    for (size_t i = 0; i < table.rows(); ++i) values.push_back(up[i] - down[i]);
  } else {
    values = table.Returns();
  }
  ModelSignal result;
  for (size_t i = 0; i < table.rows(); ++i) {
    if (table.model[i] != model || table.horizon[i] != input.horizon || std::isnan(values[i])) {
      continue;
    }
    result.made_at.push_back(table.made_at[i]);
    result.target_time.push_back(table.target_time[i]);
    result.signal.push_back(values[i]);
  }
  if (result.made_at.empty()) {
    throw Error(ErrorCode::kBadData, "backtest", "no forecasts of " + model,
                "widen the period, or name another model");
  }
  return result;
}

// The rows of instants that all models have.
std::vector<std::vector<double>> JoinByInstant(const std::vector<ModelSignal>& models,
                                               SignalTable& table) {
  std::map<TimeMs, size_t> seen;
  for (const ModelSignal& model : models) {
    for (const TimeMs time : model.made_at) ++seen[time];
  }
  std::vector<std::vector<double>> columns(models.size());
  for (size_t m = 0; m < models.size(); ++m) {
    for (size_t i = 0; i < models[m].made_at.size(); ++i) {
      if (seen[models[m].made_at[i]] != models.size()) continue;
      columns[m].push_back(models[m].signal[i]);
      if (m > 0) continue;
      table.made_at.push_back(models[m].made_at[i]);
      table.last_target = std::max(table.last_target, models[m].target_time[i]);
    }
  }
  return columns;
}

SignalTable BuildTable(const SignalSection& section, const BacktestAccount& account,
                       const BacktestInput& input, const std::vector<Ensemble>& ensembles) {
  std::vector<ModelSignal> models;
  for (const std::string& model : account.models) {
    models.push_back(SignalOf(section, model, input));
  }
  SignalTable table;
  table.last_target = kMinTime;
  const auto columns = JoinByInstant(models, table);
  const char* what = section.probability ? "p_up - p_down" : "the forecast return";
  if (!section.ensemble) {
    table.signals.push_back({what, columns.front()});
  } else {
    const std::vector<std::span<const double>> spans(columns.begin(), columns.end());
    for (const Ensemble ensemble : ensembles) {
      table.signals.push_back(
          {fmt::format("the {} of {} of {} models", Name(ensemble), what, columns.size()),
           JoinSignals(ensemble, spans)});
    }
  }
  for (const SignalTable::Column& signal : table.signals) {
    SizingInput sizing{*input.bars.front(), table.made_at, signal.values};
    sizing.probability = section.probability;
    sizing.horizon = static_cast<double>(input.horizon);
    sizing.stop_loss = section.trade.stop_loss;
    sizing.take_profit = section.trade.take_profit;
    sizing.year = input.year;
    table.sizes.push_back({"size", Sizes(section.sizing, sizing)});
  }
  return table;
}

const CandleSeries& ExecutionBarsOf(const BacktestInput& input) {
  return input.execution_bars != nullptr ? *input.execution_bars : *input.bars.front();
}

SignalExecution ExecutionOf(const SignalSection& section, const SignalTable& table,
                            const BacktestInput& input) {
  SignalExecution execution = section.execution;
  execution.from = std::max(execution.from, input.from);
  if (section.funding_rate != 0) {
    execution.funding = ConstantFunding(section.funding_rate, section.funding_every,
                                        table.made_at.front(), table.last_target);
  }
  return execution;
}

void RequireOneSymbol(const BacktestSection& section, const BacktestInput& input) {
  if (input.bars.size() == 1) return;
  throw Error(ErrorCode::kUsage, fmt::format("backtest.kind {}", Name(section.kind)),
              fmt::format("{} symbols in one account", input.bars.size()),
              "kind: panel trades many symbols");
}

BacktestResult RunSignal(const BacktestSection& section, const BacktestAccount& account,
                         const BacktestInput& input, const std::optional<SignalConfig>& config) {
  const SignalSection& signal = section.signal;
  SignalBacktestOptions options;
  options.name = account.name;
  options.config = config ? *config : SignalConfig{signal.rule, signal.trade};
  std::vector<Ensemble> ensembles;
  if (signal.grid && config) ensembles = signal.grid->ensembles;
  if (ensembles.empty() && signal.ensemble) ensembles = {*signal.ensemble};
  const SignalTable table = BuildTable(signal, account, input, ensembles);
  options.execution = ExecutionOf(signal, table, input);
  options.mark = input.bars.front()->key.timeframe;
  options.year = input.year;
  options.judging = input.judging;
  options.description = {Describe(signal.sizing)};
  if (config) {
    options.description.push_back(
        fmt::format("Thresholds and exits are the best of {} configurations on the validation "
                    "part; each of them counts as a trial.",
                    signal.grid->size()));
  }
  const CandleSeries& bars = ExecutionBarsOf(input);
  if (bars.key.market != input.bars.front()->key.market) {
    options.description.push_back(
        fmt::format("Forecasts are made on {} prices, orders are executed on {} prices.",
                    input.bars.front()->key.market, bars.key.market));
  }
  return RunSignalBacktest(bars, table, options);
}

BacktestResult RunThreshold(const BacktestSection& section, const BacktestAccount& account,
                            const BacktestInput& input) {
  const ForecastTable forecasts =
      input.forecasts.Select(account.models.front(), input.bars.front()->key.symbol, input.horizon);
  const std::vector<double> returns = forecasts.Returns();
  BacktestOptions options;
  options.name = account.name;
  options.strategy = section.strategy;
  options.execution = section.execution;
  options.execution.from = std::max(options.execution.from, input.from);
  options.year = input.year;
  options.trials = input.judging.trials;
  options.trial_annual_sharpes = input.judging.trial_annual_sharpes;
  options.significance = input.judging.significance;
  return RunBacktest(*input.bars.front(), {forecasts.made_at, forecasts.target_time, returns},
                     options);
}

BacktestResult RunPanel(const BacktestSection& section, const BacktestAccount& account,
                        const BacktestInput& input) {
  const PanelBars bars = AlignPanel(input.bars);
  PanelBacktestOptions options;
  options.name = account.name;
  options.strategy = section.panel.strategy;
  options.execution = section.panel.execution;
  options.execution.from = std::max(options.execution.from, input.from);
  options.year = input.year;
  options.judging = input.judging;
  return RunPanelBacktest(
      bars, AlignForecasts(input.forecasts, account.models.front(), input.horizon, bars.symbols),
      options);
}

std::vector<SignalConfig> ConfigsOf(const SignalSection& section) {
  const SignalGrid& grid = *section.grid;
  std::vector<SignalConfig> configs;
  SignalConfig config{section.rule, section.trade};
  const size_t signals = std::max<size_t>(1, grid.ensembles.size());
  for (size_t signal = 0; signal < signals; ++signal) {
    config.rule.signal = config.rule.size = signal;
    for (const double threshold : grid.thresholds) {
      config.rule.long_above = config.rule.short_below = threshold;
      for (const double stop : grid.stop_losses) {
        config.trade.stop_loss = stop;
        for (const double take : grid.take_profits) {
          config.trade.take_profit = take;
          for (const double trailing : grid.trailing_stops) {
            config.trade.trailing_stop = trailing;
            for (const DurationMs hold : grid.max_holds) {
              config.trade.max_hold = hold;
              configs.push_back(config);
            }
          }
        }
      }
    }
  }
  return configs;
}

}  // namespace

std::vector<BacktestAccount> AccountsOf(const BacktestSection& section) {
  std::vector<BacktestAccount> accounts;
  if (section.kind == BacktestKind::kSignal && section.signal.ensemble) {
    if (!section.models.empty()) accounts.push_back({"ensemble", section.models});
    return accounts;
  }
  for (const std::string& model : section.models) accounts.push_back({model, {model}});
  return accounts;
}

std::string ProblemText(const std::vector<SeriesKey>& series, bool panel,
                        const TargetSpec& target) {
  std::string text = ToString(series.front());
  if (panel) {
    std::string symbols;
    for (const SeriesKey& key : series) symbols += key.symbol + " ";
    text = ToString(SeriesKey{series.front().market, "panel", series.front().timeframe}) + " of " +
           Sha256(symbols);
  }
  return text + " " + target.ToJson().dump();
}

BacktestResult RunAccount(const BacktestSection& section, const BacktestAccount& account,
                          const BacktestInput& input, const std::optional<SignalConfig>& config) {
  if (section.kind == BacktestKind::kPanel) return RunPanel(section, account, input);
  RequireOneSymbol(section, input);
  if (section.kind == BacktestKind::kSignal) return RunSignal(section, account, input, config);
  return RunThreshold(section, account, input);
}

GridResult RunGrid(const BacktestSection& section, const BacktestAccount& account,
                   const BacktestInput& input) {
  RequireOneSymbol(section, input);
  const SignalSection& signal = section.signal;
  if (signal.sizing.sizing == Sizing::kKelly && signal.probability) {
    throw Error(ErrorCode::kUsage, "backtest.grid",
                "Kelly sizes on probabilities depend on the stop that the grid varies",
                "use another sizing with a grid");
  }
  GridResult result;
  std::vector<Ensemble> ensembles = signal.grid->ensembles;
  if (ensembles.empty() && signal.ensemble) ensembles = {*signal.ensemble};
  result.table = BuildTable(signal, account, input, ensembles);
  result.configs = ConfigsOf(signal);
  const Timeframe mark = input.bars.front()->key.timeframe;
  const SignalExecution execution =
      NarrowTo(result.table, mark, ExecutionOf(signal, result.table, input));
  result.sweep = SweepSignals(ExecutionBarsOf(input), result.table, result.configs, execution);
  result.judged = JudgeSweep(result.sweep, PeriodsPerYear(mark, input.year), input.judging);
  return result;
}

std::string ConfigText(const SignalTable& table, const SignalConfig& config) {
  return Json{{"signal", table.signals[config.rule.signal].name},
              {"threshold", config.rule.long_above},
              {"stop_loss", config.trade.stop_loss},
              {"take_profit", config.trade.take_profit},
              {"trailing_stop", config.trade.trailing_stop},
              {"max_hold", config.trade.max_hold}}
      .dump();
}

}  // namespace almanac
