// almanac backtest RECIPE --forecasts FORECASTS: a recipe's backtest over forecasts that exist.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "almanac/base/error.h"
#include "almanac/base/hash.h"
#include "almanac/base/text.h"
#include "almanac/cli/command.h"
#include "almanac/cli/data_commands.h"
#include "almanac/cli/recipe_flags.h"
#include "almanac/lake/candle_store.h"
#include "almanac/pipeline/backtest_run.h"
#include "almanac/pipeline/forecast_files.h"
#include "almanac/pipeline/recipe.h"
#include "almanac/registry/registry.h"

namespace almanac {
namespace {

struct BacktestFlags {
  RecipeFlags recipe;
  std::string forecasts;
  std::string part = "test";
  std::string from, to;
};

// The forecasts that are judged, those that a grid is chosen on, and what was left out.
struct Judged {
  ForecastTable rows, before;
  TimeMs from = kMinTime;  // of the test part; kMinTime: other rows are judged
  std::string sentence;
};

std::string RowsSentence(const std::string& what, const ForecastTable& rows, size_t of) {
  const auto [first, last] = std::minmax_element(rows.made_at.begin(), rows.made_at.end());
  return fmt::format("judged: {}, {} of {} forecasts, made from {} to {}", what,
                     FormatCount(static_cast<int64_t>(rows.rows())),
                     FormatCount(static_cast<int64_t>(of)), FormatTime(*first), FormatTime(*last));
}

// Where the test part begins for each symbol: the source knows it, or the recipe names it.
std::map<std::string, TimeMs> TestFrom(const FoundForecasts& found, const Recipe& recipe) {
  std::map<std::string, TimeMs> from = found.test_from;
  if (!from.empty() || !recipe.split.parts.test_from) return from;
  for (const std::string& symbol : found.table.symbol) from[symbol] = *recipe.split.parts.test_from;
  return from;
}

Judged Choose(const FoundForecasts& found, const Recipe& recipe, const BacktestFlags& flags) {
  const std::map<std::string, TimeMs> test_from = TestFrom(found, recipe);
  const bool told = !flags.from.empty() || flags.part == "all";
  if (test_from.empty() && (!told || flags.part == "validation")) {
    throw Error(ErrorCode::kUsage, flags.forecasts,
                "which of its forecasts are of a test part is not known",
                "say it by --from TIME, by split.test_from in the recipe, or take --part all");
  }
  Judged judged;
  const bool by_time = test_from.empty() || flags.part == "all";
  const ForecastPart part = by_time                ? ForecastPart::kAll
                            : flags.part == "test" ? ForecastPart::kTest
                                                   : ForecastPart::kBeforeTest;
  judged.rows = RowsOfPart(found.table, test_from, part);
  if (part == ForecastPart::kTest) {
    judged.before = RowsOfPart(found.table, test_from, ForecastPart::kBeforeTest);
    judged.from = test_from.begin()->second;
    for (const auto& [symbol, from] : test_from) judged.from = std::min(judged.from, from);
  }
  const TimeMs from = flags.from.empty() ? kMinTime : ParseTimeFlag("--from", flags.from);
  const TimeMs to = flags.to.empty() ? kMaxTime : ParseTimeFlag("--to", flags.to);
  judged.rows = RowsBetween(judged.rows, from, to);
  if (judged.rows.rows() == 0) {
    throw Error(ErrorCode::kUsage, flags.forecasts,
                fmt::format("no forecasts of the {} part in that time", flags.part),
                "widen --from and --to, or name another --part");
  }
  judged.from = std::max(judged.from, from);
  judged.sentence =
      RowsSentence(by_time ? std::string("all parts") : fmt::format("the {} part", flags.part),
                   judged.rows, found.table.rows());
  return judged;
}

// What an account over the forecasts needs from the lake, one a symbol.
struct Bars {
  std::vector<CandleSeries> decision, execution;
  std::map<std::string, std::vector<FundingRate>> funding;
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
  const SignalSection& signal = recipe.backtest.signal;
  Bars bars;
  for (const std::string& symbol : SymbolsOf(table)) {
    SeriesKey key = {data.market, symbol, data.timeframe};
    bars.decision.push_back(store.Read(key, data.from, data.to));
    if (signal.funding.given()) bars.funding[symbol] = ReadFunding(signal.funding, symbol, home);
    if (!signal.timeframe && signal.market.empty()) continue;
    if (signal.timeframe) key.timeframe = *signal.timeframe;
    if (!signal.market.empty()) key.market = signal.market;
    bars.execution.push_back(store.Read(key, data.from, data.to));
  }
  return bars;
}

BacktestInput InputOf(const ForecastTable& rows, const Bars& bars, const Recipe& recipe) {
  BacktestInput input{rows, {}};
  for (const CandleSeries& one : bars.decision) input.bars.push_back(&one);
  for (const CandleSeries& one : bars.execution) input.execution_bars.push_back(&one);
  input.funding = bars.funding;
  input.horizon = HorizonOf(recipe.target);
  input.year = TradingYearOf(*recipe.data.calendar);
  input.judging.significance = recipe.evaluate.significance;
  input.bootstrap = recipe.evaluate.bootstrap;
  return input;
}

std::string HashOf(const ForecastTable& table) {
  Hasher hasher;
  for (size_t i = 0; i < table.rows(); ++i) {
    hasher.Add(fmt::format("{} {} {} {} {} {}", table.model[i], table.symbol[i], table.made_at[i],
                           table.horizon[i], table.price[i], table.value[i]));
    for (const ForecastTable::Extra& extra : table.extra) {
      hasher.Add(fmt::format("{} {}", extra.name, extra.values[i]));
    }
  }
  return hasher.Finish();
}

// Counts the accounts and the configurations of their grids among the trials of the problem.
class TrialCounter {
 public:
  TrialCounter(const Recipe& recipe, const ForecastTable& rows, const Bars& bars, const Home& home)
      : recipe_(recipe), registry_(home.registry()), hash_(HashOf(rows)) {
    std::vector<SeriesKey> keys;
    for (const CandleSeries& one : bars.decision) keys.push_back(one.key);
    problem_ = ProblemText(keys, recipe.data.panel, recipe.target);
    constexpr size_t kDigits = 12;
    RunRecord run;
    run.id = "backtest-" + hash_.substr(0, kDigits);
    run.recipe_name = recipe.name;
    run.recipe_hash = hash_;
    run.started = Now();
    registry_.BeginRun(run);
    run_ = run.id;
  }

