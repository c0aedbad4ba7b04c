#include "almanac/pipeline/backtest_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
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

// One model's signals of a symbol, in order of made_at.
ModelSignal SignalOf(const SignalSection& section, const std::string& model,
                     const std::string& symbol, const BacktestInput& input) {
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
    const bool own = table.model[i] == model && table.symbol[i] == symbol;
    if (!own || table.horizon[i] != input.horizon || std::isnan(values[i])) continue;
    result.made_at.push_back(table.made_at[i]);
    result.target_time.push_back(table.target_time[i]);
    result.signal.push_back(values[i]);
  }
  if (result.made_at.empty()) {
    throw Error(ErrorCode::kBadData, "backtest",
                fmt::format("no forecasts of {} for {}", model, symbol),
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

// How the signals of several models are joined: a column for each ensemble of each number of the
// best models.
struct Joining {
  std::vector<Ensemble> ensembles;
  std::vector<size_t> best;
  std::vector<std::string> ranked;
};

Joining JoiningOf(const SignalSection& section, const BacktestAccount& account,
                  const std::vector<std::string>* ranked) {
  Joining joining;
  if (section.grid && ranked != nullptr) {
    joining = {section.grid->ensembles, section.grid->best, *ranked};
  }
  if (joining.ensembles.empty() && section.ensemble) joining.ensembles = {*section.ensemble};
  if (joining.best.empty()) {
    joining.best = {account.models.size()};
    joining.ranked = account.models;
  }
  return joining;
}

void AddEnsembles(const Joining& joining, const BacktestAccount& account, const char* what,
                  const std::vector<std::vector<double>>& columns, SignalTable& table) {
  for (const Ensemble ensemble : joining.ensembles) {
    for (const size_t best : joining.best) {
      std::vector<std::span<const double>> spans;
      for (size_t i = 0; i < best; ++i) {
        const auto model =
            std::find(account.models.begin(), account.models.end(), joining.ranked[i]);
        spans.emplace_back(columns[static_cast<size_t>(model - account.models.begin())]);
      }
      const std::string of = best == account.models.size()
                                 ? fmt::format("{}", best)
                                 : fmt::format("the best {} of {}", best, account.models.size());
      table.signals.push_back({fmt::format("the {} of {} of {} models", Name(ensemble), what, of),
                               JoinSignals(ensemble, spans)});
    }
  }
}

SignalTable BuildTable(const SignalSection& section, const BacktestAccount& account,
                       const CandleSeries& bars, const BacktestInput& input,
                       const Joining& joining) {
  std::vector<ModelSignal> models;
  for (const std::string& model : account.models) {
    models.push_back(SignalOf(section, model, bars.key.symbol, input));
  }
  SignalTable table;
  table.last_target = kMinTime;
  const auto columns = JoinByInstant(models, table);
  const char* what = section.probability ? "p_up - p_down" : "the forecast return";
  if (!section.ensemble) {
    table.signals.push_back({what, columns.front()});
  } else {
    AddEnsembles(joining, account, what, columns, table);
  }
  for (const SignalTable::Column& signal : table.signals) {
    SizingInput sizing{bars, table.made_at, signal.values};
    sizing.probability = section.probability;
    sizing.horizon = static_cast<double>(input.horizon);
    sizing.stop_loss = section.trade.stop_loss;
    sizing.take_profit = section.trade.take_profit;
    sizing.year = input.year;
    table.sizes.push_back({"size", Sizes(section.sizing, sizing)});
  }
  return table;
}

// The symbols of an account, each with its decisions, bars and funding. Its tables are borrowed by
// the legs: it is not moved once they are made.
class SignalLegs {
 public:
  SignalLegs(const SignalSection& section, const BacktestAccount& account,
             const BacktestInput& input, const Joining& joining) {
    tables_.reserve(input.bars.size());
    for (size_t i = 0; i < input.bars.size(); ++i) {
      const CandleSeries& bars = *input.bars[i];
      tables_.push_back(BuildTable(section, account, bars, input, joining));
      const CandleSeries& executed = input.execution_bars.empty() ? bars : *input.execution_bars[i];
      legs_.push_back({executed, tables_.back(), FundingOf(section, bars.key.symbol, input)});
    }
  }
  SignalLegs(const SignalLegs&) = delete;
  SignalLegs& operator=(const SignalLegs&) = delete;

  const std::vector<PortfolioLeg>& legs() const { return legs_; }
  std::vector<const SignalTable*> tables() const {
    std::vector<const SignalTable*> pointers;
    for (const SignalTable& table : tables_) pointers.push_back(&table);
    return pointers;
  }

 private:
  // Of the time that the symbol's forecasts span.
  std::vector<FundingRate> FundingOf(const SignalSection& section, const std::string& symbol,
                                     const BacktestInput& input) const {
    const TimeMs from = tables_.back().made_at.front(), to = tables_.back().last_target;
    if (section.funding_rate != 0) {
      return ConstantFunding(section.funding_rate, section.funding_every, from, to);
    }
    if (!section.funding.given()) return {};
    std::vector<FundingRate> rates = input.funding.at(symbol);
    RequireCover(rates, symbol, from, to);
    std::erase_if(rates,
                  [&](const FundingRate& rate) { return rate.time < from || rate.time >= to; });
    return rates;
  }

  std::vector<SignalTable> tables_;
  std::vector<PortfolioLeg> legs_;
};

void RequireOneSymbol(const BacktestSection& section, const BacktestInput& input) {
  if (input.bars.size() == 1) return;
  throw Error(ErrorCode::kUsage, fmt::format("backtest.kind {}", Name(section.kind)),
              fmt::format("{} symbols in one account", input.bars.size()),
              "kind: panel or signal trades many symbols");
}

BacktestResult RunSignal(const BacktestSection& section, const BacktestAccount& account,
                         const BacktestInput& input, const std::optional<GridChoice>& choice) {
  const SignalSection& signal = section.signal;
  SignalBacktestOptions options;
  options.name = account.name;
  options.config = choice ? choice->config : SignalConfig{signal.rule, signal.trade};
  const SignalLegs legs(signal, account, input,
                        JoiningOf(signal, account, choice ? &choice->ranked : nullptr));
  options.execution = signal.execution;
  options.execution.from = std::max(options.execution.from, input.from);
  options.mark = input.bars.front()->key.timeframe;
  options.year = input.year;
  options.judging = input.judging;
  options.description = {Describe(signal.sizing)};
  if (choice) {
    options.description.push_back(
        fmt::format("Thresholds and exits are the best of {} configurations on the validation "
                    "part; each of them counts as a trial.",
                    signal.grid->size()));
  }
  const PortfolioLeg& first = legs.legs().front();
  if (first.bars.key.market != input.bars.front()->key.market) {
    options.description.push_back(
        fmt::format("Forecasts are made on {} prices, orders are executed on {} prices.",
                    input.bars.front()->key.market, first.bars.key.market));
  }
  if (input.bars.size() > 1) {
    return RunSignalPortfolioBacktest(legs.legs(), options, signal.limits);
  }
  options.execution.funding = first.funding;
  return RunSignalBacktest(first.bars, first.table, options);
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
  const size_t signals =
      std::max<size_t>(1, grid.ensembles.size()) * std::max<size_t>(1, grid.best.size());
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

std::string ProblemText(const std::vector<SeriesKey>& series, bool panel, const AnyTarget& target) {
  std::string text = ToString(series.front());
  if (panel) {
    std::string symbols;
    for (const SeriesKey& key : series) symbols += key.symbol + " ";
    text = ToString(SeriesKey{series.front().market, "panel", series.front().timeframe}) + " of " +
           Sha256(symbols);
  }
  return text + " " + ToJson(target).dump();
}

BacktestResult RunAccount(const BacktestSection& section, const BacktestAccount& account,
                          const BacktestInput& input, const std::optional<GridChoice>& choice) {
  if (section.kind == BacktestKind::kPanel) return RunPanel(section, account, input);
  if (section.kind == BacktestKind::kSignal) return RunSignal(section, account, input, choice);
  RequireOneSymbol(section, input);
  return RunThreshold(section, account, input);
}

std::vector<std::string> RankByError(const std::vector<std::string>& models,
                                     const BacktestInput& input) {
  const ForecastTable& table = input.forecasts;
  const std::vector<double> forecast = table.Returns();
  std::map<std::string, std::pair<double, size_t>> squares;
  for (size_t row = 0; row < table.rows(); ++row) {
    const auto bars =
        std::find_if(input.bars.begin(), input.bars.end(),
                     [&](const CandleSeries* one) { return one->key.symbol == table.symbol[row]; });
    if (bars == input.bars.end() || table.horizon[row] != input.horizon) continue;
    const std::vector<TimeMs>& times = (*bars)->open_time;
    const TimeMs open_time = table.made_at[row] - (*bars)->key.timeframe.duration();
    const auto found = std::lower_bound(times.begin(), times.end(), open_time);
    const auto target = static_cast<size_t>(found - times.begin() + input.horizon);
    if (found == times.end() || *found != open_time || target >= times.size()) continue;
    const double actual = (*bars)->close[target] / table.price[row] - 1;
    auto& [sum, count] = squares[table.model[row]];
    sum += (forecast[row] - actual) * (forecast[row] - actual);
    ++count;
  }
  const auto error = [&](const std::string& model) {
    const auto found = squares.find(model);
    return found == squares.end() ? std::numeric_limits<double>::infinity()
                                  : found->second.first / static_cast<double>(found->second.second);
  };
  std::vector<std::string> ranked = models;
  std::stable_sort(ranked.begin(), ranked.end(),
                   [&](const std::string& a, const std::string& b) { return error(a) < error(b); });
  return ranked;
}

std::vector<std::string> ConfigNames(size_t count) {
  std::vector<std::string> names;
  for (size_t c = 0; c < count; ++c) names.push_back(fmt::format("configuration {}", c + 1));
  return names;
}

namespace {

std::optional<Selection> SelectFrom(const GridResult& grid, double periods_per_year,
                                    const BacktestInput& input) {
  constexpr size_t kFewestPeriods = 32;  // two for each of the blocks of the overfitting test
  const size_t count = grid.configs.size();
  const bool any_trades = !std::isnan(grid.judged.configs[grid.judged.best].sharpe.ratio);
  if (input.bootstrap.replicates == 0 || grid.sweep.marks() < kFewestPeriods || !any_trades ||
      count > kMostSelected) {
    return std::nullopt;
  }
  SeriesPanel returns(grid.sweep.marks());
  const std::vector<std::string> names = ConfigNames(count);
  for (size_t c = 0; c < count; ++c) returns.Add(names[c], grid.sweep.Returns(c));
  SelectionOptions options;
  options.bootstrap = input.bootstrap;
  options.periods_per_year = periods_per_year;
  options.trials = grid.judged.trials;
  options.significance = input.judging.significance;
  return JudgeSelection(returns, options);
}

}  // namespace

GridResult RunGrid(const BacktestSection& section, const BacktestAccount& account,
                   const BacktestInput& input) {
  const SignalSection& signal = section.signal;
  if (signal.sizing.sizing == Sizing::kKelly && signal.probability) {
    throw Error(ErrorCode::kUsage, "backtest.grid",
                "Kelly sizes on probabilities depend on the stop that the grid varies",
                "use another sizing with a grid");
  }
  GridResult result;
  result.ranked = signal.grid->best.empty() ? account.models : RankByError(account.models, input);
  const SignalLegs legs(signal, account, input, JoiningOf(signal, account, &result.ranked));
  const std::vector<PortfolioLeg>& all = legs.legs();
  result.configs = ConfigsOf(signal);
  const Timeframe mark = input.bars.front()->key.timeframe;
  SignalExecution execution = signal.execution;
  execution.from = std::max(execution.from, input.from);
  execution = NarrowTo(legs.tables(), mark, execution);
  if (all.size() > 1) {
    result.sweep = SweepSignalPortfolio(all, result.configs, execution, signal.limits);
  } else {
    execution.funding = all.front().funding;
    result.sweep = SweepSignals(all.front().bars, all.front().table, result.configs, execution);
  }
  for (const SignalTable::Column& column : all.front().table.signals) {
    result.signals.push_back(column.name);
  }
  const double periods = PeriodsPerYear(mark, input.year);
  result.judged = JudgeSweep(result.sweep, periods, input.judging);
  result.selection = SelectFrom(result, periods, input);
  return result;
}

std::string ConfigText(const std::vector<std::string>& signals, const SignalConfig& config) {
  return Json{
      {"signal", signals[config.rule.signal]},       {"threshold", config.rule.long_above},
      {"stop_loss", config.trade.stop_loss},         {"take_profit", config.trade.take_profit},
      {"trailing_stop", config.trade.trailing_stop}, {"max_hold", config.trade.max_hold}}
      .dump();
}

}  // namespace almanac
