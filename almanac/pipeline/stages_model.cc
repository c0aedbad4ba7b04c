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
#include "almanac/forecast/baseline.h"
#include "almanac/pipeline/stage_run.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

size_t PositionOf(const Recipe& recipe, const std::string& model) {
  const auto found = std::find_if(recipe.models.begin(), recipe.models.end(),
                                  [&](const ModelSection& m) { return m.name == model; });
  return static_cast<size_t>(found - recipe.models.begin());
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

Json ToJson(const BootstrapOptions& bootstrap) {
  return {{"replicates", bootstrap.replicates},
          {"confidence", bootstrap.confidence},
          {"seed", bootstrap.seed},
          {"block_length", bootstrap.block_length}};
}

}  // namespace

std::string StageRun::Train(SymbolState& state, const ModelSection& model, size_t number,
                            const fs::path& work, const fs::path& folder) const {
  const Fold& fold = SplitOf(state).folds[number];
  const Dataset data = PrunedFor(state, number, DataOf(state));
  const auto forecaster = recipe_.kinds.Make(model.config);
  std::vector<Dataset> members;
  members.reserve(state.members.size());
  std::vector<const Dataset*> parts;
  for (SymbolState* member : state.members) {
    members.push_back(PrunedFor(state, number, DataOf(*member)));
    parts.push_back(&members.back());
  }
  const FitReport fit =
      forecaster->Fit({.data = data,
                       .training = fold.training,
                       .validation = fold.validation,
                       .parts = parts,
                       .origin = state.origin,
                       .work_folder = work,
                       .note = [&](std::string_view line) { progress_.Note(line); }});
  fs::create_directories(folder / "model");
  SaveForecaster(*forecaster, folder / "model");
  // Validation rows of one fold may be test rows of another.
  std::vector<uint32_t> rows;
  if (!recipe_.split.folds) rows = fold.validation;
  rows.insert(rows.end(), fold.test.begin(), fold.test.end());
  const ForecastTable table = Forecast(state, model.name, *forecaster, rows, number);
  table.Save(folder / "forecasts.parquet");
  const Json training = {
      {"rows", fit.rows}, {"dropped", fit.dropped}, {"learnt", forecaster->Describe()}};
  WriteFileAtomic(folder / "training.json", training.dump(2) + "\n");
  return fmt::format("{} rows learnt, {} forecasts", FormatCount(static_cast<int64_t>(fit.rows)),
                     FormatCount(static_cast<int64_t>(table.rows())));
}

void StageRun::TrainStage(SymbolState& state) {
  // How many folds there are is known once the rows are.
  if (options_.dry_run && recipe_.split.folds && !store_.IsComplete(state.features)) {
    Note("train", state.key.symbol, StageStatus::kUnknown, "");
    state.train.resize(recipe_.models.size());
    return;
  }
  const size_t folds = recipe_.split.folds ? SplitOf(state).folds.size() : 1;
  for (const ModelSection& model : recipe_.models) {
    std::vector<ArtifactKey>& keys = state.train.emplace_back();
    for (size_t f = 0; f < folds; ++f) {
      Json configuration = {{"name", model.name},
                            {"model", Json::parse(model.configuration)},
                            {"target", ToJson(recipe_.target)}};
      std::string detail = model.name + " ";
      if (recipe_.split.folds) {
        configuration["fold"] = f;
        detail += fmt::format("fold {}/{} ", f + 1, folds);
      }
      ArtifactKey key = KeyOf("train", configuration.dump());
      key.inputs = {{"dataset", state.dataset.Hash()}};
      if (state.members.empty()) key.inputs.emplace_back("features", state.features.Hash());
      const fs::path work = home_.temporary() / "training" / key.Hash();
      Make(key, detail + state.key.symbol,
           [&](const fs::path& folder) { return Train(state, model, f, work, folder); });
      if (!options_.dry_run) fs::remove_all(work);
      keys.push_back(std::move(key));
    }
  }
}

ForecastTable StageRun::Forecast(SymbolState& state, const std::string& model,
                                 const Forecaster& forecaster, std::span<const uint32_t> rows,
                                 size_t fold) const {
  if (state.members.empty()) {
    const Dataset data = PrunedFor(state, fold, DataOf(state));
    return MakeForecasts(model, forecaster, data, rows, recipe_.target, state.candles);
  }
  std::vector<std::vector<uint32_t>> rows_of(state.members.size());
  for (const uint32_t row : rows) {
    rows_of[state.origin[row].part].push_back(state.origin[row].row);
  }
  ForecastTable table;
  table.quantity = QuantityOf(recipe_.target);
  for (size_t m = 0; m < state.members.size(); ++m) {
    SymbolState& member = *state.members[m];
    if (rows_of[m].empty()) continue;
    const Dataset data = PrunedFor(state, fold, DataOf(member));
    table.Append(
        MakeForecasts(model, forecaster, data, rows_of[m], recipe_.target, member.candles));
  }
  table.Sort();
  return table;
}

