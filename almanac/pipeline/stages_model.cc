// The stages from the dataset to judged models: train, trials, evaluate, backtest.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "almanac/base/error.h"
#include "almanac/base/file.h"
#include "almanac/base/hash.h"
#include "almanac/base/text.h"
#include "almanac/evaluate/breakdown.h"
#include "almanac/pipeline/stage_run.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

// The models that are traded, as positions in the recipe.
std::vector<size_t> TradedPositions(const Recipe& recipe) {
  std::vector<size_t> positions;
  for (size_t m = 0; m < recipe.models.size(); ++m) {
    const auto& names = recipe.backtest.models;
    if (std::find(names.begin(), names.end(), recipe.models[m].name) != names.end()) {
      positions.push_back(m);
    }
  }
  return positions;
}

std::string EquityCsv(const BacktestResult& result) {
  std::string text = "time,strategy,pessimistic,buy_and_hold\n";
  const Simulation& strategy = result.strategy.simulation;
  for (size_t i = 0; i < strategy.time.size(); ++i) {
    text += fmt::format("{},{},{},{}\n", FormatTime(strategy.time[i]), strategy.equity[i],
                        result.pessimistic.simulation.equity[i],
                        result.buy_and_hold.simulation.equity[i]);
  }
  return text;
}

}  // namespace

void StageRun::TrainStage(SymbolState& state) {
  for (const ModelSection& model : recipe_.models) {
    const Json configuration = {{"name", model.name},
                                {"model", Json::parse(model.configuration)},
                                {"target", recipe_.target.ToJson()}};
    ArtifactKey key = KeyOf("train", configuration.dump());
    key.inputs = {{"dataset", state.dataset.Hash()}, {"features", state.features.Hash()}};
    Make(key, model.name + " " + state.key.symbol, [&](const fs::path& folder) {
      const Dataset& data = DataOf(state);
      const DataSplit& split = SplitOf(state);
      const auto forecaster = recipe_.kinds.Make(model.config);
      const std::span<const uint32_t> validation = split.rows(Part::kValidation);
      const FitReport fit = forecaster->Fit({data, split.training(), validation});
      fs::create_directories(folder / "model");
      SaveForecaster(*forecaster, folder / "model");
      std::vector<uint32_t> rows(validation.begin(), validation.end());
      const std::span<const uint32_t> test = split.rows(Part::kTest);
      rows.insert(rows.end(), test.begin(), test.end());
      const ForecastTable table =
          MakeForecasts(model.name, *forecaster, data, rows, recipe_.target, state.candles);
      table.Save(folder / "forecasts.parquet");
      const Json training = {
          {"rows", fit.rows}, {"dropped", fit.dropped}, {"learnt", forecaster->Describe()}};
      WriteFileAtomic(folder / "training.json", training.dump(2) + "\n");
      return fmt::format("{} rows learnt, {} forecasts",
                         FormatCount(static_cast<int64_t>(fit.rows)),
                         FormatCount(static_cast<int64_t>(table.rows())));
    });
    state.train.push_back(std::move(key));
  }
}

TrialKey StageRun::TrialKeyOf(const SymbolState& state, const ModelSection& model) const {
  const BacktestSection& backtest = recipe_.backtest;
  const Json strategy = {{"threshold", backtest.strategy.threshold},
                         {"allow_short", backtest.strategy.allow_short},
                         {"decide_every", backtest.strategy.decide_every},
                         {"size", backtest.strategy.size},
                         {"fee_bps", backtest.execution.costs.fee_bps},
                         {"slippage_bps", backtest.execution.costs.slippage_bps},
                         {"delay_bars", backtest.execution.delay_bars}};
  TrialKey key;
  key.problem = ToString(state.key) + " " + recipe_.target.ToJson().dump();
  key.dataset = state.dataset.Hash();
  key.config = Sha256(model.configuration + strategy.dump());
  return key;
}

