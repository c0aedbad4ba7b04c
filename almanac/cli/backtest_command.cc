// almanac backtest RECIPE --forecasts FILE: a recipe's backtest over forecasts that exist.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/hash.h"
#include "almanac/cli/command.h"
#include "almanac/cli/recipe_flags.h"
#include "almanac/lake/candle_store.h"
#include "almanac/pipeline/backtest_run.h"
#include "almanac/pipeline/recipe.h"
#include "almanac/registry/registry.h"

namespace almanac {
namespace {

struct BacktestFlags {
  RecipeFlags recipe;
  std::filesystem::path forecasts;
};

// The bars that an account over the forecasts needs, from the lake.
struct Bars {
  std::vector<CandleSeries> decision;  // one a symbol
  std::optional<CandleSeries> execution;
};

std::vector<std::string> SymbolsOf(const ForecastTable& table) {
  std::vector<std::string> symbols = table.symbol;
  std::sort(symbols.begin(), symbols.end());
  symbols.erase(std::unique(symbols.begin(), symbols.end()), symbols.end());
  return symbols;
}

Bars ReadBars(const Recipe& recipe, const ForecastTable& table, const Home& home) {
  const CandleStore store(home);
  const DataSection& data = recipe.data;
  Bars bars;
  for (const std::string& symbol : SymbolsOf(table)) {
    bars.decision.push_back(store.Read({data.market, symbol, data.timeframe}, data.from, data.to));
  }
  const SignalSection& signal = recipe.backtest.signal;
  if (signal.timeframe || !signal.market.empty()) {
    SeriesKey key = bars.decision.front().key;
    if (signal.timeframe) key.timeframe = *signal.timeframe;
    if (!signal.market.empty()) key.market = signal.market;
    bars.execution = store.Read(key, data.from, data.to);
  }
  return bars;
}

// Counts the account among the trials of its problem, and says how many there are.
TrialSummary CountTrial(const Recipe& recipe, const BacktestAccount& account,
                        const BacktestFlags& flags, const BacktestResult& result,
                        const std::vector<CandleSeries>& bars, const Home& home) {
  Registry registry(home.registry());
  const std::string forecasts_hash = Sha256(ReadFile(flags.forecasts));
  constexpr size_t kDigits = 12;
  RunRecord run;
  run.id = "backtest-" + forecasts_hash.substr(0, kDigits);
  run.recipe_name = recipe.name;
  run.recipe_hash = forecasts_hash;
  run.started = Now();
  registry.BeginRun(run);
  std::vector<SeriesKey> keys;
  for (const CandleSeries& one : bars) keys.push_back(one.key);
  const SharpeStatistics& sharpe = result.strategy.performance.sharpe;
  TrialRecord trial;
  trial.key = {ProblemText(keys, recipe.data.panel, recipe.target), forecasts_hash,
               Sha256(Json(account.models).dump() + recipe.backtest.configuration)};
  trial.run_id = run.id;
  trial.model = account.name;
  trial.sharpe = sharpe.ratio;
  trial.periods_per_year = sharpe.periods_per_year;
  trial.metrics_json = Json{{"total_return", result.strategy.performance.total_return}}.dump();
  trial.recorded = Now();
  registry.RecordTrial(trial);
  registry.FinishRun(run.id, RunStatus::kDone, Now());
  return registry.TrialsFor(trial.key.problem);
}

std::string Percent(double fraction) { return fmt::format("{:.2f} %", 100 * fraction); }

void Say(const BacktestResult& result, const Invocation& invocation) {
  invocation.Say(result.verdict + "\n");
  TextTable table({"account", ">return", ">a year", ">Sharpe", ">p-value", ">drawdown", ">trades",
                   ">winners", ">costs"});
  for (const BacktestRun* run : {&result.strategy, &result.pessimistic, &result.buy_and_hold}) {
    const Performance& p = run->performance;
    table.AddRow({run->name, Percent(p.total_return), Percent(p.annual_return),
                  fmt::format("{:.2f}", p.sharpe.annual), fmt::format("{:.3f}", p.sharpe.p_value),
                  Percent(p.drawdown.depth), std::to_string(p.trades), Percent(p.hit_rate),
                  Percent(p.costs_share)});
  }
  invocation.Say(table.Render());
  for (const std::string& line : result.assumptions) invocation.Say("- " + line);
}

int Run(const BacktestFlags& flags, Invocation& invocation) {
  const Home home = invocation.home();
  const Recipe recipe = LoadRecipe(flags.recipe.file, ToConfigOptions(flags.recipe), home);
  if (recipe.backtest.signal.grid) {
    throw Error(ErrorCode::kUsage, "backtest.grid",
                "a grid is chosen on the validation part, which a forecast table does not name",
                "run the recipe, or leave the grid out");
  }
  const ForecastTable forecasts = ForecastTable::Load(flags.forecasts);
  const Bars bars = ReadBars(recipe, forecasts, home);
  BacktestInput input{forecasts, {}};
  for (const CandleSeries& one : bars.decision) input.bars.push_back(&one);
  if (bars.execution) input.execution_bars = &*bars.execution;
  input.horizon = recipe.target.horizon;
  input.year = TradingYearOf(*recipe.data.calendar);
  input.judging.significance = recipe.evaluate.significance;

  Json document = Json::array();
  const std::vector<std::string> models = forecasts.Models();
  for (const BacktestAccount& account : AccountsOf(recipe.backtest)) {
    const bool has_all =
        std::all_of(account.models.begin(), account.models.end(), [&](const std::string& model) {
          return std::find(models.begin(), models.end(), model) != models.end();
        });
    if (!has_all) {
      invocation.Warn("left out " + account.name + ": the table has no forecasts of it");
      continue;
    }
    // Once to know its ratio, then again beside all trials there have been.
    const BacktestResult alone = RunAccount(recipe.backtest, account, input);
    const TrialSummary trials = CountTrial(recipe, account, flags, alone, bars.decision, home);
    BacktestInput counted = input;
    counted.judging.trials = trials.count;
    counted.judging.trial_annual_sharpes = trials.annual_sharpes;
    const BacktestResult result = RunAccount(recipe.backtest, account, counted);
    document.push_back(ToJson(result));
    Say(result, invocation);
  }
  if (document.empty()) {
    throw Error(ErrorCode::kUsage, flags.forecasts.string(),
                "has forecasts of none of the models that the recipe trades",
                fmt::format("it has {}; set backtest.models", fmt::join(models, ", ")));
  }
  invocation.PrintJson(document);
  return 0;
}

}  // namespace

void RegisterBacktestCommand(CLI::App& app, Invocation& invocation) {
  const auto flags = std::make_shared<BacktestFlags>();
  CLI::App* command = app.add_subcommand(
      "backtest", "A recipe's backtest over forecasts that exist; counts as a trial");
  AddRecipeFlags(*command, flags->recipe);
  command->add_option("--forecasts", flags->forecasts, "The forecast table (forecasts.parquet)")
      ->required();
  command->callback([flags, &invocation] {
    invocation.action = [flags, &invocation] { return Run(*flags, invocation); };
  });
}

}  // namespace almanac
