// What the stages of one run share: the recipe, the artifact store, what was read and computed so
// far, and the list of what happened. Inside this room.
#ifndef ALMANAC_PIPELINE_STAGE_RUN_H_
#define ALMANAC_PIPELINE_STAGE_RUN_H_

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "almanac/backtest/backtest.h"
#include "almanac/dataset/dataset.h"
#include "almanac/evaluate/comparison.h"
#include "almanac/evaluate/judged_rows.h"
#include "almanac/evaluate/metrics.h"
#include "almanac/evaluate/table_evaluation.h"
#include "almanac/forecast/table.h"
#include "almanac/lake/candle_store.h"
#include "almanac/market/audit.h"
#include "almanac/pipeline/artifact.h"
#include "almanac/pipeline/backtest_run.h"
#include "almanac/pipeline/paths.h"
#include "almanac/pipeline/pipeline.h"
#include "almanac/pipeline/trained_forecasts.h"
#include "almanac/registry/registry.h"
#include "almanac/report/report.h"

namespace almanac {

// One symbol's way through the stages, or a panel's from the dataset on. What is not set has not
// been needed yet: a run that finds everything complete computes nothing.
struct SymbolState {
  SeriesKey key;
  std::string candles_hash;
  CandleSeries candles;  // after filling
  size_t filled = 0;
  // Of a panel: its symbols, in order. Empty: the symbol itself.
  std::vector<SymbolState*> members;
  std::optional<CandleSeries> execution_candles;  // that a signal backtest is executed on
  std::vector<FundingRate> funding;  // of a signal backtest, where the recipe names a series
  std::string execution_hash;        // of both
  ArtifactKey audit, features, dataset;
  std::vector<std::vector<ArtifactKey>> train;  // by model, in the recipe's order, and fold
  std::string content;                          // a hash of the trials' data
  TrialSummary trials;
  ArtifactKey evaluate, backtest, report;

  std::optional<SeriesAudit> audit_result;
  std::optional<Labels> labels;
  std::shared_ptr<const Dataset> data;
  std::optional<RunSplit> split;
  std::vector<std::vector<size_t>> kept;  // the columns that pruning left, a list a fold
  std::vector<JudgedRows> judged;
  std::vector<Evaluation> evaluations;                // one a model but the naive one
  std::optional<TableEvaluation> classes;             // of a target of classes, instead
  std::optional<Comparison> comparison;               // of the same models
  std::optional<std::vector<ModelRanking>> rankings;  // of a panel: of the same models
  std::vector<BacktestResult> backtests;              // one an account
  std::vector<Dataset::Origin> origin;                // of a panel's rows
  std::vector<GridResult> grids;                      // one an account, where the recipe has a grid
  // Of combinatorial folds.
  std::vector<std::vector<ForecastTable>> paths;  // by model, a table a path
  std::vector<PathFigure> forecast_paths, account_paths;
};

class StageRun {
 public:
  StageRun(const Recipe& recipe, const Home& home, const RunOptions& options, Progress& progress);

  RunResult Run();
  // See ForecastTestPart; the stages up to train are complete.
  TrainedForecasts ForecastTest(const std::string& model, const LoadModel& load);

 private:
  // Whether `stage` is to be made again although complete: it was named by --force, or a stage that
  // it depends on was.
  bool IsForced(std::string_view stage) const;
  // Makes the artifact unless it is complete; keeps the report. `write` returns the result line.
  using Write = std::function<std::string(const std::filesystem::path& folder)>;
  void Make(const ArtifactKey& key, const std::string& detail, const Write& write);
  // A stage of many symbols shows its progress as one step.
  void ForEachSymbol(void (StageRun::*step)(SymbolState&));
  std::filesystem::path FolderOf(const ArtifactKey& key) const { return store_.FolderOf(key); }
  ArtifactKey KeyOf(std::string_view stage, std::string configuration) const;
  void Note(std::string_view stage, const std::string& detail, StageStatus status,
            const std::string& result);
  void EnsureRunBegun();

  void FindSymbols();
  // The stages, for all symbols each.
  void Collect();
  void ReadCandles();
  void ReadExecutionCandles(SymbolState& state);
  void AuditStage(SymbolState& state);
  void FeaturesStage(SymbolState& state);
  // The rows that the features of a target at events are needed in; none: all of them, as where a
  // model looks back.
  std::optional<std::vector<TimeMs>> FeatureTimes(const SymbolState& state) const;
  std::string MakeFeatures(const SymbolState& state, const std::filesystem::path& folder) const;
  void DatasetStage(SymbolState& state);
  void TrainStage(SymbolState& state);
  // `work`: where a fit keeps what it needs to go on after a stop.
  std::string Train(SymbolState& state, const ModelSection& model, size_t fold,
                    const std::filesystem::path& work, const std::filesystem::path& folder) const;
  void TrialsStage(SymbolState& state);
  void EvaluateStage(SymbolState& state);
  void BacktestStage(SymbolState& state);
  void ReportStage(SymbolState& state);