void StageRun::RecordTrial(SymbolState& state, size_t model, Registry& registry) {
  const ModelSection& section = recipe_.models[model];
  const BacktestResult result = BacktestOf(state, model, {1, {}});
  const SharpeStatistics& sharpe = result.strategy.performance.sharpe;
  TrialRecord record;
  record.key = TrialKeyOf(state, section);
  record.run_id = run_id_;
  record.model = section.name;
  record.baseline = section.baseline();
  record.sharpe = sharpe.ratio;
  record.periods_per_year = sharpe.periods_per_year;
  Json metrics = {{"total_return", result.strategy.performance.total_return}};
  for (const Evaluation& evaluation : EvaluationsOf(state)) {
    if (evaluation.model != section.name) continue;
    const MetricResult* mae = evaluation.Find(Space::kReturn, Metric::kMae);
    metrics["mae"] = mae->model.value;
    metrics["mae_naive"] = mae->naive.value;
    metrics["ic"] = evaluation.Find(Space::kReturn, Metric::kIc)->model.value;
  }
  record.metrics_json = metrics.dump();
  record.recorded = Now();
  registry.RecordTrial(record);
}

void StageRun::TrialsStage(SymbolState& state) {
  const std::vector<size_t> traded = TradedPositions(recipe_);
  if (options_.dry_run && !std::filesystem::exists(home_.registry())) {
    Note("trials", state.key.symbol, StageStatus::kToDo, "");
    return;
  }
  Registry registry(home_.registry());
  bool recorded = false;
  for (const size_t model : traded) {
    if (registry.FindTrial(TrialKeyOf(state, recipe_.models[model]))) continue;
    recorded = true;
    if (options_.dry_run) continue;
    EnsureRunBegun();
    RecordTrial(state, model, registry);
  }
  state.trials = registry.TrialsFor(TrialKeyOf(state, recipe_.models.front()).problem);
  // In order of size, so that the order of recording does not change the artifacts' names.
  std::sort(state.trials.annual_sharpes.begin(), state.trials.annual_sharpes.end());
  const StageStatus status = !recorded          ? StageStatus::kComplete
                             : options_.dry_run ? StageStatus::kToDo
                                                : StageStatus::kMade;
  Note("trials", state.key.symbol, status,
       fmt::format("{} trials of this problem so far", state.trials.count));
}

ForecastTable StageRun::TestForecastsOf(SymbolState& state, size_t model) const {
  const ForecastTable all = ForecastTable::Load(FolderOf(state.train[model]) / "forecasts.parquet");
  const TimeMs test_from = SplitOf(state).test_from();
  ForecastTable test;
  test.quantity = all.quantity;
  for (size_t i = 0; i < all.rows(); ++i) {
    if (all.made_at[i] < test_from) continue;
    test.Append({all.model[i], all.symbol[i], all.made_at[i], all.target_time[i], all.horizon[i],
                 all.price[i], all.value[i]});
  }
  return test;
}

const std::vector<JudgedRows>& StageRun::JudgedOf(SymbolState& state) const {
  if (!state.judged.empty()) return state.judged;
  const DataSplit& split = SplitOf(state);
  const SymbolOutcome outcome{&state.candles, &LabelsOf(state), recipe_.target.kind};
  const size_t naive = recipe_.NaiveModel();
  const ForecastTable naive_table = TestForecastsOf(state, naive);
  for (size_t m = 0; m < recipe_.models.size(); ++m) {
    ForecastTable table = naive_table;
    if (m != naive) table.Append(TestForecastsOf(state, m));
    table.Sort();
    JudgedRows rows = JoinOutcomes(table, recipe_.models[m].name, recipe_.models[naive].name,
                                   recipe_.target.horizon, {&outcome, 1});
    // Labels of the training part end before the next part, the embargo included.
    SetTrainingScale({&outcome, 1}, state.candles.KnownAt(0),
                     split.validation_from() - 1 - recipe_.split.embargo, rows);
    state.judged.push_back(std::move(rows));
  }
  return state.judged;
}

const std::vector<Evaluation>& StageRun::EvaluationsOf(SymbolState& state) const {
  if (!state.evaluations.empty()) return state.evaluations;
  for (size_t m = 0; m < recipe_.models.size(); ++m) {
    if (recipe_.models[m].kind == "naive") continue;
    EvaluateOptions options;
    options.model = recipe_.models[m].name;
    options.naive = recipe_.models[recipe_.NaiveModel()].name;
    options.bootstrap = recipe_.evaluate.bootstrap;
    options.significance = recipe_.evaluate.significance;
    state.evaluations.push_back(Evaluate(JudgedOf(state)[m].Sample(), options));
    AddBreakdowns(JudgedOf(state)[m], state.evaluations.back());
  }
  return state.evaluations;
}