std::string StageRun::ProblemOf(const SymbolState& state) const {
  std::vector<SeriesKey> keys;
  for (const SymbolState* member : state.members) keys.push_back(member->key);
  if (keys.empty()) keys.push_back(state.key);
  return ProblemText(keys, !state.members.empty(), recipe_.target);
}

// `config` tells the configurations of a grid apart; empty: the account that is traded.
TrialKey StageRun::TrialKeyOf(const SymbolState& state, const BacktestAccount& account,
                              const std::string& config) const {
  std::string models;
  for (const std::string& model : account.models) {
    models += recipe_.models[PositionOf(recipe_, model)].configuration;
  }
  TrialKey key;
  key.problem = ProblemOf(state);
  key.dataset = state.content;
  key.config = Sha256(models + recipe_.backtest.configuration + config);
  return key;
}

// By the data's bytes: a newer version of the program that makes the same tries nothing new. Empty
// in a plan whose data are still to be made.
std::string StageRun::ContentOf(const SymbolState& state) const {
  std::vector<ArtifactKey> keys = {state.dataset};
  if (state.members.empty()) keys.push_back(state.features);
  for (const SymbolState* member : state.members) keys.push_back(member->features);
  std::string content;
  for (const ArtifactKey& key : keys) {
    if (options_.dry_run && !store_.IsComplete(key)) return "";
    content += store_.ContentHash(key);
  }
  return Sha256(content);
}

// What a trial's figures come from; those of an older version are replaced.
std::string StageRun::FiguresOf(const SymbolState& state) const {
  return Sha256(state.evaluate.Hash() + KeyOf("backtest", "").code_version);
}

// The account's trial and, where it was chosen from a grid, one for each of the grid.
void StageRun::RecordTrials(SymbolState& state, size_t account, Registry& registry) {
  const BacktestAccount section = AccountsOf(recipe_.backtest)[account];
  std::vector<TrialRecord> trials;
  const auto add = [&](TrialKey key, const SharpeStatistics& sharpe, const Json& metrics) {
    TrialRecord record;
    record.key = std::move(key);
    record.run_id = run_id_;
    record.model = section.name;
    record.baseline = section.models.size() == 1 &&
                      recipe_.models[PositionOf(recipe_, section.models.front())].baseline();
    record.sharpe = sharpe.ratio;
    record.periods_per_year = sharpe.periods_per_year;
    record.metrics_json = metrics.dump();
    record.recorded = Now();
    trials.push_back(std::move(record));
  };
  if (recipe_.backtest.signal.grid) {
    const GridResult& grid = GridsOf(state)[account];
    for (size_t c = 0; c < grid.configs.size(); ++c) {
      const std::string text = ConfigText(grid.signals, grid.configs[c]);
      const JudgedConfig& judged = grid.judged.configs[c];
      add(TrialKeyOf(state, section, text), judged.sharpe,
          {{"part", "validation"}, {"total_return", judged.total_return}});
    }
  }
  const BacktestResult result = BacktestOf(state, account, {1, {}});
  Json metrics = {{"total_return", result.strategy.performance.total_return},
                  {"figures", FiguresOf(state)}};
  for (const Evaluation& evaluation : EvaluationsOf(state)) {
    if (evaluation.model != section.name) continue;
    const MetricResult* mae = evaluation.Find(evaluation.space, Metric::kMae);
    metrics["mae"] = mae->model.value;
    metrics["mae_naive"] = mae->naive.value;
    metrics["ic"] = evaluation.Find(evaluation.space, Metric::kIc)->model.value;
  }
  if (!recipe_.classes().empty()) {
    for (const ClassEvaluation& classes : ClassesOf(state).horizons.front().classes) {
      if (classes.model != section.name) continue;
      metrics["log_loss"] = classes.log_loss.model.value;
      metrics["log_loss_naive"] = classes.log_loss.naive.value;
    }
  }
  // Last: its presence says that all of them are recorded.
  add(TrialKeyOf(state, section), result.strategy.performance.sharpe, metrics);
  registry.RecordTrials(trials);
}