  // Things that several stages need, computed on first use.
  const SeriesAudit& AuditOf(SymbolState& state) const;
  const Labels& LabelsOf(SymbolState& state) const;
  const Dataset& DataOf(SymbolState& state) const;
  const RunSplit& SplitOf(SymbolState& state) const;
  // What models of a fold learn from and forecast: a dataset of this run with the columns that
  // pruning on the fold's training rows left, or with all.
  Dataset PrunedFor(SymbolState& state, size_t fold, const Dataset& data) const;
  // The columns of the run, of a frame with their symbols.
  FeatureSet Columns() const;
  // Whose bars the state's features read.
  std::vector<std::string> FrameOf(const SymbolState& state) const;
  // The forecasts of one part by one model (its position in the recipe); of combinatorial folds
  // the mean of each row's.
  ForecastTable ForecastsOf(SymbolState& state, size_t model, Part part) const;
  ForecastTable TestForecastsOf(SymbolState& state, size_t model) const {
    return ForecastsOf(state, model, Part::kTest);
  }
  // Forecasts of `rows` of the state's dataset, of a panel each by its symbol.
  ForecastTable Forecast(SymbolState& state, const std::string& model, const Forecaster& forecaster,
                         std::span<const uint32_t> rows, size_t fold) const;
  // One a model, in the recipe's order: its test forecasts beside naive and what happened.
  const std::vector<JudgedRows>& JudgedOf(SymbolState& state) const;
  const std::vector<Evaluation>& EvaluationsOf(SymbolState& state) const;
  const Comparison& ComparisonOf(SymbolState& state) const;
  const std::vector<ModelRanking>& RankingsOf(SymbolState& state) const;
  // Of a target of classes.
  const TableEvaluation& ClassesOf(SymbolState& state) const;
  const std::vector<BacktestResult>& BacktestsOf(SymbolState& state) const;
  const std::vector<GridResult>& GridsOf(SymbolState& state) const;
  // Of combinatorial folds: the forecasts of a model on each path, and how models and accounts did
  // on each. Empty for others.
  const std::vector<ForecastTable>& PathsOf(SymbolState& state, size_t model) const;
  const std::vector<PathFigure>& ForecastPathsOf(SymbolState& state) const;
  const std::vector<PathFigure>& AccountPathsOf(SymbolState& state) const;
  void AddClassPath(SymbolState& state, const ForecastTable& table) const;
  void AddValuePath(SymbolState& state, const ForecastTable& table) const;
  void SavePathForecasts(SymbolState& state, const std::filesystem::path& folder) const;
  std::vector<SymbolOutcome> OutcomesOf(SymbolState& state) const;
  TableEvaluation JudgeClasses(SymbolState& state, const ForecastTable& table,
                               const BootstrapOptions& bootstrap) const;
  BacktestResult BacktestOf(SymbolState& state, size_t account, const TrialSummary& trials) const;
  BacktestInput InputOf(SymbolState& state, const ForecastTable& forecasts) const;
  ForecastTable AccountForecastsOf(SymbolState& state, const BacktestAccount& account,
                                   Part part) const;
  std::string ProblemOf(const SymbolState& state) const;
  std::string ContentOf(const SymbolState& state) const;
  std::string FiguresOf(const SymbolState& state) const;
  bool IsRecorded(const SymbolState& state, const BacktestAccount& account,
                  const Registry& registry) const;
  TrialKey TrialKeyOf(const SymbolState& state, const BacktestAccount& account,
                      const std::string& config = "") const;
  void RecordTrials(SymbolState& state, size_t account, Registry& registry);

  ReportData ReportOf(SymbolState& state) const;
  void AddIdentity(const SymbolState& state, ReportData& report) const;
  void AddVerdicts(SymbolState& state, ReportData& report) const;
  void AddForecasts(SymbolState& state, ReportData& report) const;
  void AddDistributions(SymbolState& state, ReportData& report) const;
  void AddSteps(SymbolState& state, const ForecastTable& forecasts, const SymbolState& drawn,
                ReportData& report) const;
  TableOptions QuantileOptions() const;
  std::vector<CandleSeries> BarsOf(SymbolState& state) const;
  void AddPaths(SymbolState& state, ReportData& report) const;
  void AddModels(SymbolState& state, ReportData& report) const;
  void AddClasses(SymbolState& state, ReportData& report) const;
  void AddTrading(SymbolState& state, ReportData& report) const;
  void AddData(SymbolState& state, ReportData& report) const;
  // Of the run's folder: the folder itself if there is one symbol.
  std::filesystem::path SubfolderOf(const SymbolState& state) const;
  void WriteRunFolder(RunResult& result);
  Json ResultsOf(SymbolState& state) const;

  const Recipe& recipe_;
  Home home_;
  RunOptions options_;
  Progress& progress_;
  ArtifactStore store_;
  CandleStore candles_;
  std::string run_id_;
  bool begun_ = false;
  bool one_step_ = false;  // the progress of all symbols is one step
  bool one_step_begun_ = false;
  std::vector<SymbolState> symbols_;
  std::optional<SymbolState> panel_;
  std::vector<SymbolState*> judged_;  // what is trained on and reported: the symbols, or the panel
  std::vector<StageReport> stages_;
};

}  // namespace almanac

#endif  // ALMANAC_PIPELINE_STAGE_RUN_H_