const Comparison& StageRun::ComparisonOf(SymbolState& state) const {
  if (state.comparison) return *state.comparison;
  std::vector<NamedRows> models;
  for (size_t m = 0; m < recipe_.models.size(); ++m) {
    if (recipe_.models[m].kind == "naive") continue;
    models.push_back({recipe_.models[m].name, &JudgedOf(state)[m]});
  }
  state.comparison = CompareModels(models, recipe_.models[recipe_.NaiveModel()].name,
                                   recipe_.evaluate.bootstrap, recipe_.evaluate.significance);
  return *state.comparison;
}

void StageRun::EvaluateStage(SymbolState& state) {
  const BootstrapOptions& bootstrap = recipe_.evaluate.bootstrap;
  const Json configuration = {{"replicates", bootstrap.replicates},
                              {"confidence", bootstrap.confidence},
                              {"seed", bootstrap.seed},
                              {"block_length", bootstrap.block_length},
                              {"significance", recipe_.evaluate.significance}};
  state.evaluate = KeyOf("evaluate", configuration.dump());
  for (size_t m = 0; m < recipe_.models.size(); ++m) {
    state.evaluate.inputs.emplace_back(recipe_.models[m].name, state.train[m].Hash());
  }
  Make(state.evaluate, state.key.symbol, [&](const fs::path& folder) {
    Json document = Json::array();
    std::string result;
    for (const Evaluation& evaluation : EvaluationsOf(state)) {
      document.push_back(ToJson(evaluation));
      const MetricResult* mae = evaluation.Find(Space::kReturn, Metric::kMae);
      result += fmt::format("{}{} MAE {:.6f} (naive {:.6f})", result.empty() ? "" : ", ",
                            evaluation.model, mae->model.value, mae->naive.value);
    }
    WriteFileAtomic(folder / "evaluation.json", document.dump(2) + "\n");
    if (!document.empty()) {
      WriteFileAtomic(folder / "comparison.json", ToJson(ComparisonOf(state)).dump(2) + "\n");
    }
    return result;
  });
}

BacktestResult StageRun::BacktestOf(SymbolState& state, size_t model,
                                    const TrialSummary& trials) const {
  const ForecastTable forecasts = TestForecastsOf(state, model);
  const std::vector<double> returns = forecasts.Returns();
  BacktestOptions options;
  options.name = recipe_.models[model].name;
  options.strategy = recipe_.backtest.strategy;
  options.execution = recipe_.backtest.execution;
  options.execution.from = SplitOf(state).test_from();
  options.year = TradingYearOf(*recipe_.data.calendar);
  options.trials = trials.count;
  options.trial_annual_sharpes = trials.annual_sharpes;
  options.significance = recipe_.evaluate.significance;
  return RunBacktest(state.candles, {forecasts.made_at, forecasts.target_time, returns}, options);
}

const std::vector<BacktestResult>& StageRun::BacktestsOf(SymbolState& state) const {
  if (state.backtests.empty()) {
    for (const size_t model : TradedPositions(recipe_)) {
      state.backtests.push_back(BacktestOf(state, model, state.trials));
    }
  }
  return state.backtests;
}

void StageRun::BacktestStage(SymbolState& state) {
  Json configuration = {{"strategy", TrialKeyOf(state, recipe_.models.front()).config},
                        {"capital", recipe_.backtest.execution.capital},
                        {"significance", recipe_.evaluate.significance},
                        {"calendar", recipe_.data.calendar->name()},
                        {"trials", state.trials.count},
                        {"annual_sharpes", state.trials.annual_sharpes}};
  state.backtest = KeyOf("backtest", configuration.dump());
  for (const size_t model : TradedPositions(recipe_)) {
    state.backtest.inputs.emplace_back(recipe_.models[model].name, state.train[model].Hash());
  }
  Make(state.backtest, state.key.symbol, [&](const fs::path& folder) {
    Json document = Json::array();
    std::string summary;
    for (const BacktestResult& result : BacktestsOf(state)) {
      document.push_back(ToJson(result));
      WriteFileAtomic(folder / ("equity-" + result.strategy.name + ".csv"), EquityCsv(result));
      summary += fmt::format("{}{} {:+.2f} %, Sharpe {:.2f}", summary.empty() ? "" : ", ",
                             result.strategy.name, 100 * result.strategy.performance.total_return,
                             result.strategy.performance.sharpe.annual);
    }
    WriteFileAtomic(folder / "backtest.json", document.dump(2) + "\n");
    return summary.empty() ? std::string("no model is traded") : summary;
  });
}

}  // namespace almanac