bool StageRun::IsRecorded(const SymbolState& state, const BacktestAccount& account,
                          const Registry& registry) const {
  if (state.content.empty()) return false;
  const std::optional<TrialRecord> trial = registry.FindTrial(TrialKeyOf(state, account));
  return trial && Json::parse(trial->metrics_json).value("figures", "") == FiguresOf(state);
}

void StageRun::TrialsStage(SymbolState& state) {
  const std::vector<BacktestAccount> accounts = AccountsOf(recipe_.backtest);
  if (options_.dry_run && !std::filesystem::exists(home_.registry())) {
    Note("trials", state.key.symbol, StageStatus::kToDo, "");
    return;
  }
  Registry registry(home_.registry());
  state.content = ContentOf(state);
  bool recorded = false;
  for (size_t account = 0; account < accounts.size(); ++account) {
    if (IsRecorded(state, accounts[account], registry)) continue;
    recorded = true;
    if (options_.dry_run) continue;
    EnsureRunBegun();
    RecordTrials(state, account, registry);
  }
  state.trials = registry.TrialsFor(ProblemOf(state));
  // In order of size, so that the order of recording does not change the artifacts' names.
  std::sort(state.trials.annual_sharpes.begin(), state.trials.annual_sharpes.end());
  const StageStatus status = !recorded          ? StageStatus::kComplete
                             : options_.dry_run ? StageStatus::kToDo
                                                : StageStatus::kMade;
  Note("trials", state.key.symbol, status,
       fmt::format("{} trials of this problem so far", state.trials.count));
}

ForecastTable StageRun::ForecastsOf(SymbolState& state, size_t model, Part part) const {
  ForecastTable all;
  for (const ArtifactKey& key : state.train[model]) {
    all.Append(ForecastTable::Load(FolderOf(key) / "forecasts.parquet"));
  }
  if (recipe_.split.repeats()) return MeanOfRepeats(std::move(all));
  if (recipe_.split.folds) {
    all.Sort();
    return all;
  }
  const TimeMs test_from = SplitOf(state).test_from;
  return all.Where(
      [&](size_t row) { return (all.made_at[row] >= test_from) == (part == Part::kTest); });
}

std::vector<SymbolOutcome> StageRun::OutcomesOf(SymbolState& state) const {
  std::vector<SymbolOutcome> outcomes;
  const auto add = [&](SymbolState& symbol) {
    outcomes.push_back({&symbol.candles, &LabelsOf(symbol), QuantityOf(recipe_.target)});
  };
  if (state.members.empty()) add(state);
  for (SymbolState* member : state.members) add(*member);
  return outcomes;
}

const std::vector<JudgedRows>& StageRun::JudgedOf(SymbolState& state) const {
  if (!state.judged.empty()) return state.judged;
  const std::vector<SymbolOutcome> outcomes = OutcomesOf(state);
  TimeMs first_known = kMaxTime;
  for (const SymbolOutcome& outcome : outcomes) {
    first_known = std::min(first_known, outcome.series->KnownAt(0));
  }
  const size_t naive = recipe_.NaiveModel();
  const ForecastTable naive_table = TestForecastsOf(state, naive);
  for (size_t m = 0; m < recipe_.models.size(); ++m) {
    ForecastTable table = naive_table;
    if (m != naive) table.Append(TestForecastsOf(state, m));
    table.Sort();
    JudgedRows rows = JoinOutcomes(table, recipe_.models[m].name, recipe_.models[naive].name,
                                   HorizonOf(recipe_.target), outcomes);
    SetTrainingScale(outcomes, first_known, SplitOf(state).known_by, rows);
    state.judged.push_back(std::move(rows));
  }
  return state.judged;
}

