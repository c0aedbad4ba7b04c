// What the stages evaluate and backtest make of the paths of combinatorial folds.
#include <algorithm>

#include "almanac/pipeline/paths.h"
#include "almanac/pipeline/stage_run.h"

namespace almanac {
namespace {

// The values of a figure on all paths so far.
PathFigure& FigureOf(std::vector<PathFigure>* figures, const std::string& name,
                     const std::string& figure, bool smaller_is_better) {
  const auto found = std::find_if(figures->begin(), figures->end(), [&](const PathFigure& known) {
    return known.name == name && known.figure == figure;
  });
  if (found != figures->end()) return *found;
  figures->push_back({name, figure, smaller_is_better, {}, {}});
  return figures->back();
}

void Add(std::vector<PathFigure>* figures, const std::string& name, const std::string& figure,
         bool smaller_is_better, double value, double naive) {
  PathFigure& known = FigureOf(figures, name, figure, smaller_is_better);
  known.values.push_back(value);
  known.naive.push_back(naive);
}

}  // namespace

const std::vector<ForecastTable>& StageRun::PathsOf(SymbolState& state, size_t model) const {
  state.paths.resize(recipe_.models.size());
  std::vector<ForecastTable>& paths = state.paths[model];
  if (!paths.empty() || !recipe_.split.repeats()) return paths;
  std::vector<ForecastTable> folds;
  for (const ArtifactKey& key : state.train[model]) {
    folds.push_back(ForecastTable::Load(FolderOf(key) / "forecasts.parquet"));
  }
  paths = PathTables(folds, SplitOf(state).folds, DataOf(state).times());
  return paths;
}

void StageRun::SavePathForecasts(SymbolState& state, const std::filesystem::path& folder) const {
  std::vector<ForecastTable> all;
  for (size_t m = 0; m < recipe_.models.size(); ++m) {
    const std::vector<ForecastTable>& paths = PathsOf(state, m);
    all.resize(std::max(all.size(), paths.size()));
    for (size_t p = 0; p < paths.size(); ++p) all[p].Append(paths[p]);
  }
  for (ForecastTable& path : all) path.Sort();
  SavePaths(folder / "paths.parquet", all);
}

void StageRun::AddClassPath(SymbolState& state, const ForecastTable& table) const {
  BootstrapOptions none = recipe_.evaluate.bootstrap;
  none.replicates = 0;
  const TableEvaluation judged = JudgeClasses(state, table, none);
  for (const ClassEvaluation& model : judged.horizons.front().classes) {
    Add(&state.forecast_paths, model.model, "log_loss", true, model.log_loss.model.value,
        model.log_loss.naive.value);
    Add(&state.forecast_paths, model.model, "brier", true, model.brier.model.value,
        model.brier.naive.value);
  }
}

void StageRun::AddValuePath(SymbolState& state, const ForecastTable& table) const {
  const std::vector<SymbolOutcome> outcomes = OutcomesOf(state);
  const std::string& naive = recipe_.models[recipe_.NaiveModel()].name;
  for (const ModelSection& model : recipe_.models) {
    if (model.kind == "naive") continue;
    const JudgedRows rows =
        JoinOutcomes(table, model.name, naive, HorizonOf(recipe_.target), outcomes);
    const std::vector<uint32_t> one_group(rows.rows(), 0);
    const std::string label = "path";
    const std::vector<GroupResult> whole =
        EvaluateGroups(rows.Sample(), one_group, std::span(&label, 1));
    for (const MetricResult& result : whole.front().metrics) {
      // No path has training rows of its own that mase could be scaled by.
      if (result.space == Space::kPrice || result.metric == Metric::kMase) continue;
      Add(&state.forecast_paths, model.name, std::string(Name(result.metric)),
          SmallerIsBetter(result.metric), result.model.value, result.naive.value);
    }
  }
}

const std::vector<PathFigure>& StageRun::ForecastPathsOf(SymbolState& state) const {
  if (!state.forecast_paths.empty() || !recipe_.split.repeats()) return state.forecast_paths;
  const size_t paths = PathsOf(state, 0).size();
  for (size_t p = 0; p < paths; ++p) {
    ForecastTable table;
    for (size_t m = 0; m < recipe_.models.size(); ++m) table.Append(PathsOf(state, m)[p]);
    table.Sort();
    if (!recipe_.classes().empty()) {
      AddClassPath(state, table);
    } else {
      AddValuePath(state, table);
    }
  }
  return state.forecast_paths;
}

const std::vector<PathFigure>& StageRun::AccountPathsOf(SymbolState& state) const {
  if (!state.account_paths.empty() || !recipe_.split.repeats()) return state.account_paths;
  for (const BacktestAccount& account : AccountsOf(recipe_.backtest)) {
    PathFigure sharpe{account.name, "annual_sharpe", false, {}, {}};
    PathFigure earned{account.name, "total_return", false, {}, {}};
    for (size_t p = 0; p < PathsOf(state, 0).size(); ++p) {
      ForecastTable table;
      for (size_t m = 0; m < recipe_.models.size(); ++m) {
        const std::string& name = recipe_.models[m].name;
        const bool traded =
            std::find(account.models.begin(), account.models.end(), name) != account.models.end();
        if (traded) table.Append(PathsOf(state, m)[p]);
      }
      table.Sort();
      BacktestInput input = InputOf(state, table);
      input.from = SplitOf(state).test_from;
      const Performance performance =
          RunAccount(recipe_.backtest, account, input).strategy.performance;
      sharpe.values.push_back(performance.sharpe.annual);
      earned.values.push_back(performance.total_return);
    }
    state.account_paths.push_back(std::move(sharpe));
    state.account_paths.push_back(std::move(earned));
  }
  return state.account_paths;
}

}  // namespace almanac