  void Add(const BacktestAccount& account, const SharpeStatistics& sharpe, double total_return,
           const std::string& config = "") {
    TrialRecord trial;
    trial.key = {problem_, hash_,
                 Sha256(Json(account.models).dump() + recipe_.backtest.configuration + config)};
    trial.run_id = run_;
    trial.model = account.name;
    trial.sharpe = sharpe.ratio;
    trial.periods_per_year = sharpe.periods_per_year;
    trial.metrics_json = Json{{"total_return", total_return}}.dump();
    trial.recorded = Now();
    trials_.push_back(std::move(trial));
  }

  // Records what was added, and says how many there are.
  TrialSummary Finish() {
    registry_.RecordTrials(trials_);
    trials_.clear();
    registry_.FinishRun(run_, RunStatus::kDone, Now());
    return registry_.TrialsFor(problem_);
  }

 private:
  const Recipe& recipe_;
  Registry registry_;
  std::string hash_, problem_, run_;
  std::vector<TrialRecord> trials_;
};

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

bool HasForecastsOf(const BacktestAccount& account, const std::vector<std::string>& models) {
  return std::all_of(account.models.begin(), account.models.end(), [&](const std::string& model) {
    return std::find(models.begin(), models.end(), model) != models.end();
  });
}

// The best configuration of the recipe's grid on the rows before the test part.
std::optional<GridChoice> BestOfGrid(const Recipe& recipe, const BacktestAccount& account,
                                     const Judged& judged, const Bars& bars, TrialCounter& counter,
                                     const Invocation& invocation) {
  if (!recipe.backtest.signal.grid) return std::nullopt;
  if (judged.before.rows() == 0) {
    throw Error(ErrorCode::kUsage, "backtest.grid",
                "a grid is chosen on the validation part, and there is none before what is judged",
                "name forecasts that know their parts, such as a run, or leave the grid out");
  }
  const GridResult grid = RunGrid(recipe.backtest, account, InputOf(judged.before, bars, recipe));
  for (size_t c = 0; c < grid.configs.size(); ++c) {
    const JudgedConfig& config = grid.judged.configs[c];
    counter.Add(account, config.sharpe, config.total_return,
                ConfigText(grid.signals, grid.configs[c]));
  }
  invocation.Say(grid.judged.verdict);
  if (grid.selection) invocation.Say("on the validation part " + grid.selection->verdict);
  return grid.best();
}

int Run(const BacktestFlags& flags, Invocation& invocation) {
  const Home home = invocation.home();
  const Recipe recipe = LoadRecipe(flags.recipe.file, ToConfigOptions(flags.recipe), home);
  const FoundForecasts found = FindForecasts(flags.forecasts, home);
  if (!found.note.empty()) invocation.Say(found.note);
  const Judged judged = Choose(found, recipe, flags);
  invocation.Say(judged.sentence);
  const Bars bars = ReadBars(recipe, judged.rows, home);
  BacktestInput input = InputOf(judged.rows, bars, recipe);
  input.from = judged.from;

  Json document = Json::array();
  const std::vector<std::string> models = judged.rows.Models();
  for (const BacktestAccount& account : AccountsOf(recipe.backtest)) {
    if (!HasForecastsOf(account, models)) {
      invocation.Warn("left out " + account.name + ": the table has no forecasts of it");
      continue;
    }
    TrialCounter counter(recipe, judged.rows, bars, home);
    const auto choice = BestOfGrid(recipe, account, judged, bars, counter, invocation);
    // Once to know its ratio, then again beside all trials there have been.
    const BacktestRun alone = RunAccount(recipe.backtest, account, input, choice).strategy;
    counter.Add(account, alone.performance.sharpe, alone.performance.total_return);
    const TrialSummary trials = counter.Finish();
    BacktestInput counted = input;
    counted.judging.trials = trials.count;
    counted.judging.trial_annual_sharpes = trials.annual_sharpes;
    BacktestResult result = RunAccount(recipe.backtest, account, counted, choice);
    result.assumptions.insert(result.assumptions.begin(), judged.sentence + ".");
    document.push_back(ToJson(result));
    Say(result, invocation);
  }
  if (document.empty()) {
    throw Error(ErrorCode::kUsage, flags.forecasts,
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
  command
      ->add_option("--forecasts", flags->forecasts,
                   "A run (its name, its recipe's or a beginning), an artifact's folder or a "
                   "forecast table (Parquet)")
      ->required();
  command->add_option("--part", flags->part, "Which of its forecasts: test, validation or all")
      ->check(CLI::IsMember({"test", "validation", "all"}))
      ->capture_default_str();
  command->add_option("--from", flags->from, "Forecasts made from this time on (ISO 8601, UTC)");
  command->add_option("--to", flags->to, "Forecasts made before this time");
  command->callback([flags, &invocation] {
    invocation.action = [flags, &invocation] { return Run(*flags, invocation); };
  });
}

}  // namespace almanac