const std::vector<Evaluation>& StageRun::EvaluationsOf(SymbolState& state) const {
  if (!state.evaluations.empty() || !recipe_.classes().empty()) return state.evaluations;
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

// The same rows for every model, the naive one's frequencies beside them.
TableEvaluation StageRun::JudgeClasses(SymbolState& state, const ForecastTable& table,
                                       const BootstrapOptions& bootstrap) const {
  const Dataset& data = DataOf(state);
  const RunSplit& split = SplitOf(state);
  const auto learnt =
      split.known_by == kMaxTime ? data.label_rows() : split.folds.front().training.rows();
  std::vector<uint32_t> outcomes;
  for (const uint32_t row : learnt) {
    if (!std::isnan(data.target()[row]))
      outcomes.push_back(static_cast<uint32_t>(data.target()[row]));
  }
  TableOptions options;
  options.naive = recipe_.models[recipe_.NaiveModel()].name;
  options.bootstrap = bootstrap;
  options.significance = recipe_.evaluate.significance;
  options.class_target = recipe_.target;
  options.naive_frequencies = NaiveFrequencies(outcomes, recipe_.classes().size());
  return EvaluateTable(table, BarsOf(state), options);
}

const TableEvaluation& StageRun::ClassesOf(SymbolState& state) const {
  if (state.classes) return *state.classes;
  ForecastTable table;
  for (size_t m = 0; m < recipe_.models.size(); ++m) table.Append(TestForecastsOf(state, m));
  table.Sort();
  state.classes = JudgeClasses(state, table, recipe_.evaluate.bootstrap);
  return *state.classes;
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

const std::vector<ModelRanking>& StageRun::RankingsOf(SymbolState& state) const {
  if (state.rankings) return *state.rankings;
  state.rankings.emplace();
  if (!recipe_.classes().empty()) return *state.rankings;
  for (size_t m = 0; m < recipe_.models.size() && !state.members.empty(); ++m) {
    if (recipe_.models[m].kind == "naive") continue;
    auto ranking =
        RankSymbols(recipe_.models[m].name, JudgedOf(state)[m], recipe_.evaluate.cross_section);
    if (ranking) state.rankings->push_back(std::move(*ranking));
  }
  return *state.rankings;
}

void StageRun::EvaluateStage(SymbolState& state) {
  Json configuration = ToJson(recipe_.evaluate.bootstrap);
  configuration["significance"] = recipe_.evaluate.significance;
  configuration["buckets"] = recipe_.evaluate.cross_section.buckets;
  state.evaluate = KeyOf("evaluate", configuration.dump());
  for (size_t m = 0; m < recipe_.models.size(); ++m) {
    for (const ArtifactKey& key : state.train[m]) {
      state.evaluate.inputs.emplace_back(recipe_.models[m].name, key.Hash());
    }
  }
  Make(state.evaluate, state.key.symbol, [&](const fs::path& folder) {
    std::string result;
    if (recipe_.split.repeats()) {
      SavePathForecasts(state, folder);
      WriteFileAtomic(folder / "paths.json", ToJson(ForecastPathsOf(state)).dump(2) + "\n");
    }
    if (!recipe_.classes().empty()) {
      const TableEvaluation& classes = ClassesOf(state);
      WriteFileAtomic(folder / "evaluation.json", ToJson(classes).dump(2) + "\n");
      for (const ClassEvaluation& model : classes.horizons.front().classes) {
        result += fmt::format("{}{} log loss {:.4f} (naive {:.4f})", result.empty() ? "" : ", ",
                              model.model, model.log_loss.model.value, model.log_loss.naive.value);
      }
      return result;
    }
    Json document = Json::array();
    for (const Evaluation& evaluation : EvaluationsOf(state)) {
      document.push_back(ToJson(evaluation));
      const MetricResult* mae = evaluation.Find(evaluation.space, Metric::kMae);
      result += fmt::format("{}{} MAE {:.6f} (naive {:.6f})", result.empty() ? "" : ", ",
                            evaluation.model, mae->model.value, mae->naive.value);
    }
    WriteFileAtomic(folder / "evaluation.json", document.dump(2) + "\n");
    if (!document.empty()) {
      WriteFileAtomic(folder / "comparison.json", ToJson(ComparisonOf(state)).dump(2) + "\n");
    }
    if (!RankingsOf(state).empty()) {
      WriteFileAtomic(folder / "cross_section.json", ToJson(RankingsOf(state)).dump(2) + "\n");
    }
    return result;
  });
}

ForecastTable StageRun::AccountForecastsOf(SymbolState& state, const BacktestAccount& account,
                                           Part part) const {
  ForecastTable table = ForecastsOf(state, PositionOf(recipe_, account.models.front()), part);
  for (size_t m = 1; m < account.models.size(); ++m) {
    table.Append(ForecastsOf(state, PositionOf(recipe_, account.models[m]), part));
  }
  return table;
}

BacktestInput StageRun::InputOf(SymbolState& state, const ForecastTable& forecasts) const {
  BacktestInput input{forecasts, {}};
  const auto add = [&](const SymbolState& symbol) {
    input.bars.push_back(&symbol.candles);
    if (symbol.execution_candles) input.execution_bars.push_back(&*symbol.execution_candles);
    if (!symbol.funding.empty()) input.funding[symbol.key.symbol] = symbol.funding;
  };
  if (state.members.empty()) add(state);
  for (const SymbolState* member : state.members) add(*member);
  input.horizon = HorizonOf(recipe_.target);
  input.year = TradingYearOf(*recipe_.data.calendar);
  input.judging.significance = recipe_.evaluate.significance;
  input.bootstrap = recipe_.evaluate.bootstrap;
  return input;
}

const std::vector<GridResult>& StageRun::GridsOf(SymbolState& state) const {
  if (!state.grids.empty()) return state.grids;
  for (const BacktestAccount& account : AccountsOf(recipe_.backtest)) {
    const ForecastTable forecasts = AccountForecastsOf(state, account, Part::kValidation);
    if (forecasts.rows() == 0) {
      throw Error(ErrorCode::kUsage, "backtest.grid", "there is no validation part to choose on",
                  "give the split one");
    }
    state.grids.push_back(RunGrid(recipe_.backtest, account, InputOf(state, forecasts)));
  }
  return state.grids;
}

BacktestResult StageRun::BacktestOf(SymbolState& state, size_t account,
                                    const TrialSummary& trials) const {
  const BacktestAccount traded = AccountsOf(recipe_.backtest)[account];
  const ForecastTable forecasts = AccountForecastsOf(state, traded, Part::kTest);
  BacktestInput input = InputOf(state, forecasts);
  input.from = SplitOf(state).test_from;
  input.judging.trials = trials.count;
  input.judging.trial_annual_sharpes = trials.annual_sharpes;
  std::optional<GridChoice> choice;
  if (recipe_.backtest.signal.grid) choice = GridsOf(state)[account].best();
  return RunAccount(recipe_.backtest, traded, input, choice);
}

const std::vector<BacktestResult>& StageRun::BacktestsOf(SymbolState& state) const {
  if (state.backtests.empty()) {
    const size_t accounts = AccountsOf(recipe_.backtest).size();
    for (size_t account = 0; account < accounts; ++account) {
      state.backtests.push_back(BacktestOf(state, account, state.trials));
    }
  }
  return state.backtests;
}

void StageRun::BacktestStage(SymbolState& state) {
  const std::vector<BacktestAccount> accounts = AccountsOf(recipe_.backtest);
  Json configuration = {{"strategy", recipe_.backtest.configuration},
                        {"capital", recipe_.backtest.capital},
                        {"significance", recipe_.evaluate.significance},
                        {"calendar", recipe_.data.calendar->name()},
                        {"trials", state.trials.count},
                        {"annual_sharpes", state.trials.annual_sharpes}};
  if (recipe_.backtest.signal.grid) {
    configuration["grid"] = recipe_.backtest.grid_text;
    configuration["bootstrap"] = ToJson(recipe_.evaluate.bootstrap);
  }
  state.backtest = KeyOf("backtest", configuration.dump());
  for (const BacktestAccount& account : accounts) {
    for (const std::string& model : account.models) {
      for (const ArtifactKey& key : state.train[PositionOf(recipe_, model)]) {
        state.backtest.inputs.emplace_back(model, key.Hash());
      }
    }
  }
  const auto add_execution = [&](const SymbolState& symbol, const std::string& suffix) {
    if (symbol.execution_hash.empty()) return;
    state.backtest.inputs.emplace_back("execution" + suffix, symbol.execution_hash);
  };
  add_execution(state, "");
  for (const SymbolState* member : state.members) add_execution(*member, " " + member->key.symbol);
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
    if (recipe_.split.repeats()) {
      WriteFileAtomic(folder / "paths.json", ToJson(AccountPathsOf(state)).dump(2) + "\n");
    }
    if (recipe_.backtest.signal.grid) {
      for (size_t account = 0; account < accounts.size(); ++account) {
        const GridResult& grid = GridsOf(state)[account];
        WriteFileAtomic(folder / ("grid-" + accounts[account].name + ".csv"),
                        SweepCsv(grid.signals, grid.configs, grid.sweep, grid.judged));
        summary += "; " + grid.judged.verdict;
        if (!grid.selection) continue;
        const Json selection = ToJson(*grid.selection, ConfigNames(grid.configs.size()));
        WriteFileAtomic(folder / ("selection-" + accounts[account].name + ".json"),
                        selection.dump(2) + "\n");
      }
    }
    return summary.empty() ? std::string("no model is traded") : summary;
  });
}

}  // namespace almanac
