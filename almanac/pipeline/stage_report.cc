// The last stage: everything a run found, put into words, tables and pictures.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "almanac/base/file.h"
#include "almanac/base/text.h"
#include "almanac/pipeline/report_curves.h"
#include "almanac/pipeline/stage_run.h"
#include "almanac/report/from_results.h"
#include "almanac/report/from_table.h"
#include "almanac/report/pictures.h"
#include "almanac/report/report.h"

namespace almanac {
namespace fs = std::filesystem;
namespace {

// Each kind of target in a few words.
struct TargetWords {
  std::string operator()(const TargetSpec& target) const {
    return target.kind == TargetKind::kForwardClose       ? "the closing price"
           : target.kind == TargetKind::kForwardLogReturn ? "the log return"
                                                          : "the return";
  }
  std::string operator()(const DirectionSpec& target) const {
    return fmt::format("whether the price is up or down by more than {:g} %",
                       100 * target.threshold);
  }
  std::string operator()(const PriceChangeSpec& target) const {
    return fmt::format("whether the price first rises by {:g} % or falls by {:g} %",
                       100 * target.up, 100 * target.down);
  }
  std::string operator()(const TripleBarrierSpec& target) const {
    return fmt::format(
        "which barrier the price touches first: {:g} deviations of its returns above, {:g} below",
        target.upper, target.lower);
  }
  std::string operator()(const VolatilitySpec& /*target*/) const {
    return "the realised volatility";
  }
  std::string operator()(const SwingSpec& target) const {
    return fmt::format(
        "what follows a swing {} of {} bars on each side, at least {:g} deviations from the mean: "
        "{:g} deviations beyond it, or as much back",
        Name(target.side), target.look_back, target.std_dev, target.threshold);
  }
};

std::string TargetSentence(const AnyTarget& target, Timeframe timeframe) {
  const int64_t horizon = HorizonOf(target);
  return fmt::format("{} over the next {} ({}), from {}", std::visit(TargetWords(), target),
                     horizon == 1 ? "1 bar" : fmt::format("{} bars", horizon),
                     FormatDuration(horizon * timeframe.duration()),
                     IsAtEvents(target) ? "its confirmation" : "the close of a bar");
}

ReportErrors ErrorsOf(const JudgedRows& rows, const ModelSection& model) {
  ReportErrors errors;
  errors.model = model.name;
  errors.naive = model.kind == "naive";
  for (size_t i = 0; i < rows.rows(); ++i) {
    errors.errors.push_back(rows.actual[i] - rows.forecast[i]);
  }
  return errors;
}

std::vector<ReportSplit> PartRows(const DataSplit& split, const Dataset& data) {
  const std::span<const TimeMs> times = data.times();
  const TimeMs end = times.back() + 1;
  const bool has_validation = split.validation_from() < split.test_from();
  std::vector<ReportSplit> parts;
  const auto add = [&](Part part, TimeMs from, TimeMs to) {
    const auto between =
        std::count_if(data.label_rows().begin(), data.label_rows().end(),
                      [&](uint32_t row) { return times[row] >= from && times[row] < to; });
    const auto rows = static_cast<int64_t>(part == Part::kTraining ? split.training().size()
                                                                   : split.rows(part).size());
    parts.push_back({std::string(Name(part)), from, to, rows, between - rows});
  };
  add(Part::kTraining, times.front(), split.validation_from());
  if (has_validation) add(Part::kValidation, split.validation_from(), split.test_from());
  add(Part::kTest, split.test_from(), end);
  return parts;
}

std::vector<ReportSplit> SplitRows(const RunSplit& split, const Dataset& data) {
  if (split.parts) return PartRows(*split.parts, data);
  std::vector<ReportSplit> parts;
  const auto add = [&](size_t fold, Part part, std::span<const uint32_t> rows, size_t purged) {
    if (rows.empty()) return;
    parts.push_back({fmt::format("fold {} {}", fold + 1, Name(part)), data.times()[rows.front()],
                     data.times()[rows.back()] + 1, static_cast<int64_t>(rows.size()),
                     static_cast<int64_t>(purged)});
  };
  for (size_t f = 0; f < split.folds.size(); ++f) {
    const Fold& fold = split.folds[f];
    add(f, Part::kTraining, fold.training.rows(), fold.purged);
    add(f, Part::kValidation, fold.validation, 0);
    add(f, Part::kTest, fold.test, 0);
  }
  return parts;
}

Json LearntOf(const fs::path& folder) {
  const Json training = Json::parse(ReadFile(folder / "training.json"));
  return training.at("learnt");
}

std::string ParametersText(const Json& learnt) {
  std::string text;
  for (const auto& [key, value] : learnt.items()) {
    if (value.is_structured() || key == "kind") continue;
    text += fmt::format(
        "{}{} {}", text.empty() ? "" : ", ", key,
        value.is_number_float() ? fmt::format("{:.6g}", value.get<double>()) : value.dump());
  }
  if (learnt.contains("lambdas") && learnt.at("lambdas").size() > 1) {
    text += fmt::format("; lambda was chosen of {} on {} time-ordered folds of the training part",
                        learnt.at("lambdas").size(), learnt.at("folds").dump());
  }
  return text;
}

const char* DescriptionOf(const std::string& kind, const AnyTarget& target) {
  const bool of_classes = !ClassesOf(target).empty();
  const bool of_volatility = std::holds_alternative<VolatilitySpec>(target);
  if (kind == "naive" && of_classes) return "how often each class was in training, in every row";
  if (kind == "naive" && of_volatility) return "the volatility of the last equally long time";
  if (kind == "drift" && of_volatility) return "the mean of the training part, in every row";
  if (kind == "naive") return "tomorrow equals today: the forecast return is 0";
  if (kind == "drift") return "the mean return of the training part, whatever the features say";
  if (kind == "ridge") return "least squares on standardised features, with a penalty";
  if (kind == "momentum") return "past winners go on winning: a past return, scaled";
  if (kind == "gbdt") return "gradient boosted decision trees";
  if (kind == "conformal") return "a model with intervals measured on rows it did not learn from";
  if (kind == "tft") return "a Temporal Fusion Transformer: selected inputs, LSTM, attention";
  if (kind == "gru_attention") return "GRU layers with attention over the steps of a window";
  if (kind == "lstm") return "LSTM layers over a window";
  if (kind == "dnn") return "dense layers over a whole window";
  if (kind == "cdnn") return "convolutions over a window, then dense layers";
  if (kind == "clstm") return "convolutions over a window, then LSTM layers";
  return "";
}

// "32 of 60 kept; gone: 20 correlation, 8 missing", of a report of pruning.
std::string PruneText(const Json& report) {
  const size_t kept = report.at("kept").size(), gone = report.at("pruned").size();
  std::map<std::string, int> reasons;
  for (const Json& column : report.at("pruned")) ++reasons[column.at("reason").get<std::string>()];
  std::string text;
  for (const std::string& reason : PruneReasons()) {
    if (!reasons.contains(reason)) continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", reasons[reason], reason);
  }
  return fmt::format("{} of {} kept{}{}", kept, kept + gone, gone > 0 ? "; gone: " : "", text);
}

// Those that some fold kept; all where nothing was pruned.
std::vector<FeatureInfo> KeptColumns(const FeatureSet& set, const Json& reports) {
  std::set<std::string> kept;
  for (const Json& report : reports) {
    for (const Json& name : report.at("kept")) kept.insert(name.get<std::string>());
  }
  std::vector<FeatureInfo> columns = set.Columns();
  std::erase_if(columns, [&](const FeatureInfo& info) {
    return !reports.empty() && !kept.contains(info.name);
  });
  return columns;
}

std::vector<ReportFeature> FeaturesOf(const std::vector<FeatureInfo>& columns, const Json& learnt) {
  std::vector<ReportFeature> features;
  const bool weighted = learnt.contains("coefficients") && learnt.at("coefficients").is_object();
  for (const FeatureInfo& info : columns) {
    std::string importance;
    if (weighted && learnt.at("coefficients").contains(info.name)) {
      importance = fmt::format("{:+.3g}", learnt.at("coefficients").at(info.name).get<double>());
    }
    features.push_back({info.name, info.formula, info.unit, importance});
  }
  return features;
}

// The symbols that a state stands for: itself, or a panel's.
std::vector<const SymbolState*> SymbolsOf(const SymbolState& state) {
  if (state.members.empty()) return {&state};
  return {state.members.begin(), state.members.end()};
}
std::vector<SymbolState*> MutableSymbolsOf(SymbolState& state) {
  return state.members.empty() ? std::vector<SymbolState*>{&state} : state.members;
}

// What of a panel is drawn: the symbols that the first account traded most.
std::vector<const SymbolState*> DrawnOf(const SymbolState& state,
                                        const std::vector<BacktestResult>& backtests) {
  if (state.members.empty()) return {&state};
  std::vector<std::pair<double, size_t>> traded(state.members.size());
  for (size_t m = 0; m < traded.size(); ++m) traded[m].second = m;
  if (!backtests.empty()) {
    const Simulation& simulation = backtests.front().strategy.simulation;
    for (const Trade& trade : simulation.trades) {
      for (size_t m = 0; m < traded.size(); ++m) {
        const bool own = simulation.symbols.empty() ||
                         state.members[m]->key.symbol == simulation.symbols[trade.symbol];
        if (!own) continue;
        traded[m].first -= trade.units * trade.entry_price;
      }
    }
  }
  std::sort(traded.begin(), traded.end());
  constexpr size_t kDrawn = 4;
  std::vector<const SymbolState*> drawn;
  for (size_t i = 0; i < std::min(kDrawn, traded.size()); ++i) {
    drawn.push_back(state.members[traded[i].second]);
  }
  return drawn;
}

template <typename Item>
void AddAll(std::vector<Item>& to, const std::vector<Item>& from) {
  for (const Item& item : from) {
    if (std::find(to.begin(), to.end(), item) == to.end()) to.push_back(item);
  }
}

bool IsBaselineName(const Recipe& recipe, const std::string& name) {
  return std::any_of(recipe.models.begin(), recipe.models.end(), [&](const ModelSection& model) {
    return model.name == name && model.baseline();
  });
}

}  // namespace

// The run's identity: what it was, from what.
void StageRun::AddIdentity(const SymbolState& state, ReportData& report) const {
  report.title = recipe_.title + (judged_.size() > 1 ? ": " + state.key.symbol : "");
  report.subtitle = recipe_.description;
  report.recipe_name = recipe_.name;
  report.recipe_yaml = recipe_.text;
  report.run_id = run_id_;
  report.code_version = ALMANAC_VERSION "+" + state.report.code_version;
  report.data_hash = state.candles_hash;
  const std::vector<const SymbolState*> symbols = SymbolsOf(state);
  report.data_from = kMaxTime;
  report.data_to = kMinTime;
  for (const SymbolState* symbol : symbols) {
    const CandleSeries& candles = symbol->candles;
    report.data_from = std::min(report.data_from, candles.open_time.front());
    report.data_to = std::max(report.data_to, candles.KnownAt(candles.size() - 1));
  }
  report.facts = {{"series", ToString(state.key)},
                  {"trials of this problem", std::to_string(state.trials.count)}};
  if (!state.members.empty()) {
    report.facts.push_back({"symbols", FormatCount(static_cast<int64_t>(symbols.size()))});
  }
  for (const StageReport& stage : stages_) {
    if (stage.artifact.empty()) continue;
    // "BTCUSDT", or "ridge BTCUSDT".
    const std::string& symbol = state.key.symbol;
    const bool own = stage.detail == symbol || stage.detail.ends_with(" " + symbol) ||
                     (stage.stage == "features" && !recipe_.data.frame.empty());
    if (own) report.stages.push_back({stage.stage, stage.artifact.filename().string(), "", {}});
  }
}

// Verdicts and key figures: of the account that was traded first, then of each model's forecasts.
void StageRun::AddVerdicts(SymbolState& state, ReportData& report) const {
  const std::vector<BacktestResult>& backtests = BacktestsOf(state);
  for (const BacktestResult& result : backtests) {
    report.verdict.push_back(VerdictOf(result, recipe_.evaluate.significance));
  }
  if (recipe_.backtest.signal.grid) {
    for (const GridResult& grid : GridsOf(state)) {
      if (!grid.selection) continue;
      report.verdict.push_back(
          {Tone::kNeutral, "on the validation part " + grid.selection->verdict});
    }
  }
  if (!backtests.empty()) report.key_figures = KeyFiguresOf(backtests.front());
  const auto judged = std::count_if(recipe_.models.begin(), recipe_.models.end(),
                                    [](const ModelSection& model) { return !model.baseline(); });
  for (const Evaluation& evaluation : EvaluationsOf(state)) {
    if (IsBaselineName(recipe_, evaluation.model)) continue;
    report.verdict.push_back(VerdictOf(evaluation, recipe_.evaluate.significance));
    for (ReportKeyFigure& figure : KeyFiguresOf(evaluation)) {
      if (judged > 1) figure.label = evaluation.model + ": " + figure.label;
      report.key_figures.push_back(std::move(figure));
    }
  }
  if (judged > 1 && recipe_.classes().empty()) {
    report.verdict.push_back({Tone::kNeutral, ComparisonOf(state).verdict});
  }
}

// Models and what they learnt: of folds, the last.
void StageRun::AddModels(SymbolState& state, ReportData& report) const {
  Json pruned = Json::array();
  if (recipe_.prune) {
    pruned = Json::parse(ReadFile(FolderOf(state.dataset) / "prune.json"));
    for (size_t f = 0; f < pruned.size(); ++f) {
      const std::string fold = pruned.size() > 1 ? fmt::format(" of fold {}", f + 1) : "";
      report.facts.push_back({"columns" + fold, PruneText(pruned[f])});
    }
  }
  Json weights = Json::object();
  for (size_t m = 0; m < recipe_.models.size(); ++m) {
    const ModelSection& model = recipe_.models[m];
    const Json learnt = LearntOf(FolderOf(state.train[m].back()));
    if (learnt.contains("coefficients")) weights = learnt;
    if (auto attention = AttentionOf(model.name, learnt)) {
      report.attention.push_back(std::move(*attention));
    }
    std::string text = ParametersText(learnt);
    if (recipe_.split.folds) {
      text += fmt::format("{}trained {} times, here the last", text.empty() ? "" : "; ",
                          state.train[m].size());
    }
    report.models.push_back(
        {model.name, DescriptionOf(model.kind, recipe_.target), std::move(text)});
  }
  report.features = FeaturesOf(KeptColumns(Columns(), pruned), weights);
}

void StageRun::AddPaths(SymbolState& state, ReportData& report) const {
  if (!recipe_.split.repeats()) return;
  report.forecast_tables.push_back(PathsTable("Forecasts on each path", ForecastPathsOf(state)));
}

// Forecasts, their errors, and the tables that judge them.
void StageRun::AddForecasts(SymbolState& state, ReportData& report) const {
  std::vector<const SymbolState*> drawn = DrawnOf(state, BacktestsOf(state));
  // A volatility is no price that could be drawn among candles.
  if (std::holds_alternative<VolatilitySpec>(recipe_.target)) drawn.clear();
  for (const SymbolState* symbol : drawn) {
    report.markets.push_back({symbol->candles, recipe_.report.currency, {}});
  }
  if (!recipe_.classes().empty()) {
    AddClasses(state, report);
    return;
  }
  for (size_t m = 0; m < recipe_.models.size(); ++m) {
    const ModelSection& model = recipe_.models[m];
    const ForecastTable forecasts = TestForecastsOf(state, m);
    for (size_t i = 0; i < drawn.size(); ++i) {
      report.markets[i].forecasts.push_back(
          ForecastCurve(forecasts, drawn[i]->key.symbol, model, HorizonOf(recipe_.target)));
    }
    if (!drawn.empty()) AddSteps(state, forecasts, *drawn.front(), report);
    report.errors.push_back(ErrorsOf(JudgedOf(state)[m], model));
  }

  const std::vector<Evaluation>& evaluations = EvaluationsOf(state);
  if (evaluations.empty()) return;
  report.forecast_tables = MetricsTables(evaluations);
  const Comparison& comparison = ComparisonOf(state);
  report.forecast_tables.push_back(ComparisonTable(comparison, recipe_.evaluate.significance));
  if (comparison.models.size() > 2) {
    report.forecast_tables.push_back(PairsTable(comparison, recipe_.evaluate.significance));
  }
  for (const ReportSteps& steps : report.steps) {
    report.forecast_tables.push_back(StepsTable(steps));
  }
  AddDistributions(state, report);
  if (!RankingsOf(state).empty()) {
    report.forecast_tables.push_back(RankingTable(RankingsOf(state)));
    report.forecast_tables.push_back(BucketTable(RankingsOf(state)));
  }
  const Space space = evaluations.front().space;
  report.by_month = {
      MonthsTable(evaluations, space, Metric::kMae),
      MonthsTable(evaluations, space, space == Space::kVolatility ? Metric::kQlike : Metric::kIc),
      GroupsTable(evaluations, "volatility", &Evaluation::regimes, space, Metric::kMae)};
  // A row a symbol: of a panel of hundreds nobody reads them.
  constexpr size_t kSymbolsShown = 50;
  const size_t symbols = evaluations.front().symbols.size();
  if (symbols > 1 && symbols <= kSymbolsShown) {
    report.by_month.push_back(
        GroupsTable(evaluations, "symbol", &Evaluation::symbols, space, Metric::kMae));
  }
  for (const Evaluation& evaluation : evaluations) {
    AddAll(report.assumptions, evaluation.assumptions);
  }
}

// Of the models that give quantiles: how good these are at the target's horizon.
void StageRun::AddDistributions(SymbolState& state, ReportData& report) const {
  ForecastTable given;
  given.quantity = QuantityOf(recipe_.target);
  for (size_t m = 0; m < recipe_.models.size(); ++m) {
    const ForecastTable forecasts = TestForecastsOf(state, m);
    if (WidestInterval(forecasts).low == nullptr) continue;
    given.Append(RowsAtHorizon(forecasts, HorizonOf(recipe_.target)));
  }
  if (given.rows() == 0) return;
  given.Sort();
  const TableEvaluation judged = EvaluateTable(given, BarsOf(state), QuantileOptions());
  const std::vector<QuantileEvaluation>& models = judged.horizons.front().quantiles;
  if (models.empty()) return;
  report.forecast_tables.push_back(QuantilesTable(models));
  for (const QuantileEvaluation& model : models) report.pit.push_back(PitOf(model));
}

TableOptions StageRun::QuantileOptions() const {
  TableOptions options;
  options.naive = recipe_.models[recipe_.NaiveModel()].name;
  options.bootstrap = recipe_.evaluate.bootstrap;
  options.significance = recipe_.evaluate.significance;
  return options;
}

std::vector<CandleSeries> StageRun::BarsOf(SymbolState& state) const {
  std::vector<CandleSeries> bars;
  for (const SymbolState* symbol : SymbolsOf(state)) bars.push_back(symbol->candles);
  return bars;
}

// Of a model that forecasts every step: the fan of one symbol, and how good each step is.
void StageRun::AddSteps(SymbolState& state, const ForecastTable& forecasts,
                        const SymbolState& drawn, ReportData& report) const {
  const int64_t horizon = HorizonOf(recipe_.target);
  if (std::all_of(forecasts.horizon.begin(), forecasts.horizon.end(),
                  [&](int64_t h) { return h == horizon; })) {
    return;
  }
  TableOptions options = QuantileOptions();
  options.bootstrap.replicates = 0;  // the steps' values; the target's intervals are elsewhere
  report.fans.push_back(FanOf(forecasts, drawn.candles, recipe_.report.currency));
  report.steps.push_back(
      StepsOf(EvaluateTable(forecasts, BarsOf(state), options), recipe_.report.currency));
}

// Verdicts, figures and tables of a target of classes.
void StageRun::AddClasses(SymbolState& state, ReportData& report) const {
  const TableEvaluation& evaluation = ClassesOf(state);
  ReportData judged = almanac::ReportOf(evaluation, "", recipe_.evaluate.significance);
  AddAll(report.warnings, judged.warnings);
  for (ReportVerdict& verdict : judged.verdict) report.verdict.push_back(std::move(verdict));
  report.forecast_tables = std::move(judged.forecast_tables);
  report.reliability = std::move(judged.reliability);
  const std::vector<ClassEvaluation>& models = evaluation.horizons.front().classes;
  for (const ClassEvaluation& model : models) {
    for (ReportKeyFigure& figure : KeyFiguresOf(model)) {
      if (models.size() > 1) figure.label = model.model + ": " + figure.label;
      report.key_figures.push_back(std::move(figure));
    }
  }
}

void StageRun::AddTrading(SymbolState& state, ReportData& report) const {
  const std::vector<BacktestResult>& backtests = BacktestsOf(state);
  if (backtests.empty()) return;
  report.equity = EquityOf(backtests.front(), recipe_.report.currency);
  report.trades = TradesOf(backtests.front().strategy, state.key.symbol);
  for (const BacktestResult& result : backtests) {
    report.strategy_tables.push_back(AccountsTable(result));
    report.strategy_tables.push_back(TrustTable(result));
    report.strategy_tables.push_back(ActivityTable(result));
    report.monthly_returns.push_back(MonthlyReturnsOf(result.strategy));
    AddAll(report.assumptions, result.assumptions);
  }
  if (recipe_.split.repeats()) {
    report.strategy_tables.push_back(
        PathsTable("The same account on each path", AccountPathsOf(state)));
  }
  if (!recipe_.backtest.signal.grid) return;
  for (const GridResult& grid : GridsOf(state)) {
    if (grid.selection) report.strategy_tables.push_back(SelectionTable(*grid.selection));
  }
}

// The data's audit and what a reader has to bear in mind about it.
void StageRun::AddData(SymbolState& state, ReportData& report) const {
  report.target = TargetSentence(recipe_.target, state.key.timeframe);
  report.split = SplitRows(SplitOf(state), DataOf(state));
  bool all_sound = true;
  for (SymbolState* symbol : MutableSymbolsOf(state)) {
    const SeriesAudit& audit = AuditOf(*symbol);
    all_sound = all_sound && audit.IsSound();
    // Of a panel, those that there is something to say about.
    const bool notable = !audit.IsSound() || !audit.gaps.empty();
    if (state.members.empty() || notable) report.audits.push_back(audit);
  }
  report.fill = ToString(recipe_.data.fill);
  std::vector<std::string>& warnings = report.warnings;
  if (recipe_.data.source == "simulator") {
    warnings.push_back("simulated prices: what holds here says nothing about a real market");
  }
  if (recipe_.data.calendar->name() == "us-equities") {
    warnings.push_back(
        "survivorship bias: a list of symbols that exist today leaves out those that failed");
  }
  if (SplitOf(state).known_by == kMaxTime) {
    warnings.push_back(
        recipe_.split.repeats()
            ? "combinatorial folds: models learn from rows before and after those they forecast, "
              "which nobody could have done at the time; what is judged and traded is the mean of "
              "a row's forecasts, and each path by itself beside it"
            : "purged k-fold: models learn from rows before and after those they forecast, which "
              "nobody could have done at the time");
  }
  if (SplitOf(state).skipped > 0) {
    warnings.push_back(fmt::format("{} windows had no rows in one of their parts and were left out",
                                   SplitOf(state).skipped));
  }
  if (!all_sound) {
    warnings.push_back(
        "the series is not sound (see the data audit) and was used because the recipe says so");
  }
  if (state.filled > 0) {
    warnings.push_back(
        fmt::format("{} missing bars were filled forward: flat, with zero volume", state.filled));
  }
}

ReportData StageRun::ReportOf(SymbolState& state) const {
  ReportData report;
  AddIdentity(state, report);
  AddVerdicts(state, report);
  AddForecasts(state, report);
  AddPaths(state, report);
  AddModels(state, report);
  AddTrading(state, report);
  AddData(state, report);
  return report;
}

Json StageRun::ResultsOf(SymbolState& state) const {
  Json results = {{"series", ToString(state.key)},
                  {"candles", state.candles_hash},
                  {"trials", state.trials.count},
                  {"evaluations", Json::array()},
                  {"backtests", Json::array()}};
  for (const Evaluation& evaluation : EvaluationsOf(state)) {
    results["evaluations"].push_back(ToJson(evaluation));
  }
  if (!recipe_.classes().empty()) results["classes"] = ToJson(ClassesOf(state));
  if (!EvaluationsOf(state).empty()) results["comparison"] = ToJson(ComparisonOf(state));
  if (!RankingsOf(state).empty()) results["cross_section"] = ToJson(RankingsOf(state));
  for (const BacktestResult& result : BacktestsOf(state)) {
    results["backtests"].push_back(ToJson(result));
  }
  if (recipe_.split.repeats()) {
    results["paths"] = {{"forecasts", ToJson(ForecastPathsOf(state))},
                        {"accounts", ToJson(AccountPathsOf(state))}};
  }
  if (recipe_.backtest.signal.grid) {
    results["selections"] = Json::array();
    for (const GridResult& grid : GridsOf(state)) {
      results["selections"].push_back(
          grid.selection ? ToJson(*grid.selection, ConfigNames(grid.configs.size()))
                         : Json(nullptr));
    }
  }
  return results;
}

void StageRun::ReportStage(SymbolState& state) {
  const Json configuration = {
      {"recipe", recipe_.text}, {"run", run_id_}, {"pictures", recipe_.report.pictures}};
  state.report = KeyOf("report", configuration.dump());
  state.report.inputs = {{"evaluate", state.evaluate.Hash()}, {"backtest", state.backtest.Hash()}};
  for (const SymbolState* symbol : SymbolsOf(state)) {
    state.report.inputs.emplace_back("audit", symbol->audit.Hash());
  }
  Make(state.report, state.key.symbol, [&](const fs::path& folder) {
    const ReportData report = ReportOf(state);
    WriteFileAtomic(folder / "report.html", RenderHtml(report));
    WriteFileAtomic(folder / "summary.txt", RenderText(report));
    WriteFileAtomic(folder / "results.json", ResultsOf(state).dump(2) + "\n");
    if (!recipe_.report.pictures) return std::string("report.html");
    const auto pictures = WritePictures(report, folder);
    return fmt::format("report.html, {} pictures", pictures.size());
  });
}

}  // namespace almanac
