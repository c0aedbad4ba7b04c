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
#include "almanac/forecast/table.h"
#include "almanac/lake/candle_store.h"
#include "almanac/market/audit.h"
#include "almanac/pipeline/artifact.h"
#include "almanac/pipeline/pipeline.h"
#include "almanac/registry/registry.h"
#include "almanac/report/report.h"

namespace almanac {

// One symbol's way through the stages. What is not set has not been needed yet: a run that finds
// everything complete computes nothing.
struct SymbolState {
  SeriesKey key;
  std::string candles_hash;
  CandleSeries candles;  // after filling
  size_t filled = 0;
  ArtifactKey audit, features, dataset;
  std::vector<ArtifactKey> train;  // one a model, in the recipe's order
  TrialSummary trials;
  ArtifactKey evaluate, backtest, report;

  std::optional<SeriesAudit> audit_result;
  std::optional<Labels> labels;
  std::shared_ptr<const Dataset> data;
  std::optional<DataSplit> split;
  std::vector<JudgedRows> judged;
  std::vector<Evaluation> evaluations;    // one a model but the naive one
  std::optional<Comparison> comparison;   // of the same models
  std::vector<BacktestResult> backtests;  // one a traded model
};

class StageRun {
 public:
  StageRun(const Recipe& recipe, const Home& home, const RunOptions& options, Progress& progress);

  RunResult Run();

 private:
  // Whether `stage` is to be made again although complete: it was named by --force, or a stage that
  // it depends on was.
  bool IsForced(std::string_view stage) const;
  // Makes the artifact unless it is complete; keeps the report. `write` returns the result line.
  using Write = std::function<std::string(const std::filesystem::path& folder)>;
  void Make(const ArtifactKey& key, const std::string& detail, const Write& write);
  std::filesystem::path FolderOf(const ArtifactKey& key) const { return store_.FolderOf(key); }
  ArtifactKey KeyOf(std::string_view stage, std::string configuration) const;
  void Note(std::string_view stage, const std::string& detail, StageStatus status,
            const std::string& result);
  void EnsureRunBegun();

  // The stages, for all symbols each.
  void Collect();
  void ReadCandles();
  void AuditStage(SymbolState& state);
  void FeaturesStage(SymbolState& state);
  void DatasetStage(SymbolState& state);
  void TrainStage(SymbolState& state);
  void TrialsStage(SymbolState& state);
  void EvaluateStage(SymbolState& state);
  void BacktestStage(SymbolState& state);
  void ReportStage(SymbolState& state);

  // Things that several stages need, computed on first use.
  const SeriesAudit& AuditOf(SymbolState& state) const;
  const Labels& LabelsOf(SymbolState& state) const;
  const Dataset& DataOf(SymbolState& state) const;
  const DataSplit& SplitOf(SymbolState& state) const;
  // The forecasts of the test part of one model (its position in the recipe).
  ForecastTable TestForecastsOf(SymbolState& state, size_t model) const;
  // One a model, in the recipe's order: its test forecasts beside naive and what happened.
  const std::vector<JudgedRows>& JudgedOf(SymbolState& state) const;
  const std::vector<Evaluation>& EvaluationsOf(SymbolState& state) const;
  const Comparison& ComparisonOf(SymbolState& state) const;
  const std::vector<BacktestResult>& BacktestsOf(SymbolState& state) const;
  BacktestResult BacktestOf(SymbolState& state, size_t model, const TrialSummary& trials) const;
  TrialKey TrialKeyOf(const SymbolState& state, const ModelSection& model) const;
  void RecordTrial(SymbolState& state, size_t model, Registry& registry);

  ReportData ReportOf(SymbolState& state) const;
  void AddIdentity(const SymbolState& state, ReportData& report) const;
  void AddVerdicts(SymbolState& state, ReportData& report) const;
  void AddForecasts(SymbolState& state, ReportData& report) const;
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
  std::vector<SymbolState> symbols_;
  std::vector<StageReport> stages_;
};

}  // namespace almanac

#endif  // ALMANAC_PIPELINE_STAGE_RUN_H_
